/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intervals of any statistic by drawing the units again: the bootstrap, bias-corrected and accelerated (BCa;
 * Efron, JASA 82:171, 1987), with one change for small samples. A bootstrap's spread is that of n draws from
 * a sample whose own spread is too small by (n - 1) / n, and it takes normal quantiles where there should be
 * t's. So quantiles are those of t with n - 1 degrees of freedom, times sqrt(n / (n - 1)) (Hesterberg, The
 * American Statistician 69:371, 2015, "expanded"). The unit is what was drawn independently: the block or the
 * item, never the request. Deterministic: one seed, one answer. Pure functions.
 */
#ifndef TARE_STATS_BOOTSTRAP_H
#define TARE_STATS_BOOTSTRAP_H

#include "stats/interval.h"

#include <tare/rng.h>

enum {
    TARE_BOOTSTRAP_DRAWS = 10000, /* where nothing speaks for another number */
    TARE_BOOTSTRAP_LEAST = 30,    /* units; with 20 skewed ones it covers 92 % instead of 95 */
    TARE_BOOTSTRAP_MAX = 20000    /* units, for the jackknife of a callback takes O(n^2) */
};

/* The statistic of the n units data[unit[0]] .. data[unit[n - 1]]; called on the caller's thread. */
typedef double tare_statistic(const void *data, const size_t *unit, size_t n);

/* Not ok, with the reason as its method: too few units; a statistic of some resample or of the rest without a
 * unit that is not finite; an estimate on the rim of what was drawn; limits beyond what the draws show. Where
 * all resamples agree (no unit differs) the interval is that one value. TARE_E_USAGE for n = 0 or
 * > TARE_BOOTSTRAP_MAX, fewer than 1000 draws, a level outside of 0 .. 1. */
TARE_MUST_CHECK int tare_bca_interval(tare_statistic *statistic, const void *data, size_t n, size_t draws,
                                      double level, uint64_t seed, double *out_estimate,
                                      struct tare_interval *out, struct tare_err *err);

/* The part of it that is left when draws and jackknife are there: limits out of `drawn`, which is
 * reordered. acceleration: sum u^3 / (6 (sum u^2)^1.5) of the jackknife's u = mean - value without unit i. */
struct tare_interval tare_bca_limits(double *drawn, size_t draws, double estimate, double acceleration,
                                     size_t n, double level);
/* n units drawn with replacement: two of them out of each number of the stream, each 32 bits times n over
 * 2^32. At most 2^32 units; their chances differ by less than n / 2^32 of themselves, 5e-6 at
 * TARE_BOOTSTRAP_MAX. */
void tare_draw_units(struct tare_rng *rng, size_t *unit, size_t n);
/* That acceleration of n values, each the statistic without one unit; 0 if they are equal. */
double tare_jackknife_acceleration(const double *without, size_t n);

#endif
