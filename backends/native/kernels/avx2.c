/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernels for machines with AVX2, FMA and F16C. Packed weights are widened to float32 and multiplied as
 * such; a panel of 16 rows is two registers.
 */
#include "kernels.h"

#if defined(__x86_64__)

#include "panels.h"

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

#define WIDE   __attribute__((target("avx2,fma,f16c")))
#define INLINE WIDE static inline __attribute__((always_inline))

enum { lanes_n = 8 };

INLINE __m256 halves_at(const uint16_t *at)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)at));
}

INLINE float sum_of(__m256 v)
{
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

/* The 16 results of a panel, or the first `rows` of them. */
INLINE void put(float *to, __m256 low, __m256 high, uint32_t rows, bool add)
{
    float part[TARE_PANEL_ROWS];
    uint32_t n = rows < TARE_PANEL_ROWS ? rows : TARE_PANEL_ROWS;
    _mm256_storeu_ps(part, low);
    _mm256_storeu_ps(part + lanes_n, high);
    for (uint32_t r = 0; r < n; r++) {
        to[r] = add ? to[r] + part[r] : part[r];
    }
}

WIDE static void widen_f16(float *to, const uint16_t *from, size_t n)
{
    size_t i = 0;
    for (; i + lanes_n <= n; i += lanes_n) {
        _mm256_storeu_ps(to + i, halves_at(from + i));
    }
    for (; i < n; i++) {
        to[i] = _cvtsh_ss(from[i]);
    }
}

INLINE float dot(const float *a, const float *b, uint32_t n)
{
    __m256 sum = _mm256_setzero_ps();
    __m256 more = _mm256_setzero_ps();
    float rest = 0.0F;
    uint32_t c = 0;
    for (; n - c >= 2 * lanes_n; c += 2 * lanes_n) {
        sum = _mm256_fmadd_ps(_mm256_loadu_ps(a + c), _mm256_loadu_ps(b + c), sum);
        more = _mm256_fmadd_ps(_mm256_loadu_ps(a + c + lanes_n), _mm256_loadu_ps(b + c + lanes_n), more);
    }
    for (; c < n; c++) {
        rest += a[c] * b[c];
    }
    return sum_of(_mm256_add_ps(sum, more)) + rest;
}

WIDE static void gemv_f32(float *to, const float *w, uint32_t rows, uint32_t cols, const float *x, bool add)
{
    for (uint32_t r = 0; r < rows; r++) {
        float sum = dot(w + (size_t)r * cols, x, cols);
        to[r] = add ? to[r] + sum : sum;
    }
}

WIDE static void gemv_f16(float *to, const uint16_t *w, uint32_t rows, uint32_t cols, const float *x,
                          bool add)
{
    for (uint32_t r = 0; r < rows; r++) {
        const uint16_t *row = w + (size_t)r * cols;
        __m256 sum = _mm256_setzero_ps();
        float rest = 0.0F;
        uint32_t c = 0;
        for (; cols - c >= lanes_n; c += lanes_n) {
            sum = _mm256_fmadd_ps(halves_at(row + c), _mm256_loadu_ps(x + c), sum);
        }
        for (; c < cols; c++) {
            rest += _cvtsh_ss(row[c]) * x[c];
        }
        rest += sum_of(sum);
        to[r] = add ? to[r] + rest : rest;
    }
}

/* One panel times n vectors, a constant. */
INLINE void f16_panel(const struct tare_vectors *v, const uint16_t *panel, uint32_t row, uint32_t rows,
                      uint32_t cols, const uint32_t n)
{
    __m256 low[4];
    __m256 high[4];
    for (uint32_t j = 0; j < n; j++) {
        low[j] = _mm256_setzero_ps();
        high[j] = _mm256_setzero_ps();
    }
    for (uint32_t c = 0; c < cols; c++) {
        __m256 first = halves_at(panel + (size_t)c * TARE_PANEL_ROWS);
        __m256 second = halves_at(panel + (size_t)c * TARE_PANEL_ROWS + lanes_n);
        for (uint32_t j = 0; j < n; j++) {
            __m256 x = _mm256_broadcast_ss(v->x + j * v->x_stride + c);
            low[j] = _mm256_fmadd_ps(first, x, low[j]);
            high[j] = _mm256_fmadd_ps(second, x, high[j]);
        }
    }
    for (uint32_t j = 0; j < n; j++) {
        put(v->to + j * v->to_stride + row, low[j], high[j], rows - row, v->add);
    }
}

WIDE static void panels_f16(const struct tare_vectors *v, const uint16_t *panels, uint32_t rows,
                            uint32_t cols)
{
    for (uint32_t r = 0; r < rows; r += TARE_PANEL_ROWS) {
        struct tare_vectors left = *v;
        for (; left.n >= 4; left.n -= 4, left.to += 4 * v->to_stride, left.x += 4 * v->x_stride) {
            f16_panel(&left, panels + (size_t)r * cols, r, rows, cols, 4);
        }
        for (; left.n > 0; left.n--, left.to += v->to_stride, left.x += v->x_stride) {
            f16_panel(&left, panels + (size_t)r * cols, r, rows, cols, 1);
        }
    }
}

/* One panel times one vector; a pair of columns lies in one lane. */
INLINE void bf16_panel(float *to, const uint16_t *panel, uint32_t rows, uint32_t cols, const float *x,
                       bool add)
{
    const __m256i upper = _mm256_set1_epi32((int)0xffff0000u);
    __m256 sum[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    for (uint32_t c = 0; c < cols; c += 2) {
        __m256 first = _mm256_set1_ps(x[c]);
        __m256 second = _mm256_set1_ps(c + 1 < cols ? x[c + 1] : 0.0F);
        for (uint32_t half = 0; half < 2; half++) {
            const uint16_t *at = panel + (size_t)c * TARE_PANEL_ROWS + half * 2 * lanes_n;
            __m256i pair = _mm256_loadu_si256((const __m256i *)(const void *)at);
            sum[half] = _mm256_fmadd_ps(_mm256_castsi256_ps(_mm256_slli_epi32(pair, 16)), first, sum[half]);
            sum[half] =
                _mm256_fmadd_ps(_mm256_castsi256_ps(_mm256_and_si256(pair, upper)), second, sum[half]);
        }
    }
    put(to, sum[0], sum[1], rows, add);
}

WIDE static void panels_bf16(const struct tare_vectors *v, const uint16_t *panels, uint32_t rows,
                             uint32_t cols)
{
    for (uint32_t r = 0; r < rows; r += TARE_PANEL_ROWS) {
        const uint16_t *panel = panels + r * tare_panels_pairs(cols) * 2;
        for (uint32_t j = 0; j < v->n; j++) {
            bf16_panel(v->to + j * v->to_stride + r, panel, rows - r, cols, v->x + j * v->x_stride, v->add);
        }
    }
}

/* The vector itself, with zeros up to a multiple of 4. */
WIDE static void prepare(void *prepared, const float *x, uint32_t cols)
{
    float *to = prepared;
    memcpy(to, x, (size_t)cols * sizeof *x);
    memset(to + cols, 0, (tare_panels_cols(cols) - cols) * sizeof *x);
}

INLINE __m256i eight_at(const uint8_t *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

/* Byte j, a constant, of each lane, signed. */
INLINE __m256 byte_of(__m256i lanes, const int j)
{
    return _mm256_cvtepi32_ps(_mm256_srai_epi32(_mm256_slli_epi32(lanes, 24 - 8 * j), 24));
}

INLINE __m256 four_bytes(__m256i lanes, const float *x, __m256 sum)
{
    sum = _mm256_fmadd_ps(byte_of(lanes, 0), _mm256_broadcast_ss(x), sum);
    sum = _mm256_fmadd_ps(byte_of(lanes, 1), _mm256_broadcast_ss(x + 1), sum);
    sum = _mm256_fmadd_ps(byte_of(lanes, 2), _mm256_broadcast_ss(x + 2), sum);
    return _mm256_fmadd_ps(byte_of(lanes, 3), _mm256_broadcast_ss(x + 3), sum);
}

INLINE __m256 first_of(const float *scales, uint32_t n)
{
    float part[lanes_n] = {0.0F};
    for (uint32_t i = 0; i < n && i < lanes_n; i++) {
        part[i] = scales[i];
    }
    return _mm256_loadu_ps(part);
}

WIDE static void gemv_int8(float *to, const uint8_t *panels, const float *scales, uint32_t rows,
                           uint32_t cols, const void *prepared, bool add)
{
    const __m256i offset = _mm256_set1_epi8((char)-128);
    const float *x = prepared;
    for (uint32_t r = 0; r < rows; r += TARE_PANEL_ROWS) {
        const uint8_t *panel = panels + r * tare_panels_cols(cols);
        __m256 low = _mm256_setzero_ps();
        __m256 high = _mm256_setzero_ps();
        for (uint32_t c = 0; c < cols; c += 4) {
            const uint8_t *at = panel + (size_t)c * TARE_PANEL_ROWS;
            low = four_bytes(_mm256_xor_si256(eight_at(at), offset), x + c, low);
            high = four_bytes(_mm256_xor_si256(eight_at(at + 32), offset), x + c, high);
        }
        low = _mm256_mul_ps(low, first_of(scales + r, rows - r));
        high = _mm256_mul_ps(high, rows - r > lanes_n ? first_of(scales + r + lanes_n, rows - r - lanes_n)
                                                      : _mm256_setzero_ps());
        put(to + r, low, high, rows - r, add);
    }
}

/* Nibbles of eight rows and eight columns as signed bytes, the first four columns and the last four. */
INLINE __m256 eight_nibbles(__m256i both, const float *x, __m256 sum)
{
    const __m256i low_bits = _mm256_set1_epi8(15);
    const __m256i eight = _mm256_set1_epi8(8);
    __m256i first = _mm256_and_si256(both, low_bits);
    __m256i second = _mm256_and_si256(_mm256_srli_epi16(both, 4), low_bits);
    sum = four_bytes(_mm256_sub_epi8(first, eight), x, sum);
    return four_bytes(_mm256_sub_epi8(second, eight), x + 4, sum);
}

WIDE static void gemv_int4(float *to, const uint8_t *panels, const uint16_t *scales, uint32_t rows,
                           uint32_t cols, const void *prepared, bool add)
{
    const float *x = prepared;
    for (uint32_t r = 0; r < rows; r += TARE_PANEL_ROWS) {
        const uint8_t *panel = panels + (size_t)r * cols / 2;
        __m256 low = _mm256_setzero_ps();
        __m256 high = _mm256_setzero_ps();
        for (uint32_t g = 0; g < cols / 32; g++) {
            const uint16_t *scale = scales + tare_panels_int4_scale_at(r, g, cols);
            __m256 low_part = _mm256_setzero_ps();
            __m256 high_part = _mm256_setzero_ps();
            for (uint32_t c = g * 32; c < (g + 1) * 32; c += 8) {
                const uint8_t *at = panel + (size_t)c * TARE_PANEL_ROWS / 2;
                low_part = eight_nibbles(eight_at(at), x + c, low_part);
                high_part = eight_nibbles(eight_at(at + 32), x + c, high_part);
            }
            low = _mm256_fmadd_ps(low_part, halves_at(scale), low);
            high = _mm256_fmadd_ps(high_part, halves_at(scale + lanes_n), high);
        }
        put(to + r, low, high, rows - r, add);
    }
}

WIDE static void unpack_f16(float *to, const uint16_t *panels, uint32_t rows, uint32_t cols)
{
    float tile[TARE_PANEL_ROWS];
    for (uint32_t r = 0; r < rows; r += TARE_PANEL_ROWS) {
        uint32_t n = rows - r < TARE_PANEL_ROWS ? rows - r : TARE_PANEL_ROWS;
        for (uint32_t c = 0; c < cols; c++) {
            widen_f16(tile, panels + (size_t)r * cols + (size_t)c * TARE_PANEL_ROWS, TARE_PANEL_ROWS);
            for (uint32_t i = 0; i < n; i++) {
                to[(size_t)(r + i) * cols + c] = tile[i];
            }
        }
    }
}

static void unpack_int8(float *to, const uint8_t *panels, const float *scales, uint32_t rows, uint32_t cols)
{
    tare_kernels_portable.unpack_int8(to, panels, scales, rows, cols);
}

static void unpack_int4(float *to, const uint8_t *panels, const uint16_t *scales, uint32_t rows,
                        uint32_t cols)
{
    tare_kernels_portable.unpack_int4(to, panels, scales, rows, cols);
}

WIDE static void dots_f32(float *to, const float *q, const float *keys, size_t stride, uint32_t n,
                          uint32_t width, float factor)
{
    for (uint32_t i = 0; i < n; i++) {
        to[i] = dot(q, keys + i * stride, width) * factor;
    }
}

WIDE static void mix_f32(float *to, const float *p, const float *values, size_t stride, uint32_t n,
                         uint32_t width, float factor)
{
    uint32_t c = 0;
    for (; width - c >= lanes_n; c += lanes_n) {
        __m256 even = _mm256_setzero_ps();
        __m256 odd = _mm256_setzero_ps();
        for (uint32_t i = 0; i < n; i++) {
            __m256 row = _mm256_loadu_ps(values + i * stride + c);
            if (i % 2 == 0) {
                even = _mm256_fmadd_ps(_mm256_broadcast_ss(p + i), row, even);
            } else {
                odd = _mm256_fmadd_ps(_mm256_broadcast_ss(p + i), row, odd);
            }
        }
        _mm256_storeu_ps(to + c, _mm256_mul_ps(_mm256_add_ps(even, odd), _mm256_set1_ps(factor)));
    }
    if (c < width) {
        tare_kernels_portable.mix_f32(to + c, p, values + c, stride, n, width - c, factor);
    }
}

/* Not every compiler's __builtin_cpu_supports knows it. */
static bool has_f16c(void)
{
    unsigned a;
    unsigned b;
    unsigned c;
    unsigned d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C) != 0;
}

const struct tare_kernels *tare_kernels_avx2(void)
{
    static const struct tare_kernels set = {
        .name = "avx2",
        .gemv_f32 = gemv_f32,
        .gemv_f16 = gemv_f16,
        .widen_f16 = widen_f16,
        .panels_f16 = panels_f16,
        .panels_bf16 = panels_bf16,
        .prepare = prepare,
        .gemv_int8 = gemv_int8,
        .gemv_int4 = gemv_int4,
        .unpack_f16 = unpack_f16,
        .unpack_int8 = unpack_int8,
        .unpack_int4 = unpack_int4,
        .dots_f32 = dots_f32,
        .mix_f32 = mix_f32,
    };
    __builtin_cpu_init();
    bool can = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
    return can ? &set : NULL;
}

#else

const struct tare_kernels *tare_kernels_avx2(void)
{
    return NULL;
}
#endif
