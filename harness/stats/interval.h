/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Point estimates with intervals. Every function names its method and the level it really reaches;
 * where the data cannot carry an interval, `ok` is false and the estimate stands alone ("u?").
 * Pure functions over arrays; nothing here knows what a model is.
 */
#ifndef TARE_STATS_INTERVAL_H
#define TARE_STATS_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

struct tare_interval {
    bool ok;
    double low, high;
    double level;       /* reached, e.g. 0.969 */
    const char *method; /* constant text */
};

/* Sorts ascending, in place. */
void tare_sort(double *values, size_t n);
/* Quantile q of sorted values, linear between order statistics (Hyndman-Fan type 7). n >= 1. */
double tare_quantile(const double *sorted, size_t n, double q);
double tare_mean(const double *values, size_t n);

/*
 * Distribution-free interval of quantile q from order statistics: the closest X(l) .. X(u) with
 * P[Bin(n, q) < l] <= (1-level)/2 and P[Bin(n, q) >= u] <= (1-level)/2. Not ok if n is too small.
 */
struct tare_interval tare_quantile_interval(const double *sorted, size_t n, double q, double level);
/*
 * Median of a handful of repeats: the order-statistics interval if n carries `level`, else the range
 * X(1) .. X(n) with the level 1 - 2^(1-n) that it does reach. Not ok for n < 2.
 */
struct tare_interval tare_median_interval(const double *sorted, size_t n, double level);
/* Wilson score interval of k successes in n. Not ok for n = 0. */
struct tare_interval tare_wilson(int64_t k, int64_t n, double level);
/*
 * Interval of sum(num)/sum(den) where each unit holds den[i] trials of which num[i] succeeded, and
 * trials of a unit are not independent: Wilson's interval with an effective number of trials, p(1-p) over the
 * jackknife variance between units, times (z/t)^2 for what few units know of a variance (Korn and Graubard,
 * Survey Methodology 24:193, 1998); t has units - 1 degrees of freedom, units = (sum of den)^2 / sum of
 * den^2, which is n where all are of one size. Near 0 and 1 that variance cannot be estimated (a bootstrap
 * would collapse there): unless at least 10 units have a failure and 10 a success, each unit counts as one
 * trial, which the method says. Covers 94 to 97 % in simulation for p from 0.5 to 0.95, and more where
 * failures are so rare that each unit is one trial (99.5 % at 0.998): what failing units have in store, a few
 * of them cannot show. Not ok for n < 2, and where one unit weighs so much that there are less than 2.
 */
struct tare_interval tare_cluster_proportion(const double *num, const double *den, size_t n, double level);
/*
 * Interval of sum(num)/sum(den) over n independent units, by what n carries; the method says which.
 * - 2 .. 9 units, or one that has a share w of the denominator with w^2 n > 1/4: Fieller's (stats/mean.h).
 * - 10 .. 29: the wider side of each, Fieller's and the bootstrap's; with skewed units neither will do alone.
 * - 30 .. 20000: BCa bootstrap, expanded (stats/bootstrap.h), from the stream `seed`; 10,000 draws up to
 *   2000 units, 2000 above. Fieller's where its limits lie beyond what the draws show.
 * - More: linearised (delta method), normal.
 *
 * A percentile bootstrap is not among them: with 6 to 30 units it covers 84 to 93 %. Not ok for n < 2, for
 * what is not finite, and where the t interval of the denominator's mean touches 0. Where every unit has the
 * same ratio the interval is that ratio. With units as skewed as an exponential distribution and fewer than
 * 12 of them it covers 87 to 92 %.
 */
TARE_MUST_CHECK int tare_ratio_interval(const double *num, const double *den, size_t n, double level,
                                        uint64_t seed, struct tare_interval *out, struct tare_err *err);
/* Quantile of the standard normal distribution, |error| < 1e-9. */
double tare_normal_quantile(double p);

#endif
