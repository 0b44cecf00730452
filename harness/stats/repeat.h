/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often to repeat: where in a hierarchy of runs, and how many units would decide a comparison. Forecasts,
 * not results: each says what it takes for granted.
 */
#ifndef TARE_STATS_REPEAT_H
#define TARE_STATS_REPEAT_H

#include "stats/interval.h"

/*
 * Kalibera and Jones, "Rigorous benchmarking in reasonable time", ISMM 2013: repetitions of each level but
 * the highest that make the mean as certain as its cost allows, n_i = ceil(sqrt((c_i+1 / c_i) (v_i /
 * v_i+1))), at least 1. Levels ascend (iteration, process, build): cost[i] is what one repetition at level i
 * adds, in whatever unit; variance[i] is that between repetitions of level i, less what comes from below
 * (their T_i^2). A variance of 0 or below counts as 0. out has levels - 1 counts. TARE_E_USAGE for fewer than
 * 2 levels, a cost that is not above 0, and a level without variance above one that has some: leave that
 * level out.
 */
TARE_MUST_CHECK int tare_repetitions(const double *cost, const double *variance, size_t levels, int64_t *out,
                                     struct tare_err *err);

/* Units at which an interval of now n units and half-width half_now would be half_wanted wide on each side:
 * ceil(n (half_now / half_wanted)^2). It assumes that the spread between units stays what it is. NaN for what
 * is not above 0. */
double tare_units_for_half_width(size_t n, double half_now, double half_wanted);

/*
 * Units (pairs, blocks, items) that would decide with probability `power`, if the truth is the estimate and
 * the spread between units stays: the fewer of to tell from 0:       n ((z_(1-alpha/2) + z_power) /
 * z_level)^2 (half / |e|)^2 to show equivalence:  n ((z_(1-alpha) + z_((1+power)/2)) / z_level)^2 (half /
 * (margin - |e|))^2 with half and level (the one reached) of the two-sided interval, and alpha = 1 -
 * `wanted`. The second takes z_power instead where the estimate is more than half of the margin, for then
 * only one side can fail. Ceiled. INFINITY where nothing would decide: e = 0 without a margin. NaN without an
 * interval.
 */
double tare_units_to_decide(size_t n, double estimate, const struct tare_interval *interval, double wanted,
                            double margin, double power);

#endif
