/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Float weights by AVX-512: 16 rows of a panel to a register, several panels at once, so that no product
 * waits for another.
 *
 * Even and odd columns are summed apart, whatever the number of vectors and panels, so a result depends on
 * the matrix and its vector alone. The conversion of halves takes two of the three operations that 16
 * weights cost; there is no cheaper exact one before AVX-NE-CONVERT.
 */
#if defined(__x86_64__)

#include "avx512.h"
#include "panels.h"

enum { lanes_n = 16, most_panels = 4, most_vectors = 7, ahead_cols = 32 };

INLINE __m512 halves_at(const uint16_t *at)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)at));
}

INLINE void put(float *to, __m512 value, __mmask16 lanes, bool add)
{
    if (add) {
        value = _mm512_add_ps(_mm512_maskz_loadu_ps(lanes, to), value);
    }
    _mm512_mask_storeu_ps(to, lanes, value);
}

WIDE static void widen_f16(float *to, const uint16_t *from, size_t n)
{
    size_t i = 0;
    for (; i + lanes_n <= n; i += lanes_n) {
        _mm512_storeu_ps(to + i, halves_at(from + i));
    }
    __mmask16 lanes = first_lanes((uint32_t)(n - i));
    _mm512_mask_storeu_ps(to + i, lanes, _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(lanes, from + i)));
}

/* Sums of the lanes of four registers. */
INLINE __m128 sums_of(const __m512 v[4])
{
    __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(v[0], v[1]), _mm512_unpackhi_ps(v[0], v[1]));
    __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(v[2], v[3]), _mm512_unpackhi_ps(v[2], v[3]));
    __m512 sum = _mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0x44), _mm512_shuffle_ps(ab, cd, 0xee));
    __m256 half = _mm256_add_ps(_mm512_castps512_ps256(sum), _mm512_extractf32x8_ps(sum, 1));
    return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}

INLINE void put_rows(float *to, __m128 value, uint32_t n, bool add)
{
    __mmask8 lanes = (__mmask8)(n >= 4 ? 15u : (1u << n) - 1u);
    if (add) {
        value = _mm_add_ps(_mm_maskz_loadu_ps(lanes, to), value);
    }
    _mm_mask_storeu_ps(to, lanes, value);
}

/* Four rows; those at and beyond n are taken for the last one. */
struct four {
    size_t row[4];
};

INLINE struct four four_rows(uint32_t n, size_t stride)
{
    struct four f;
    for (uint32_t i = 0; i < 4; i++) {
        f.row[i] = (i < n ? i : n - 1) * stride;
    }
    return f;
}

WIDE static void gemv_f32(float *to, const float *w, uint32_t rows, uint32_t cols, const float *x, bool add)
{
    for (uint32_t r = 0; r < rows; r += 4) {
        const float *at = w + (size_t)r * cols;
        struct four f = four_rows(rows - r, cols);
        __m512 sum[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
        for (uint32_t c = 0; c < cols; c += lanes_n) {
            __mmask16 lanes = first_lanes(cols - c);
            __m512 v = _mm512_maskz_loadu_ps(lanes, x + c);
            for (uint32_t i = 0; i < 4; i++) {
                sum[i] = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(lanes, at + f.row[i] + c), v, sum[i]);
            }
        }
        put_rows(to + r, sums_of(sum), rows - r, add);
    }
}

WIDE static void gemv_f16(float *to, const uint16_t *w, uint32_t rows, uint32_t cols, const float *x,
                          bool add)
{
    for (uint32_t r = 0; r < rows; r += 4) {
        const uint16_t *at = w + (size_t)r * cols;
        struct four f = four_rows(rows - r, cols);
        __m512 sum[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
        for (uint32_t c = 0; c < cols; c += lanes_n) {
            __mmask16 lanes = first_lanes(cols - c);
            __m512 v = _mm512_maskz_loadu_ps(lanes, x + c);
            for (uint32_t i = 0; i < 4; i++) {
                __m512 weights = _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(lanes, at + f.row[i] + c));
                sum[i] = _mm512_fmadd_ps(weights, v, sum[i]);
            }
        }
        put_rows(to + r, sums_of(sum), rows - r, add);
    }
}

/* Sums of n_panels panels times n vectors, both constants. */
struct sums {
    __m512 even[most_panels][most_vectors];
    __m512 odd[most_panels][most_vectors];
};

/* Two columns, the second of which may not be there. */
INLINE void add_columns(struct sums *s, const struct tare_vectors *v, const uint16_t *at, size_t panel,
                        size_t c, bool is_pair, const uint32_t n_panels, const uint32_t n)
{
    for (uint32_t i = 0; i < n_panels; i++) {
        __m512 w = halves_at(at + i * panel);
        for (uint32_t j = 0; j < n; j++) {
            s->even[i][j] = _mm512_fmadd_ps(w, _mm512_set1_ps(v->x[j * v->x_stride + c]), s->even[i][j]);
        }
    }
    for (uint32_t i = 0; is_pair && i < n_panels; i++) {
        __m512 w = halves_at(at + i * panel + TARE_PANEL_ROWS);
        for (uint32_t j = 0; j < n; j++) {
            s->odd[i][j] = _mm512_fmadd_ps(w, _mm512_set1_ps(v->x[j * v->x_stride + c + 1]), s->odd[i][j]);
        }
    }
}

/* Lines that will be wanted `ahead` numbers later, for when a matrix does not quite fit its cache. */
INLINE void fetch(const uint16_t *at, size_t panel, size_t ahead, const uint32_t n_panels)
{
    for (uint32_t i = 0; i < n_panels; i++) {
        __builtin_prefetch(at + i * panel + ahead);
    }
}

INLINE void f16_block(const struct tare_vectors *v, const uint16_t *panels, uint32_t row, uint32_t rows,
                      uint32_t cols, const uint32_t n_panels, const uint32_t n)
{
    const size_t panel = (size_t)TARE_PANEL_ROWS * cols;
    const size_t to_next_block = (n_panels - 1) * panel;
    struct sums s;
    for (uint32_t i = 0; i < n_panels; i++) {
        for (uint32_t j = 0; j < n; j++) {
            s.even[i][j] = _mm512_setzero_ps();
            s.odd[i][j] = _mm512_setzero_ps();
        }
    }
    for (size_t c = 0; c + 1 < cols; c += 2) {
        const uint16_t *at = panels + c * TARE_PANEL_ROWS;
        fetch(at, panel, ahead_cols * TARE_PANEL_ROWS + (c + ahead_cols < cols ? 0 : to_next_block),
              n_panels);
        add_columns(&s, v, at, panel, c, true, n_panels, n);
    }
    if (cols % 2 != 0) {
        add_columns(&s, v, panels + panel - TARE_PANEL_ROWS, panel, cols - 1, false, n_panels, n);
    }
    for (uint32_t i = 0; i < n_panels; i++) {
        uint32_t at = row + i * TARE_PANEL_ROWS;
        for (uint32_t j = 0; j < n; j++) {
            put(v->to + j * v->to_stride + at, _mm512_add_ps(s.even[i][j], s.odd[i][j]),
                first_lanes(rows - at), v->add);
        }
    }
}

INLINE void f16_all(const struct tare_vectors *v, const uint16_t *panels, uint32_t rows, uint32_t cols,
                    const uint32_t n_panels, const uint32_t n)
{
    uint32_t r = 0;
    for (; rows - r >= n_panels * TARE_PANEL_ROWS; r += n_panels * TARE_PANEL_ROWS) {
        f16_block(v, panels + (size_t)r * cols, r, rows, cols, n_panels, n);
    }
    for (; r < rows; r += TARE_PANEL_ROWS) {
        f16_block(v, panels + (size_t)r * cols, r, rows, cols, 1, n);
    }
}

/* As many panels at once as leave their sums in the 32 registers; v->n < TARE_MANY_ROWS. */
WIDE static void panels_f16(const struct tare_vectors *v, const uint16_t *panels, uint32_t rows,
                            uint32_t cols)
{
    switch (v->n) {
    case 1:
        f16_all(v, panels, rows, cols, 4, 1);
        return;
    case 2:
        f16_all(v, panels, rows, cols, 4, 2);
        return;
    case 3:
        f16_all(v, panels, rows, cols, 2, 3);
        return;
    case 4:
        f16_all(v, panels, rows, cols, 2, 4);
        return;
    case 5:
        f16_all(v, panels, rows, cols, 2, 5);
        return;
    case 6:
        f16_all(v, panels, rows, cols, 1, 6);
        return;
    default:
        f16_all(v, panels, rows, cols, 1, 7);
    }
}

/* A pair of columns lies in one lane: the second is the upper half as it stands. */
INLINE void bf16_block(const struct tare_vectors *v, const uint16_t *panels, uint32_t row, uint32_t rows,
                       uint32_t cols, const uint32_t n_panels)
{
    const size_t panel = TARE_PANEL_ROWS * tare_panels_pairs(cols) * 2;
    const __m512i upper = _mm512_set1_epi32((int)0xffff0000u);
    __m512 even[most_panels];
    __m512 odd[most_panels];
    for (uint32_t i = 0; i < n_panels; i++) {
        even[i] = _mm512_setzero_ps();
        odd[i] = _mm512_setzero_ps();
    }
    for (uint32_t c = 0; c < cols; c += 2) {
        __m512 first = _mm512_set1_ps(v->x[c]);
        __m512 second = _mm512_set1_ps(c + 1 < cols ? v->x[c + 1] : 0.0F);
        for (uint32_t i = 0; i < n_panels; i++) {
            __m512i pair = _mm512_loadu_si512(panels + i * panel + (size_t)c * TARE_PANEL_ROWS);
            even[i] = _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_slli_epi32(pair, 16)), first, even[i]);
            odd[i] = _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_and_si512(pair, upper)), second, odd[i]);
        }
    }
    for (uint32_t i = 0; i < n_panels; i++) {
        uint32_t at = row + i * TARE_PANEL_ROWS;
        put(v->to + at, _mm512_add_ps(even[i], odd[i]), first_lanes(rows - at), v->add);
    }
}

WIDE static void panels_bf16(const struct tare_vectors *v, const uint16_t *panels, uint32_t rows,
                             uint32_t cols)
{
    size_t width = tare_panels_pairs(cols) * 2;
    struct tare_vectors one = *v;
    for (uint32_t j = 0; j < v->n; j++) {
        uint32_t r = 0;
        one.to = v->to + j * v->to_stride;
        one.x = v->x + j * v->x_stride;
        for (; rows - r >= 4 * TARE_PANEL_ROWS; r += 4 * TARE_PANEL_ROWS) {
            bf16_block(&one, panels + r * width, r, rows, cols, 4);
        }
        for (; r < rows; r += TARE_PANEL_ROWS) {
            bf16_block(&one, panels + r * width, r, rows, cols, 1);
        }
    }
}

/* 16 columns of a panel, transposed through memory that stays in the nearest cache. */
WIDE static void unpack_f16(float *to, const uint16_t *panels, uint32_t rows, uint32_t cols)
{
    const __m512i step =
        _mm512_setr_epi32(0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240);
    _Alignas(64) float tile[lanes_n * lanes_n];
    for (uint32_t r = 0; r < rows; r += TARE_PANEL_ROWS) {
        uint32_t n_rows = rows - r < TARE_PANEL_ROWS ? rows - r : TARE_PANEL_ROWS;
        for (uint32_t c = 0; c < cols; c += lanes_n) {
            const uint16_t *at = panels + (size_t)r * cols + (size_t)c * TARE_PANEL_ROWS;
            uint32_t n_cols = cols - c < lanes_n ? cols - c : lanes_n;
            for (uint32_t i = 0; i < n_cols; i++) {
                _mm512_store_ps(tile + (size_t)i * lanes_n, halves_at(at + (size_t)i * TARE_PANEL_ROWS));
            }
            for (uint32_t i = 0; i < n_rows; i++) {
                __mmask16 lanes = first_lanes(n_cols);
                __m512 row = _mm512_mask_i32gather_ps(_mm512_setzero_ps(), lanes, step, tile + i, 4);
                _mm512_mask_storeu_ps(to + (size_t)(r + i) * cols + c, lanes, row);
            }
        }
    }
}

WIDE static void dots_f32(float *to, const float *q, const float *keys, size_t stride, uint32_t n,
                          uint32_t width, float factor)
{
    for (uint32_t r = 0; r < n; r += 4) {
        const float *at = keys + r * stride;
        struct four f = four_rows(n - r, stride);
        __m512 sum[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
        for (uint32_t c = 0; c < width; c += lanes_n) {
            __mmask16 lanes = first_lanes(width - c);
            __m512 v = _mm512_maskz_loadu_ps(lanes, q + c);
            for (uint32_t i = 0; i < 4; i++) {
                sum[i] = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(lanes, at + f.row[i] + c), v, sum[i]);
            }
        }
        put_rows(to + r, _mm_mul_ps(sums_of(sum), _mm_set1_ps(factor)), n - r, false);
    }
}

/* 16 numbers of the result at a time; four sums, so that no product waits for another. */
WIDE static void mix_f32(float *to, const float *p, const float *values, size_t stride, uint32_t n,
                         uint32_t width, float factor)
{
    for (uint32_t c = 0; c < width; c += lanes_n) {
        __mmask16 lanes = first_lanes(width - c);
        const float *at = values + c;
        __m512 sum[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
        uint32_t r = 0;
        for (; n - r >= 4; r += 4) {
            for (uint32_t i = 0; i < 4; i++) {
                __m512 row = _mm512_maskz_loadu_ps(lanes, at + (r + i) * stride);
                sum[i] = _mm512_fmadd_ps(_mm512_set1_ps(p[r + i]), row, sum[i]);
            }
        }
        for (; r < n; r++) {
            __m512 row = _mm512_maskz_loadu_ps(lanes, at + r * stride);
            sum[0] = _mm512_fmadd_ps(_mm512_set1_ps(p[r]), row, sum[0]);
        }
        __m512 all = _mm512_add_ps(_mm512_add_ps(sum[0], sum[1]), _mm512_add_ps(sum[2], sum[3]));
        _mm512_mask_storeu_ps(to + c, lanes, _mm512_mul_ps(all, _mm512_set1_ps(factor)));
    }
}

const struct tare_kernels *tare_kernels_avx512(void)
{
    static const struct tare_kernels set = {
        .name = "avx512",
        .gemv_f32 = gemv_f32,
        .gemv_f16 = gemv_f16,
        .widen_f16 = widen_f16,
        .panels_f16 = panels_f16,
        .panels_bf16 = panels_bf16,
        .prepare = tare_avx512_prepare,
        .gemv_int8 = tare_avx512_gemv_int8,
        .gemv_int4 = tare_avx512_gemv_int4,
        .unpack_f16 = unpack_f16,
        .unpack_int8 = tare_avx512_unpack_int8,
        .unpack_int4 = tare_avx512_unpack_int4,
        .dots_f32 = dots_f32,
        .mix_f32 = mix_f32,
        .row_exp = tare_avx512_row_exp,
        .row_swiglu = tare_avx512_row_swiglu,
        .row_gelu = tare_avx512_row_gelu,
        .row_rmsnorm = tare_avx512_row_rmsnorm,
        .row_largest = tare_avx512_row_largest,
    };
    __builtin_cpu_init();
    bool can = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
               __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512vnni");
    return can ? &set : NULL;
}

#else

#include "kernels.h"

const struct tare_kernels *tare_kernels_avx512(void)
{
    return NULL;
}
#endif
