/* SPDX-License-Identifier: Apache-2.0 */
/* ROUGE-1, ROUGE-2 and ROUGE-Lsum; see rouge.h. */
#include "datasets/grading/rouge.h"

#include "datasets/grading/ngrams.h"
#include "datasets/unicode/unicode.h"

#include <stdlib.h>
#include <string.h>

/* A text in lower case with a list of its words; sentence s is ids[ends[s - 1] .. ends[s]). */
struct side {
    struct tare_string text;
    struct tare_words words;
    size_t *ends;
    size_t n_sentences;
    struct tare_ids ids;
};

static void fini(struct side *side)
{
    tare_string_fini(&side->text);
    tare_words_fini(&side->words);
    free(side->ends);
    free(side->ids.ids);
}

static bool is_token(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* The next token from *at on, within one line; of no bytes where the line ends. *at is then its line feed, or
 * n. */
static struct tare_bytes next_token(struct tare_bytes text, size_t *at)
{
    while (*at < text.n && !is_token(text.data[*at]) && text.data[*at] != '\n') {
        ++*at;
    }
    size_t begin = *at;
    while (*at < text.n && is_token(text.data[*at])) {
        ++*at;
    }
    return (struct tare_bytes){.data = text.data + begin, .n = *at - begin};
}

static int cut_sentences(struct side *side, struct tare_err *err)
{
    struct tare_bytes text = tare_string_bytes(&side->text);
    size_t lines = 1;
    for (size_t i = 0; i < text.n; i++) {
        lines += text.data[i] == '\n';
    }
    side->ends = calloc(lines, sizeof *side->ends);
    if (!side->ends) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for %zu sentences", lines);
    }
    for (size_t at = 0; at < text.n; at++) { /* over the line feed */
        struct tare_bytes token;
        while ((token = next_token(text, &at)).n > 0) {
            tare_words_add(&side->words, token);
        }
        side->ends[side->n_sentences++] = side->words.n;
    }
    return 0;
}

/* Lower case, with " . " made ".\n" from the left. */
static int make_side(struct tare_bytes text, struct side *out, struct tare_err *err)
{
    struct tare_string valid = {0};
    char *low = NULL;
    size_t n = 0;
    tare_string_add_repaired(&valid, text);
    int r = tare_string_check(&valid, "a text", err);
    if (r == 0) {
        r = tare_unicode_lower(tare_string_bytes(&valid), &low, &n, err);
    }
    tare_string_fini(&valid);
    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < n; i++) {
        if (n - i >= 3 && memcmp(low + i, " . ", 3) == 0) {
            tare_string_puts(&out->text, ".\n");
            i += 2;
        } else {
            tare_string_putc(&out->text, low[i]);
        }
    }
    free(low);
    r = tare_string_check(&out->text, "a text", err);
    return r < 0 ? r : cut_sentences(out, err);
}

static double f1_of(double shared, double output, double reference)
{
    double precision = shared / (output > 1 ? output : 1), recall = shared / (reference > 1 ? reference : 1);
    return precision + recall > 0 ? 100 * (2 * precision * recall / (precision + recall)) : 0;
}

static int score_ngrams(const struct side *output, const struct side *reference, size_t order, double *out,
                        struct tare_err *err)
{
    size_t shared;
    int r = tare_ngrams_shared(output->ids, &reference->ids, 1, order, &shared, err);
    if (r == 0) {
        *out = f1_of((double)shared, (double)tare_ngrams(output->ids.n, order),
                     (double)tare_ngrams(reference->ids.n, order));
    }
    return r;
}

/* Marks the words of a that a longest common subsequence with b uses; of several, the one that leaves out
 * words of b only where it must. table has (a.n + 1) (b.n + 1) places. */
static void mark_common(struct tare_ids a, struct tare_ids b, size_t *table, bool *used)
{
    size_t width = b.n + 1;
    memset(table, 0, width * sizeof *table);
    for (size_t i = 1; i <= a.n; i++) {
        size_t *row = table + i * width, *above = row - width;
        row[0] = 0;
        for (size_t j = 1; j <= b.n; j++) {
            size_t longer = above[j] > row[j - 1] ? above[j] : row[j - 1];
            row[j] = a.ids[i - 1] == b.ids[j - 1] ? above[j - 1] + 1 : longer;
        }
    }
    for (size_t i = a.n, j = b.n; i > 0 && j > 0;) {
        if (a.ids[i - 1] == b.ids[j - 1]) {
            used[--i] = true;
            j--;
        } else if (table[i * width + j - 1] > table[(i - 1) * width + j]) {
            j--;
        } else {
            i--;
        }
    }
}

static struct tare_ids sentence(const struct side *side, size_t s)
{
    size_t begin = s ? side->ends[s - 1] : 0;
    return (struct tare_ids){.ids = side->ids.ids + begin, .n = side->ends[s] - begin};
}

/* How often each word is left, on either side: a word counts no oftener than both have it. */
struct left {
    size_t *output, *reference;
};

static size_t hits_of(struct tare_ids ids, const bool *used, struct left left)
{
    size_t hits = 0;
    for (size_t i = 0; i < ids.n; i++) {
        uint32_t id = ids.ids[i];
        if (used[i] && left.output[id] > 0 && left.reference[id] > 0) {
            hits++;
            left.output[id]--;
            left.reference[id]--;
        }
    }
    return hits;
}

static void count_words(struct tare_ids ids, size_t *counts)
{
    for (size_t i = 0; i < ids.n; i++) {
        counts[ids.ids[i]]++;
    }
}

static size_t hits_of_all(const struct side *output, const struct side *reference, struct left left,
                          size_t *table, bool *used)
{
    size_t hits = 0;
    count_words(output->ids, left.output);
    count_words(reference->ids, left.reference);
    for (size_t s = 0; s < reference->n_sentences; s++) {
        struct tare_ids ids = sentence(reference, s);
        memset(used, 0, ids.n * sizeof *used);
        for (size_t k = 0; k < output->n_sentences; k++) {
            mark_common(ids, sentence(output, k), table, used);
        }
        hits += hits_of(ids, used, left);
    }
    return hits;
}

static int score_lsum(const struct side *output, const struct side *reference, double *out,
                      struct tare_err *err)
{
    size_t n = output->ids.n, m = reference->ids.n;
    size_t *table = n < SIZE_MAX / 32 / (m + 1) ? calloc(n + 1, (m + 1) * sizeof *table) : NULL;
    size_t *counts = calloc(2 * (n + m + 1), sizeof *counts);
    bool *used = malloc(m + 1);
    int r = 0;
    if (table && counts && used) {
        struct left left = {.output = counts, .reference = counts + n + m + 1};
        *out = f1_of((double)hits_of_all(output, reference, left, table, used), (double)n, (double)m);
    } else {
        r = tare_err_set(err, TARE_E_NOMEM, "no memory for texts of %zu and %zu words", n, m);
    }
    free(table);
    free(counts);
    free(used);
    return r;
}

static int score(const struct side *output, const struct side *reference, struct tare_rouge *out,
                 struct tare_err *err)
{
    struct tare_rouge made;
    int r = score_ngrams(output, reference, 1, &made.rouge1, err);
    if (r == 0) {
        r = score_ngrams(output, reference, 2, &made.rouge2, err);
    }
    if (r == 0) {
        r = score_lsum(output, reference, &made.rouge_lsum, err);
    }
    if (r == 0) {
        *out = made;
    }
    return r;
}

int tare_rouge_score(struct tare_bytes output, struct tare_bytes reference, struct tare_rouge *out,
                     struct tare_err *err)
{
    struct side said = {0}, gold = {0};
    struct tare_ids ids[2] = {{0}};
    int r = make_side(output, &said, err);
    if (r == 0) {
        r = make_side(reference, &gold, err);
    }
    if (r == 0) {
        r = tare_ids_of_words((const struct tare_words[]){said.words, gold.words}, 2, ids, err);
        said.ids = ids[0];
        gold.ids = ids[1];
    }
    if (r == 0) {
        r = score(&said, &gold, out, err);
    }
    fini(&said);
    fini(&gold);
    return r;
}
