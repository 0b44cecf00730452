/* SPDX-License-Identifier: Apache-2.0 */
/* A straight line through points, and how well its slope is known. Pure functions. */
#ifndef TARE_STATS_SLOPE_H
#define TARE_STATS_SLOPE_H

#include "stats/interval.h"

/*
 * Least squares of y on x. The slope's interval is Student's, with n - 2 degrees of freedom, and holds if the
 * errors are independent, normal and of one size; with points on a line but for their noise it says how well
 * the slope is known, with points on a curve it covers the bend too. Not ok for n < 3 or equal x; the slope
 * is NaN for n < 2.
 */
struct tare_interval tare_slope(const double *x, const double *y, size_t n, double level, double *out_slope,
                                double *out_intercept);

#endif
