/* SPDX-License-Identifier: Apache-2.0 */
/* A series cut where its level changes, and what course it took. */
#include "stats/series.h"

#include "stats/interval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEST_P 0.001 /* of the rank test that a change has to pass in the end */

struct work {
    const double *x;
    size_t n;
    double min_shift;
    double bar;      /* factor on the critical value */
    double *scratch; /* 3 n */
    size_t *begins;  /* of the parts; n of them at most */
    size_t n_begins;
    size_t *todo; /* pairs of first and end that are still to be searched */
};

static int compare_places(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* All splits that pass the bar, both sides of each searched again. */
static void search(struct work *w)
{
    size_t n_todo = 1;
    w->begins[0] = 0;
    w->n_begins = 1;
    w->todo[0] = 0;
    w->todo[1] = w->n;
    while (n_todo > 0) {
        size_t first = w->todo[2 * n_todo - 2], end = w->todo[2 * n_todo - 1], split = 0;
        n_todo--;
        double z = tare_series_scan(w->x + first, end - first, w->scratch, &split);
        if (split == 0 || z <= w->bar * tare_series_critical(end - first)) {
            continue;
        }
        w->begins[w->n_begins++] = first + split;
        memcpy(w->todo + 2 * n_todo, (const size_t[]){first, first + split, first + split, end},
               4 * sizeof *w->todo);
        n_todo += 2;
    }
    qsort(w->begins, w->n_begins, sizeof *w->begins, compare_places);
}

static size_t end_of(const struct work *w, size_t part)
{
    return part + 1 < w->n_begins ? w->begins[part + 1] : w->n;
}

/* A part's values, sorted, into `to`. */
static size_t sorted_part(const struct work *w, size_t part, double *to)
{
    size_t n = end_of(w, part) - w->begins[part];
    memcpy(to, w->x + w->begins[part], n * sizeof *to);
    tare_sort(to, n);
    return n;
}

/* Does the change between this part and the one before hold? *weight: how strongly, for those that do not. */
static bool holds(const struct work *w, size_t part, double *weight)
{
    double *a = w->scratch;
    size_t n_a = sorted_part(w, part - 1, a);
    double *b = a + n_a;
    size_t n_b = sorted_part(w, part, b);
    double shift = fabs(tare_series_shift(a, n_a, b, n_b)), p = tare_series_rank_test(a, n_a, b, n_b);
    *weight = shift;
    return shift >= w->min_shift && p <= TEST_P;
}

/* Drops the change of the smallest shift among those that do not hold, until all do. */
static void merge(struct work *w)
{
    for (;;) {
        size_t weakest = 0;
        double least = (double)INFINITY, weight = 0;
        for (size_t part = 1; part < w->n_begins; part++) {
            if (!holds(w, part, &weight) && weight < least) {
                least = weight;
                weakest = part;
            }
        }
        if (weakest == 0) {
            return;
        }
        w->n_begins--;
        memmove(w->begins + weakest, w->begins + weakest + 1, (w->n_begins - weakest) * sizeof *w->begins);
    }
}

/* Lag-1 autocorrelation within the longest part; 0 if it has none. Not of the residuals of all parts: those
 * of a warm-up curve that was cut into levels follow each other, however independent the noise is. And 0
 * where the part's values lie so close that whatever they seem to do is too small a shift to be kept. */
static double dependence(const struct work *w)
{
    size_t longest = 0, n_longest = 0;
    for (size_t part = 0; part < w->n_begins; part++) {
        size_t n = end_of(w, part) - w->begins[part];
        if (n > n_longest) {
            n_longest = n;
            longest = part;
        }
    }
    double r = tare_series_lag1(w->x + w->begins[longest], n_longest);
    (void)sorted_part(w, longest, w->scratch);
    double spread = tare_quantile(w->scratch, n_longest, 0.95) - tare_quantile(w->scratch, n_longest, 0.05);
    return isnan(r) || spread < w->min_shift ? 0 : r;
}

static void find(struct work *w)
{
    const double dependent = 0.2, most = 0.9;
    w->bar = 1;
    search(w);
    double r = w->n_begins > 1 ? fmin(dependence(w), most) : 0;
    if (r > dependent) {
        w->bar = sqrt((1 + r) / (1 - r));
        search(w);
    }
    merge(w);
}

int tare_series_parts(const double *x, size_t n, double min_shift, size_t **out, size_t *out_n,
                      struct tare_err *err)
{
    struct work w = {.x = x, .n = n, .min_shift = min_shift};
    w.scratch = calloc(3 * n + 1, sizeof *w.scratch);
    w.begins = calloc(n + 1, sizeof *w.begins);
    w.todo = calloc(2 * n + 4, sizeof *w.todo);
    int r = w.scratch && w.begins && w.todo ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    if (r == 0) {
        find(&w);
        *out = w.begins;
        *out_n = w.n_begins;
    } else {
        free(w.begins);
    }
    free(w.scratch);
    free(w.todo);
    return r;
}

/* Is an earlier part lower than the last by min_shift? Sorts the values: `x` is a copy. */
static bool was_lower(double *x, size_t n, const size_t *begins, size_t n_parts, double min_shift)
{
    size_t last = begins[n_parts - 1];
    tare_sort(x + last, n - last);
    for (size_t part = 0; part + 1 < n_parts; part++) {
        size_t first = begins[part], n_part = begins[part + 1] - first;
        tare_sort(x + first, n_part);
        if (tare_series_shift(x + first, n_part, x + last, n - last) >= min_shift) {
            return true;
        }
    }
    return false;
}

int tare_series_course(const double *x, size_t n, double min_shift, enum tare_course *out, size_t *out_first,
                       struct tare_err *err)
{
    enum { least = 20 };
    size_t *begins = NULL, n_parts = 0;
    double *copy = malloc((n + 1) * sizeof *copy);
    int r = copy ? tare_series_parts(x, n, min_shift, &begins, &n_parts, err)
                 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    if (r == 0) {
        size_t last = begins[n_parts - 1];
        memcpy(copy, x, n * sizeof *copy);
        *out_first = last;
        *out = n - last < least || 2 * (n - last) < n           ? TARE_COURSE_NONE
               : n_parts == 1                                   ? TARE_COURSE_FLAT
               : was_lower(copy, n, begins, n_parts, min_shift) ? TARE_COURSE_SLOW_DOWN
                                                                : TARE_COURSE_WARM_UP;
        free(begins);
    }
    free(copy);
    return r;
}
