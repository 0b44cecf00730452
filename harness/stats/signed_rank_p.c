/* SPDX-License-Identifier: Apache-2.0 */
/* The signed-rank test with ties and zeros, by the exact distribution of the ranks that there are. */
#include "stats/paired.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct ranked {
    double size;    /* |d - null| */
    size_t doubled; /* twice the averaged rank: a whole number */
    bool positive;
};

static int compare(const void *a, const void *b)
{
    double x = ((const struct ranked *)a)->size, y = ((const struct ranked *)b)->size;
    return (x > y) - (x < y);
}

/* Fills r with what is not zero, ranked; ties share the mean of their ranks. Returns how many. */
static size_t rank_sizes(const double *d, size_t n, double null, struct ranked *r)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        double x = d[i] - null;
        if (x != 0) {
            r[m++] = (struct ranked){.size = fabs(x), .positive = x > 0};
        }
    }
    if (m > 1) {
        qsort(r, m, sizeof *r, compare);
    }
    for (size_t first = 0, end = 0; first < m; first = end) {
        for (end = first; end < m && r[end].size == r[first].size;) {
            end++;
        }
        for (size_t i = first; i < end; i++) {
            r[i].doubled = first + 1 + end; /* (first + 1) + end, both ends counted from 1 */
        }
    }
    return m;
}

/* P[doubled sum <= most] over all signs, by counting. */
static int exact_p(const struct ranked *r, size_t m, size_t most, double *out, struct tare_err *err)
{
    double *count = calloc(most + 1, sizeof *count), sum = 0;
    if (!count) {
        return tare_err_set(err, TARE_E_NOMEM, "signed-rank test of %zu pairs: out of memory", m);
    }
    size_t reach = 0;
    count[0] = 1;
    for (size_t i = 0; i < m; i++) {
        size_t k = r[i].doubled;
        reach = reach + k < most ? reach + k : most;
        for (size_t v = reach + 1; v-- > k;) {
            count[v] += count[v - k];
        }
    }
    for (size_t v = 0; v <= most; v++) {
        sum += count[v];
    }
    *out = fmin(1, ldexp(sum, -(int)m));
    free(count);
    return 0;
}

/* The same by the normal distribution: the variance of the doubled sum is a quarter of the sum of squares. */
static double normal_p(const struct ranked *r, size_t m, double most)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < m; i++) {
        double rank = (double)r[i].doubled;
        mean += rank / 2;
        squares += rank * rank;
    }
    /* Ranks of one half make steps of 1 in the doubled sum, but steps of 2 are what there is without ties. */
    return 0.5 * erfc((mean - most - 1) / sqrt(squares / 4) / sqrt(2));
}

int tare_signed_rank_p(const double *d, size_t n, double null, double *out, struct tare_err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(d[i])) {
            return tare_err_set(err, TARE_E_USAGE, "signed-rank test: value %zu is not finite", i + 1);
        }
    }
    if (n == 0 || n > TARE_PAIRS_MAX || !isfinite(null)) {
        return tare_err_set(err, TARE_E_USAGE, "signed-rank test: %zu pairs; give 1 .. %d", n,
                            TARE_PAIRS_MAX);
    }
    struct ranked *r = malloc(n * sizeof *r);
    if (!r) {
        return tare_err_set(err, TARE_E_NOMEM, "signed-rank test of %zu pairs: out of memory", n);
    }
    size_t m = rank_sizes(d, n, null, r), most = 0;
    for (size_t i = 0; i < m; i++) {
        most += r[i].positive ? 0 : r[i].doubled; /* as likely as the positive sum being so large */
    }
    int rc = 0;
    if (m <= TARE_SIGNED_RANK_EXACT) {
        rc = exact_p(r, m, most, out, err);
    } else {
        *out = normal_p(r, m, (double)most);
    }
    free(r);
    return rc;
}
