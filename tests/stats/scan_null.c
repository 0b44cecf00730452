/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes harness/stats/scan_table.h: `scan_null > harness/stats/scan_table.h`. Not a test; run by hand when
 * the statistic changes (ten minutes). For each n it shuffles the ranks 1 .. n many times, from the stream
 * (seed 1, "scan", n), takes the largest standardised rank sum over the splits that tare_series_scan looks
 * at, and prints the value that 1 in 1000 of the shuffles pass. Above 2000 fewer shuffles are made: the value
 * hardly changes there. test_series.c checks rows of the table by shuffles of another seed.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "stats/interval.h"
#include "stats/series.h"

#include <tare/rng.h>

static double largest(const double *ranks, size_t n)
{
    double best = 0, sum = 0, dn = (double)n, variance = dn * (dn + 1) / 12;
    for (size_t k = 1; k <= n - TARE_SERIES_PART; k++) {
        sum += ranks[k - 1];
        double z2 = k < TARE_SERIES_PART ? 0 : sum * sum / ((double)k * (dn - (double)k));
        best = z2 > best ? z2 : best;
    }
    return sqrt(best * dn / variance);
}

/* The value that 1 of 1000 shuffles pass. */
static double critical(size_t n, size_t shuffles)
{
    double *ranks = malloc(n * sizeof *ranks), *seen = malloc(shuffles * sizeof *seen);
    if (!ranks || !seen) {
        exit(1);
    }
    struct tare_rng root, rng;
    tare_rng_init(&root, 1);
    rng = tare_rng_split(&root, "scan", n);
    for (size_t i = 0; i < n; i++) {
        ranks[i] = (double)i - ((double)n - 1) / 2;
    }
    for (size_t i = 0; i < shuffles; i++) {
        tare_rng_shuffle(&rng, ranks, n, sizeof *ranks);
        seen[i] = largest(ranks, n);
    }
    tare_sort(seen, shuffles);
    double value = tare_quantile(seen, shuffles, 0.999);
    free(ranks);
    free(seen);
    return value;
}

int main(void)
{
    static const struct {
        int n, shuffles;
    } rows[] = {{10, 400000},  {11, 400000},   {12, 400000},  {13, 400000},  {14, 400000},  {15, 400000},
                {16, 400000},  {18, 400000},   {20, 400000},  {25, 400000},  {30, 400000},  {40, 400000},
                {60, 400000},  {80, 400000},   {120, 400000}, {200, 400000}, {400, 200000}, {1000, 100000},
                {3000, 40000}, {10000, 20000}, {100000, 4000}};
    printf(
        "/* SPDX-License-Identifier: Apache-2.0 */\n"
        "/* Made by tests/stats/scan_null.c, which says how: what the rank scan passes in 1 of 1000 series\n"
        " * of n exchangeable values. */\n#ifndef TARE_STATS_SCAN_TABLE_H\n#define TARE_STATS_SCAN_TABLE_H\n"
        "\nstatic const struct {\n    double n, z;\n} scan_table[] = {\n");
    double before = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double z = critical((size_t)rows[i].n, (size_t)rows[i].shuffles);
        before = z > before ? z : before; /* simulation noise must not make it fall */
        printf("    {%d, %.3f},\n", rows[i].n, ceil(before * 1000) / 1000); /* up: few values are possible */
        (void)fflush(stdout);
    }
    printf("};\n\n#endif\n");
    return 0;
}
