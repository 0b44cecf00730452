/* SPDX-License-Identifier: Apache-2.0 */
/* Proposes changes by the cheapest cut, and keeps those that the rank test confirms. */
#include "stats/changes.h"

#include "stats/interval.h"
#include "stats/paired.h"
#include "stats/segment.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct work {
    const double *x;
    size_t n;
    double min_shift;
    double penalty;                /* of a cut, in units of the noise's variance */
    double variance;               /* of the noise, times the inflation once that is known */
    double inflation;              /* (1 + r) / (1 - r) of the residuals */
    struct tare_segment_sums sums; /* of the tamed values */
    double *tame, *scratch, *room, *cost;
    size_t *from;
    size_t *begins; /* of the parts of the whole; n of them at most */
    size_t n_begins;
};

/* Lag-1 autocorrelation of the tamed values about their parts, with what fitting took away given back. */
static double residual_lag1(const struct work *w, size_t n, const size_t *begins, size_t parts,
                            double variance)
{
    double squares = 0, products = 0;
    for (size_t p = 0; p < parts; p++) {
        size_t end = p + 1 < parts ? begins[p + 1] : n;
        struct tare_segment_fit f = tare_segment_fit(&w->sums, begins[p], end, variance, w->penalty);
        double centre = ((double)begins[p] + (double)end - 1) / 2, last = 0;
        for (size_t i = begins[p]; i < end; i++) {
            double e = w->tame[i] - f.middle - f.slope * ((double)i - centre);
            squares += e * e;
            products += e * last;
            last = e;
        }
    }
    double r = squares > 0 ? products / squares + (double)parts / (double)n : 0;
    return fmax(0, fmin(r, 0.9));
}

/* The cheapest cut of the series. As long as a cut uncovers more of what neighbours have in common than was
 * reckoned with, it is made again with the noise inflated by that: a cut that follows dependent noise hides
 * some of it. */
static void propose(struct work *w, double noise)
{
    enum { rounds = 5 };
    double known = 0;
    tare_segment_tame(w->x, w->n, noise, w->tame);
    tare_segment_sum(w->tame, w->n, w->room, &w->sums);
    w->variance = noise * noise;
    for (int i = 0; i < rounds; i++) {
        double inflated = w->variance * (1 + known) / (1 - known);
        w->n_begins = tare_segment_cut(&w->sums, 0, w->n, inflated, w->penalty, w->cost, w->from, w->begins);
        double r = residual_lag1(w, w->n, w->begins, w->n_begins, inflated);
        if (w->n_begins == 1 || r <= known) {
            return;
        }
        known = r;
    }
}

static size_t end_of(const struct work *w, size_t part)
{
    return part + 1 < w->n_begins ? w->begins[part + 1] : w->n;
}

/* Values of [first, end), any drift taken out with respect to the place `at`, sorted, into `to`. */
static void side(const struct work *w, size_t first, size_t end, double at, double *to)
{
    struct tare_segment_fit f = tare_segment_fit(&w->sums, first, end, w->variance, w->penalty);
    for (size_t i = first; i < end; i++) {
        to[i - first] = w->x[i] - f.slope * ((double)i - at);
    }
    tare_sort(to, end - first);
}

static double cost_at(const struct work *w, size_t first, size_t at, size_t end)
{
    return tare_segment_fit(&w->sums, first, at, w->variance, w->penalty).cost +
           tare_segment_fit(&w->sums, at, end, w->variance, w->penalty).cost;
}

/* What p a change has to have. The bar is raised for dependent noise, unless the cut saves twice its price
 * with the noise inflated: few values cannot pass a raised bar, however far apart they are. */
static double bar_of(const struct work *w, size_t first, size_t at, size_t end)
{
    const double plain = 0.001, sure = 2;
    double whole = tare_segment_fit(&w->sums, first, end, w->variance, w->penalty).cost;
    bool raised = whole - cost_at(w, first, at, end) < sure * w->penalty;
    double z = tare_series_critical(end - first) * (raised ? sqrt(w->inflation) : 1);
    return fmin(plain, erfc(z / sqrt(2)));
}

/* The two sides of the change that begins `part`; judges it. How far from holding: > 0 does not hold. */
static double judge(const struct work *w, size_t part, struct tare_change *c)
{
    size_t first = w->begins[part - 1], at = w->begins[part], end = end_of(w, part);
    double *a = w->scratch, *b = a + (at - first);
    size_t n_a = at - first, n_b = end - at;
    side(w, first, at, (double)at - 0.5, a);
    side(w, at, end, (double)at - 0.5, b);
    c->at = at;
    c->before = tare_quantile(a, n_a, 0.5);
    c->after = tare_quantile(b, n_b, 0.5);
    c->shift = tare_series_shift(a, n_a, b, n_b);
    c->p = tare_series_rank_test(a, n_a, b, n_b);
    if ((n_a < n_b ? n_a : n_b) <= TARE_SERIES_EXACT) {
        c->p = tare_series_rank_exact(a, n_a, b, n_b);
    }
    double badness = log(fmax(c->p, 1e-300)) - log(fmax(bar_of(w, first, at, end), 1e-300));
    return fabs(c->shift) < w->min_shift ? 1e3 - fabs(c->shift) / w->min_shift : badness;
}

static void settle(struct work *w, size_t part)
{
    if (part == 0 || part >= w->n_begins) {
        return;
    }
    size_t first = w->begins[part - 1], end = end_of(w, part);
    if (end - first < 2 * TARE_SERIES_PART) {
        return;
    }
    w->begins[part] = tare_segment_settle(&w->sums, first, end, first + TARE_SERIES_PART,
                                          end - TARE_SERIES_PART, w->variance, w->penalty);
}

static void filter(struct work *w)
{
    for (;;) {
        size_t weakest = 0;
        double most = 0;
        for (size_t part = 1; part < w->n_begins; part++) {
            struct tare_change c;
            double bad = judge(w, part, &c);
            if (bad > most) {
                most = bad;
                weakest = part;
            }
        }
        if (weakest == 0) {
            return;
        }
        w->n_begins--;
        memmove(w->begins + weakest, w->begins + weakest + 1, (w->n_begins - weakest) * sizeof *w->begins);
        settle(w, weakest - 1);
        settle(w, weakest);
    }
}

static void find(struct work *w, struct tare_changes *out)
{
    double noise = tare_segment_noise(w->x, w->n, 1, w->scratch), z = tare_series_critical(w->n);
    *out = (struct tare_changes){.noise = noise};
    if (!(noise > 0) || w->n < 2 * TARE_SERIES_PART) { /* equal values, or too few */
        return;
    }
    w->penalty = z * z;
    w->inflation = 1;
    propose(w, noise);
    out->lag1 = residual_lag1(w, w->n, w->begins, w->n_begins, w->variance);
    w->inflation = (1 + out->lag1) / (1 - out->lag1);
    w->variance *= w->inflation;
    filter(w);
}

/* Places in a row whose cut costs little more than that at the change. The allowance is the 99 % point of chi
 * square with one degree of freedom; as simulated, the stretch holds the true place of 9 changes of 10 at
 * steps of 1 to 2 noise units and of more at larger ones (test_changes.c), where an allowance of 1 holds 6.
 */
static void spread(const struct work *w, size_t part, struct tare_change *c)
{
    size_t first = w->begins[part - 1], end = end_of(w, part);
    double best = cost_at(w, first, c->at, end);
    const double allowance = 6.63;
    c->earliest = c->latest = c->at;
    while (c->earliest > first + 1 && cost_at(w, first, c->earliest - 1, end) <= best + allowance) {
        c->earliest--;
    }
    while (c->latest + 1 < end && cost_at(w, first, c->latest + 1, end) <= best + allowance) {
        c->latest++;
    }
}

enum { most_pairs = 16000000 }; /* that stats/paired.h takes */

static int measure(struct work *w, size_t part, struct tare_change *c, struct tare_err *err)
{
    struct tare_interval range = {0};
    double estimate = 0;
    (void)judge(w, part, c); /* leaves the sorted sides in the scratch */
    size_t n_a = c->at - w->begins[part - 1], n_b = end_of(w, part) - c->at;
    int r = 0;
    if (n_a <=
        most_pairs / n_b) { /* beyond, the list of all pairs would not fit: a change without an interval */
        r = tare_mann_whitney_interval(w->scratch, n_a, w->scratch + n_a, n_b, 0.95, &estimate, &range, err);
    }
    c->low = range.ok ? range.low : (double)NAN;
    c->high = range.ok ? range.high : (double)NAN;
    spread(w, part, c);
    return r;
}

static int list(struct work *w, struct tare_changes *out, struct tare_err *err)
{
    int r = 0;
    out->list = calloc(w->n_begins, sizeof *out->list);
    if (!out->list) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    for (size_t part = 1; r == 0 && part < w->n_begins; part++) {
        r = measure(w, part, &out->list[out->n++], err);
    }
    return r;
}

static int check(const double *x, size_t n, double min_shift, struct tare_err *err)
{
    if (!(min_shift > 0)) {
        return tare_err_set(err, TARE_E_FORMAT, "changes: the smallest shift is %g, and must lie above 0",
                            min_shift);
    }
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) {
            return tare_err_set(err, TARE_E_FORMAT, "changes: value %zu of %zu is not a finite number", i + 1,
                                n);
        }
    }
    return 0;
}

int tare_changes_find(const double *x, size_t n, double min_shift, struct tare_changes *out,
                      struct tare_err *err)
{
    int bad = check(x, n, min_shift, err);
    if (bad < 0) {
        return bad;
    }
    struct tare_changes found = {0};
    struct work w = {.x = x, .n = n, .min_shift = min_shift, .n_begins = 1};
    double *doubles = calloc(8 * n + 8, sizeof *doubles);
    size_t *places = calloc(2 * n + 8, sizeof *places);
    int r = doubles && places ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    if (r == 0) {
        w.tame = doubles;
        w.scratch = w.tame + n;
        w.room = w.scratch + 2 * n;
        w.cost = w.room + 3 * (n + 1);
        w.from = places;
        w.begins = w.from + n + 1;
        find(&w, &found);
        r = list(&w, &found, err);
    }
    if (r == 0) {
        *out = found;
    } else {
        free(found.list);
    }
    free(doubles);
    free(places);
    return r;
}
