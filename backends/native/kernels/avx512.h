/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the AVX-512 set share: the instruction sets they are compiled for, and the functions of
 * the integer half and of rows. Included by those files only; callers ask kernels.h.
 */
#ifndef TARE_NATIVE_AVX512_H
#define TARE_NATIVE_AVX512_H

#include "kernels.h"

#include <immintrin.h>

#define WIDE   __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define INLINE WIDE static inline __attribute__((always_inline))

/* The lowest n of 16 lanes; n may be above 16. */
INLINE __mmask16 first_lanes(uint32_t n)
{
    return n >= 16 ? (__mmask16)0xffff : (__mmask16)((1u << n) - 1u);
}

void tare_avx512_prepare(void *prepared, const float *x, uint32_t cols);
void tare_avx512_gemv_int8(float *to, const uint8_t *panels, const float *scales, uint32_t rows,
                           uint32_t cols, const void *prepared, bool add);
void tare_avx512_gemv_int4(float *to, const uint8_t *panels, const uint16_t *scales, uint32_t rows,
                           uint32_t cols, const void *prepared, bool add);
void tare_avx512_unpack_int8(float *to, const uint8_t *panels, const float *scales, uint32_t rows,
                             uint32_t cols);
void tare_avx512_unpack_int4(float *to, const uint8_t *panels, const uint16_t *scales, uint32_t rows,
                             uint32_t cols);

float tare_avx512_row_exp(float *x, size_t n);
void tare_avx512_row_swiglu(float *gate, const float *up, size_t n);
void tare_avx512_row_gelu(float *x, size_t n);
void tare_avx512_row_rmsnorm(float *to, const float *x, const float *weight, size_t n);
size_t tare_avx512_row_largest(const float *x, size_t n);

#endif
