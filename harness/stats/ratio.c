/* SPDX-License-Identifier: Apache-2.0 */
/* Intervals of proportions and of ratios of sums; stats/bootstrap.h and stats/mean.h have the parts. */
#include "stats/interval.h"

#include "stats/bootstrap.h"
#include "stats/discrete.h"
#include "stats/mean.h"

#include <math.h>
#include <stdlib.h>

enum { both_min_n = 10, few_draws = 2000, many_draws_max_n = 2000, min_units_each_way = 10 };

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

/* The same by leaving out one unit after the other: a unit that holds much of the sum drags the ratio along,
 * and its rest from it is small. */
static double jackknife_variance(const double *num, const double *den, size_t n, double ratio, double bottom)
{
    double squares = 0, dn = (double)n;
    for (size_t i = 0; i < n; i++) {
        double moved = (num[i] - ratio * den[i]) / (bottom - den[i]);
        squares += moved * moved;
    }
    return (dn - 1) / dn * squares;
}

/* What a variance known from few units costs: (z / t)^2, by which Korn and Graubard shrink an effective n. */
static double shrink(double units, double level)
{
    double factor = tare_normal_quantile(0.5 + level / 2) / tare_t_quantile(0.5 + level / 2, units - 1);
    return factor * factor;
}

struct tare_interval tare_cluster_proportion(const double *num, const double *den, size_t n, double level)
{
    double top = 0, bottom = 0, squares = 0;
    size_t failing = 0, succeeding = 0;
    for (size_t i = 0; i < n; i++) {
        top += num[i];
        bottom += den[i];
        squares += den[i] * den[i];
        failing += num[i] < den[i];
        succeeding += num[i] > 0;
    }
    if (n < 2 || !(bottom > 0) || !isfinite(top) || !isfinite(squares)) {
        return (struct tare_interval){.ok = false, .method = "n too small"};
    }
    double units = bottom * bottom / squares; /* of one size, that would weigh as much */
    if (units < 2 * (1 - 1e-12)) {
        return (struct tare_interval){.ok = false, .method = "one item has most of the trials"};
    }
    double p = top / bottom, variance = jackknife_variance(num, den, n, p, bottom);
    bool estimable = failing >= min_units_each_way && succeeding >= min_units_each_way && variance > 0;
    double most = estimable ? bottom : units;
    double effective = variance > 0 ? fmin(p * (1 - p) / variance * shrink(units, level), most) : units;
    return wilson(p, effective, level,
                  estimable ? "Wilson score, effective n from items" : "Wilson score, each item one trial");
}

static bool all_finite(const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) {
            return false;
        }
    }
    return true;
}

static double ratio_of(const double *num, const double *den, const size_t *unit, size_t n)
{
    double top = 0, bottom = 0;
    for (size_t i = 0; i < n; i++) {
        top += num[unit[i]];
        bottom += den[unit[i]];
    }
    return bottom != 0 ? top / bottom : (double)NAN;
}

/* Of the jackknife, whose ratios without each unit go into `without`. */
static double acceleration(const double *num, const double *den, size_t n, double top, double bottom,
                           double *without)
{
    for (size_t i = 0; i < n; i++) {
        without[i] = (top - num[i]) / (bottom - den[i]);
    }
    return tare_jackknife_acceleration(without, n);
}

/* `ratio` has room for draws + n. */
static struct tare_interval bca(const double *num, const double *den, size_t n, double level, uint64_t seed,
                                double *ratio, size_t draws, size_t *unit)
{
    struct tare_rng rng;
    double top = 0, bottom = 0;
    tare_rng_init(&rng, seed);
    for (size_t i = 0; i < n; i++) {
        top += num[i];
        bottom += den[i];
    }
    for (size_t i = 0; i < draws; i++) {
        tare_draw_units(&rng, unit, n);
        ratio[i] = ratio_of(num, den, unit, n);
    }
    double a = acceleration(num, den, n, top, bottom, ratio + draws);
    return tare_bca_limits(ratio, draws, top / bottom, a, n, level);
}

/* Few units: neither alone covers what both of them do. */
static struct tare_interval out_of_two(const struct tare_interval *bca, const struct tare_interval *fieller,
                                       size_t n)
{
    if (n >= TARE_BOOTSTRAP_LEAST) {
        return *bca;
    }
    return (struct tare_interval){.ok = true,
                                  .low = fmin(bca->low, fieller->low),
                                  .high = fmax(bca->high, fieller->high),
                                  .level = bca->level,
                                  .method = "Fieller or BCa bootstrap, the wider"};
}

static int bootstrap(const double *num, const double *den, size_t n, double level, uint64_t seed,
                     const struct tare_interval *fieller, struct tare_interval *out, struct tare_err *err)
{
    size_t draws = n <= many_draws_max_n ? TARE_BOOTSTRAP_DRAWS : few_draws;
    double *ratio = malloc((draws + n) * sizeof *ratio);
    size_t *unit = malloc(n * sizeof *unit);
    int rc = ratio && unit ? 0 : tare_err_set(err, TARE_E_NOMEM, "bootstrap of %zu units: out of memory", n);
    if (rc == 0) {
        *out = bca(num, den, n, level, seed, ratio, draws, unit);
        *out = out->ok ? out_of_two(out, fieller, n) : *fieller;
    }
    free(ratio);
    free(unit);
    return rc;
}

static struct tare_interval linearised(const double *num, const double *den, size_t n, double level)
{
    double top = 0, bottom = 0;
    for (size_t i = 0; i < n; i++) {
        top += num[i];
        bottom += den[i];
    }
    double ratio = top / bottom;
    double half = tare_normal_quantile(0.5 + level / 2) * sqrt(ratio_variance(num, den, n, ratio, bottom));
    if (!isfinite(ratio) || !isfinite(half)) { /* sums beyond what a double holds */
        return (struct tare_interval){.ok = false, .method = "not all values are numbers"};
    }
    return (struct tare_interval){
        .ok = true, .low = ratio - half, .high = ratio + half, .level = level, .method = "delta method"};
}

/* All units have the ratio of the first. */
static bool one_ratio(const double *num, const double *den, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (num[i] * den[0] != num[0] * den[i]) {
            return false;
        }
    }
    return den[0] != 0;
}

/* One unit carries over a quarter of the variance that n equal ones have: (its share)^2 n > 1/4. Resamples
 * have it twice, once or not at all, and say less of the ratio than of that. */
static bool dominated(const double *den, size_t n)
{
    double sum = 0, largest = 0;
    for (size_t i = 0; i < n; i++) {
        sum += den[i];
        largest = fmax(largest, fabs(den[i]));
    }
    return largest * largest * (double)n > 0.25 * sum * sum;
}

int tare_ratio_interval(const double *num, const double *den, size_t n, double level, uint64_t seed,
                        struct tare_interval *out, struct tare_err *err)
{
    struct tare_interval fieller = {.method = "n too small"};
    double ratio = 0;
    if (n >= 2 && (!all_finite(num, n) || !all_finite(den, n))) {
        fieller.method = "not all values are numbers";
    } else if (n >= 2 && one_ratio(num, den, n)) {
        ratio = num[0] / den[0];
        fieller = (struct tare_interval){
            .ok = true, .low = ratio, .high = ratio, .level = level, .method = "no unit differs"};
    } else if (n >= 2) {
        int rc = tare_fieller_interval(num, den, n, level, &ratio, &fieller, err);
        if (rc != 0) {
            return rc;
        }
        bool as_is = !fieller.ok || n < both_min_n || dominated(den, n);
        if (!as_is && n <= TARE_BOOTSTRAP_MAX) {
            return bootstrap(num, den, n, level, seed, &fieller, out, err);
        }
        fieller = as_is ? fieller : linearised(num, den, n, level);
    }
    *out = fieller;
    return 0;
}
