/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two things compared on the same units: differences d_i of pairs, signed ranks, exact distributions.
 *
 * Estimates are Hodges-Lehmann: the median of the n (n + 1) / 2 Walsh averages (d_i + d_j) / 2, i <= j. Their
 * intervals are order statistics of the Walsh averages at the ranks of the exact signed-rank distribution, so
 * the level reached is at least the one asked for, and is returned. Ratios are compared as ln(b / a) and
 * transformed by the caller. Pure functions; nothing here knows what a model is. No function keeps or changes
 * its input.
 */
#ifndef TARE_STATS_PAIRED_H
#define TARE_STATS_PAIRED_H

#include "stats/interval.h"

/* Hodges-Lehmann estimate and its two-sided exact signed-rank interval. interval.ok is false, with the
 * smallest n that would do in its method, where n cannot carry the level; the estimate is set for n >= 1.
 * TARE_E_USAGE for n = 0 or a value that is no number. O(n^2) memory and time; n <= 4000, else TARE_E_USAGE.
 */
TARE_MUST_CHECK int tare_signed_rank_interval(const double *d, size_t n, double level, double *out_estimate,
                                              struct tare_interval *out, struct tare_err *err);
/* Largest lower bound whose exact one-sided error is at most alpha; -INFINITY where n cannot carry it
 * (0.01: n >= 7, 0.001: n >= 10). */
TARE_MUST_CHECK int tare_signed_rank_bound(const double *d, size_t n, double alpha, double *out,
                                           struct tare_err *err);
/* Exact p of the signed-rank test that the median of d is at most `null` against being larger (one-sided):
 * zeros are dropped, tied ranks are averaged, and the exact distribution is that of the tied ranks. */
TARE_MUST_CHECK int tare_signed_rank_p(const double *d, size_t n, double null, double *out,
                                       struct tare_err *err);
/* Fewest pairs that can carry a one-sided error of alpha. */
size_t tare_signed_rank_least_n(double alpha);

/* Unpaired: shift b - a, median of all b_j - a_i, and its exact Mann-Whitney interval (no ties assumed). */
TARE_MUST_CHECK int tare_mann_whitney_interval(const double *a, size_t n_a, const double *b, size_t n_b,
                                               double level, double *out_estimate, struct tare_interval *out,
                                               struct tare_err *err);

/* Verdict words: never anything else. */
enum tare_word {
    TARE_WORD_UNDECIDED = 0, /* the default */
    TARE_WORD_BETTER,
    TARE_WORD_WORSE,
    TARE_WORD_EQUIVALENT /* within the margin, shown by two one-sided tests */
};
const char *tare_word_text(enum tare_word word);

/* By the interval of level 1 - 2 alpha (TOST) and that of level 1 - alpha: equivalent if the former lies
 * inside
 * +-margin, otherwise better or worse if the latter excludes 0. `higher_is_better` of the difference. */
enum tare_word tare_word_of(const struct tare_interval *two_sided, const struct tare_interval *tost,
                            double margin, bool higher_is_better);

#endif
