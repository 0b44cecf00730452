/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Change points scored: alarms of quiet series and precision, recall and F1 by family, noise and size of
 * step, of the rank scan alone and of the cut that ranks confirm. `bench_changes [SERIES [SEED]]`; one line
 * of the table each. Not a test: test_changes.c asserts what is promised.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "series_made.h"
#include "stats/changes.h"
#include "stats/series.h"

static const double least = 0.00995033085316809; /* ln 1.01 */

static size_t by_scan(const struct made *m, double min_shift, size_t *found)
{
    size_t *begins = NULL, n = 0;
    if (tare_series_parts(m->x, m->n, min_shift, &begins, &n, NULL) < 0) {
        exit(1);
    }
    for (size_t i = 1; i < n; i++) {
        found[i - 1] = begins[i];
    }
    free(begins);
    return n - 1;
}

static size_t by_cut(const struct made *m, double min_shift, size_t *found)
{
    struct tare_changes c;
    if (tare_changes_find(m->x, m->n, min_shift, &c, NULL) < 0) {
        exit(1);
    }
    for (size_t i = 0; i < c.n; i++) {
        found[i] = c.list[i].at;
    }
    size_t n = c.n;
    free(c.list);
    return n;
}

static struct made made;
static size_t found[MADE_LONGEST];

static void quiet(size_t series, uint64_t seed)
{
    static const size_t sizes[] = {20, 60, 120, 500};
    printf("quiet series with any alarm, %%: scan / cut\n%-10s", "noise");
    for (size_t j = 0; j < 4; j++) {
        printf("%16zu", sizes[j]);
    }
    for (int noise = 0; noise < MADE_NOISES; noise++) {
        printf("\n%-10s", made_noise_name((enum made_noise)noise));
        for (size_t j = 0; j < 4; j++) {
            size_t scan = 0, cut = 0;
            for (size_t i = 0; i < series; i++) {
                made_quiet((enum made_noise)noise, sizes[j], 0.02, seed, i, &made);
                scan += by_scan(&made, least, found) > 0;
                cut += by_cut(&made, least, found) > 0;
            }
            printf("%9.2f %6.2f", 100 * (double)scan / (double)series, 100 * (double)cut / (double)series);
        }
    }
    printf("\n");
}

static const double sizes[][2] = {{1, 2}, {2, 3}, {3, 5}, {5, 10}};

static void line(enum made_family family, enum made_noise noise, size_t series, uint64_t seed)
{
    printf("%-8s %-9s", made_family_name(family), made_noise_name(noise));
    for (size_t s = 0; s < 4; s++) {
        struct made_score scan = {0}, cut = {0};
        for (size_t i = 0; i < series; i++) {
            made_series(family, noise, 0, sizes[s][0], sizes[s][1], seed, i, &made);
            made_match(found, by_scan(&made, least, found), &made, 5, &scan);
            made_match(found, by_cut(&made, least, found), &made, 5, &cut);
        }
        printf(" | %.3f  %.3f %.3f %.3f", made_f1(&scan), made_precision(&cut), made_recall(&cut),
               made_f1(&cut));
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    size_t series = argc > 1 ? strtoul(argv[1], NULL, 10) : 200;
    uint64_t seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    quiet(4 * series, seed);
    printf("\nF1 of the scan, then precision, recall and F1 of the cut, by steps in noise units\n%-18s", "");
    for (size_t s = 0; s < 4; s++) {
        printf(" | %4.0f to %-2.0f noise units  ", sizes[s][0], sizes[s][1]);
    }
    printf("\n");
    for (int noise = 0; noise < MADE_PROMISED; noise++) {
        line(MADE_STEPS, (enum made_noise)noise, series, seed);
    }
    for (int family = MADE_TREND; family < MADE_FAMILIES; family++) {
        line((enum made_family)family, MADE_NORMAL, series, seed);
    }
    line(MADE_TREND, MADE_AR, series, seed);
    line(MADE_SHORT, MADE_OUTLIERS, series, seed);
    return 0;
}
