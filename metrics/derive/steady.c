/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Did the process settle? The latencies of a repeat in the order of its requests: how much neighbours share,
 * how many independent ones there are, and whether their level changed (stats/series.h).
 *
 * Requests of unlike work would make changes that are none: each latency is divided by the median of the
 * requests of equal work (same tokens fed, same tokens generated, first or later request of its item), and
 * where too few requests have their like nothing is said. Taken in logs, so that a level is a factor.
 */
#include "derive.h"

#include "stats/series.h"

#include <stdlib.h>
#include <string.h>

static const char work_differs[] = "requests differ in work: too few are alike in tokens to see a change";
static const char too_few[] = "n too small: fewer than 20 requests of a repeat can be compared";

enum {
    least_alike = 5, /* requests of equal work that give a median to divide by */
    least_n = 20,    /* requests to judge */
    most_n = 8192    /* longer series are taken in groups of neighbours, a median each */
};

#define LEAST_SHIFT 0.00995033085316809 /* ln 1.01: a smaller change of level is none */

struct request {
    double latency, work;
    size_t place;
};

static int by_work(const void *a, const void *b)
{
    const struct request *x = a, *y = b;
    return x->work != y->work ? (x->work > y->work) - (x->work < y->work)
                              : (x->latency > y->latency) - (x->latency < y->latency);
}

static int by_place(const void *a, const void *b)
{
    const struct request *x = a, *y = b;
    return (x->place > y->place) - (x->place < y->place);
}

static double median_of(const struct request *sorted, size_t n)
{
    return (sorted[(n - 1) / 2].latency + sorted[n / 2].latency) / 2;
}

/* Latencies over the median of their like, in logs and in their order; returns how many have enough like
 * them. */
static size_t normalise(struct request *list, size_t n, double *out)
{
    size_t used = 0;
    qsort(list, n, sizeof *list, by_work);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && !(list[end].work > list[i].work); end++) {
        }
        double median = median_of(list + i, end - i);
        for (size_t j = i; end - i >= least_alike && median > 0 && j < end; j++) {
            if (list[j].latency > 0) {
                list[used] = list[j];
                list[used++].latency = log(list[j].latency / median);
            }
        }
    }
    qsort(list, used, sizeof *list, by_place);
    for (size_t i = 0; i < used; i++) {
        out[i] = list[i].latency;
    }
    return used;
}

/* In place: medians of neighbours, so that most_n are left at most. */
static size_t thin(double *x, size_t n)
{
    size_t group = (n + most_n - 1) / most_n, used = 0;
    for (size_t i = 0; group > 1 && i + group <= n; i += group) {
        tare_sort(x + i, group);
        x[used++] = tare_quantile(x + i, group, 0.5);
    }
    return group > 1 ? used : n;
}

static int judge(struct request *list, size_t n, double *x, struct tare_steadiness *out, struct tare_err *err)
{
    size_t used = normalise(list, n, x), first = 0;
    enum tare_course course = 0;
    out->n = (int64_t)used;
    if (n < least_n || 2 * used < n || used < least_n) {
        out->absent = n < least_n ? too_few : work_differs;
        return 0;
    }
    out->lag1 = tare_series_lag1(x, used);
    out->effective_n = tare_series_effective_n((double)used, out->lag1);
    size_t thinned = thin(x, used);
    int r = tare_series_course(x, thinned, LEAST_SHIFT, &course, &first, err);
    out->course = (int)course;
    out->fraction = 1 - (double)first / (double)thinned;
    return r;
}

static int assess(const struct tare_evidence *e, int64_t repeat_id, struct tare_steadiness *out,
                  struct tare_err *err)
{
    double *latency = NULL, *work = NULL;
    size_t n = 0, n_work = 0;
    int r = e->column(e->ctx, repeat_id, TARE_COLUMN_LATENCY_NS, &latency, &n, err);
    r = r == 0 ? e->column(e->ctx, repeat_id, TARE_COLUMN_WORK, &work, &n_work, err) : r;
    struct request *list = r == 0 ? malloc((n + 1) * sizeof *list) : NULL;
    if (r == 0 && !list) {
        r = tare_err_set(err, TARE_E_NOMEM, "out of memory for %zu requests", n);
    }
    if (r == 0 && n != n_work) {
        out->absent = "the requests' tokens are not known";
    } else if (r == 0) {
        for (size_t i = 0; i < n; i++) {
            list[i] = (struct request){latency[i], work[i], i};
        }
        r = latency ? judge(list, n, latency, out, err) : 0;
        out->absent = latency ? out->absent : too_few;
    }
    free(list);
    free(latency);
    free(work);
    return r;
}

int tare_steady_assess(const struct tare_evidence *e, struct tare_evidence_repeat *repeats,
                       struct tare_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < e->n_repeats; i++) {
        struct tare_steadiness steady = {
            .fraction = (double)NAN, .lag1 = (double)NAN, .effective_n = (double)NAN};
        if (repeats[i].complete) {
            r = assess(e, repeats[i].id, &steady, err);
        } else {
            steady.absent = "the repeat was not completed";
        }
        repeats[i].steady = steady;
    }
    return r;
}

static double lag1_of(const struct tare_steadiness *s)
{
    return s->lag1;
}

static double effective_n_of(const struct tare_steadiness *s)
{
    return s->effective_n;
}

static double fraction_of(const struct tare_steadiness *s)
{
    return s->fraction;
}

static const struct {
    const char *name;
    const char *source;
    double (*of)(const struct tare_steadiness *s);
} figures[] = {
    {"latency_lag1", "latencies over the median of equal work, in order: lag-1 autocorrelation", lag1_of},
    {"latency_n_effective", "n (1 - r) / (1 + r) of those latencies", effective_n_of},
    {"steady_fraction", "share of the requests behind the last change of level (rank scan)", fraction_of},
};

static int derive_one(const struct tare_evidence *e, size_t which, double *values, struct tare_figures *to,
                      struct tare_err *err)
{
    struct tare_figure f =
        tare_figure_make(figures[which].name, "1", TARE_KIND_MEASURED, figures[which].source, "process");
    size_t n = 0;
    const char *why = "no repeat was completed";
    tare_figure_flag_noise(&f, e);
    for (size_t i = 0; i < e->n_repeats; i++) {
        const struct tare_steadiness *s = &e->repeats[i].steady;
        if (!e->repeats[i].complete) {
            continue;
        }
        if (s->absent || !isfinite(figures[which].of(s))) {
            return tare_figure_absent(&f, s->absent ? s->absent : "all latencies are equal", to, err);
        }
        values[n++] = figures[which].of(s);
    }
    return tare_figure_repeats(&f, values, n, why, to, err);
}

int tare_derive_steady(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

int tare_derive_steady(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err)
{
    double *values = calloc(e->n_repeats + 1, sizeof *values);
    if (!values) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof figures / sizeof *figures; i++) {
        r = derive_one(e, i, values, to, err);
    }
    free(values);
    return r;
}
