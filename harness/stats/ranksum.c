/* SPDX-License-Identifier: Apache-2.0 */
/* The exact two-sided rank-sum test of a few values against more, ties as they are. */
#include "stats/series.h"

#include <math.h>
#include <string.h>

enum { EXACT = TARE_SERIES_EXACT, OTHERS = 50, ALL = EXACT + OTHERS };

/* Twice the mid-ranks of the merged samples, all[] sorted; the sum over the small side is returned. */
static size_t double_ranks(const double *few, size_t n_few, const double *many, size_t n_many, size_t *ranks)
{
    size_t sum = 0, n = n_few + n_many, at = 0;
    for (size_t i = 0, j = 0; at < n;) {
        double value = j == n_many || (i < n_few && few[i] < many[j]) ? few[i] : many[j];
        size_t begin = at, of_few = 0;
        for (; i < n_few && few[i] <= value; i++, at++) {
            of_few++;
        }
        for (; j < n_many && many[j] <= value; j++) {
            at++;
        }
        for (size_t k = begin; k < at; k++) {
            ranks[k] = begin + at + 1;
        }
        sum += of_few * (begin + at + 1);
    }
    return sum;
}

/* `n_few` of the ranks drawn at random: twice the smaller of P[sum <= seen] and P[sum >= seen]. */
static double two_tails(const size_t *ranks, size_t n, size_t n_few, size_t seen)
{
    enum { SUMS = 2 * ALL * EXACT + 1 };
    static _Thread_local double ways[EXACT + 1][SUMS];
    memset(ways, 0, sizeof ways);
    ways[0][0] = 1;
    size_t top = 0;
    for (size_t i = 0; i < n; i++) {
        top = top + ranks[i] < SUMS - 1 ? top + ranks[i] : SUMS - 1;
        for (size_t k = i + 1 < n_few ? i + 1 : n_few; k > 0; k--) {
            for (size_t s = ranks[i]; s <= top; s++) {
                ways[k][s] += ways[k - 1][s - ranks[i]];
            }
        }
    }
    double all = 0, low = 0, high = 0;
    for (size_t s = 0; s < SUMS; s++) {
        all += ways[n_few][s];
        low += s <= seen ? ways[n_few][s] : 0;
        high += s >= seen ? ways[n_few][s] : 0;
    }
    return fmin(1, 2 * fmin(low, high) / all);
}

double tare_series_rank_exact(const double *a, size_t n_a, const double *b, size_t n_b)
{
    const double *few = n_a <= n_b ? a : b, *many = n_a <= n_b ? b : a;
    size_t n_few = n_a <= n_b ? n_a : n_b, n_many = n_a <= n_b ? n_b : n_a, ranks[ALL];
    double thinned[OTHERS];
    if (n_many > OTHERS) { /* evenly spaced quantiles stand for the rest */
        for (size_t i = 0; i < OTHERS; i++) {
            thinned[i] = many[(size_t)(((double)i + 0.5) / OTHERS * (double)n_many)];
        }
        many = thinned;
        n_many = OTHERS;
    }
    size_t seen = double_ranks(few, n_few, many, n_many, ranks);
    return two_tails(ranks, n_few + n_many, n_few, seen);
}
