/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a Transformer does to one row between two matrix products: norm, rotation, softmax, gate.
 *
 * Plain loops that a compiler turns into vector code. Sums run over a fixed number of lanes, so the
 * result does not depend on how wide the machine's vectors are. No allocation, no state.
 */
#ifndef TARE_NATIVE_ROWMATH_H
#define TARE_NATIVE_ROWMATH_H

#include <stddef.h>
#include <stdint.h>

/* to = x / sqrt(mean(x^2) + 1e-5) * weight; to may be x. */
void tare_row_rmsnorm(float *to, const float *x, const float *weight, size_t n);
/* x = exp(x - max(x)); returns the sum. n > 0. */
float tare_row_exp(float *x, size_t n);
/* gate = silu(gate) * up */
void tare_row_swiglu(float *gate, const float *up, size_t n);
/* Rotates the halves of each of n_heads heads by the angles of one position. */
void tare_row_rope(float *x, uint32_t n_heads, uint32_t head_dim, const float *cosine, const float *sine);
void tare_row_scale(float *x, float factor, size_t n);
/* Cosine and sine of position * 10000^(-2i/head_dim), i below head_dim / 2, computed in double. */
void tare_rope_angles(float *cosine, float *sine, uint32_t position, uint32_t head_dim);

#endif
