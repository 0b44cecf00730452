/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exact match and F1 of an answer as SQuAD's own scripts count them (Rajpurkar et al., EMNLP 2016 and ACL
 * 2018), for one question; harness/stats/lm_eval.h makes the figures of all.
 *
 * Both sides are lower-cased, lose ASCII punctuation and then the words a, an and the, and are cut at white
 * space. F1 counts common words, each as often as both have it. The best of several golds counts, for each
 * score of its own.
 */
#ifndef TARE_DATASETS_GRADING_SQUAD_H
#define TARE_DATASETS_GRADING_SQUAD_H

#include <tare/task.h>

enum tare_squad_version {
    TARE_SQUAD_1 = 1, /* F1 is 0 where no word is common */
    TARE_SQUAD_2 /* golds of which nothing is left do not count; without one the gold is no answer; F1 of no
                  * words and no words is 1 */
};

/* *exact is 0 or 1, *f1 0 .. 1. Output that is no UTF-8 is made so first. TARE_E_USAGE for version 1 without
 * a gold. */
TARE_MUST_CHECK int tare_squad_score(enum tare_squad_version version, struct tare_bytes output,
                                     const struct tare_bytes *golds, size_t n_golds, double *exact,
                                     double *f1, struct tare_err *err);

#endif
