/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Student's t and what it stands on, the incomplete beta function.
 *
 * The power x^a y^b / B(a, b) in front is computed as Loader computes binomial probabilities ("Fast and
 * accurate computation of binomial probabilities", 2000): differences of logarithms of gamma functions would
 * lose as many digits as a and b have. The continued fraction is that of DiDonato and Morris ("Significant
 * digit computation of the incomplete beta function ratios", ACM TOMS 18:360, 1992), evaluated by Lentz's
 * method.
 */
#include "stats/discrete.h"

#include <float.h>
#include <math.h>

#define TWO_PI 6.283185307179586

double tare_normal_cdf(double z)
{
    return 0.5 * erfc(-z / sqrt(2));
}

/* ln(gamma(z + 1)) less Stirling's approximation of it, z > 0. */
static double stirling_rest(double z)
{
    if (z < 15) {
        return lgamma(z + 1) - (z + 0.5) * log(z) + z - 0.5 * log(TWO_PI);
    }
    double w = 1 / (z * z);
    return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - w / 1188) * w) * w) * w) / z;
}

/* x ln(x / m) + m - x, diff = x - m, without cancellation where x is near m: with v = diff / (x + m) it is
 * diff v + 2 x (v^3/3 + v^5/5 + ...). */
static double deviance(double x, double m, double diff)
{
    double v = diff / (x + m);
    if (fabs(v) >= 0.1) {
        return x * log(x / m) - diff;
    }
    double sum = diff * v, power = 2 * x * v, before = 0;
    for (int k = 3; sum != before && k < 100; k += 2) {
        before = sum;
        power *= v * v;
        sum += power / k;
    }
    return sum;
}

/* x^a y^b / B(a, b) */
static double beta_power(double a, double b, double x, double y)
{
    double n = a + b;
    double rest = stirling_rest(n) - stirling_rest(a) - stirling_rest(b);
    double diff = a * y - b * x; /* a - n x, and n y - b */
    return exp(rest - deviance(a, n * x, diff) - deviance(b, n * y, -diff)) * sqrt(a * b / (TWO_PI * n));
}

static double away_from_0(double x)
{
    return fabs(x) < DBL_MIN / DBL_EPSILON ? DBL_MIN / DBL_EPSILON : x;
}

/*
 * I_x(a, b) over x^a y^b / B(a, b) for lambda = a y - b x >= 0: 1 / (beta_0 + alpha_1 / (beta_1 + ...)). In
 * this form x beside 1 is never subtracted from it.
 */
static double beta_fraction(double a, double b, double x, double y)
{
    enum { most = 1000000 };
    double lambda = a * y - b * x, f = a / (a + 1) * (lambda + 1), c = f, d = 0;
    for (int i = 1; i <= most; i++) {
        double n = i, s = a + 2 * n - 1, w = n * (b - n) * x;
        double alpha = (a + n - 1) / s * ((a + b + n - 1) / s) * w * x;
        double beta = n + w / s + (a + n) / (s + 2) * (lambda + 1 + n * (1 + y));
        d = 1 / away_from_0(beta + alpha * d);
        c = away_from_0(beta + alpha / c);
        f *= c * d;
        if (fabs(c * d - 1) < 2 * DBL_EPSILON) {
            break;
        }
    }
    return 1 / f;
}

double tare_incomplete_beta(double a, double b, double x, double y)
{
    if (!(a > 0 && b > 0 && x >= 0 && y >= 0 && isfinite(a) && isfinite(b))) {
        return (double)NAN;
    }
    if (x == 0 || y == 0) {
        return x == 0 ? 0 : 1;
    }
    if (a * y >= b * x) { /* below the mean, where the fraction converges fast */
        return beta_power(a, b, x, y) * beta_fraction(a, b, x, y);
    }
    return 1 - beta_power(a, b, x, y) * beta_fraction(b, a, y, x);
}

/* P[T > t], t >= 0 */
static double upper_tail(double t, double df)
{
    if (df > 1e12) { /* differs from the normal one by less than a rounding */
        return tare_normal_cdf(-t);
    }
    double square = t * t;
    return 0.5 * tare_incomplete_beta(df / 2, 0.5, df / (df + square), square / (df + square));
}

double tare_t_cdf(double t, double df)
{
    if (!(df > 0) || isnan(t)) {
        return (double)NAN;
    }
    if (isinf(t)) {
        return t > 0;
    }
    return t < 0 ? upper_tail(-t, df) : 1 - upper_tail(t, df);
}

/* Density at t > 0: of I_x(df / 2, 1 / 2) / 2 by t, where dx / dt = -2 t x^2 / df and y = x t^2 / df. */
static double density(double t, double df)
{
    return beta_power(df / 2, 0.5, df / (df + t * t), t * t / (df + t * t)) / t;
}

/* Upper quantile for a tail of 0 < p < 0.5: Newton's steps on ln of the tail, kept within a bracket. */
static double upper_quantile(double p, double df)
{
    double low = 0, high = 1;
    while (upper_tail(high, df) > p && isfinite(high)) {
        low = high;
        high *= 2;
    }
    double t = 0.5 * (low + high);
    for (int i = 0; i < 200; i++) {
        double tail = upper_tail(t, df), before = t;
        low = tail > p ? t : low;
        high = tail > p ? high : t;
        t += tail * log(tail / p) / density(t, df);
        t = t > low && t < high ? t : 0.5 * (low + high);
        if (fabs(t - before) <= 2 * DBL_EPSILON * t) {
            break;
        }
    }
    return t;
}

double tare_t_quantile(double p, double df)
{
    if (!(df > 0) || !(p >= 0 && p <= 1)) {
        return (double)NAN;
    }
    if (p == 0 || p == 1) {
        return p > 0 ? (double)INFINITY : -(double)INFINITY;
    }
    if (p == 0.5) {
        return 0;
    }
    return p < 0.5 ? -upper_quantile(p, df) : upper_quantile(1 - p, df);
}
