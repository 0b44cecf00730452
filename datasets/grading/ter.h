/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TER's statistics of one text: the fewest edits that make a reference of it, as sacrebleu counts them by
 * default. An edit is a word put in, taken out or exchanged, or several words moved (Snover et al., AMTA
 * 2006). Moves are found greedily, with the limits and the order of preference of sacrebleu, which are
 * Tercom's but for degenerate texts: at most 10 words moved at once, over at most 50; edit distances within
 * 25 words of the diagonal; at most 1000 candidates. Case does not count, punctuation does, and words are
 * what stands between white space.
 */
#ifndef TARE_DATASETS_GRADING_TER_H
#define TARE_DATASETS_GRADING_TER_H

#include <tare/corpus_score.h>
#include <tare/task.h>

/* The edits towards the reference that needs fewest, and the mean length of all. n_references >= 1. Output
 * that is no UTF-8 is made so first. */
TARE_MUST_CHECK int tare_ter_count(struct tare_bytes output, const struct tare_bytes *references,
                                   size_t n_references, double stats[TARE_TER_STATS], struct tare_err *err);

#endif
