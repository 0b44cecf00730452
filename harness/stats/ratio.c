/* SPDX-License-Identifier: Apache-2.0 */
/* Intervals of proportions and of ratios of sums. */
#include "stats/interval.h"

#include <math.h>
#include <stdlib.h>
#include <tare/rng.h>

enum { draws = 2000, bootstrap_max_n = 20000, min_units_each_way = 10 };

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

/* Wilson's interval; n need not be whole. At the edges the closed form is the edge, but for rounding. */
static struct tare_interval wilson(double p, double n, double level, const char *method)
{
    double z = tare_normal_quantile(0.5 + level / 2), z2 = z * z / n;
    double center = (p + z2 / 2) / (1 + z2);
    double half = z * sqrt(p * (1 - p) / n + z2 / (4 * n)) / (1 + z2);
    return (struct tare_interval){.ok = true,
                                  .low = p <= 0 ? 0 : fmax(0, center - half),
                                  .high = p >= 1 ? 1 : fmin(1, center + half),
                                  .level = level,
                                  .method = method};
}

struct tare_interval tare_wilson(int64_t k, int64_t n, double level)
{
    if (n <= 0) {
        return (struct tare_interval){.ok = false, .method = "no items"};
    }
    return wilson((double)k / (double)n, (double)n, level, "Wilson score");
}

/* Variance of sum(num)/sum(den) between units: n/(n-1) * sum (a - R b)^2 / (sum b)^2. */
static double ratio_variance(const double *num, const double *den, size_t n, double ratio, double bottom)
{
    double squares = 0, dn = (double)n;
    for (size_t i = 0; i < n; i++) {
        double d = num[i] - ratio * den[i];
        squares += d * d;
    }
    return dn / (dn - 1) * squares / (bottom * bottom);
}

struct tare_interval tare_cluster_proportion(const double *num, const double *den, size_t n, double level)
{
    double top = 0, bottom = 0;
    size_t failing = 0, succeeding = 0;
    for (size_t i = 0; i < n; i++) {
        top += num[i];
        bottom += den[i];
        failing += num[i] < den[i];
        succeeding += num[i] > 0;
    }
    if (n < 2 || !(bottom > 0) || !isfinite(top) || !isfinite(bottom)) {
        return (struct tare_interval){.ok = false, .method = "n too small"};
    }
    double p = top / bottom, variance = ratio_variance(num, den, n, p, bottom);
    bool estimable = failing >= min_units_each_way && succeeding >= min_units_each_way && variance > 0;
    double most = estimable ? bottom : (double)n;
    double effective = variance > 0 ? fmin(p * (1 - p) / variance, most) : (double)n;
    return wilson(p, effective, level, "Wilson score, effective n from items");
}

static double one_draw(const double *num, const double *den, size_t n, struct tare_rng *rng)
{
    double top = 0, bottom = 0;
    for (size_t i = 0; i < n; i++) {
        size_t j = (size_t)tare_rng_below(rng, n);
        top += num[j];
        bottom += den[j];
    }
    return bottom != 0 ? top / bottom : (double)NAN;
}

static int bootstrap(const double *num, const double *den, size_t n, double level, uint64_t seed,
                     struct tare_interval *out, struct tare_err *err)
{
    double *ratio = malloc(draws * sizeof *ratio);
    if (!ratio) {
        return tare_err_set(err, TARE_E_NOMEM, "bootstrap: out of memory");
    }
    struct tare_rng rng;
    tare_rng_init(&rng, seed);
    size_t used = 0;
    for (int i = 0; i < draws; i++) {
        double r = one_draw(num, den, n, &rng);
        if (isfinite(r)) {
            ratio[used++] = r;
        }
    }
    if (used == draws) { /* a draw without a denominator means that there is no interval */
        tare_sort(ratio, used);
        *out = (struct tare_interval){.ok = true,
                                      .low = tare_quantile(ratio, used, (1 - level) / 2),
                                      .high = tare_quantile(ratio, used, (1 + level) / 2),
                                      .level = level,
                                      .method = "percentile bootstrap"};
    } else {
        *out = (struct tare_interval){.ok = false, .method = "some resamples have no denominator"};
    }
    free(ratio);
    return 0;
}

static struct tare_interval linearised(const double *num, const double *den, size_t n, double level)
{
    double top = 0, bottom = 0;
    for (size_t i = 0; i < n; i++) {
        top += num[i];
        bottom += den[i];
    }
    if (bottom == 0) {
        return (struct tare_interval){.ok = false, .method = "no denominator"};
    }
    double ratio = top / bottom;
    double half = tare_normal_quantile(0.5 + level / 2) * sqrt(ratio_variance(num, den, n, ratio, bottom));
    if (!isfinite(ratio) || !isfinite(half)) {
        return (struct tare_interval){.ok = false, .method = "not all values are numbers"};
    }
    return (struct tare_interval){
        .ok = true, .low = ratio - half, .high = ratio + half, .level = level, .method = "delta method"};
}

int tare_ratio_interval(const double *num, const double *den, size_t n, double level, uint64_t seed,
                        struct tare_interval *out, struct tare_err *err)
{
    if (n < 2) {
        *out = (struct tare_interval){.ok = false, .method = "n too small"};
        return 0;
    }
    if (n > bootstrap_max_n) {
        *out = linearised(num, den, n, level);
        return 0;
    }
    return bootstrap(num, den, n, level, seed, out, err);
}
