/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Integer weights times float32 activations by VNNI.
 *
 * An activation becomes a whole number of 24 bits, x * 2^k, k such that the largest just fits: its error is
 * at most 2^-24 of the largest, as float32 has of each. The number is cut into three signed digits to the
 * base 256, and vpdpbusd adds weight byte times digit in exact int32. Weights are stored as unsigned; what
 * the offset adds is the same for all rows and is taken off at the start of the sums.
 */
#if defined(__x86_64__)

#include "avx512.h"
#include "panels.h"

#include <math.h>
#include <string.h>

enum { digits = 3, group = 32, most_panels = 4 };

/* Sums are kept as this type: gcc 12 copies an accumulator of type __m512i before each use. */
typedef int32_t whole __attribute__((vector_size(64)));

/* What is prepared: this, a struct starts per 32 columns, and the digits in three planes. */
struct head {
    float back; /* 2^-k is back * back_again: one alone could be out of range */
    float back_again;
    int32_t start[digits]; /* -128 times the sum of the digits of all columns */
    int32_t pad[11];
};

struct starts {
    int32_t of[4]; /* -8 times the sum of the digits of a group; the last is not used */
};

static size_t groups_of(uint32_t cols)
{
    return ((size_t)cols + group - 1) / group;
}

static size_t plane_bytes(uint32_t cols)
{
    return groups_of(cols) * group;
}

static const struct starts *starts_of(const void *prepared)
{
    return (const struct starts *)(const void *)((const struct head *)prepared + 1);
}

static const int8_t *planes_of(const void *prepared, uint32_t cols)
{
    return (const int8_t *)(starts_of(prepared) + groups_of(cols));
}

/* The largest size, or NaN when a number is infinite or none. */
WIDE static float largest(const float *x, uint32_t cols)
{
    __m512 most = _mm512_setzero_ps();
    __mmask16 odd = 0;
    for (uint32_t c = 0; c < cols; c += 16) {
        __m512 v = _mm512_abs_ps(_mm512_maskz_loadu_ps(first_lanes(cols - c), x + c));
        odd |= _mm512_cmp_ps_mask(v, _mm512_set1_ps(INFINITY), _CMP_NLT_UQ);
        most = _mm512_max_ps(most, v);
    }
    return odd ? NAN : _mm512_reduce_max_ps(most);
}

/* 2^k of a normal number, without a call. */
static float power_of_two(int k)
{
    uint32_t bits = (uint32_t)(k + 127) << 23;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* k with most * 2^k at most what three digits hold, 127 * (65536 + 256 + 1). Subnormal numbers count as the
 * least normal one. */
static int exponent_for(float most)
{
    uint32_t bits;
    memcpy(&bits, &most, sizeof bits);
    int exponent = (int)(bits >> 23) - 127;
    bool fits = (bits & 0x7fffffu) <= 0x7efefeu; /* 1.99... * 2^22 = 8355711 */
    return (fits ? 22 : 21) - (exponent > -126 ? exponent : -126);
}

struct split {
    __m128i digit[digits];
};

/* Signed digits: what is left after each is a multiple of 256. */
INLINE struct split split_up(__m512i number)
{
    const __m512i half = _mm512_set1_epi32(128);
    struct split s;
    s.digit[0] = _mm512_cvtepi32_epi8(number);
    number = _mm512_srai_epi32(_mm512_add_epi32(number, half), 8);
    s.digit[1] = _mm512_cvtepi32_epi8(number);
    number = _mm512_srai_epi32(_mm512_add_epi32(number, half), 8);
    s.digit[2] = _mm512_cvtepi32_epi8(number);
    return s;
}

INLINE int32_t sum_digits(const int8_t *at)
{
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)at);
    __m256i fours = _mm256_dpbusd_epi32(_mm256_setzero_si256(), _mm256_set1_epi8(1), bytes);
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(fours), _mm256_extracti128_si256(fours, 1));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1));
    return _mm_cvtsi128_si32(sum);
}

WIDE static void write_digits(int8_t *planes, const float *x, uint32_t cols, int k)
{
    const __m512 up = _mm512_set1_ps(power_of_two(k / 2));
    const __m512 up_again = _mm512_set1_ps(power_of_two(k - k / 2));
    size_t plane = plane_bytes(cols);
    for (uint32_t c = 0; c < plane; c += 16) {
        __mmask16 lanes = c < cols ? first_lanes(cols - c) : 0;
        __m512 v = _mm512_maskz_loadu_ps(lanes, x + (c < cols ? c : 0));
        v = _mm512_mul_ps(_mm512_mul_ps(v, up), up_again);
        struct split s = split_up(_mm512_cvtps_epi32(v));
        for (uint32_t d = 0; d < digits; d++) {
            _mm_storeu_si128((__m128i *)(void *)(planes + d * plane + c), s.digit[d]);
        }
    }
}

WIDE void tare_avx512_prepare(void *prepared, const float *x, uint32_t cols)
{
    struct head *head = prepared;
    struct starts *starts = (struct starts *)(void *)(head + 1);
    int8_t *planes = (int8_t *)(starts + groups_of(cols));
    float most = largest(x, cols);
    bool is_odd = !(most < INFINITY);
    int k = most > 0.0F ? exponent_for(most) : 0;
    *head = (struct head){.back = power_of_two(-k / 2), .back_again = power_of_two(-(k - k / 2))};
    if (is_odd) { /* every result is NaN */
        head->back = NAN;
        memset(starts, 0, groups_of(cols) * sizeof *starts + digits * plane_bytes(cols));
        return;
    }
    write_digits(planes, x, cols, k);
    for (size_t g = 0; g < groups_of(cols); g++) {
        for (uint32_t d = 0; d < digits; d++) {
            int32_t sum = sum_digits(planes + d * plane_bytes(cols) + g * group);
            starts[g].of[d] = -8 * sum;
            head->start[d] -= 128 * sum;
        }
    }
}

/* The three sums of a row as one number; they are exact until here. */
INLINE __m512 joined(const whole sum[digits])
{
    __m512 high = _mm512_mul_ps(_mm512_cvtepi32_ps((__m512i)sum[2]), _mm512_set1_ps(65536.0F));
    __m512 low = _mm512_cvtepi32_ps((__m512i)sum[0]);
    return _mm512_add_ps(_mm512_fmadd_ps(_mm512_cvtepi32_ps((__m512i)sum[1]), _mm512_set1_ps(256.0F), low),
                         high);
}

INLINE __m512 scaled_back(__m512 value, const struct head *head)
{
    return _mm512_mul_ps(_mm512_mul_ps(value, _mm512_set1_ps(head->back)), _mm512_set1_ps(head->back_again));
}

INLINE void put(float *to, __m512 value, __mmask16 lanes, bool add)
{
    if (add) {
        value = _mm512_add_ps(_mm512_maskz_loadu_ps(lanes, to), value);
    }
    _mm512_mask_storeu_ps(to, lanes, value);
}

/* Four digits of each place, the same for all lanes. */
struct four {
    __m512i of[digits];
};

INLINE struct four four_digits(const int8_t *planes, size_t plane)
{
    struct four f;
    for (uint32_t d = 0; d < digits; d++) {
        int32_t four;
        memcpy(&four, planes + d * plane, sizeof four);
        f.of[d] = _mm512_set1_epi32(four);
    }
    return f;
}

INLINE void begin(whole sum[digits], const int32_t start[digits])
{
    for (uint32_t d = 0; d < digits; d++) {
        sum[d] = (whole)_mm512_set1_epi32(start[d]);
    }
}

INLINE void add_four(whole sum[digits], __m512i weights, struct four x)
{
    for (uint32_t d = 0; d < digits; d++) {
        sum[d] = (whole)_mm512_dpbusd_epi32((__m512i)sum[d], weights, x.of[d]);
    }
}

/* n_panels panels, a constant, side by side: the digits of a step are fetched once for all. */
INLINE void int8_panels(float *to, const uint8_t *panels, const float *scales, uint32_t rows, uint32_t cols,
                        const void *prepared, bool add, const uint32_t n_panels)
{
    const struct head *head = prepared;
    const int8_t *planes = planes_of(prepared, cols);
    size_t plane = plane_bytes(cols);
    size_t panel = TARE_PANEL_ROWS * tare_panels_cols(cols);
    whole sum[most_panels][digits];
    for (uint32_t i = 0; i < n_panels; i++) {
        begin(sum[i], head->start);
    }
    for (size_t c = 0; c < cols; c += 4) {
        struct four x = four_digits(planes + c, plane);
        for (uint32_t i = 0; i < n_panels; i++) {
            add_four(sum[i], _mm512_loadu_si512(panels + i * panel + c * TARE_PANEL_ROWS), x);
        }
    }
    for (uint32_t i = 0; i < n_panels; i++) {
        __mmask16 lanes = first_lanes(rows - i * TARE_PANEL_ROWS);
        __m512 scale = _mm512_maskz_loadu_ps(lanes, scales + i * TARE_PANEL_ROWS);
        put(to + i * TARE_PANEL_ROWS, _mm512_mul_ps(scaled_back(joined(sum[i]), head), scale), lanes, add);
    }
}

WIDE void tare_avx512_gemv_int8(float *to, const uint8_t *panels, const float *scales, uint32_t rows,
                                uint32_t cols, const void *prepared, bool add)
{
    size_t width = tare_panels_cols(cols);
    uint32_t r = 0;
    for (; rows - r >= most_panels * TARE_PANEL_ROWS; r += most_panels * TARE_PANEL_ROWS) {
        int8_panels(to + r, panels + r * width, scales + r, rows - r, cols, prepared, add, most_panels);
    }
    for (; r < rows; r += TARE_PANEL_ROWS) {
        int8_panels(to + r, panels + r * width, scales + r, rows - r, cols, prepared, add, 1);
    }
}

/* One group of 32 columns: the sums of (nibble - 8) * x of each panel. */
INLINE void int4_group(whole sum[most_panels][digits], const uint8_t *at, size_t panel_bytes,
                       const int8_t *planes, size_t plane, const uint32_t n_panels)
{
    const __m512i low_bits = _mm512_set1_epi8(15);
    for (size_t step = 0; step < group / 8; step++) {
        struct four first = four_digits(planes + step * 8, plane);
        struct four second = four_digits(planes + step * 8 + 4, plane);
        for (uint32_t i = 0; i < n_panels; i++) {
            __m512i both = _mm512_loadu_si512(at + i * panel_bytes + step * 64);
            add_four(sum[i], _mm512_and_si512(both, low_bits), first);
            add_four(sum[i], _mm512_and_si512(_mm512_srli_epi16(both, 4), low_bits), second);
        }
    }
}

INLINE void int4_panels(float *to, const uint8_t *panels, const uint16_t *scales, uint32_t rows,
                        uint32_t cols, const void *prepared, bool add, const uint32_t n_panels)
{
    const struct head *head = prepared;
    const struct starts *starts = starts_of(prepared);
    const int8_t *planes = planes_of(prepared, cols);
    const size_t panel = (size_t)TARE_PANEL_ROWS * cols;
    __m512 total[most_panels];
    whole sum[most_panels][digits];
    for (uint32_t i = 0; i < n_panels; i++) {
        total[i] = _mm512_setzero_ps();
    }
    for (size_t g = 0; g < cols / group; g++) {
        for (uint32_t i = 0; i < n_panels; i++) {
            begin(sum[i], starts[g].of);
        }
        int4_group(sum, panels + g * group * TARE_PANEL_ROWS / 2, panel / 2, planes + g * group,
                   plane_bytes(cols), n_panels);
        for (uint32_t i = 0; i < n_panels; i++) {
            const uint16_t *scale = scales + i * panel / group + g * TARE_PANEL_ROWS;
            __m512 s = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)scale));
            total[i] = _mm512_fmadd_ps(joined(sum[i]), s, total[i]);
        }
    }
    for (uint32_t i = 0; i < n_panels; i++) {
        __mmask16 lanes = first_lanes(rows - i * TARE_PANEL_ROWS);
        put(to + i * TARE_PANEL_ROWS, scaled_back(total[i], head), lanes, add);
    }
}

WIDE void tare_avx512_gemv_int4(float *to, const uint8_t *panels, const uint16_t *scales, uint32_t rows,
                                uint32_t cols, const void *prepared, bool add)
{
    uint32_t r = 0;
    for (; rows - r >= most_panels * TARE_PANEL_ROWS; r += most_panels * TARE_PANEL_ROWS) {
        int4_panels(to + r, panels + (size_t)r * cols / 2, scales + (size_t)r * cols / group, rows - r, cols,
                    prepared, add, most_panels);
    }
    for (; r < rows; r += TARE_PANEL_ROWS) {
        int4_panels(to + r, panels + (size_t)r * cols / 2, scales + (size_t)r * cols / group, rows - r, cols,
                    prepared, add, 1);
    }
}

/* Four columns of 16 rows, as they lie in a step, into their rows. */
INLINE void put_four(float *to, __m512i bytes, const float *scale, uint32_t rows, uint32_t cols, uint32_t n)
{
    _Alignas(64) float part[64];
    for (uint32_t i = 0; i < 4; i++) {
        __m128i four_rows = _mm512_extracti32x4_epi32(bytes, 0);
        bytes = _mm512_alignr_epi64(bytes, bytes, 2);
        _mm512_store_ps(part + (size_t)i * 16, _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(four_rows)));
    }
    for (uint32_t r = 0; r < rows; r++) {
        __m128 row = _mm_mul_ps(_mm_load_ps(part + (size_t)r * 4), _mm_set1_ps(scale[r]));
        _mm_mask_storeu_ps(to + (size_t)r * cols, (__mmask8)((1u << n) - 1u), row);
    }
}

WIDE void tare_avx512_unpack_int8(float *to, const uint8_t *panels, const float *scales, uint32_t rows,
                                  uint32_t cols)
{
    const __m512i offset = _mm512_set1_epi8((char)-128);
    for (uint32_t r = 0; r < rows; r += TARE_PANEL_ROWS) {
        const uint8_t *panel = panels + r * tare_panels_cols(cols);
        uint32_t n_rows = rows - r < TARE_PANEL_ROWS ? rows - r : TARE_PANEL_ROWS;
        for (uint32_t c = 0; c < cols; c += 4) {
            __m512i bytes = _mm512_loadu_si512(panel + (size_t)c * TARE_PANEL_ROWS);
            put_four(to + (size_t)r * cols + c, _mm512_xor_si512(bytes, offset), scales + r, n_rows, cols,
                     cols - c < 4 ? cols - c : 4);
        }
    }
}

WIDE void tare_avx512_unpack_int4(float *to, const uint8_t *panels, const uint16_t *scales, uint32_t rows,
                                  uint32_t cols)
{
    const __m512i low_bits = _mm512_set1_epi8(15);
    const __m512i eight = _mm512_set1_epi8(8);
    _Alignas(64) float scale[TARE_PANEL_ROWS];
    for (uint32_t r = 0; r < rows; r += TARE_PANEL_ROWS) {
        uint32_t n_rows = rows - r < TARE_PANEL_ROWS ? rows - r : TARE_PANEL_ROWS;
        for (uint32_t c = 0; c < cols; c += 8) {
            const uint16_t *halves = scales + tare_panels_int4_scale_at(r, c / group, cols);
            __m512i both = _mm512_loadu_si512(panels + ((size_t)r * cols + (size_t)c * TARE_PANEL_ROWS) / 2);
            __m512i first = _mm512_and_si512(both, low_bits);
            __m512i second = _mm512_and_si512(_mm512_srli_epi16(both, 4), low_bits);
            float *at = to + (size_t)r * cols + c;
            _mm512_store_ps(scale,
                            _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)halves)));
            put_four(at, _mm512_sub_epi8(first, eight), scale, n_rows, cols, 4);
            put_four(at + 4, _mm512_sub_epi8(second, eight), scale, n_rows, cols, 4);
        }
    }
}

#else
typedef int tare_no_avx512_int;
#endif
