/* SPDX-License-Identifier: Apache-2.0 */
/* Minimum of a smooth function by L-BFGS: the only file that knows the library. */
#ifndef TARE_REPORTS_SCORES_MINIMISE_H
#define TARE_REPORTS_SCORES_MINIMISE_H

#include <stddef.h>
#include <tare/err.h>

enum { TARE_MINIMISE_MOST = 8 }; /* unknowns */

/* Value at x[0 .. n); its gradient into g. */
typedef double (*tare_minimise_fn)(void *ctx, const double *x, double *g, size_t n);

/* From x, which becomes the best point found; *out its value. Stops when the gradient is small or after
 * `most` iterations (0: no limit); a line search that finds nothing better ends it too, which is no error. */
TARE_MUST_CHECK int tare_minimise(tare_minimise_fn fn, void *ctx, double *x, size_t n, int most, double *out,
                                  struct tare_err *err);

#endif
