/* SPDX-License-Identifier: Apache-2.0 */
/* Moves of words by which the edit distance falls most, one after another; see ter.h. */
#include "datasets/grading/ter.h"

#include "datasets/grading/edit_distance.h"
#include "datasets/grading/ngrams.h"
#include "datasets/unicode/unicode.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_MOVED = 10, MOST_DISTANCE = 50, MOST_CANDIDATES = 1000 };

/* `length` words from `start` on go to before what is now word `target`. */
struct move {
    ptrdiff_t gain;
    size_t length, start, target;
};

struct search {
    struct tare_ids words, reference; /* words: those moved so far */
    uint32_t *tried;                  /* words after a candidate's move */
    struct tare_alignment alignment;
    struct tare_edit_distance *distance;
    size_t now; /* edits of words */
    size_t candidates;
    struct move best;
    bool found;
};

/* The order of the words after a move. A target within what moves is counted from behind it, as sacrebleu
 * does. */
static void apply_move(const uint32_t *words, size_t n, struct move m, uint32_t *out)
{
    size_t stop = m.start + m.length, rest = 0, at = 0;
    size_t before = m.target < m.start ? m.target : m.target > stop ? m.target - m.length : m.target;
    before = before < n - m.length ? before : n - m.length;
    for (size_t i = 0; i < n; i++) {
        if (i >= m.start && i < stop) {
            continue;
        }
        if (rest++ == before) {
            memcpy(out + at, words + m.start, m.length * sizeof *words);
            at += m.length;
        }
        out[at++] = words[i];
    }
    if (rest == before) {
        memcpy(out + at, words + m.start, m.length * sizeof *words);
    }
}

/* The larger gain, then the longer, then what starts and ends up further ahead. */
static bool is_better(const struct move *a, const struct move *b)
{
    if (a->gain != b->gain) {
        return a->gain > b->gain;
    }
    if (a->length != b->length) {
        return a->length > b->length;
    }
    return a->start != b->start ? a->start < b->start : a->target < b->target;
}

static void try_move(struct search *s, size_t start, size_t length, size_t target)
{
    struct move m = {.length = length, .start = start, .target = target};
    apply_move(s->words.ids, s->words.n, m, s->tried);
    struct tare_ids moved = {.ids = s->tried, .n = s->words.n};
    m.gain = (ptrdiff_t)s->now - (ptrdiff_t)tare_edit_distance(s->distance, moved, s->reference, NULL);
    s->candidates++;
    if (!s->found || is_better(&m, &s->best)) {
        s->best = m;
        s->found = true;
    }
}

static bool any_wrong(const bool *wrong, size_t start, size_t length)
{
    for (size_t i = start; i < start + length; i++) {
        if (wrong[i]) {
            return true;
        }
    }
    return false;
}

/* Words [start, start + length) are the reference's from `at` on: they go before or behind where those are
 * aligned. */
static void try_place(struct search *s, size_t start, size_t at, size_t length)
{
    ptrdiff_t aligned = s->alignment.align[at], last = -1;
    if (!any_wrong(s->alignment.from_wrong, start, length) || !any_wrong(s->alignment.to_wrong, at, length) ||
        (aligned >= (ptrdiff_t)start && aligned < (ptrdiff_t)(start + length))) {
        return;
    }
    for (size_t offset = 0; offset <= length; offset++) { /* the reference's word at + offset - 1 */
        if (at + offset > s->reference.n) {
            break;
        }
        ptrdiff_t target = at + offset == 0 ? 0 : s->alignment.align[at + offset - 1] + 1;
        if (target != last) {
            last = target;
            try_move(s, start, length, (size_t)target);
        }
    }
}

/* All pairs of equal words not too far apart, and what follows them as long as it is equal. */
static void try_all(struct search *s)
{
    for (size_t start = 0; start < s->words.n; start++) {
        for (size_t at = 0; at < s->reference.n; at++) {
            if ((at > start ? at - start : start - at) > MOST_DISTANCE) {
                continue;
            }
            for (size_t n = 0; n < MOST_MOVED && start + n < s->words.n && at + n < s->reference.n &&
                               s->words.ids[start + n] == s->reference.ids[at + n];
                 n++) {
                try_place(s, start, at, n + 1);
                if (s->candidates >= MOST_CANDIDATES) {
                    return;
                }
            }
        }
    }
}

/* Moves and edits that are left. */
static size_t edit(struct search *s)
{
    size_t moves = 0;
    for (;; moves++) {
        s->found = false;
        s->now = tare_edit_distance(s->distance, s->words, s->reference, &s->alignment);
        try_all(s);
        if (s->candidates >= MOST_CANDIDATES || !s->found || s->best.gain <= 0) {
            return moves + s->now;
        }
        apply_move(s->words.ids, s->words.n, s->best, s->tried);
        memcpy(s->words.ids, s->tried, s->words.n * sizeof *s->tried);
    }
}

static int count_edits(struct tare_ids output, struct tare_ids reference, size_t *out, struct tare_err *err)
{
    if (reference.n == 0) {
        *out = output.n;
        return 0;
    }
    struct search s = {.words = {.ids = malloc((output.n + 1) * sizeof(uint32_t)), .n = output.n},
                       .reference = reference,
                       .tried = malloc((output.n + 1) * sizeof(uint32_t)),
                       .alignment = {.from_wrong = calloc(output.n + 1, sizeof(bool)),
                                     .to_wrong = calloc(reference.n, sizeof(bool)),
                                     .align = calloc(reference.n, sizeof(ptrdiff_t))}};
    int r = tare_edit_distance_create(output.n, reference.n, &s.distance, err);
    if (r == 0 && s.words.ids && s.tried && s.alignment.from_wrong && s.alignment.to_wrong &&
        s.alignment.align) {
        memcpy(s.words.ids, output.ids, output.n * sizeof *output.ids);
        *out = edit(&s);
    } else if (r == 0) {
        r = tare_err_set(err, TARE_E_NOMEM, "no memory for the edits of %zu words", output.n);
    }
    tare_edit_distance_destroy(s.distance);
    free(s.words.ids);
    free(s.tried);
    free(s.alignment.from_wrong);
    free(s.alignment.to_wrong);
    free(s.alignment.align);
    return r;
}

/* A text in lower case and its words, which point into it. */
struct side {
    char *low;
    struct tare_words words;
};

static int make_side(struct tare_bytes text, struct side *out, struct tare_err *err)
{
    struct tare_string valid = {0};
    size_t n = 0;
    tare_string_add_repaired(&valid, text);
    int r = tare_string_check(&valid, "a text", err);
    if (r == 0) {
        r = tare_unicode_lower(tare_string_bytes(&valid), &out->low, &n, err);
    }
    if (r == 0) {
        tare_words_split(&out->words, (struct tare_bytes){out->low, n});
    }
    tare_string_fini(&valid);
    return r;
}

static int count_one(struct tare_bytes output, struct tare_bytes reference, size_t *edits, size_t *length,
                     struct tare_err *err)
{
    struct side sides[2] = {{0}};
    struct tare_ids ids[2] = {{0}};
    int r = make_side(output, &sides[0], err);
    if (r == 0) {
        r = make_side(reference, &sides[1], err);
    }
    if (r == 0) {
        r = tare_ids_of_words((const struct tare_words[]){sides[0].words, sides[1].words}, 2, ids, err);
    }
    if (r == 0) {
        *length = ids[1].n;
        r = count_edits(ids[0], ids[1], edits, err);
    }
    for (int i = 0; i < 2; i++) {
        free(sides[i].low);
        tare_words_fini(&sides[i].words);
        free(ids[i].ids);
    }
    return r;
}

int tare_ter_count(struct tare_bytes output, const struct tare_bytes *references, size_t n_references,
                   double stats[TARE_TER_STATS], struct tare_err *err)
{
    double fewest = HUGE_VAL, lengths = 0;
    for (size_t i = 0; i < n_references; i++) {
        size_t edits = 0, length = 0;
        int r = count_one(output, references[i], &edits, &length, err);
        if (r < 0) {
            return r;
        }
        fewest = fmin(fewest, (double)edits);
        lengths += (double)length;
    }
    stats[0] = fewest;
    stats[1] = lengths / (double)n_references;
    return 0;
}
