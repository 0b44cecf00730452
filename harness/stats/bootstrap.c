/* SPDX-License-Identifier: Apache-2.0 */
/* The bootstrap of any statistic. */
#include "stats/bootstrap.h"

#include "stats/discrete.h"
#include "stats/paired.h"

#include <math.h>
#include <stdlib.h>

enum { least_draws = 1000, least_in_tail = 2 };

static struct tare_interval none(const char *reason)
{
    return (struct tare_interval){.method = reason};
}

/* z of the share of draws below the estimate; draws that meet it count half. */
static double bias(const double *drawn, size_t draws, double estimate)
{
    size_t below = 0, same = 0;
    for (size_t i = 0; i < draws; i++) {
        below += drawn[i] < estimate;
        same += drawn[i] == estimate;
    }
    return tare_normal_quantile(((double)below + 0.5 * (double)same) / (double)draws);
}

void tare_draw_units(struct tare_rng *rng, size_t *unit, size_t n)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < n; i++) {
        bits = i % 2 ? bits >> 32 : tare_rng_u64(rng);
        unit[i] = (size_t)(((bits & UINT32_MAX) * n) >> 32);
    }
}

double tare_jackknife_acceleration(const double *without, size_t n)
{
    double mean = tare_mean(without, n), squares = 0, cubes = 0;
    for (size_t i = 0; i < n; i++) {
        double u = mean - without[i];
        squares += u * u;
        cubes += u * u * u;
    }
    return squares > 0 ? cubes / (6 * squares * sqrt(squares)) : 0;
}

/* The share of draws below the limit that z belongs to: Phi(bias + (bias + z) / (1 - a (bias + z))). NaN
 * where the acceleration leaves no limit. */
static double share_below(double z, double bias, double acceleration)
{
    double sum = bias + z, room = 1 - acceleration * sum;
    return room > 0 ? tare_normal_cdf(bias + sum / room) : (double)NAN;
}

/* As tare_quantile, of values in no order, which it reorders. */
static double quantile_of(double *x, size_t n, double q)
{
    double at = q * (double)(n - 1);
    size_t i = (size_t)at;
    double value = tare_select(x, n, i + 1);
    if (i + 1 >= n) {
        return value;
    }
    double next = x[i + 1]; /* the least of those that selection left above */
    for (size_t j = i + 2; j < n; j++) {
        next = fmin(next, x[j]);
    }
    return value + (at - (double)i) * (next - value);
}

/* Least and largest; NaN and NaN if one is not finite. */
static void range(const double *x, size_t n, double *out_least, double *out_most)
{
    double least = x[0], largest = x[0];
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) {
            *out_least = *out_most = (double)NAN;
            return;
        }
        least = fmin(least, x[i]);
        largest = fmax(largest, x[i]);
    }
    *out_least = least;
    *out_most = largest;
}

struct tare_interval tare_bca_limits(double *drawn, size_t draws, double estimate, double acceleration,
                                     size_t n, double level)
{
    double least = 0, largest = 0, dn = (double)n;
    range(drawn, draws, &least, &largest);
    if (isnan(least) || !isfinite(acceleration) || !isfinite(estimate)) {
        return none("not all resamples are numbers");
    }
    struct tare_interval interval = {
        .ok = true, .low = least, .high = largest, .level = level, .method = "BCa bootstrap, expanded"};
    if (least < largest) {
        double shift = bias(drawn, draws, estimate), rim = (double)least_in_tail / (double)draws;
        double z = tare_t_quantile(0.5 + level / 2, dn - 1) * sqrt(dn / (dn - 1));
        double low = share_below(-z, shift, acceleration), high = share_below(z, shift, acceleration);
        if (!(low >= rim && high <= 1 - rim && low < high)) {
            return none("limits lie beyond what resamples show");
        }
        interval.low = quantile_of(drawn, draws, low);
        interval.high = quantile_of(drawn, draws, high);
    }
    return interval;
}

struct work {
    tare_statistic *statistic;
    const void *data;
    size_t n, draws;
    size_t *unit;    /* n */
    double *without; /* n */
    double *drawn;   /* draws */
};

/* Fills `without` and `drawn`. */
static void resample(const struct work *w, uint64_t seed)
{
    struct tare_rng rng;
    tare_rng_init(&rng, seed);
    for (size_t i = 0; i < w->n; i++) {
        for (size_t j = 0; j + 1 < w->n; j++) {
            w->unit[j] = j < i ? j : j + 1;
        }
        w->without[i] = w->statistic(w->data, w->unit, w->n - 1);
    }
    for (size_t i = 0; i < w->draws; i++) {
        tare_draw_units(&rng, w->unit, w->n);
        w->drawn[i] = w->statistic(w->data, w->unit, w->n);
    }
}

static struct tare_interval bca(const struct work *w, double level, uint64_t seed, double estimate)
{
    if (w->n < TARE_BOOTSTRAP_LEAST) {
        return none("n too small, 30 units needed");
    }
    resample(w, seed);
    return tare_bca_limits(w->drawn, w->draws, estimate, tare_jackknife_acceleration(w->without, w->n), w->n,
                           level);
}

int tare_bca_interval(tare_statistic *statistic, const void *data, size_t n, size_t draws, double level,
                      uint64_t seed, double *out_estimate, struct tare_interval *out, struct tare_err *err)
{
    if (n == 0 || n > TARE_BOOTSTRAP_MAX || draws < least_draws || !(level > 0 && level < 1)) {
        return tare_err_set(
            err, TARE_E_USAGE,
            "bootstrap: %zu units, %zu draws, level %g; give 1 .. %d units, %d draws and more, "
            "0 < level < 1",
            n, draws, level, TARE_BOOTSTRAP_MAX, least_draws);
    }
    struct work w = {.statistic = statistic, .data = data, .n = n, .draws = draws};
    w.unit = malloc(n * sizeof *w.unit);
    w.without = malloc(n * sizeof *w.without);
    w.drawn = malloc(draws * sizeof *w.drawn);
    int rc = w.unit && w.without && w.drawn
                 ? 0
                 : tare_err_set(err, TARE_E_NOMEM, "bootstrap of %zu units: out of memory", n);
    if (rc == 0) {
        for (size_t i = 0; i < n; i++) {
            w.unit[i] = i;
        }
        *out_estimate = statistic(data, w.unit, n);
        *out = bca(&w, level, seed, *out_estimate);
    }
    free(w.unit);
    free(w.without);
    free(w.drawn);
    return rc;
}
