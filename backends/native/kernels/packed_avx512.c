/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packed kernels in AVX-512 (with VBMI, VBMI2 and VNNI): one column of a panel to a register.
 *
 * A bitmap is expanded in registers, so zeros are multiplied but never read from memory; 2:4 picks the inputs
 * of its stored values and multiplies nothing else; codes of up to 4 bits index their levels in a register.
 */
#include "packed.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <stddef.h>
#include <string.h>

#define ON_AVX512 \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,avx512vnni,popcnt")))
#define INLINE ON_AVX512 static inline __attribute__((always_inline))

enum { panel = TARE_PANEL_ROWS };

/* The lowest n of 16 lanes; n may be above 16. */
INLINE __mmask16 first_lanes(uint32_t n)
{
    return n >= panel ? (__mmask16)0xffff : (__mmask16)((1u << n) - 1);
}

/* Up to 16 rows from a panel's sums. */
INLINE void put(float *to, __m512 sum, uint32_t n, bool add)
{
    __mmask16 lanes = first_lanes(n);
    if (add) {
        sum = _mm512_add_ps(_mm512_maskz_loadu_ps(lanes, to), sum);
    }
    _mm512_mask_storeu_ps(to, lanes, sum);
}

INLINE __m512 halves_at(const uint16_t *at)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)at));
}

/* The expanded halves of two columns go through memory: that is cheaper than moving them across registers. */
INLINE const uint16_t *expand(uint16_t to[2 * panel], uint32_t mask, const uint16_t *values)
{
    _mm512_store_si512(to, _mm512_maskz_expand_epi16((__mmask32)mask, _mm512_loadu_si512(values)));
    return values + __builtin_popcount(mask);
}

ON_AVX512 static __m512 panel_bitmap(const uint32_t *masks, const uint16_t *values, uint32_t cols,
                                     const float *x)
{
    uint16_t halves[4][2 * panel] __attribute__((aligned(64)));
    __m512 sum[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
    uint32_t c = 0;
    for (uint32_t turn = 0; c + 4 <= cols; c += 4, turn ^= 2) {
        values = expand(halves[turn], masks[c / 2], values);
        values = expand(halves[turn + 1], masks[c / 2 + 1], values);
        for (uint32_t i = 0; i < 4; i++) {
            sum[i] = _mm512_fmadd_ps(halves_at(halves[turn] + panel * i), _mm512_set1_ps(x[c + i]), sum[i]);
        }
    }
    for (; c < cols; c++) {
        if (c % 2 == 0) {
            values = expand(halves[0], masks[c / 2], values);
        }
        sum[0] = _mm512_fmadd_ps(halves_at(halves[0] + panel * (c % 2)), _mm512_set1_ps(x[c]), sum[0]);
    }
    return _mm512_add_ps(_mm512_add_ps(sum[0], sum[1]), _mm512_add_ps(sum[2], sum[3]));
}

ON_AVX512 static void gemv_bitmap(float *to, const struct tare_bitmap *w, uint32_t row, uint32_t n,
                                  const float *x, bool add)
{
    size_t pairs = tare_panels_pairs(w->cols);
    for (uint32_t r = 0; r < n; r += panel) {
        size_t p = (row + r) / panel;
        put(to + r, panel_bitmap(w->masks + p * pairs, w->values + w->begin[p], w->cols, x), n - r, add);
    }
}

/* The four inputs lie four times in a register, so only the two lowest bits of a place count. */
INLINE __m512 picked(__m512i places, __m512 four)
{
    return _mm512_permutexvar_ps(places, four);
}

ON_AVX512 static __m512 panel_two_four(const uint16_t *values, const uint32_t *places, uint32_t cols,
                                       const float *x)
{
    __m512 sum[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
    __m512i at = _mm512_setzero_si512();
    for (uint32_t c = 0; c < cols; c += 4, values += 2 * (size_t)panel) {
        if (c % 32 == 0) {
            at = _mm512_loadu_si512(places + c / 32 * panel);
        }
        __m512 four = _mm512_broadcast_f32x4(_mm_loadu_ps(x + c));
        uint32_t turn = c / 4 % 2 * 2;
        sum[turn] = _mm512_fmadd_ps(halves_at(values), picked(at, four), sum[turn]);
        at = _mm512_srli_epi32(at, 2);
        sum[turn + 1] = _mm512_fmadd_ps(halves_at(values + panel), picked(at, four), sum[turn + 1]);
        at = _mm512_srli_epi32(at, 2);
    }
    return _mm512_add_ps(_mm512_add_ps(sum[0], sum[1]), _mm512_add_ps(sum[2], sum[3]));
}

ON_AVX512 static void gemv_two_four(float *to, const struct tare_two_four *w, uint32_t row, uint32_t n,
                                    const float *x, bool add)
{
    size_t blocks = (w->cols + 31) / 32;
    for (uint32_t r = 0; r < n; r += panel) {
        size_t p = (row + r) / panel;
        put(to + r,
            panel_two_four(w->values + p * panel * (w->cols / 2), w->places + p * blocks * panel, w->cols, x),
            n - r, add);
    }
}

/* What does not change while the groups of a matrix are gone through. */
struct decoder {
    __m512i spread; /* byte k of row r to byte k of lane r */
    __m512i bits;   /* in each lane */
    __m512 levels;  /* repeated to 16, so that bits above a code do not count */
};

INLINE struct decoder decoder_of(const struct tare_codes *w)
{
    struct decoder d = {.bits = _mm512_set1_epi32((int)w->bits)};
    uint8_t spread[64];
    float levels[16];
    uint32_t repeat = w->bits < 4 ? (1u << w->bits) - 1 : 15;
    for (uint32_t i = 0; i < 64; i++) {
        spread[i] = (uint8_t)(i / 4 * w->bits + i % 4);
    }
    for (uint32_t i = 0; i < 16; i++) {
        levels[i] = w->levels[i & repeat];
    }
    d.spread = _mm512_loadu_si512(spread);
    d.levels = _mm512_loadu_ps(levels);
    return d;
}

/* n <= 8 columns of codes of up to 4 bits. */
INLINE void add_narrow(__m512 sum[4], const struct decoder *d, const unsigned char *codes, const float *x,
                       uint32_t n)
{
    __m512i at = _mm512_permutexvar_epi8(d->spread, _mm512_loadu_si512(codes));
    for (uint32_t i = 0; i < n; i++) {
        __m512 level = _mm512_permutexvar_ps(at, d->levels);
        sum[i % 4] = _mm512_fmadd_ps(level, _mm512_set1_ps(x[i]), sum[i % 4]);
        at = _mm512_srlv_epi32(at, d->bits);
    }
}

/* The codes of 8 rows as bytes, 8 of a row together. */
INLINE __m512i bytes_of(const unsigned char *codes, uint32_t bits)
{
    const __m512i byte = _mm512_set1_epi64(0x0706050403020100);
    const __m512i row = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    const __m512i eight = _mm512_set1_epi64((int64_t)(bits * 0x0101010101010101u));
    __m512i first = _mm512_mullo_epi64(row, eight);
    __m512i lanes = _mm512_permutexvar_epi8(_mm512_add_epi8(byte, first), _mm512_loadu_si512(codes));
    /* byte k begins at bit k * bits */
    __m512i at = _mm512_mullo_epi64(_mm512_set1_epi64((int64_t)bits), byte);
    return _mm512_and_si512(_mm512_multishift_epi64_epi8(at, lanes),
                            _mm512_set1_epi8((char)((1u << bits) - 1)));
}

INLINE __m512 wide_numbers(const struct tare_codes *w, __m512i codes)
{
    if (w->linear) {
        return _mm512_add_ps(_mm512_cvtepi32_ps(codes), _mm512_set1_ps(w->levels[0]));
    }
    return _mm512_i32gather_ps(codes, w->levels, 4);
}

INLINE __m512 wide_column(const struct tare_codes *w, __m512i low, __m512i high, uint32_t i)
{
    const __m512i row = _mm512_setr_epi32(0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120);
    __m512i column = _mm512_add_epi32(row, _mm512_set1_epi32((int)i));
    return wide_numbers(w, _mm512_maskz_permutex2var_epi8(0x1111111111111111, low, column, high));
}

/* n <= 8 columns of codes of 5 to 8 bits. */
INLINE void add_wide(__m512 sum[4], const struct tare_codes *w, const unsigned char *codes, const float *x,
                     uint32_t n)
{
    __m512i low = bytes_of(codes, w->bits);
    __m512i high = bytes_of(codes + 8 * (size_t)w->bits, w->bits);
    uint32_t i = 0;
    for (; i + 2 <= n; i += 2) { /* two sums by name stay in registers */
        sum[0] = _mm512_fmadd_ps(wide_column(w, low, high, i), _mm512_set1_ps(x[i]), sum[0]);
        sum[1] = _mm512_fmadd_ps(wide_column(w, low, high, i + 1), _mm512_set1_ps(x[i + 1]), sum[1]);
    }
    if (i < n) {
        sum[0] = _mm512_fmadd_ps(wide_column(w, low, high, i), _mm512_set1_ps(x[i]), sum[0]);
    }
}

INLINE void add_codes(__m512 sum[4], const struct decoder *d, const struct tare_codes *w,
                      const unsigned char *codes, const float *x, uint32_t n)
{
    if (w->bits <= 4) {
        add_narrow(sum, d, codes, x, n);
    } else {
        add_wide(sum, w, codes, x, n);
    }
}

INLINE __m512 panel_group(const struct decoder *d, const struct tare_codes *w, const unsigned char *codes,
                          const float *x)
{
    __m512 sum[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
    uint32_t c = 0;
    for (; c + 8 <= w->group; c += 8, codes += panel * w->bits) {
        add_codes(sum, d, w, codes, x + c, 8);
    }
    if (c < w->group) {
        add_codes(sum, d, w, codes, x + c, w->group - c);
    }
    return _mm512_add_ps(_mm512_add_ps(sum[0], sum[1]), _mm512_add_ps(sum[2], sum[3]));
}

ON_AVX512 static float total(const float *x, uint32_t n)
{
    __m512 sum = _mm512_setzero_ps();
    for (uint32_t i = 0; i < n; i += panel) {
        sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(first_lanes(n - i), x + i));
    }
    return _mm512_reduce_add_ps(sum);
}

ON_AVX512 static void gemv_codes(float *to, const struct tare_codes *w, uint32_t row, uint32_t n,
                                 const float *x, bool add)
{
    const struct decoder d = decoder_of(w);
    size_t groups = w->cols / w->group;
    size_t group_bytes = (size_t)(w->group + 7) / 8 * panel * w->bits;
    for (uint32_t r = 0; r < n; r += panel) {
        __m512 sum = _mm512_setzero_ps();
        for (size_t g = 0; g < groups; g++) {
            size_t at = (row + r) / panel * groups + g;
            const float *input = x + g * w->group;
            __m512 part = panel_group(&d, w, w->codes + at * group_bytes, input);
            if (w->zeros) {
                const void *zeros = w->zeros + at * panel;
                __m512 zero = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(zeros)));
                part = _mm512_fnmadd_ps(zero, _mm512_set1_ps(total(input, w->group)), part);
            }
            sum = _mm512_fmadd_ps(halves_at(w->scales + at * panel), part, sum);
        }
        put(to + r, sum, n - r, add);
    }
}

ON_AVX512 static float round_int8(const float *x, uint32_t n, int8_t *to)
{
    __m512 most = _mm512_setzero_ps();
    for (uint32_t i = 0; i < n; i += panel) {
        __m512 size = _mm512_abs_ps(_mm512_maskz_loadu_ps(first_lanes(n - i), x + i));
        most = _mm512_max_ps(size, most); /* the second where the first is not a number */
    }
    float largest = _mm512_reduce_max_ps(most);
    __m512 inverse = _mm512_set1_ps(largest > 0.0F ? 127.0F / largest : 0.0F);
    for (uint32_t i = 0; i < n; i += panel) {
        __mmask16 lanes = first_lanes(n - i);
        __m512i code = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, x + i), inverse));
        code = _mm512_max_epi32(code, _mm512_set1_epi32(-127));
        _mm_mask_storeu_epi8(to + i, lanes, _mm512_cvtsepi32_epi8(code));
    }
    return largest / 127.0F;
}

/* The instruction wants one side without a sign: x + 128, whose surplus is 128 times the sum of the codes. */
ON_AVX512 static __m512i panel_w8a8(const int8_t *codes, const int32_t *sums, size_t cols, const int8_t *x)
{
    const __m512i flip = _mm512_set1_epi8((char)-128);
    __m512i sum[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
    for (size_t c = 0; c < cols; c += 4) {
        int32_t four;
        memcpy(&four, x + c, sizeof four);
        __m512i moved = _mm512_xor_si512(_mm512_set1_epi32(four), flip);
        sum[c / 4 % 2] = _mm512_dpbusd_epi32(sum[c / 4 % 2], moved, _mm512_loadu_si512(codes + c * panel));
    }
    __m512i surplus = _mm512_slli_epi32(_mm512_loadu_si512(sums), 7);
    return _mm512_sub_epi32(_mm512_add_epi32(sum[0], sum[1]), surplus);
}

ON_AVX512 static void gemv_w8a8(float *to, const struct tare_w8 *w, uint32_t row, uint32_t n, const int8_t *x,
                                float x_scale, bool add)
{
    size_t cols = tare_panels_cols(w->cols);
    for (uint32_t r = 0; r < n; r += panel) {
        __m512i sum = panel_w8a8(w->codes + (row + r) * cols, w->sums + row + r, cols, x);
        __m512 scale = _mm512_mul_ps(_mm512_loadu_ps(w->scales + row + r), _mm512_set1_ps(x_scale));
        put(to + r, _mm512_mul_ps(scale, _mm512_cvtepi32_ps(sum)), n - r, add);
    }
}

static const struct tare_packed avx512 = {
    .name = "avx512",
    .skips_zeros = false,
    .gemv_bitmap = gemv_bitmap,
    .gemv_two_four = gemv_two_four,
    .gemv_codes = gemv_codes,
    .round_int8 = round_int8,
    .gemv_w8a8 = gemv_w8a8,
};

const struct tare_packed *tare_packed_avx512(void)
{
    bool here = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") &&
                __builtin_cpu_supports("avx512vnni");
    return here ? &avx512 : NULL;
}

#else

#include <stddef.h>

const struct tare_packed *tare_packed_avx512(void)
{
    return NULL;
}

#endif
