/* SPDX-License-Identifier: Apache-2.0 */
/* The straight line. */
#include "student.h"

#include <math.h>

double tare_student_975(size_t df)
{
    static const double few[] = {(double)NAN, 12.706204736432095, 4.302652729911275, 3.182446305284263,
                                 2.776445105197799};
    if (df < sizeof few / sizeof *few) {
        return few[df];
    }
    /* Cornish and Fisher's expansion about the normal quantile, to the fourth order in 1 / df. */
    double z = 1.9599639845400539, z2 = z * z, n = (double)df;
    double g1 = (z2 + 1) * z / 4;
    double g2 = ((5 * z2 + 16) * z2 + 3) * z / 96;
    double g3 = (((3 * z2 + 19) * z2 + 17) * z2 - 15) * z / 384;
    double g4 = ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) * z / 92160;
    return z + g1 / n + g2 / (n * n) + g3 / (n * n * n) + g4 / (n * n * n * n);
}

struct tare_line tare_line_fit(const double *x, const double *y, size_t n)
{
    struct tare_line l = {.slope = (double)NAN,
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

double tare_line_band(const struct tare_line *l, double x)
{
    double d = x - l->mean_x;
    return l->n > 2 ? tare_student_975(l->n - 2) * l->residual * sqrt(1 / (double)l->n + d * d / l->sxx)
                    : (double)NAN;
}
