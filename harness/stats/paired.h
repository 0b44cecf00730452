/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two things compared on the same units: differences d_i of pairs, signed ranks, exact distributions.
 *
 * Estimates are Hodges-Lehmann: the median of the n (n + 1) / 2 Walsh averages (d_i + d_j) / 2, i <= j. Their
 * intervals are order statistics of the Walsh averages at the ranks of the exact signed-rank distribution, so
 * the level reached is at least the one asked for, and is returned. Ties only make it larger. What is assumed
 * is that pairs are independent and differences symmetric about their median, as random order within a pair
 * makes them. Ratios are compared as ln(b / a) and transformed by the caller. Sources: Hollander, Wolfe,
 * "Nonparametric Statistical Methods", 3.1-3.3 and 4.1-4.3. Pure functions; nothing here knows what a model
 * is. No function keeps or changes its input.
 */
#ifndef TARE_STATS_PAIRED_H
#define TARE_STATS_PAIRED_H

#include "stats/interval.h"

enum {
    TARE_PAIRS_MAX = 4000,       /* pairs, for O(n^2) Walsh averages are kept */
    TARE_SIGNED_RANK_EXACT = 500 /* pairs up to which the null distribution is exact; the normal one above */
};

/* Hodges-Lehmann estimate and its two-sided signed-rank interval, exact up to TARE_SIGNED_RANK_EXACT pairs.
 * interval.ok is false, with the smallest n that would do in its method, where n cannot carry the level; the
 * estimate is set for n >= 1. TARE_E_USAGE for n = 0 or > TARE_PAIRS_MAX, for a value that is not finite and
 * for a level outside of 0 .. 1. O(n^2) memory and time. */
TARE_MUST_CHECK int tare_signed_rank_interval(const double *d, size_t n, double level, double *out_estimate,
                                              struct tare_interval *out, struct tare_err *err);
/* Largest lower bound whose one-sided error is at most alpha, 0 < alpha < 0.5; -INFINITY where n cannot
 * carry it (0.01: n >= 7, 0.001: n >= 10). Exact as above. */
TARE_MUST_CHECK int tare_signed_rank_bound(const double *d, size_t n, double alpha, double *out,
                                           struct tare_err *err);
/* Exact p of the signed-rank test that the median of d is at most `null` against being larger (one-sided):
 * zeros are dropped, tied ranks are averaged, and the exact distribution is that of the tied ranks (normal
 * with ties and continuity corrected above TARE_SIGNED_RANK_EXACT). 1 if every difference is a zero. */
TARE_MUST_CHECK int tare_signed_rank_p(const double *d, size_t n, double null, double *out,
                                       struct tare_err *err);
/* Fewest pairs that can carry a one-sided error of alpha: 2^-n <= alpha. SIZE_MAX for alpha <= 0. */
size_t tare_signed_rank_least_n(double alpha);

/* For loops that compare many samples of one size: the parts of the two functions above. */
/* Rank k, the largest with P[V < k] <= alpha for the signed-rank sum V of n pairs; 0 if there is none or
 * memory was refused. W(k) is the lower bound, W(n (n + 1) / 2 + 1 - k) the upper one. *out_error (may be
 * NULL): P[V < k], NaN if memory was refused. */
size_t tare_signed_rank_critical(size_t n, double alpha, double *out_error);
/* All n (n + 1) / 2 Walsh averages, in no order, into `out`. Returns how many. */
size_t tare_walsh(const double *d, size_t n, double *out);
/* The rank-th smallest, rank = 1 .. n, of x, which it reorders; expected O(n). */
double tare_select(double *x, size_t n, size_t rank);
/* Median of x, which it reorders; n >= 1. The Hodges-Lehmann estimate of Walsh averages. */
double tare_select_median(double *x, size_t n);

/* Unpaired: shift b - a, median of all b_j - a_i, and its Mann-Whitney interval: exact for n_a n_b <= 10000,
 * normal with continuity above, as its method says; ties only make it wider than it had to be. It assumes
 * that both have one shape. ok, estimate and errors as above; n_a n_b <= 16000000. */
TARE_MUST_CHECK int tare_mann_whitney_interval(const double *a, size_t n_a, const double *b, size_t n_b,
                                               double level, double *out_estimate, struct tare_interval *out,
                                               struct tare_err *err);
/* As tare_signed_rank_critical for the Mann-Whitney U of n_a and n_b values. */
size_t tare_mann_whitney_critical(size_t n_a, size_t n_b, double alpha, double *out_error);

/* Verdict words: never anything else. */
enum tare_word {
    TARE_WORD_UNDECIDED = 0, /* the default */
    TARE_WORD_BETTER,
    TARE_WORD_WORSE,
    TARE_WORD_EQUIVALENT /* within the margin, shown by two one-sided tests */
};
const char *tare_word_text(enum tare_word word);

/* By the interval of level 1 - 2 alpha (TOST) and that of level 1 - alpha: equivalent if the former lies
 * within +-margin (margin > 0), otherwise better or worse if the latter excludes 0. An interval that is not
 * ok decides nothing. `higher_is_better` of the difference. */
enum tare_word tare_word_of(const struct tare_interval *two_sided, const struct tare_interval *tost,
                            double margin, bool higher_is_better);

#endif
