/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What models do to rows between two matrix products: norms, softmax, gates.
 *
 * Plain loops that a compiler turns into vector code, or the machine's kernels where they have the function
 * too: results depend on the machine by rounding only. No allocation, no state.
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
void tare_row_scale(float *x, float factor, size_t n);
/* to = (x - mean) / sqrt(variance + 1e-5) * weight + bias; to may be x. */
void tare_row_layernorm(float *to, const float *x, const float *weight, const float *bias, size_t n);
/* x = 0.5 x (1 + tanh(0.7978845608028654 (x + 0.044715 x^3))) */
void tare_row_gelu(float *x, size_t n);
/* x = 1 / (1 + e^-x) */
void tare_row_sigmoid(float *x, size_t n);
/* x = e^x with x brought into least .. most first, which lie in -87 .. 88 */
void tare_row_exp_clamped(float *x, float least, float most, size_t n);
/* to = a * weight + b * (1 - weight); no two of them overlap. */
void tare_row_blend(float *to, const float *a, const float *b, const float *weight, size_t n);
/* x = max(x, 0)^2 */
void tare_row_relu_square(float *x, size_t n);
/* x = x * by */
void tare_row_multiply(float *x, const float *by, size_t n);
/* x = x + a * b */
void tare_row_add_products(float *x, const float *a, const float *b, size_t n);

/* The first place of the largest number. n > 0. */
size_t tare_row_largest(const float *x, size_t n);

/* The norms over n rows of d numbers without gaps. */
void tare_rows_rmsnorm(float *to, const float *x, const float *weight, size_t d, size_t n);
void tare_rows_layernorm(float *to, const float *x, const float *weight, const float *bias, size_t d,
                         size_t n);

#endif
