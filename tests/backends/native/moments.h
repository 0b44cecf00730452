/* SPDX-License-Identifier: Apache-2.0 */
/* Second moments made up or taken of a treated model, for tests of techniques that use them. */
#ifndef TARE_TEST_NATIVE_MOMENTS_H
#define TARE_TEST_NATIVE_MOMENTS_H

#include "treated.h"

#include "calibration.h"

enum moments_kind {
    MOMENTS_UNIT,     /* h = tokens times the unit matrix */
    MOMENTS_DIAGONAL, /* h_jj = tokens (1 + j) / n, in no order of size */
    MOMENTS_FULL      /* positive definite, with correlations of all pairs */
};

/* Of a layer with n inputs; tare_moments_close it. */
struct tare_moments moments_made(uint32_t n, enum moments_kind kind);
/* Of layer i on the shipped text, 2048 tokens; tare_moments_close it. */
struct tare_moments moments_taken(struct treated *t, size_t i);

/* An f32 layer of these numbers [out, in]; tare_linear_close it. */
struct tare_linear moments_layer(uint32_t out, uint32_t in, const float *dense);
/* W of a layer; free() it. */
float *moments_dense(const struct tare_linear *w);
/* sum over rows of (a - b)_r h (a - b)_r / tokens */
double moments_error(const struct tare_moments *m, const float *a, const float *b, uint32_t out);

#endif
