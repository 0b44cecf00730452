/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sequences of numbered units (words or characters) and the n-grams that two of them share. Private to
 * datasets/grading/; it knows no score.
 */
#ifndef TARE_DATASETS_GRADING_NGRAMS_H
#define TARE_DATASETS_GRADING_NGRAMS_H

#include "datasets/grading/text.h"

struct tare_ids {
    uint32_t *ids;
    size_t n;
};

/* How many n-grams of that order a sequence has. order >= 1 */
size_t tare_ngrams(size_t n, size_t order);
/* *out: n-grams of a that stand in one of others[0 .. n_others) too, each as often as a and the one that has
 * most of them have it. */
TARE_MUST_CHECK int tare_ngrams_shared(struct tare_ids a, const struct tare_ids *others, size_t n_others,
                                       size_t order, size_t *out, struct tare_err *err);

/* Numbers the words of all lists, equal words alike: out[i].ids, to be freed, are list i's. On failure
 * nothing is to be freed. */
TARE_MUST_CHECK int tare_ids_of_words(const struct tare_words *lists, size_t n_lists, struct tare_ids *out,
                                      struct tare_err *err);
/* The code points of a text without its white space. free(out->ids). */
TARE_MUST_CHECK int tare_ids_of_characters(struct tare_bytes text, struct tare_ids *out,
                                           struct tare_err *err);

#endif
