/* SPDX-License-Identifier: Apache-2.0 */
/* The rank scan: one split, its bar, and the two-sample measures that judge a change. */
#include "stats/series.h"

#include "stats/scan_table.h"

#include <math.h>
#include <stdlib.h>

/* A value and its place; two thirds of the scratch are n of these. */
struct placed {
    double value;
    double place;
};

static int by_value(const void *a, const void *b)
{
    double x = ((const struct placed *)a)->value, y = ((const struct placed *)b)->value;
    return (x > y) - (x < y);
}

/* Writes the mid-ranks less their mean over the values; returns their sum of squares. */
static double rank_all(struct placed *p, const double *x, size_t n, double *ranks)
{
    double squares = 0, middle = ((double)n + 1) / 2;
    for (size_t i = 0; i < n; i++) {
        p[i] = (struct placed){x[i], (double)i};
    }
    qsort(p, n, sizeof *p, by_value);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && p[end].value <= p[i].value; end++) {
        }
        double rank = ((double)i + 1 + (double)end) / 2 - middle; /* ranks i + 1 .. end */
        for (size_t j = i; j < end; j++) {
            ranks[(size_t)p[j].place] = rank;
            squares += rank * rank;
        }
    }
    return squares;
}

double tare_series_scan(const double *x, size_t n, double *scratch, size_t *out_split)
{
    double *ranks = scratch + 2 * n, best = 0, sum = 0, dn = (double)n;
    *out_split = 0;
    if (n < 2 * TARE_SERIES_PART) {
        return 0;
    }
    double variance = rank_all((struct placed *)(void *)scratch, x, n, ranks) / (dn - 1);
    for (size_t k = 1; variance > 0 && k <= n - TARE_SERIES_PART; k++) {
        sum += ranks[k - 1];
        double z = fabs(sum) / sqrt(variance * (double)k * (dn - (double)k) / dn);
        if (k >= TARE_SERIES_PART && z > best) {
            best = z;
            *out_split = k;
        }
    }
    return best;
}

double tare_series_critical(size_t n)
{
    const size_t rows = sizeof scan_table / sizeof *scan_table;
    if (n <= scan_table[0].n) {
        return scan_table[0].z;
    }
    for (size_t i = 1; i < rows; i++) {
        if (n <= scan_table[i].n) {
            double from = log(scan_table[i - 1].n), to = log(scan_table[i].n);
            double share = (log((double)n) - from) / (to - from);
            return scan_table[i - 1].z + share * (scan_table[i].z - scan_table[i - 1].z);
        }
    }
    return scan_table[rows - 1].z;
}

/* Pairs with b - a <= t. */
static double pairs_up_to(const double *a, size_t n_a, const double *b, size_t n_b, double t)
{
    double pairs = 0;
    size_t j = 0;
    for (size_t i = 0; i < n_a; i++) {
        while (j < n_b && b[j] - a[i] <= t) {
            j++;
        }
        pairs += (double)j;
    }
    return pairs;
}

/* The smallest difference that `wanted` pairs do not pass, by bisection to the last bit. */
static double pair_rank(const double *a, size_t n_a, const double *b, size_t n_b, double wanted)
{
    double low = b[0] - a[n_a - 1], high = b[n_b - 1] - a[0];
    if (pairs_up_to(a, n_a, b, n_b, low) >= wanted) {
        return low;
    }
    for (int i = 0; i < 100; i++) { /* low: too few pairs, high: enough */
        double middle = low + (high - low) / 2;
        if (!(middle > low && middle < high)) {
            break;
        }
        *(pairs_up_to(a, n_a, b, n_b, middle) >= wanted ? &high : &low) = middle;
    }
    return high;
}

double tare_series_shift(const double *a, size_t n_a, const double *b, size_t n_b)
{
    double pairs = (double)n_a * (double)n_b;
    double lower = pair_rank(a, n_a, b, n_b, floor((pairs + 1) / 2));
    double upper = pair_rank(a, n_a, b, n_b, floor(pairs / 2) + 1);
    return (lower + upper) / 2;
}

double tare_series_rank_test(const double *a, size_t n_a, const double *b, size_t n_b)
{
    double na = (double)n_a, nb = (double)n_b, n = na + nb, sum = 0, ties = 0, seen = 0;
    for (size_t i = 0, j = 0; i < n_a || j < n_b;) {
        double value = j == n_b || (i < n_a && a[i] < b[j]) ? a[i] : b[j], of_a = 0, both = 0;
        for (; i < n_a && a[i] <= value; i++, both++) {
            of_a++;
        }
        for (; j < n_b && b[j] <= value; j++, both++) {
        }
        sum += of_a * (seen + (both + 1) / 2);
        ties += both * both * both - both;
        seen += both;
    }
    double u = sum - na * (na + 1) / 2, variance = na * nb / 12 * (n + 1 - ties / (n * (n - 1)));
    double away = fabs(u - na * nb / 2) - 0.5;
    return variance > 0 && away > 0 ? erfc(away / sqrt(variance) / sqrt(2)) : 1;
}
