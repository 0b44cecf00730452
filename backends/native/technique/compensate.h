/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making up for a weight that was changed by changing those to the right of it: the step that GPTQ and
 * SparseGPT share (Frantar et al.; the optimal brain surgeon applied to the columns of a row in turn).
 *
 * With H = X^T X / tokens + damp * mean(diag) I and U the upper triangle with U^T U = H^-1, fixing number j
 * of a row at q costs e = (w_j - q) / U_jj, and w_k -= e U_jk for k > j keeps the row's output as near as can
 * be. Rows do not touch each other; blocks of columns, in which big matrices are updated, change no result.
 */
#ifndef TARE_NATIVE_COMPENSATE_H
#define TARE_NATIVE_COMPENSATE_H

#include "calibration.h"

struct tare_curvature {
    double *u;       /* owned, [n, n], zero below the diagonal */
    uint32_t *order; /* owned, [n]: column of the matrix that stands at place i */
    bool *dead;      /* owned, [n]: the input at place i was never other than 0 */
    uint32_t n;
};

/* Upper half of h [n, n] := R with R R^T = h; false, and h spoilt, if it is not positive definite. */
bool tare_factor_upper(double *h, size_t n);

/* by_size: places in the order of falling H_jj; else as they stand. */
TARE_MUST_CHECK int tare_curvature_open(struct tare_curvature *c, const struct tare_moments *moments,
                                        double damp, bool by_size, const char *name, struct tare_err *err);
void tare_curvature_close(struct tare_curvature *c);

/* Fixes number j of a row (its numbers by place) at `value`. */
void tare_compensate(const struct tare_curvature *c, double *row, uint32_t j, double value);
/* A row of the matrix by place, dead inputs at 0; and back. */
void tare_curvature_take(const struct tare_curvature *c, const float *row, double *to);
void tare_curvature_give(const struct tare_curvature *c, const double *row, float *to);

#endif
