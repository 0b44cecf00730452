/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intervals of what is computed from values with intervals: the computation is repeated on values drawn
 * around each (normal on either side of the value, as wide as its interval says at its level), and the
 * quantiles of the results are the interval. Errors of different values are taken as independent, which
 * errs on the wide side for systems that were measured interleaved. The seed is fixed: the same table again.
 */
#ifndef TARE_REPORTS_SCORES_DRAW_H
#define TARE_REPORTS_SCORES_DRAW_H

#include "matrix.h"

#include <tare/rng.h>

enum { TARE_SCORE_DRAWS = 2000 };
#define TARE_SCORE_DRAW_METHOD "2000 draws within the inputs' intervals, quantiles"

/* A standard normal number (Box and Muller, the cosine). */
double tare_draw_normal(struct tare_rng *rng);
/* One value around v; v itself where no interval is known. */
double tare_draw_value(const struct tare_score_value *v, struct tare_rng *rng);
/* Is the interval of each of n values known? Without it, that of the result is not either. */
bool tare_draw_known(const struct tare_score_value *const *values, size_t n);
/* Puts the 2.5 and 97.5 % quantiles of n results, which it sorts, into `to`. NaN among them: no interval. */
void tare_draw_interval(double *results, size_t n, struct tare_score_value *to);

#endif
