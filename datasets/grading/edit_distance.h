/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Edit distance of two sequences of words, and how their words stand to each other. Private to
 * datasets/grading/: TER moves words by it.
 */
#ifndef TARE_DATASETS_GRADING_EDIT_DISTANCE_H
#define TARE_DATASETS_GRADING_EDIT_DISTANCE_H

#include "datasets/grading/ngrams.h"

/* How the words of `from` become those of `to`. The arrays are the caller's, of from.n and to.n places. */
struct tare_alignment {
    bool *from_wrong; /* taken out or exchanged */
    bool *to_wrong;   /* put in or exchanged */
    ptrdiff_t *align; /* of each word of `to`: the last word of `from` that is used up to there; -1: none */
};

struct tare_edit_distance;

/* For sequences of up to these lengths. */
TARE_MUST_CHECK int tare_edit_distance_create(size_t from_n, size_t to_n, struct tare_edit_distance **out,
                                              struct tare_err *err);
void tare_edit_distance_destroy(struct tare_edit_distance *d);
/* The number of edits. Only cells near the diagonal are looked at; see ter.h. alignment may be NULL. */
size_t tare_edit_distance(struct tare_edit_distance *d, struct tare_ids from, struct tare_ids to,
                          const struct tare_alignment *alignment);

#endif
