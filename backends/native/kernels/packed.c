/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packed kernels in plain C, and the choice of a set. Written for clearness; sums run in order. These do
 * no product with a zero that is not stored.
 */
#include "packed.h"

#include "widen.h"

#include <math.h>
#include <string.h>

enum { panel = TARE_PANEL_ROWS };

static void put(float *to, const float sum[panel], uint32_t n, bool add)
{
    for (uint32_t r = 0; r < n && r < panel; r++) {
        to[r] = add ? to[r] + sum[r] : sum[r];
    }
}

/* One column: as many values as bits. */
static const uint16_t *add_column(float sum[panel], uint32_t mask, const uint16_t *values, float x)
{
    for (; mask != 0; mask &= mask - 1) {
        sum[__builtin_ctz(mask)] += tare_widen_half(*values++) * x;
    }
    return values;
}

static void gemv_bitmap(float *to, const struct tare_bitmap *w, uint32_t row, uint32_t n, const float *x,
                        bool add)
{
    size_t pairs = tare_panels_pairs(w->cols);
    for (uint32_t r = 0; r < n; r += panel) {
        float sum[panel] = {0};
        size_t p = (row + r) / panel;
        const uint16_t *values = w->values + w->begin[p];
        for (uint32_t c = 0; c < w->cols; c++) {
            uint32_t mask = w->masks[p * pairs + c / 2] >> (16 * (c % 2)) & 0xffffu;
            values = add_column(sum, mask, values, x[c]);
        }
        put(to + r, sum, n - r, add);
    }
}

static void gemv_two_four(float *to, const struct tare_two_four *w, uint32_t row, uint32_t n, const float *x,
                          bool add)
{
    size_t blocks = (w->cols + 31) / 32;
    for (uint32_t r = 0; r < n; r += panel) {
        float sum[panel] = {0};
        size_t p = (row + r) / panel;
        const uint16_t *values = w->values + p * panel * (w->cols / 2);
        for (uint32_t slot = 0; slot < w->cols / 2; slot++, values += panel) {
            const uint32_t *places = w->places + (p * blocks + slot / 16) * panel;
            for (uint32_t i = 0; i < panel; i++) {
                uint32_t place = places[i] >> (2 * (slot % 16)) & 3u;
                sum[i] += tare_widen_half(values[i]) * x[slot / 2 * 4 + place];
            }
        }
        put(to + r, sum, n - r, add);
    }
}

void tare_packed_encode(const uint8_t codes[8], uint32_t bits, unsigned char *to)
{
    uint64_t word = 0;
    for (uint32_t i = 0; i < 8; i++) {
        word |= (uint64_t)codes[i] << (i * bits);
    }
    for (uint32_t i = 0; i < bits; i++) {
        to[i] = (unsigned char)(word >> (8 * i));
    }
}

/* One row of one group; its codes lie a panel's eights apart. */
static float dot_group(const struct tare_codes *w, const unsigned char *codes, float zero, const float *x)
{
    float sum = 0.0F;
    for (uint32_t c = 0; c < w->group; c += 8) {
        uint8_t code[8];
        tare_packed_decode(codes, w->bits, code);
        codes += (size_t)panel * w->bits;
        for (uint32_t i = 0; i < 8 && c + i < w->group; i++) {
            sum += (w->levels[code[i]] - zero) * x[c + i];
        }
    }
    return sum;
}

static void gemv_codes(float *to, const struct tare_codes *w, uint32_t row, uint32_t n, const float *x,
                       bool add)
{
    size_t groups = w->cols / w->group;
    size_t group_bytes = (size_t)(w->group + 7) / 8 * panel * w->bits;
    for (uint32_t r = 0; r < n; r += panel) {
        float sum[panel] = {0};
        for (size_t g = 0; g < groups; g++) {
            size_t at = (row + r) / panel * groups + g;
            for (uint32_t i = 0; i < panel; i++) {
                float zero = w->zeros ? (float)w->zeros[at * panel + i] : 0.0F;
                const unsigned char *codes = w->codes + at * group_bytes + (size_t)i * w->bits;
                sum[i] +=
                    tare_widen_half(w->scales[at * panel + i]) * dot_group(w, codes, zero, x + g * w->group);
            }
        }
        put(to + r, sum, n - r, add);
    }
}

/* The product with 127 / max, and ties to the even neighbour: every set does the same. */
static float round_int8(const float *x, uint32_t n, int8_t *to)
{
    float most = 0.0F;
    for (uint32_t i = 0; i < n; i++) {
        float size = fabsf(x[i]);
        most = size > most ? size : most;
    }
    float inverse = most > 0.0F ? 127.0F / most : 0.0F;
    for (uint32_t i = 0; i < n; i++) {
        float code = rintf(x[i] * inverse);
        code = code > -127.0F ? code : -127.0F; /* what is not a number, too */
        to[i] = (int8_t)(code < 127.0F ? code : 127.0F);
    }
    return most / 127.0F;
}

static void gemv_w8a8(float *to, const struct tare_w8 *w, uint32_t row, uint32_t n, const int8_t *x,
                      float x_scale, bool add)
{
    size_t cols = tare_panels_cols(w->cols);
    for (uint32_t r = 0; r < n; r += panel) {
        float sum[panel];
        for (uint32_t i = 0; i < panel; i++) {
            const int8_t *codes = w->codes + (row + r) * cols + (size_t)i * 4;
            int32_t dot = 0;
            for (size_t c = 0; c < cols; c++) {
                dot += codes[c / 4 * panel * 4 + c % 4] * x[c];
            }
            sum[i] = w->scales[row + r + i] * x_scale * (float)dot;
        }
        put(to + r, sum, n - r, add);
    }
}

const struct tare_packed tare_packed_portable = {
    .name = "portable",
    .skips_zeros = true,
    .gemv_bitmap = gemv_bitmap,
    .gemv_two_four = gemv_two_four,
    .gemv_codes = gemv_codes,
    .round_int8 = round_int8,
    .gemv_w8a8 = gemv_w8a8,
};

const struct tare_packed *tare_packed_find(const char *name)
{
    const struct tare_packed *avx512 = tare_packed_avx512();
    return avx512 && strcmp(name, avx512->name) == 0 ? avx512 : &tare_packed_portable;
}

const struct tare_packed *tare_packed_best(void)
{
    const struct tare_packed *avx512 = tare_packed_avx512();
    return avx512 ? avx512 : &tare_packed_portable;
}
