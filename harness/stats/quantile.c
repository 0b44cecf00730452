/* SPDX-License-Identifier: Apache-2.0 */
/* Order statistics: quantiles and the exact binomial intervals around them. */
#include "stats/interval.h"

#include <math.h>
#include <stdlib.h>

double tare_quantile(const double *sorted, size_t n, double q)
{
    double at = q * (double)(n - 1);
    size_t i = (size_t)at;
    if (i + 1 >= n) {
        return sorted[n - 1];
    }
    return sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]);
}

double tare_mean(const double *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += values[i];
    }
    return n ? sum / (double)n : (double)NAN;
}

/* ln of the binomial probability of k in n. */
static double log_pmf(double n, double k, double q)
{
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(q) + (n - k) * log1p(-q);
}

/*
 * Largest l with P[Bin(n, q) <= l-1] <= tail; 0 if even P[X = 0] exceeds it. Sums the probabilities
 * upwards from 12 standard deviations below the mean: what lies below that is less than 1e-9.
 */
static size_t lower_rank(size_t n, double q, double tail, double *out_below)
{
    double dn = (double)n;
    double from = floor(dn * q - 12 * sqrt(dn * q * (1 - q)));
    size_t k = from > 0 ? (size_t)from : 0;
    double p = exp(log_pmf(dn, (double)k, q));
    double below = 0;
    tail *= 1 + 1e-12; /* a tail that is met exactly, as with 1 - 2^(1-n), must not fail by a rounding */
    while (k <= n && below + p <= tail) {
        below += p;
        p *= (dn - (double)k) / (double)(k + 1) * q / (1 - q);
        k++;
    }
    *out_below = below;
    return k;
}

struct tare_interval tare_quantile_interval(const double *sorted, size_t n, double q, double level)
{
    struct tare_interval none = {.ok = false, .method = "n too small for order statistics"};
    if (n < 2 || q <= 0 || q >= 1) {
        return none;
    }
    double tail = (1 - level) / 2, below = 0, above = 0;
    size_t l = lower_rank(n, q, tail, &below);
    /* By symmetry P[Bin(n,q) >= u] = P[Bin(n,1-q) <= n-u], so the upper rank is mirrored. */
    size_t mirrored = lower_rank(n, 1 - q, tail, &above);
    if (l == 0 || mirrored == 0) {
        return none;
    }
    return (struct tare_interval){.ok = true,
                                  .low = sorted[l - 1],
                                  .high = sorted[n - mirrored],
                                  .level = 1 - below - above,
                                  .method = "order statistics"};
}

struct tare_interval tare_median_interval(const double *sorted, size_t n, double level)
{
    struct tare_interval interval = tare_quantile_interval(sorted, n, 0.5, level);
    if (interval.ok || n < 2) {
        return interval;
    }
    return (struct tare_interval){.ok = true,
                                  .low = sorted[0],
                                  .high = sorted[n - 1],
                                  .level = 1 - ldexp(1, 1 - (int)n),
                                  .method = "order statistics, range of all repeats"};
}
