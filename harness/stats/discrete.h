/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Right and wrong answers of two systems on the same items, and several tests at once.
 *
 * b: items that A alone got right, c: items that B alone got right, n: all items. Flips are (b + c) / n:
 * compressed models flip many answers at equal accuracy. Pure functions.
 */
#ifndef TARE_STATS_DISCRETE_H
#define TARE_STATS_DISCRETE_H

#include "stats/interval.h"

/* Two-sided exact McNemar p: min(1, 2 P[Bin(b + c, 1/2) <= min(b, c)]). 1 for b + c = 0. */
double tare_mcnemar_p(int64_t b, int64_t c);
/* Standard error of the paired difference (c - b) / n: sqrt(b + c - (b - c)^2 / n) / n. */
double tare_mcnemar_se(int64_t b, int64_t c, int64_t n);
/* Interval of the paired difference (c - b) / n. Names its method. */
struct tare_interval tare_paired_proportion(int64_t b, int64_t c, int64_t n, double level);
/* Interval of the mean of paired item differences d_i, items in clusters (ids; NULL: each its own):
 * SE^2 = (1/n^2) sum over clusters of (sum of d_i - m)^2, t with clusters - 1 degrees of freedom. */
TARE_MUST_CHECK int tare_paired_mean(const double *d, const int64_t *cluster, size_t n, double level,
                                     double *out_mean, double *out_se, struct tare_interval *out,
                                     struct tare_err *err);
/* Items that show equivalence within +-delta with power 0.8 at two one-sided 0.05 tests:
 * (z_.95 + z_.90)^2 flips / delta^2 = 8.56 flips / delta^2, flips = share of items that differ. */
double tare_equivalence_n(double flips, double delta);

/* Adjusted p values, in place: Holm's step-down, Benjamini-Hochberg's step-up. NaN stays and does not count.
 */
TARE_MUST_CHECK int tare_holm(double *p, size_t n, struct tare_err *err);
TARE_MUST_CHECK int tare_benjamini_hochberg(double *p, size_t n, struct tare_err *err);

/* Quantile and distribution function of Student's t. */
double tare_t_quantile(double p, double df);
double tare_t_cdf(double t, double df);

#endif
