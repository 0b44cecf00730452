/* SPDX-License-Identifier: Apache-2.0 */
/* Least squares on one variable, with Student's intervals of its slope. Pure functions. */
#ifndef TARE_STATS_LINE_H
#define TARE_STATS_LINE_H

#include "stats/interval.h"

struct tare_fit_line {
    double slope, intercept;
    double slope_se, intercept_se; /* NaN for n < 3 */
    double residual;               /* standard deviation about the line; NaN for n < 3 */
    double mean_x, sxx;
    size_t n;
};

/* y = intercept + slope x. slope is NaN for n < 2 or equal x. */
struct tare_fit_line tare_line_fit(const double *x, const double *y, size_t n);
/* Half width of the 95 % interval of the line at x; NaN for n < 3. */
double tare_line_band(const struct tare_fit_line *line, double x);

/*
 * Student's interval of the slope, with n - 2 degrees of freedom: holds if the errors are independent, normal
 * and of one size. With points on a curve it covers the bend too. Not ok for n < 3 or equal x.
 */
struct tare_interval tare_line_slope(const struct tare_fit_line *line, double level);

#endif
