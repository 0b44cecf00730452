/* SPDX-License-Identifier: Apache-2.0 */
/* Noise, taming of outliers, and the cut of least cost. */
#include "stats/segment.h"

#include "stats/interval.h"

#include <math.h>

enum {
    SIDE = 4,    /* values on either side that the local median sees: a part of 5 outvotes the rest */
    LINE = 20,   /* fewest values of a part that may be a line: what is shorter is no trend */
    DENSE = 4096 /* above, cuts are first looked for on a grid */
};

double tare_segment_noise(const double *x, size_t n, size_t lag, double *scratch)
{
    const double median_of_normal = 0.6744897501960817, fifth_of_normal = 1.2815515655446004;
    size_t m = n > lag ? n - lag : 0, equal = 0;
    for (size_t i = 0; i < m; i++) {
        scratch[i] = fabs(x[i + lag] - x[i]);
    }
    if (m == 0) {
        return 0;
    }
    tare_sort(scratch, m);
    while (equal < m && scratch[equal] <= 0) {
        equal++;
    }
    double median = tare_quantile(scratch, m, 0.5) / median_of_normal;
    double far = tare_quantile(scratch, m, 0.8) / fifth_of_normal;
    /* Half of all neighbours equal: values are rounded, to steps of about the smallest difference. */
    double grain = 2 * equal > m && equal < m ? tare_quantile(scratch + equal, m - equal, 0.1) / sqrt(6) : 0;
    return fmax(grain, fmax(median, far)) / sqrt(2);
}

void tare_segment_tame(const double *x, size_t n, double noise, double *out)
{
    const double most = 3 * noise;
    for (size_t i = 0; i < n; i++) {
        double near[2 * SIDE + 1];
        size_t from = i < SIDE ? 0 : i - SIDE, end = i + SIDE + 1 < n ? i + SIDE + 1 : n;
        for (size_t j = from; j < end; j++) {
            near[j - from] = x[j];
        }
        tare_sort(near, end - from);
        double median = tare_quantile(near, end - from, 0.5);
        out[i] = fmax(median - most, fmin(median + most, x[i]));
    }
}

void tare_segment_sum(const double *x, size_t n, double *room, struct tare_segment_sums *out)
{
    *out = (struct tare_segment_sums){n, room, room + n + 1, room + 2 * (n + 1), tare_mean(x, n)};
    out->x[0] = out->xx[0] = out->ix[0] = 0;
    for (size_t i = 0; i < n; i++) {
        double v = x[i] - out->middle, place = (double)i - (double)n / 2;
        out->x[i + 1] = out->x[i] + v;
        out->xx[i + 1] = out->xx[i] + v * v;
        out->ix[i + 1] = out->ix[i] + place * v;
    }
}

struct tare_segment_fit tare_segment_fit(const struct tare_segment_sums *s, size_t first, size_t end,
                                         double variance, double penalty)
{
    double n = (double)(end - first), sum = s->x[end] - s->x[first];
    double squares = fmax(0, s->xx[end] - s->xx[first] - sum * sum / n);
    struct tare_segment_fit fit = {squares / variance, s->middle + sum / n, 0};
    if (end - first >= LINE) {
        double centre = (double)first + (n - 1) / 2 - (double)s->n / 2, places = n * (n * n - 1) / 12;
        double products = s->ix[end] - s->ix[first] - centre * sum;
        double line = fmax(0, squares - products * products / places) / variance + penalty;
        if (line < fit.cost) {
            fit.cost = line;
            fit.slope = products / places;
        }
    }
    return fit;
}

size_t tare_segment_cut(const struct tare_segment_sums *s, size_t first, size_t end, double variance,
                        double penalty, double *cost, size_t *from, size_t *begins)
{
    size_t n = end - first, grid = n > DENSE ? (n + DENSE - 1) / DENSE : 1, parts = 1;
    cost[0] = -penalty;
    for (size_t t = 1; t <= n; t++) {
        cost[t] = (double)INFINITY;
        from[t] = 0;
        if (t % grid != 0 && t != n) {
            continue;
        }
        for (size_t b = 0; b + TARE_SERIES_PART <= t; b += grid) {
            double c = cost[b] + penalty;
            c = isinf(c) ? c : c + tare_segment_fit(s, first + b, first + t, variance, penalty).cost;
            if (c < cost[t]) {
                cost[t] = c;
                from[t] = b;
            }
        }
    }
    for (size_t t = n; from[t] > 0; t = from[t]) {
        parts++;
    }
    for (size_t t = n, i = parts; i > 0; t = from[t]) {
        begins[--i] = first + from[t];
    }
    return parts;
}

size_t tare_segment_settle(const struct tare_segment_sums *s, size_t first, size_t end, size_t low,
                           size_t high, double variance, double penalty)
{
    size_t best = low;
    double least = (double)INFINITY;
    for (size_t at = low; at <= high; at++) {
        double c = tare_segment_fit(s, first, at, variance, penalty).cost +
                   tare_segment_fit(s, at, end, variance, penalty).cost;
        if (c < least) {
            least = c;
            best = at;
        }
    }
    return best;
}
