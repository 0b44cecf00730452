/* SPDX-License-Identifier: Apache-2.0 */
/* Least squares on one variable, with Student's intervals of its slope. Pure functions. */
#ifndef TARE_REPORTS_SCORES_STUDENT_H
#define TARE_REPORTS_SCORES_STUDENT_H

#include <stddef.h>

/* 97.5 % quantile of Student's t: exact to 4 degrees of freedom, within 0.1 % above. NaN for 0. */
double tare_student_975(size_t df);

struct tare_line {
    double slope, intercept;
    double slope_se, intercept_se; /* NaN for n < 3 */
    double residual;               /* standard deviation about the line; NaN for n < 3 */
    double mean_x, sxx;
    size_t n;
};

/* y = intercept + slope x. slope is NaN for n < 2 or equal x. */
struct tare_line tare_line_fit(const double *x, const double *y, size_t n);
/* Half width of the 95 % interval of the line at x; NaN for n < 3. */
double tare_line_band(const struct tare_line *line, double x);

#endif
