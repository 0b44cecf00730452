/* SPDX-License-Identifier: Apache-2.0 */
/* Least squares with one predictor. */
#include "stats/slope.h"

#include "stats/discrete.h"

#include <math.h>

struct tare_interval tare_slope(const double *x, const double *y, size_t n, double level, double *out_slope,
                                double *out_intercept)
{
    double mx = tare_mean(x, n), my = tare_mean(y, n), sxx = 0, sxy = 0, rest = 0;
    for (size_t i = 0; i < n; i++) {
        sxx += (x[i] - mx) * (x[i] - mx);
        sxy += (x[i] - mx) * (y[i] - my);
    }
    double slope = n >= 2 && sxx > 0 ? sxy / sxx : (double)NAN;
    *out_slope = slope;
    *out_intercept = my - slope * mx;
    if (n < 3 || !(sxx > 0)) {
        return (struct tare_interval){.ok = false, .method = "fewer than 3 points"};
    }
    for (size_t i = 0; i < n; i++) {
        double e = y[i] - *out_intercept - slope * x[i];
        rest += e * e;
    }
    double df = (double)n - 2, half = tare_t_quantile(0.5 + level / 2, df) * sqrt(rest / df / sxx);
    return (struct tare_interval){.ok = isfinite(half),
                                  .low = slope - half,
                                  .high = slope + half,
                                  .level = level,
                                  .method = "least squares, Student's t"};
}
