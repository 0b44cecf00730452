/* SPDX-License-Identifier: Apache-2.0 */
/* Approach 2: a parabola for each budget. Approach 1 is in envelope.c. */
#include "isoflop.h"

#include "stats/discrete.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

struct point {
    double log_c, log_n, loss;
};

static int by_compute(const void *a, const void *b)
{
    const struct point *x = a, *y = b;
    return (x->log_c > y->log_c) - (x->log_c < y->log_c);
}

/* Least squares of loss = p + q x + r x^2 about the mean of x: the normal equations of centred powers. */
static bool vertex_of(const struct point *points, size_t n, double *out)
{
    double mean = 0, low = points[0].log_n, high = low, count = (double)n;
    for (size_t i = 0; i < n; i++) {
        mean += points[i].log_n / count;
        low = fmin(low, points[i].log_n);
        high = fmax(high, points[i].log_n);
    }
    double s2 = 0, s3 = 0, s4 = 0, t0 = 0, t1 = 0, t2 = 0;
    for (size_t i = 0; i < n; i++) {
        double x = points[i].log_n - mean, y = points[i].loss;
        s2 += x * x;
        s3 += x * x * x;
        s4 += x * x * x * x;
        t0 += y;
        t1 += x * y;
        t2 += x * x * y;
    }
    /* Without its mean, x^2 and x: two unknowns. */
    double uu = s4 - s2 * s2 / count, uy = t2 - s2 * t0 / count;
    double det = uu * s2 - s3 * s3;
    if (!(det > 1e-12 * uu * s2)) {
        return false; /* fewer than three sizes */
    }
    double r = (uy * s2 - s3 * t1) / det, q = (uu * t1 - s3 * uy) / det;
    *out = mean - q / (2 * r);
    return r > 0 && *out > low && *out < high;
}

static size_t distinct_sizes(const struct point *points, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        bool known = false;
        for (size_t j = 0; j < i && !known; j++) {
            known = fabs(points[i].log_n - points[j].log_n) < 1e-9;
        }
        count += !known;
    }
    return count;
}

/* One line each for N and D against C. */
static void regress(const double *log_c, const double *log_n, size_t n, struct tare_growth *out)
{
    struct tare_fit_line line = tare_line_fit(log_c, log_n, n);
    double half = tare_t_quantile(0.975, (double)(n - 2)) * line.slope_se;
    out->line = line;
    out->a = line.slope;
    out->a_low = line.slope - half;
    out->a_high = line.slope + half;
    out->log_k_n = line.intercept;
    out->b = 1 - line.slope; /* log D = log C - log 6 - log N at each vertex */
    out->b_low = 1 - out->a_high;
    out->b_high = 1 - out->a_low;
    out->log_k_d = -log(6.0) - line.intercept;
    out->method = "Student's t of the slope over budgets";
}

static int fit_budgets(struct point *points, size_t n, double width, double *log_c, double *log_n,
                       struct tare_growth *out, struct tare_err *err)
{
    struct tare_growth growth = {0};
    qsort(points, n, sizeof *points, by_compute);
    for (size_t from = 0, end; from < n; from = end) {
        double sum = 0, vertex = 0;
        for (end = from; end < n && points[end].log_c - points[from].log_c <= width; end++) {
            sum += points[end].log_c;
        }
        if (distinct_sizes(points + from, end - from) >= 4 && vertex_of(points + from, end - from, &vertex)) {
            log_c[growth.n_used] = sum / (double)(end - from);
            log_n[growth.n_used++] = vertex;
        } else {
            growth.n_left_out++;
        }
    }
    if (growth.n_used < 3) {
        return tare_err_set(
            err, TARE_E_USAGE,
            "approach 2: %zu budgets of equal compute have a minimum among 4 sizes or more; 3 are "
            "the least",
            growth.n_used);
    }
    regress(log_c, log_n, growth.n_used, &growth);
    *out = growth;
    return 0;
}

int tare_isoflop(const double *n, const double *d, const double *loss, size_t n_points, double width,
                 struct tare_growth *out, struct tare_err *err)
{
    struct point *points = malloc((n_points + 1) * sizeof *points);
    double *log_c = malloc((n_points + 1) * sizeof *log_c), *log_n = malloc((n_points + 1) * sizeof *log_n);
    int r = points && log_c && log_n ? 0 : tare_err_set(err, TARE_E_NOMEM, "approach 2: out of memory");
    for (size_t i = 0; r == 0 && i < n_points; i++) {
        points[i] = (struct point){log(6 * n[i] * d[i]), log(n[i]), loss[i]};
    }
    r = r == 0 ? fit_budgets(points, n_points, width, log_c, log_n, out, err) : r;
    free(points);
    free(log_c);
    free(log_n);
    return r;
}
