/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loops for registers of 8 numbers. Four rows are multiplied side by side, so that their sums across
 * registers are made together; mixing keeps up to 32 columns in registers while it goes down the rows.
 */
#include "kv_codes.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>
#include <string.h>

#define WIDE   __attribute__((target("avx2,fma")))
#define INLINE WIDE static inline __attribute__((always_inline))

#include "widen.h"

INLINE __m256 load8(const unsigned char *codes)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)codes)));
}

INLINE void load4(const unsigned char *codes, __m256 *low, __m256 *high)
{
    __m256i c = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)codes));
    __m256i eight = _mm256_set1_epi32(8);
    *low = _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_and_si256(c, _mm256_set1_epi32(15)), eight));
    *high = _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_srli_epi32(c, 4), eight));
}

/* The four sums over all lanes. */
INLINE __m128 sums_of(const __m256 *x)
{
    __m256 pairs = _mm256_hadd_ps(_mm256_hadd_ps(x[0], x[1]), _mm256_hadd_ps(x[2], x[3]));
    return _mm_add_ps(_mm256_castps256_ps128(pairs), _mm256_extractf128_ps(pairs, 1));
}

INLINE __m128 scales_at(const struct tare_kv_strip *s, uint32_t row)
{
    float scale[4];
    for (uint32_t i = 0; i < 4; i++) {
        uint16_t half;
        memcpy(&half, s->scales + (row + i) * s->stride, sizeof half);
        scale[i] = tare_widen_half(half);
    }
    return _mm_loadu_ps(scale);
}

/* What a set of whole registers leaves over, of widths and of rows, goes the plain way. */
static struct tare_kv_strip rest_of(const struct tare_kv_strip *s, uint32_t row)
{
    struct tare_kv_strip rest = *s;
    rest.codes += row * s->stride;
    rest.scales += row * s->stride;
    rest.n -= row;
    return rest;
}

WIDE static void dots_int8(float *to, const struct tare_kv_strip *s, const float *x)
{
    uint32_t row = 0;
    for (; s->width % 8 == 0 && row + 4 <= s->n; row += 4) {
        const unsigned char *codes = s->codes + row * s->stride;
        __m256 sum[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
        for (uint32_t i = 0; i < s->width; i += 8) {
            __m256 q = _mm256_loadu_ps(x + i);
            sum[0] = _mm256_fmadd_ps(q, load8(codes + i), sum[0]);
            sum[1] = _mm256_fmadd_ps(q, load8(codes + s->stride + i), sum[1]);
            sum[2] = _mm256_fmadd_ps(q, load8(codes + 2 * s->stride + i), sum[2]);
            sum[3] = _mm256_fmadd_ps(q, load8(codes + 3 * s->stride + i), sum[3]);
        }
        _mm_storeu_ps(to + row, _mm_mul_ps(scales_at(s, row), sums_of(sum)));
    }
    struct tare_kv_strip rest = rest_of(s, row);
    tare_kv_codes_portable.dots_int8(to + row, &rest, x);
}

WIDE static void dots_int4(float *to, const struct tare_kv_strip *s, const float *x)
{
    uint32_t half = s->width / 2;
    uint32_t row = 0;
    for (; half % 8 == 0 && row + 4 <= s->n; row += 4) {
        const unsigned char *codes = s->codes + row * s->stride;
        __m256 sum[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
        for (uint32_t i = 0; i < half; i += 8) {
            __m256 q = _mm256_loadu_ps(x + i);
            __m256 r = _mm256_loadu_ps(x + half + i);
            for (uint32_t at = 0; at < 4; at++) {
                __m256 low;
                __m256 high;
                load4(codes + at * s->stride + i, &low, &high);
                sum[at] = _mm256_fmadd_ps(q, low, _mm256_fmadd_ps(r, high, sum[at]));
            }
        }
        _mm_storeu_ps(to + row, _mm_mul_ps(scales_at(s, row), sums_of(sum)));
    }
    struct tare_kv_strip rest = rest_of(s, row);
    tare_kv_codes_portable.dots_int4(to + row, &rest, x);
}

/* 32 columns from `at` on. */
INLINE void mix_many(float *to, const struct tare_kv_strip *s, const float *weights, uint32_t at)
{
    __m256 sum[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
    for (uint32_t row = 0; row < s->n; row++) {
        const unsigned char *codes = s->codes + row * s->stride + at;
        __m256 w = _mm256_set1_ps(weights[row]);
        sum[0] = _mm256_fmadd_ps(w, load8(codes), sum[0]);
        sum[1] = _mm256_fmadd_ps(w, load8(codes + 8), sum[1]);
        sum[2] = _mm256_fmadd_ps(w, load8(codes + 16), sum[2]);
        sum[3] = _mm256_fmadd_ps(w, load8(codes + 24), sum[3]);
    }
    for (uint32_t i = 0; i < 4; i++) {
        _mm256_storeu_ps(to + at + 8 * i, sum[i]);
    }
}

INLINE void mix_few(float *to, const struct tare_kv_strip *s, const float *weights, uint32_t at)
{
    __m256 sum = _mm256_setzero_ps();
    for (uint32_t row = 0; row < s->n; row++) {
        sum = _mm256_fmadd_ps(_mm256_set1_ps(weights[row]), load8(s->codes + row * s->stride + at), sum);
    }
    _mm256_storeu_ps(to + at, sum);
}

WIDE static void mix_int8(float *to, const struct tare_kv_strip *s, const float *weights)
{
    uint32_t at = 0;
    if (s->width % 8 != 0) {
        tare_kv_codes_portable.mix_int8(to, s, weights);
        return;
    }
    for (; at + 32 <= s->width; at += 32) {
        mix_many(to, s, weights, at);
    }
    for (; at < s->width; at += 8) {
        mix_few(to, s, weights, at);
    }
}

/* Two times 8 bytes from `at` on, 32 columns. */
INLINE void mix_many_halves(float *to, const struct tare_kv_strip *s, const float *weights, uint32_t at)
{
    __m256 sum[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
    for (uint32_t row = 0; row < s->n; row++) {
        const unsigned char *codes = s->codes + row * s->stride + at;
        __m256 w = _mm256_set1_ps(weights[row]);
        __m256 low;
        __m256 high;
        load4(codes, &low, &high);
        sum[0] = _mm256_fmadd_ps(w, low, sum[0]);
        sum[1] = _mm256_fmadd_ps(w, high, sum[1]);
        load4(codes + 8, &low, &high);
        sum[2] = _mm256_fmadd_ps(w, low, sum[2]);
        sum[3] = _mm256_fmadd_ps(w, high, sum[3]);
    }
    for (uint32_t i = 0; i < 4; i++) {
        _mm256_storeu_ps(to + i % 2 * (s->width / 2) + at + i / 2 * 8, sum[i]);
    }
}

INLINE void mix_few_halves(float *to, const struct tare_kv_strip *s, const float *weights, uint32_t at)
{
    __m256 first = _mm256_setzero_ps();
    __m256 second = _mm256_setzero_ps();
    for (uint32_t row = 0; row < s->n; row++) {
        __m256 w = _mm256_set1_ps(weights[row]);
        __m256 low;
        __m256 high;
        load4(s->codes + row * s->stride + at, &low, &high);
        first = _mm256_fmadd_ps(w, low, first);
        second = _mm256_fmadd_ps(w, high, second);
    }
    _mm256_storeu_ps(to + at, first);
    _mm256_storeu_ps(to + s->width / 2 + at, second);
}

WIDE static void mix_int4(float *to, const struct tare_kv_strip *s, const float *weights)
{
    uint32_t half = s->width / 2;
    uint32_t at = 0;
    if (half % 8 != 0) {
        tare_kv_codes_portable.mix_int4(to, s, weights);
        return;
    }
    for (; at + 16 <= half; at += 16) {
        mix_many_halves(to, s, weights, at);
    }
    for (; at < half; at += 8) {
        mix_few_halves(to, s, weights, at);
    }
}

const struct tare_kv_codes *tare_kv_codes_avx2(void)
{
    static const struct tare_kv_codes set = {.name = "avx2",
                                             .dots_int8 = dots_int8,
                                             .dots_int4 = dots_int4,
                                             .mix_int8 = mix_int8,
                                             .mix_int4 = mix_int4};
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &set : NULL;
}

#else

const struct tare_kv_codes *tare_kv_codes_avx2(void)
{
    return NULL;
}
#endif
