/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The best cut of a series into parts that are levels or straight lines, as a proposal to be tested.
 *
 * Of all cuts into parts of at least TARE_SERIES_PART values the one with the least cost is taken: squared
 * residuals over the variance of the noise, plus `penalty` for every cut and once more for every part that is
 * a line instead of a level (Jackson et al. 2005, "optimal partitioning"; a slope is as dear as a step). The
 * noise is taken from differences of neighbours, which a step enters once, and values further than 3 of its
 * standard deviations from the median of the 9 about them are drawn in to there, so that an outlier can
 * neither be a part nor hide one. Squares of normal noise are what this is best at; it promises no error
 * rate, and tests whether a cut is a change are elsewhere (stats/changes.h). Pure functions, no random
 * numbers; O(n^2) time up to 4096 values and linear in n beyond, where cuts lie on a grid until settled.
 */
#ifndef TARE_STATS_SEGMENT_H
#define TARE_STATS_SEGMENT_H

#include "stats/series.h"

/* Standard deviation of the noise by differences of neighbours, at lag 1 or 2: the larger of what the median
 * and what the largest fifth of the absolute differences say; equal neighbours in plenty are taken to be
 * rounded. 0 for equal values. `scratch` has room for n doubles. */
double tare_segment_noise(const double *x, size_t n, size_t lag, double *scratch);
/* x with outliers drawn in, into out. */
void tare_segment_tame(const double *x, size_t n, double noise, double *out);

/* Sums up to each value, by which the fit of any part is O(1). */
struct tare_segment_sums {
    size_t n;
    double *x, *xx, *ix; /* n + 1 of each: of x, x^2, i x, about the middle of the series */
    double middle;
};

struct tare_segment_fit {
    double cost;   /* residual squares over the variance, and the penalty of a line */
    double middle; /* value at the middle of the part */
    double slope;  /* per value; 0 for a level */
};

/* `room` has 3 (n + 1) doubles and is kept. */
void tare_segment_sum(const double *x, size_t n, double *room, struct tare_segment_sums *out);
struct tare_segment_fit tare_segment_fit(const struct tare_segment_sums *s, size_t first, size_t end,
                                         double variance, double penalty);
/* Begins of the parts of [first, end) into begins, the first of them `first`; returns how many. `cost` and
 * `from` have room for end - first + 1. */
size_t tare_segment_cut(const struct tare_segment_sums *s, size_t first, size_t end, double variance,
                        double penalty, double *cost, size_t *from, size_t *begins);
/* Where the cut between two parts is best, the outer ends fixed. */
size_t tare_segment_settle(const struct tare_segment_sums *s, size_t first, size_t end, size_t low,
                           size_t high, double variance, double penalty);

#endif
