/* SPDX-License-Identifier: Apache-2.0 */
/* Approach 1: which training curve is lowest at each budget. */
#include "isoflop.h"

#include "stats/interval.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <tare/rng.h>

struct step {
    double log_n, log_c, loss;
};

/* Curves lie one behind the other in steps[], each by compute. */
struct curves {
    struct step *steps;
    size_t *from; /* n + 1 */
    size_t n;
    size_t *chosen; /* curves of a resample */
};

static int by_size_then_compute(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    int size = (x->log_n > y->log_n) - (x->log_n < y->log_n);
    return size ? size : (x->log_c > y->log_c) - (x->log_c < y->log_c);
}

/* Means of the losses of up to `smooth` neighbours, as many on either side; in place from the front. */
static int smooth_curve(struct step *steps, size_t n, size_t smooth, struct tare_err *err)
{
    double *means = malloc((n + 1) * sizeof *means);
    if (!means) {
        return tare_err_set(err, TARE_E_NOMEM, "approach 1: out of memory");
    }
    for (size_t i = 0; i < n; i++) {
        size_t reach = smooth / 2, room = i < n - 1 - i ? i : n - 1 - i;
        reach = reach < room ? reach : room;
        double sum = 0;
        for (size_t j = i - reach; j <= i + reach; j++) {
            sum += steps[j].loss;
        }
        means[i] = sum / (double)(2 * reach + 1);
    }
    for (size_t i = 0; i < n; i++) {
        steps[i].loss = means[i];
    }
    free(means);
    return 0;
}

/* Loss of a curve at a budget; NaN where it was not. */
static double loss_at(const struct step *steps, size_t n, double log_c)
{
    size_t low = 0, high = n - 1;
    if (n < 2 || log_c < steps[0].log_c || log_c > steps[n - 1].log_c) {
        return (double)NAN;
    }
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        *(steps[middle].log_c <= log_c ? &low : &high) = middle;
    }
    double width = steps[high].log_c - steps[low].log_c;
    double part = width > 0 ? (log_c - steps[low].log_c) / width : 0;
    return steps[low].loss + part * (steps[high].loss - steps[low].loss);
}

/* The chosen curve that is lowest at a budget; false if it is the smallest or the largest that was there. */
static bool best_size(const struct curves *c, double log_c, double *out)
{
    double best = (double)INFINITY, at = 0, least = (double)INFINITY, most = -(double)INFINITY;
    for (size_t i = 0; i < c->n; i++) {
        size_t k = c->chosen[i];
        double loss = loss_at(c->steps + c->from[k], c->from[k + 1] - c->from[k], log_c);
        double log_n = c->steps[c->from[k]].log_n;
        if (!isfinite(loss)) {
            continue;
        }
        least = fmin(least, log_n);
        most = fmax(most, log_n);
        if (loss < best) {
            best = loss;
            at = log_n;
        }
    }
    *out = at;
    return isfinite(best) && at > least && at < most;
}

struct range {
    double low, high;
    size_t bins;
};

/* Slope of log N on log C over the budgets that say something. */
static struct tare_fit_line slope_of(const struct curves *c, const struct range *range, double *x, double *y)
{
    size_t used = 0;
    for (size_t i = 0; i < range->bins; i++) {
        double log_c = range->low + (range->high - range->low) * ((double)i + 0.5) / (double)range->bins;
        if (best_size(c, log_c, &y[used])) {
            x[used++] = log_c;
        }
    }
    return tare_line_fit(x, y, used);
}

static int bound(const struct curves *c, const struct range *range, double *x, double *y, size_t resamples,
                 uint64_t seed, struct tare_growth *out, struct tare_err *err)
{
    struct tare_rng rng;
    tare_rng_init(&rng, seed);
    double *slopes = malloc((resamples + 1) * sizeof *slopes);
    if (!slopes) {
        return tare_err_set(err, TARE_E_NOMEM, "approach 1: out of memory");
    }
    size_t made = 0;
    for (size_t i = 0; i < resamples; i++) {
        for (size_t k = 0; k < c->n; k++) {
            c->chosen[k] = (size_t)tare_rng_below(&rng, c->n);
        }
        double slope = slope_of(c, range, x, y).slope;
        slopes[made] = slope;
        made += isfinite(slope);
    }
    out->a_low = out->a_high = out->b_low = out->b_high = (double)NAN;
    if (2 * made > resamples && made >= 100) {
        tare_sort(slopes, made);
        out->a_low = tare_quantile(slopes, made, 0.025);
        out->a_high = tare_quantile(slopes, made, 0.975);
        out->b_low = 1 - out->a_high;
        out->b_high = 1 - out->a_low;
        out->method = "percentile bootstrap over training curves";
    }
    free(slopes);
    return 0;
}

static int fit_curves(struct curves *c, const struct range *range, size_t resamples, uint64_t seed,
                      struct tare_growth *out, struct tare_err *err)
{
    double *x = malloc((range->bins + 1) * sizeof *x), *y = malloc((range->bins + 1) * sizeof *y);
    struct tare_growth growth = {0};
    int r = x && y ? 0 : tare_err_set(err, TARE_E_NOMEM, "approach 1: out of memory");
    for (size_t k = 0; k < c->n; k++) {
        c->chosen[k] = k;
    }
    struct tare_fit_line line = {0};
    if (r == 0) {
        line = slope_of(c, range, x, y);
    }
    if (r == 0 && line.n < 3) {
        r = tare_err_set(
            err, TARE_E_USAGE,
            "approach 1: at %zu of %zu budgets the best curve has neighbours on both sides; 3 are the "
            "least",
            line.n, range->bins);
    }
    if (r == 0) {
        growth.line = line;
        growth.a = line.slope;
        growth.b = 1 - line.slope;
        growth.log_k_n = line.intercept;
        growth.log_k_d = -log(6.0) - line.intercept;
        growth.n_used = line.n;
        growth.n_left_out = range->bins - line.n;
        r = bound(c, range, x, y, resamples, seed, &growth, err);
    }
    free(x);
    free(y);
    if (r == 0) {
        *out = growth;
    }
    return r;
}

/* Cuts the sorted steps into curves. */
static int cut(struct curves *c, size_t n_points, size_t smooth, struct range *range, struct tare_err *err)
{
    int r = 0;
    qsort(c->steps, n_points, sizeof *c->steps, by_size_then_compute);
    range->low = (double)INFINITY;
    range->high = -(double)INFINITY;
    for (size_t i = 0; i < n_points; i++) {
        if (i == 0 || c->steps[i].log_n - c->steps[i - 1].log_n > 1e-9) {
            c->from[c->n++] = i;
        }
        range->low = fmin(range->low, c->steps[i].log_c);
        range->high = fmax(range->high, c->steps[i].log_c);
    }
    c->from[c->n] = n_points;
    if (c->n < 3) {
        return tare_err_set(err, TARE_E_USAGE, "approach 1: %zu training curves; 3 are the least", c->n);
    }
    for (size_t k = 0; r == 0 && k < c->n; k++) {
        r = smooth_curve(c->steps + c->from[k], c->from[k + 1] - c->from[k], smooth, err);
    }
    return r;
}

int tare_envelope(const double *n, const double *d, const double *loss, size_t n_points, size_t bins,
                  size_t smooth, size_t resamples, uint64_t seed, struct tare_growth *out,
                  struct tare_err *err)
{
    struct range range = {.bins = bins};
    struct curves c = {.steps = malloc((n_points + 1) * sizeof *c.steps),
                       .from = malloc((n_points + 2) * sizeof *c.from),
                       .chosen = malloc((n_points + 1) * sizeof *c.chosen)};
    int r = c.steps && c.from && c.chosen ? 0 : tare_err_set(err, TARE_E_NOMEM, "approach 1: out of memory");
    for (size_t i = 0; r == 0 && i < n_points; i++) {
        c.steps[i] = (struct step){log(n[i]), log(6 * n[i] * d[i]), loss[i]};
    }
    r = r == 0 ? cut(&c, n_points, smooth, &range, err) : r;
    r = r == 0 ? fit_curves(&c, &range, resamples, seed, out, err) : r;
    free(c.steps);
    free(c.from);
    free(c.chosen);
    return r;
}
