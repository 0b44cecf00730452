/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Change points of a history: where the level of a series jumped, by how much, and how sure that is.
 *
 * The cut of least squared cost into levels and lines proposes (stats/segment.h), at a penalty of the square
 * of the rank scan's critical value; ranks dispose: a change stays if the two-sided rank test between its two
 * sides, drifts within them taken out, has p <= 0.001 and p below that of the scan's critical value
 * (stats/series.h), and if the sides are shifted by min_shift at least. What does not stay is dropped, the
 * weakest first, and the cuts beside it are settled anew. Both bars are raised for dependent noise: by
 * (1 + r) / (1 - r) of the residuals' lag-1 autocorrelation r; a cut that saves twice its price then has to
 * pass the plain rank test only. No random numbers are drawn. Values come without gaps, as logs where shifts
 * are shares.
 */
#ifndef TARE_STATS_CHANGES_H
#define TARE_STATS_CHANGES_H

#include <stddef.h>
#include <tare/err.h>

struct tare_change {
    size_t at;               /* first value of the new level */
    size_t earliest, latest; /* hardly worse places: the true one is within for 9 of 10 */
    double before, after;    /* medians of the two sides, as the values came; at the change if they drift */
    double shift, low, high; /* Hodges-Lehmann, and its 95 % interval; NaN: too few values for one */
    double p;                /* two-sided rank test of the two sides; dependence is in the bar, not here */
};

struct tare_changes {
    struct tare_change *list; /* in order; free() it */
    size_t n;
    double noise; /* standard deviation by neighbours, 0 for equal values */
    double lag1;  /* autocorrelation of the residuals that was reckoned with, 0 to 0.9 */
};

/* n = 0 has no change. TARE_E_FORMAT where a value is not finite or min_shift is not above 0; *out is
 * untouched on failure. */
TARE_MUST_CHECK int tare_changes_find(const double *x, size_t n, double min_shift, struct tare_changes *out,
                                      struct tare_err *err);

#endif
