/* SPDX-License-Identifier: Apache-2.0 */
/* Least squares with one predictor. */
#include "stats/line.h"

#include "stats/discrete.h"

#include <math.h>

struct tare_fit_line tare_line_fit(const double *x, const double *y, size_t n)
{
    struct tare_fit_line l = {.slope = (double)NAN,
                              .intercept = (double)NAN,
                              .slope_se = (double)NAN,
                              .intercept_se = (double)NAN,
                              .residual = (double)NAN,
                              .n = n};
    double mean_y = 0, sxy = 0, rss = 0, count = (double)n;
    for (size_t i = 0; i < n; i++) {
        l.mean_x += x[i] / count;
        mean_y += y[i] / count;
    }
    for (size_t i = 0; i < n; i++) {
        l.sxx += (x[i] - l.mean_x) * (x[i] - l.mean_x);
        sxy += (x[i] - l.mean_x) * (y[i] - mean_y);
    }
    if (n < 2 || !(l.sxx > 0)) {
        return l;
    }
    l.slope = sxy / l.sxx;
    l.intercept = mean_y - l.slope * l.mean_x;
    for (size_t i = 0; i < n; i++) {
        double r = y[i] - l.intercept - l.slope * x[i];
        rss += r * r;
    }
    if (n > 2) {
        l.residual = sqrt(rss / (count - 2));
        l.slope_se = l.residual / sqrt(l.sxx);
        l.intercept_se = l.residual * sqrt(1 / count + l.mean_x * l.mean_x / l.sxx);
    }
    return l;
}

double tare_line_band(const struct tare_fit_line *l, double x)
{
    double d = x - l->mean_x;
    return l->n > 2 ? tare_t_quantile(0.975, (double)l->n - 2) * l->residual *
                          sqrt(1 / (double)l->n + d * d / l->sxx)
                    : (double)NAN;
}

struct tare_interval tare_line_slope(const struct tare_fit_line *l, double level)
{
    if (l->n < 3 || !(l->sxx > 0)) {
        return (struct tare_interval){.ok = false, .method = "fewer than 3 points"};
    }
    double half = tare_t_quantile(0.5 + level / 2, (double)l->n - 2) * l->slope_se;
    return (struct tare_interval){.ok = isfinite(half),
                                  .low = l->slope - half,
                                  .high = l->slope + half,
                                  .level = level,
                                  .method = "least squares, Student's t"};
}
