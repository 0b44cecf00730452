/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the best size grows with compute, without a law: Chinchilla's approach 1 (lower envelope of training
 * curves) and approach 2 (a parabola through the losses of equal compute). C is 6 N D throughout.
 */
#ifndef TARE_REPORTS_SCORES_ISOFLOP_H
#define TARE_REPORTS_SCORES_ISOFLOP_H

#include "stats/line.h"

#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

struct tare_growth {
    double a, a_low, a_high; /* N_opt = k_n C^a; 95 % */
    double b, b_low, b_high; /* D_opt = k_d C^b */
    double log_k_n, log_k_d;
    struct tare_fit_line line; /* log N on log C */
    size_t n_used, n_left_out; /* budgets */
    const char *method;        /* of the intervals; constant */
};

/* Approach 2. Points of equal C (within `width` of log C) are a budget; those with fewer than 4 sizes, with
 * no minimum or with one beyond their sizes are left out. TARE_E_USAGE with fewer than 3 budgets. */
TARE_MUST_CHECK int tare_isoflop(const double *n, const double *d, const double *loss, size_t n_points,
                                 double width, struct tare_growth *out, struct tare_err *err);

/* Approach 1. Points of equal N are a training curve; at `bins` budgets the curve with the lowest loss there,
 * interpolated in log C over the mean of `smooth` neighbours (1: none), is the best size. Budgets at which
 * the smallest or the largest N is best say only that the best lies beyond, and are left out. Intervals by
 * `resamples` draws of curves. TARE_E_USAGE with fewer than 3 curves or 3 budgets left. */
TARE_MUST_CHECK int tare_envelope(const double *n, const double *d, const double *loss, size_t n_points,
                                  size_t bins, size_t smooth, size_t resamples, uint64_t seed,
                                  struct tare_growth *out, struct tare_err *err);

#endif
