/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task choice: the true continuation of a paragraph among four.
 *
 * The context is a paragraph up to a place 120 bytes or more into it, the right choice the next 60 to
 * 80 bytes, and the wrong ones are cut alike from three other paragraphs: of the same document if it
 * has at least four, else of any. All pieces begin at a space before a word, so that they tokenize
 * alike, and log-likelihoods are compared per byte. Item i draws from split(seed, "item", i).
 */
#include <stdlib.h>
#include <string.h>

#include "paragraphs.h"

enum { CHOICES = 4, DRAWS = 10000, CONTEXT_MIN = 120, CONTEXT_SPREAD = 140, PIECE_MIN = 60, PIECE_MAX = 80 };

/* Points into the documents. */
struct question {
    struct tare_bytes context;
    struct tare_bytes choices[CHOICES];
    size_t gold;
};

struct choice {
    char *path;
    int64_t items;
    struct tare_documents documents;
    struct question *questions;
};

static const struct tare_metric metrics[] = {
    {.name = "acc",
     .rule = TARE_METRIC_RATIO,
     .scale = 1.0,
     .unit = "1",
     .help = "share of the items whose true continuation is the likeliest per byte"},
    {0},
};

static const struct tare_opt options[] = {
    {.name = "path",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct choice, path),
     .help = "text file, documents apart by NUL bytes; unset: the shipped prose"},
    {.name = "items",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct choice, items),
     .def = "128",
     .help = "questions to make",
     .min = 1,
     .max = 10000},
    TARE_OPT_END,
};

/* Four paragraphs, all different; the first is the one continued. */
static void draw_paragraphs(const struct tare_paragraphs *paragraphs, struct tare_rng *rng,
                            struct tare_bytes *four)
{
    size_t group = tare_rng_below(rng, paragraphs->n_groups);
    size_t begin = paragraphs->first[group];
    size_t n = paragraphs->first[group + 1] - begin;
    size_t picked[CHOICES] = {begin + tare_rng_below(rng, n)};
    if (n < CHOICES) {
        begin = 0;
        n = paragraphs->n;
    }
    for (size_t have = 1; have < CHOICES;) {
        size_t next = begin + tare_rng_below(rng, n);
        size_t i = 0;
        while (i < have && picked[i] != next) {
            i++;
        }
        if (i == have) {
            picked[have++] = next;
        }
    }
    for (size_t i = 0; i < CHOICES; i++) {
        four[i] = paragraphs->all[picked[i]];
    }
}

/* A piece of PIECE_MIN .. PIECE_MAX bytes from the space at `begin` to another; false if none fits. */
static bool cut_piece(struct tare_bytes paragraph, size_t begin, struct tare_bytes *out)
{
    size_t end = tare_text_cut(paragraph, begin + PIECE_MIN);
    if (end >= paragraph.n || end - begin > PIECE_MAX) {
        return false;
    }
    *out = (struct tare_bytes){.data = paragraph.data + begin, .n = end - begin};
    return true;
}

/* Where a wrong choice is looked for: not at the paragraph's start, nor too near its end. */
static size_t draw_begin(struct tare_bytes paragraph, struct tare_rng *rng)
{
    enum { SKIP_HEAD = 100, SKIP_TAIL = 110 };
    return tare_text_cut(paragraph, SKIP_HEAD + tare_rng_below(rng, paragraph.n - SKIP_HEAD - SKIP_TAIL));
}

static bool same(struct tare_bytes a, struct tare_bytes b)
{
    return a.n == b.n && memcmp(a.data, b.data, a.n) == 0;
}

static bool all_differ(const struct tare_bytes *pieces)
{
    for (size_t i = 1; i < CHOICES; i++) {
        for (size_t j = 0; j < i; j++) {
            if (same(pieces[i], pieces[j])) {
                return false;
            }
        }
    }
    return true;
}

static bool draw_question(const struct tare_paragraphs *paragraphs, struct tare_rng *rng,
                          struct question *out)
{
    struct tare_bytes four[CHOICES];
    struct tare_bytes pieces[CHOICES];
    draw_paragraphs(paragraphs, rng, four);
    size_t cut = tare_text_cut(four[0], CONTEXT_MIN + tare_rng_below(rng, CONTEXT_SPREAD));
    for (size_t i = 0; i < CHOICES; i++) {
        if (!cut_piece(four[i], i == 0 ? cut : draw_begin(four[i], rng), &pieces[i])) {
            return false;
        }
    }
    if (!all_differ(pieces)) {
        return false;
    }
    size_t order[CHOICES] = {0, 1, 2, 3};
    tare_rng_shuffle(rng, order, CHOICES, sizeof order[0]);
    out->context = (struct tare_bytes){.data = four[0].data, .n = cut};
    for (size_t i = 0; i < CHOICES; i++) {
        out->choices[i] = pieces[order[i]];
        out->gold = order[i] == 0 ? i : out->gold;
    }
    return true;
}

/* Asking the same place twice would count one answer as two. */
static bool is_new(const struct question *questions, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (same(questions[i].context, questions[n].context)) {
            return false;
        }
    }
    return true;
}

static int make_questions(struct choice *choice, const struct tare_paragraphs *paragraphs,
                          const struct tare_rng *seed, struct tare_err *err)
{
    for (size_t i = 0; i < (size_t)choice->items; i++) {
        struct tare_rng rng = tare_rng_split(seed, "item", i);
        int draws = 0;
        while (!draw_question(paragraphs, &rng, &choice->questions[i]) || !is_new(choice->questions, i)) {
            if (++draws == DRAWS) {
                return tare_err_set(
                    err, TARE_E_USAGE,
                    "task choice: the text gave only %zu different questions of %lld; ask for "
                    "fewer items or choose a longer text",
                    i, (long long)choice->items);
            }
        }
    }
    return 0;
}

static void close_task(void *self)
{
    struct choice *choice = self;
    free(choice->questions);
    choice->questions = NULL;
    tare_documents_close(&choice->documents);
}

static int open_task(void *self, const char *data_dir, const struct tare_rng *seed, struct tare_err *err)
{
    struct choice *choice = self;
    struct tare_paragraphs paragraphs = {0};
    int rc = tare_documents_open(&choice->documents, choice->path, data_dir, err);
    if (rc == 0) {
        rc = tare_paragraphs_open(&paragraphs, &choice->documents, CHOICES, "choice", err);
    }
    if (rc == 0) {
        choice->questions = calloc((size_t)choice->items, sizeof *choice->questions);
        rc = choice->questions ? make_questions(choice, &paragraphs, seed, err)
                               : tare_err_set(err, TARE_E_NOMEM, "task choice: no memory for %lld items",
                                              (long long)choice->items);
    }
    tare_paragraphs_close(&paragraphs);
    if (rc) {
        close_task(self);
    }
    return rc;
}

static size_t count(void *self)
{
    return (size_t)((const struct choice *)self)->items;
}

static int item(void *self, size_t index, struct tare_item *out, struct tare_err *err)
{
    const struct choice *choice = self;
    if (index >= count(self)) {
        return tare_err_set(err, TARE_E_USAGE, "task choice: there is no item %zu", index);
    }
    const struct question *question = &choice->questions[index];
    *out = (struct tare_item){.kind = TARE_ITEM_CHOICE,
                              .text = question->context,
                              .choices = question->choices,
                              .n_choices = CHOICES,
                              .gold = question->gold};
    return 0;
}

static const char *source(void *self, size_t i)
{
    return tare_documents_source(&((const struct choice *)self)->documents, i);
}

const struct tare_task tare_task_choice = {
    .header = TARE_TASK_HEADER,
    .name = "choice",
    .summary = "find the true continuation of a paragraph among four",
    .version = 1,
    .priv_size = sizeof(struct choice),
    .options = options,
    .metrics = metrics,
    .norm = TARE_NORM_BYTES,
    .open = open_task,
    .count = count,
    .item = item,
    .source = source,
    .close = close_task,
};
