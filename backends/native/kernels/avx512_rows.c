/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Row functions by AVX-512: those of rowmath.h that take a share of a decode step or of a prefill that can be
 * seen. The equations are the same; products are fused with sums, so the last bits may differ.
 */
#if defined(__x86_64__)

#include "avx512.h"

#include <math.h>

enum { lanes_n = 16 };

/*
 * e^x. Anything below -87 counts as -87, above 88 as 88; NaN stays. x = n ln 2 + r with |r| <= ln 2 / 2, e^r
 * is its Taylor series to the seventh power: the rest is below 6e-9 of the value.
 */
INLINE __m512 exponential(__m512 x)
{
    x = _mm512_min_ps(_mm512_set1_ps(88.0F), _mm512_max_ps(_mm512_set1_ps(-87.0F), x));
    __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504F)), 0);
    __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0x1.62e4p-1F), x);
    r = _mm512_fnmadd_ps(n, _mm512_set1_ps(1.42860677e-6F), r);
    __m512 p = _mm512_fmadd_ps(r, _mm512_set1_ps(1.0F / 5040.0F), _mm512_set1_ps(1.0F / 720.0F));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F / 120.0F));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F / 24.0F));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F / 6.0F));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.5F));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F));
    return _mm512_scalef_ps(p, n);
}

/* The lanes that a step at i of n has. */
INLINE __mmask16 lanes_at(size_t i, size_t n)
{
    return n - i >= lanes_n ? (__mmask16)0xffff : first_lanes((uint32_t)(n - i));
}

/* x / (1 + e^-y); the reciprocal has 14 bits, and twice that after one step of Newton's. */
INLINE __m512 gated(__m512 x, __m512 y)
{
    __m512 e = exponential(_mm512_sub_ps(_mm512_setzero_ps(), y));
    __m512 d = _mm512_add_ps(_mm512_set1_ps(1.0F), e);
    __m512 r = _mm512_rcp14_ps(d);
    r = _mm512_mul_ps(r, _mm512_fnmadd_ps(d, r, _mm512_set1_ps(2.0F)));
    return _mm512_mul_ps(x, r);
}

WIDE float tare_avx512_row_exp(float *x, size_t n)
{
    if (n == 1) { /* the first token of a context */
        x[0] = 1.0F + (x[0] - x[0]);
        return x[0];
    }
    __m512 most = _mm512_set1_ps(-INFINITY);
    __m512 sum = _mm512_setzero_ps();
    for (size_t i = 0; i < n; i += lanes_n) {
        __mmask16 lanes = lanes_at(i, n);
        most = _mm512_mask_max_ps(most, lanes, most, _mm512_maskz_loadu_ps(lanes, x + i));
    }
    most = _mm512_set1_ps(_mm512_reduce_max_ps(most));
    for (size_t i = 0; i < n; i += lanes_n) {
        __mmask16 lanes = lanes_at(i, n);
        __m512 e = exponential(_mm512_sub_ps(_mm512_maskz_loadu_ps(lanes, x + i), most));
        sum = _mm512_mask_add_ps(sum, lanes, sum, e);
        _mm512_mask_storeu_ps(x + i, lanes, e);
    }
    return _mm512_reduce_add_ps(sum);
}

WIDE void tare_avx512_row_swiglu(float *gate, const float *up, size_t n)
{
    for (size_t i = 0; i < n; i += lanes_n) {
        __mmask16 lanes = lanes_at(i, n);
        __m512 g = _mm512_maskz_loadu_ps(lanes, gate + i);
        __m512 u = _mm512_maskz_loadu_ps(lanes, up + i);
        _mm512_mask_storeu_ps(gate + i, lanes, gated(_mm512_mul_ps(g, u), g));
    }
}

WIDE void tare_avx512_row_gelu(float *x, size_t n)
{
    for (size_t i = 0; i < n; i += lanes_n) {
        __mmask16 lanes = lanes_at(i, n);
        __m512 v = _mm512_maskz_loadu_ps(lanes, x + i);
        __m512 cube = _mm512_mul_ps(_mm512_mul_ps(v, v), v);
        __m512 y = _mm512_fmadd_ps(cube, _mm512_set1_ps(0.044715F), v);
        _mm512_mask_storeu_ps(x + i, lanes, gated(v, _mm512_mul_ps(y, _mm512_set1_ps(1.5957691216057308F))));
    }
}

WIDE void tare_avx512_row_rmsnorm(float *to, const float *x, const float *weight, size_t n)
{
    __m512 sum = _mm512_setzero_ps();
    for (size_t i = 0; i < n; i += lanes_n) {
        __m512 v = _mm512_maskz_loadu_ps(lanes_at(i, n), x + i);
        sum = _mm512_fmadd_ps(v, v, sum);
    }
    __m512 scale = _mm512_set1_ps(1.0F / sqrtf(_mm512_reduce_add_ps(sum) / (float)n + 1e-5F));
    for (size_t i = 0; i < n; i += lanes_n) {
        __mmask16 lanes = lanes_at(i, n);
        __m512 v = _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, x + i), scale);
        _mm512_mask_storeu_ps(to + i, lanes, _mm512_mul_ps(v, _mm512_maskz_loadu_ps(lanes, weight + i)));
    }
}

WIDE size_t tare_avx512_row_largest(const float *x, size_t n)
{
    __m512 most = _mm512_set1_ps(-INFINITY);
    for (size_t i = 0; i < n; i += lanes_n) {
        __mmask16 lanes = lanes_at(i, n);
        most = _mm512_mask_max_ps(most, lanes, _mm512_maskz_loadu_ps(lanes, x + i), most); /* drops NaN */
    }
    most = _mm512_set1_ps(_mm512_reduce_max_ps(most));
    for (size_t i = 0; i < n; i += lanes_n) {
        __mmask16 lanes = lanes_at(i, n);
        __mmask16 same =
            _mm512_mask_cmp_ps_mask(lanes, _mm512_maskz_loadu_ps(lanes, x + i), most, _CMP_EQ_OQ);
        if (same) {
            return i + (size_t)__builtin_ctz(same);
        }
    }
    return 0;
}

#else
typedef int tare_no_avx512_rows;
#endif
