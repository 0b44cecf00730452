/* SPDX-License-Identifier: Apache-2.0 */
/* The tail is the upper regularized incomplete gamma function: a series below, a continued fraction above. */
#include "chi_square.h"

#include "fixture.h"

#include <math.h>

static double lower_series(double a, double x)
{
    double term = 1 / a;
    double sum = term;
    for (int i = 1; i < 10000 && term > sum * 1e-16; i++) {
        term *= x / (a + i);
        sum += term;
    }
    return sum * exp(a * log(x) - x - lgamma(a));
}

/* Lentz's method. */
static double upper_fraction(double a, double x)
{
    double b = x + 1 - a;
    double c = 1e300;
    double d = 1 / b;
    double h = d;
    for (int i = 1; i < 10000; i++) {
        double an = -i * (i - a);
        b += 2;
        d = 1 / (an * d + b);
        c = b + an / c;
        h *= d * c;
        if (fabs(d * c - 1) < 1e-15) {
            break;
        }
    }
    return h * exp(a * log(x) - x - lgamma(a));
}

double chi_square_tail(double x, double df)
{
    double a = df / 2;
    double half = x / 2;
    if (half <= 0) {
        return 1;
    }
    return half < a + 1 ? 1 - lower_series(a, half) : upper_fraction(a, half);
}

double chi_square_p(const double *p, const int64_t *counts, size_t n, int64_t total, int *df)
{
    double statistic = 0;
    double rest_expected = 0;
    double rest = 0;
    int cells = 0;
    for (size_t i = 0; i < n; i++) {
        double expected = p[i] * (double)total;
        if (expected < 5) {
            rest_expected += expected;
            rest += (double)counts[i];
            continue;
        }
        statistic += ((double)counts[i] - expected) * ((double)counts[i] - expected) / expected;
        cells++;
    }
    if (rest_expected >= 5) {
        statistic += (rest - rest_expected) * (rest - rest_expected) / rest_expected;
        cells++;
    }
    assert_true(cells > 1);
    *df = cells - 1;
    return chi_square_tail(statistic, cells - 1);
}
