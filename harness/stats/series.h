/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values in the order in which they were observed: how much each says beyond the one before, and where
 * their level changes.
 *
 * A change of level is found by ranks: of all splits into two parts of at least 5 values the one with the
 * largest standardised rank sum is taken, and is a change if it passes what 1 in 1000 series without order
 * would show (a table by n, simulated; stats/scan_table.h). Both parts are searched again. Ranks neither
 * care for the distribution nor for single outliers; ties are handled. No random numbers are drawn. It takes
 * the values as independent: where the longest part has a lag-1 autocorrelation above 0.2, the bar is raised
 * by sqrt((1 + r) / (1 - r)) and the search repeated, unless its values differ by less than min_shift. Pure
 * functions; nothing here knows what a request is.
 */
#ifndef TARE_STATS_SERIES_H
#define TARE_STATS_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <tare/err.h>

enum { TARE_SERIES_PART = 5 }; /* fewest values of a part */

/* Lag-1 autocorrelation: sum (x_i - m)(x_i+1 - m) / sum (x_i - m)^2. NaN for n < 3 or equal values. */
double tare_series_lag1(const double *x, size_t n);
/* Independent values worth n values of an AR(1) process: n (1 - r) / (1 + r), from 1 to n. A negative r
 * is taken as 0; NaN if r is. */
double tare_series_effective_n(double n, double r);
/* Integrated autocorrelation time 1 + 2 sum of rho_k, summed up to the first window of 5 times itself
 * (Sokal's rule), at least 1. NaN for n < 3 or equal values. */
double tare_series_time(const double *x, size_t n);
/* Standard error of the mean out of the means of batches of `length` values, what is left at the end left
 * out. Batches should be at least 10 integrated times long. NaN with fewer than 2 batches. */
double tare_series_batch_se(const double *x, size_t n, size_t length);

/* Largest standardised rank sum over all splits, and the split; 0 for n < 10 or equal values.
 * `scratch` has room for 3 n doubles. */
double tare_series_scan(const double *x, size_t n, double *scratch, size_t *out_split);
/* What it passes in 1 of 1000 series of n exchangeable values; interpolated in ln n. */
double tare_series_critical(size_t n);
/* Median of all b_j - a_i (Hodges-Lehmann) of two sorted samples, both not empty. */
double tare_series_shift(const double *a, size_t n_a, const double *b, size_t n_b);
/* Two-sided p of the Mann-Whitney test of two sorted samples: normal, with ties and continuity corrected. */
double tare_series_rank_test(const double *a, size_t n_a, const double *b, size_t n_b);
/* The same, exact with and without ties (the permutation distribution of the mid-ranks, twice the smaller
 * tail), where one side has at most TARE_SERIES_EXACT values; of a longer other side 50 are enough. */
enum { TARE_SERIES_EXACT = 10 };
double tare_series_rank_exact(const double *a, size_t n_a, const double *b, size_t n_b);

/*
 * Begins of the parts, the first of them 0: *out is malloc'ed and has *out_n >= 1 for n >= 1. Changes whose
 * two sides are shifted by less than min_shift, or differ with p > 0.001, are dropped, the weakest first.
 */
TARE_MUST_CHECK int tare_series_parts(const double *x, size_t n, double min_shift, size_t **out,
                                      size_t *out_n, struct tare_err *err);

/* How times went in the course of a run. */
enum tare_course {
    TARE_COURSE_FLAT = 1,  /* one level */
    TARE_COURSE_WARM_UP,   /* the last level holds, and none before is lower */
    TARE_COURSE_SLOW_DOWN, /* the last level holds, and one before is lower */
    TARE_COURSE_NONE       /* the last level is too short to be called steady */
};

/* The last level holds if it has half of the values and 20 at least; *out_first is where it begins. */
TARE_MUST_CHECK int tare_series_course(const double *x, size_t n, double min_shift, enum tare_course *out,
                                       size_t *out_first, struct tare_err *err);

#endif
