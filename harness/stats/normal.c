/* SPDX-License-Identifier: Apache-2.0 */
/* The standard normal distribution. */
#include "stats/interval.h"

#include <math.h>

/* Bisection on the complementary error function: exact enough, and no table of coefficients. */
double tare_normal_quantile(double p)
{
    if (p > 0.5) { /* near 1 neighbouring doubles lie too far apart */
        return -tare_normal_quantile(1 - p);
    }
    double low = -40, high = 40;
    for (int i = 0; i < 200; i++) {
        double mid = 0.5 * (low + high);
        if (0.5 * erfc(-mid / sqrt(2)) < p) {
            low = mid;
        } else {
            high = mid;
        }
    }
    return 0.5 * (low + high);
}
