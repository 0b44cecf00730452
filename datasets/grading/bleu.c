/* SPDX-License-Identifier: Apache-2.0 */
/* Matches of word n-grams with several references; see bleu.h. */
#include "datasets/grading/bleu.h"

#include "datasets/grading/ngrams.h"

#include <stdlib.h>

/* The output at [0], then the references. */
struct sides {
    struct tare_string *texts;
    struct tare_words *words;
    struct tare_ids *ids;
    size_t n;
};

static void fini(struct sides *sides)
{
    for (size_t i = 0; i < sides->n; i++) {
        if (sides->texts) {
            tare_string_fini(&sides->texts[i]);
        }
        if (sides->words) {
            tare_words_fini(&sides->words[i]);
        }
        if (sides->ids) {
            free(sides->ids[i].ids);
        }
    }
    free(sides->texts);
    free(sides->words);
    free(sides->ids);
}

static int make_sides(enum tare_bleu_tokenizer tokenizer, struct tare_bytes output,
                      const struct tare_bytes *references, struct sides *sides, struct tare_err *err)
{
    sides->texts = calloc(sides->n, sizeof *sides->texts);
    sides->words = calloc(sides->n, sizeof *sides->words);
    sides->ids = calloc(sides->n, sizeof *sides->ids);
    if (!sides->texts || !sides->words || !sides->ids) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for %zu references", sides->n - 1);
    }
    for (size_t i = 0; i < sides->n; i++) {
        int r = tare_bleu_tokenize(tokenizer, i ? references[i - 1] : output, &sides->texts[i], err);
        if (r < 0) {
            return r;
        }
        tare_words_split(&sides->words[i], tare_string_bytes(&sides->texts[i]));
    }
    return tare_ids_of_words(sides->words, sides->n, sides->ids, err);
}

static size_t closest_length(const struct sides *sides)
{
    size_t length = sides->ids[0].n, best = 0, best_gap = SIZE_MAX;
    for (size_t i = 1; i < sides->n; i++) {
        size_t n = sides->ids[i].n, gap = n > length ? n - length : length - n;
        if (gap < best_gap || (gap == best_gap && n < best)) {
            best_gap = gap;
            best = n;
        }
    }
    return best;
}

static int count(const struct sides *sides, double *stats, struct tare_err *err)
{
    double made[TARE_BLEU_STATS] = {(double)sides->ids[0].n, (double)closest_length(sides)};
    for (size_t n = 0; n < TARE_BLEU_ORDER; n++) {
        size_t shared;
        int r = tare_ngrams_shared(sides->ids[0], sides->ids + 1, sides->n - 1, n + 1, &shared, err);
        if (r < 0) {
            return r;
        }
        made[2 + n] = (double)shared;
        made[2 + TARE_BLEU_ORDER + n] = (double)tare_ngrams(sides->ids[0].n, n + 1);
    }
    for (size_t i = 0; i < TARE_BLEU_STATS; i++) {
        stats[i] = made[i];
    }
    return 0;
}

int tare_bleu_count(enum tare_bleu_tokenizer tokenizer, struct tare_bytes output,
                    const struct tare_bytes *references, size_t n_references, double stats[TARE_BLEU_STATS],
                    struct tare_err *err)
{
    struct sides sides = {.n = n_references + 1};
    int r = make_sides(tokenizer, output, references, &sides, err);
    if (r == 0) {
        r = count(&sides, stats, err);
    }
    fini(&sides);
    return r;
}
