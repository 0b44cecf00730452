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
/* Interval of the paired difference (c - b) / n: Tango's score interval (Statistics in Medicine 17:891,
 * 1998), all differences that the score test with the restricted maximum-likelihood variance does not reject.
 * It covers near the edges, too: without a single flip it is +-z^2 / (n + z^2). Items are taken as
 * independent; where they come in clusters, tare_paired_mean. Not ok for n <= 0 or counts that cannot be. */
struct tare_interval tare_paired_proportion(int64_t b, int64_t c, int64_t n, double level);
/* Interval of the mean m of paired item differences d_i, items in clusters (ids; NULL: each its own). The
 * error is that of leaving out one of the G clusters after the other,
 *   SE^2 = (G - 1) / G x sum over clusters of ((sum of d_i - m) / (items outside of the cluster))^2,
 * which for clusters of one size is G / (G - 1) / n^2 x sum of (sum of d_i - m)^2, and without clusters s^2 /
 * n. A plain sum of squares would not see a cluster that drags the mean along. t has g - 1 degrees of
 * freedom, g = n^2 / sum of (items of a cluster)^2: clusters of one size that would weigh as much (G if they
 * have it). Not ok for g < 2, and where no difference differs from another: a spread of 0 in a sample is no
 * proof that there is none. Right and wrong answers have tare_paired_proportion: where few differ, t does not
 * hold. The mean is set for n >= 1 and the error (NaN for G < 2), too. TARE_E_USAGE for n = 0 and for what is
 * not finite. */
TARE_MUST_CHECK int tare_paired_mean(const double *d, const int64_t *cluster, size_t n, double level,
                                     double *out_mean, double *out_se, struct tare_interval *out,
                                     struct tare_err *err);
/* Items that show equivalence within +-delta with power 0.8 at two one-sided 0.05 tests:
 * (z_.95 + z_.90)^2 flips / delta^2 = 8.56 flips / delta^2, flips = share of items that differ, true
 * difference 0. NaN for a share outside of 0 .. 1 or delta <= 0. */
double tare_equivalence_n(double flips, double delta);

/* Adjusted p values, in place: Holm's step-down (1979) for the metrics of one gate, Benjamini and Hochberg's
 * step-up (1995) for tables that are explored. NaN stays and does not count. TARE_E_USAGE outside of 0 .. 1.
 */
TARE_MUST_CHECK int tare_holm(double *p, size_t n, struct tare_err *err);
TARE_MUST_CHECK int tare_benjamini_hochberg(double *p, size_t n, struct tare_err *err);

/* Quantile and distribution function of Student's t, df > 0 and not necessarily whole; NaN for what is not in
 * its range. Relative error of either tail below 1e-11 for |t| < 1e150. */
double tare_t_quantile(double p, double df);
double tare_t_cdf(double t, double df);
/* Regularised incomplete beta function I_x(a, b), a, b > 0; y = 1 - x is passed too, so that neither is lost
 * beside 1. P[Bin(n, q) <= k] = I_(1-q)(n - k, k + 1). */
double tare_incomplete_beta(double a, double b, double x, double y);
/* Distribution function of the standard normal distribution. */
double tare_normal_cdf(double z);

#endif
