/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rank sums do when nothing differs: the null distributions of Wilcoxon's signed-rank sum and of
 * Mann and Whitney's U, by counting, and the ranks of bounds that follow from them. Not the bounds.
 *
 * Counts are kept as doubles: whole numbers up to 2^53, and sums of positive numbers above it, so that their
 * relative error stays below 1e-13. Only lower halves are counted; both distributions are symmetric.
 */
#include "stats/paired.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    small_counts = 512,         /* on the stack: 44 pairs */
    mann_whitney_exact = 10000, /* n_a n_b */
};

/* Room for rounding: an error that is met exactly, such as 2^-n, must not fail by it. */
#define SLACK (1 + 1e-12)

size_t tare_signed_rank_least_n(double alpha)
{
    if (!(alpha > 0)) {
        return SIZE_MAX;
    }
    size_t n = 1;
    while (ldexp(1, -(int)n) > alpha * SLACK) {
        n++;
    }
    return n;
}

/* Largest k with P[sum < k] <= alpha, by the counts of sums 0 .. size-1, each worth `unit`. */
static size_t rank_of_counts(const double *count, size_t size, double unit, double alpha, double *out_error)
{
    double below = 0;
    size_t k = 0;
    while (k < size && (below + count[k]) * unit <= alpha * SLACK) {
        below += count[k++];
    }
    *out_error = below * unit;
    return k;
}

/* The same by the normal distribution with a continuity correction: P[sum < k] = Phi((k - 1/2 - mean) / sd)
 */
static size_t rank_of_normal(double mean, double sd, double alpha, double *out_error)
{
    double k = floor(mean + tare_normal_quantile(alpha) * sd + 0.5);
    *out_error = k >= 1 ? 0.5 * erfc((mean + 0.5 - k) / sd / sqrt(2)) : 0;
    return k >= 1 ? (size_t)k : 0;
}

/* count[v]: of the 2^n subsets of 1 .. n those with the sum v < size. */
static void count_subsets(double *count, size_t n, size_t size)
{
    memset(count, 0, size * sizeof *count);
    count[0] = 1;
    for (size_t k = 1; k <= n; k++) {
        size_t last = k * (k + 1) / 2 < size ? k * (k + 1) / 2 : size - 1;
        for (size_t v = last; v >= k && v <= last; v--) {
            count[v] += count[v - k];
        }
    }
}

static size_t signed_rank_exact(size_t n, double alpha, double *out_error)
{
    double small[small_counts];
    size_t size = n * (n + 1) / 4 + 1;
    double *count = size <= small_counts ? small : malloc(size * sizeof *count);
    if (!count) {
        *out_error = (double)NAN;
        return 0;
    }
    count_subsets(count, n, size);
    size_t k = rank_of_counts(count, size, ldexp(1, -(int)n), alpha, out_error);
    if (count != small) {
        free(count);
    }
    return k;
}

size_t tare_signed_rank_critical(size_t n, double alpha, double *out_error)
{
    double error = 0, dn = (double)n;
    size_t k = 0;
    if (n > 0 && alpha > 0 && alpha < 0.5) {
        k = n <= TARE_SIGNED_RANK_EXACT
                ? signed_rank_exact(n, alpha, &error)
                : rank_of_normal(dn * (dn + 1) / 4, sqrt(dn * (dn + 1) * (2 * dn + 1) / 24), alpha, &error);
    }
    if (out_error) {
        *out_error = error;
    }
    return k;
}

/*
 * Row j of `rows`: ways in which i values of one sample and j of the other have U = u < size. With the
 * largest of all in one sample or the other, c(i, j, u) = c(i - 1, j, u - j) + c(i, j - 1, u).
 */
static void count_u(double *rows, size_t n_many, size_t n_few, size_t size)
{
    memset(rows, 0, (n_few + 1) * size * sizeof *rows);
    for (size_t j = 0; j <= n_few; j++) {
        rows[j * size] = 1;
    }
    for (size_t i = 1; i <= n_many; i++) {
        for (size_t j = 1; j <= n_few; j++) {
            double *row = rows + j * size;
            const double *fewer = row - size;
            size_t end = i * j + 1 < size ? i * j + 1 : size;
            for (size_t u = end; u-- > j;) {
                row[u] = row[u - j] + fewer[u];
            }
            memcpy(row, fewer, (j < end ? j : end) * sizeof *row);
        }
    }
}

static size_t mann_whitney_counts(size_t n_many, size_t n_few, double alpha, double *out_error)
{
    size_t size = n_many * n_few / 2 + 1;
    double *rows = malloc((n_few + 1) * size * sizeof *rows), all = 1;
    if (!rows) {
        *out_error = (double)NAN;
        return 0;
    }
    count_u(rows, n_many, n_few, size);
    for (size_t i = 1; i <= n_few; i++) {
        all *= (double)(n_many + i) / (double)i; /* binomial(n_a + n_b, n_few) */
    }
    size_t k = rank_of_counts(rows + n_few * size, size, 1 / all, alpha, out_error);
    free(rows);
    return k;
}

size_t tare_mann_whitney_critical(size_t n_a, size_t n_b, double alpha, double *out_error)
{
    double error = 0, product = (double)n_a * (double)n_b;
    size_t k = 0;
    if (product > 0 && alpha > 0 && alpha < 0.5) {
        double sd = sqrt(product * ((double)n_a + (double)n_b + 1) / 12);
        k = product <= mann_whitney_exact
                ? mann_whitney_counts(n_a > n_b ? n_a : n_b, n_a > n_b ? n_b : n_a, alpha, &error)
                : rank_of_normal(product / 2, sd, alpha, &error);
    }
    if (out_error) {
        *out_error = error;
    }
    return k;
}
