/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scores of a whole set of texts out of the sums of per-text statistics: BLEU, chrF and TER as sacrebleu 2
 * computes them. A task counts the statistics of one text; the sums of any draw of texts give that draw's
 * score, by which a bootstrap needs no text. Counting itself is the task's (datasets/grading/). Pure
 * functions.
 */
#ifndef TARE_CORPUS_SCORE_H
#define TARE_CORPUS_SCORE_H

#include <tare/err.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    TARE_BLEU_ORDER = 4, /* longest n-gram, in tokens */
    TARE_CHRF_ORDER = 6, /* longest n-gram, in characters */
    /* length of the output, of the closest reference; matched n-grams for n = 1 ..; n-grams of the output */
    TARE_BLEU_STATS = 2 + 2 * TARE_BLEU_ORDER,
    /* for n = 1 ..: n-grams of the output, of the reference, matched */
    TARE_CHRF_STATS = 3 * TARE_CHRF_ORDER,
    TARE_TER_STATS = 2 /* edits; mean length of the references */
};

/*
 * BLEU, 0 .. 100: Papineni et al., ACL 2002, with exponential smoothing: the k-th order without a match
 * counts 1 / (2^k x its n-grams) (method 3 of Chen and Cherry, WMT 2014). 0 where nothing matches, and where
 * the output has no n-gram of some order.
 */
TARE_EXPORT double tare_bleu_score(const double stats[TARE_BLEU_STATS]);
/* chrF, 0 .. 100: Popovic, WMT 2015, beta 2: precision and recall are averaged over the orders that both
 * sides have. */
TARE_EXPORT double tare_chrf_score(const double stats[TARE_CHRF_STATS]);
/* TER in percent, above 100 too: Snover et al., AMTA 2006. Against nothing but empty references 100, or 0
 * without an edit. */
TARE_EXPORT double tare_ter_score(const double stats[TARE_TER_STATS]);

#ifdef __cplusplus
}
#endif
#endif
