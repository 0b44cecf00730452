/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernels in plain C: what every machine can run, and what the others are tested against. Written for
 * clearness; sums run in order, and what is prepared of a vector is the vector itself.
 */
#include "kernels.h"
#include "panels.h"

#include "widen.h"

#include <string.h>

static void put(float *to, float value, bool add)
{
    *to = add ? *to + value : value;
}

static void gemv_f32(float *to, const float *w, uint32_t rows, uint32_t cols, const float *x, bool add)
{
    for (uint32_t r = 0; r < rows; r++) {
        const float *row = w + (size_t)r * cols;
        float sum = 0.0F;
        for (uint32_t c = 0; c < cols; c++) {
            sum += row[c] * x[c];
        }
        put(to + r, sum, add);
    }
}

static void gemv_f16(float *to, const uint16_t *w, uint32_t rows, uint32_t cols, const float *x, bool add)
{
    for (uint32_t r = 0; r < rows; r++) {
        const uint16_t *row = w + (size_t)r * cols;
        float sum = 0.0F;
        for (uint32_t c = 0; c < cols; c++) {
            sum += tare_widen_half(row[c]) * x[c];
        }
        put(to + r, sum, add);
    }
}

static void widen_f16(float *to, const uint16_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = tare_widen_half(from[i]);
    }
}

static float bfloat(uint16_t half)
{
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The first number of a row in panels whose rows have `steps` steps of `per` numbers. */
static size_t first_of(uint32_t row, size_t steps, size_t per)
{
    return (row / TARE_PANEL_ROWS * steps * TARE_PANEL_ROWS + row % TARE_PANEL_ROWS) * per;
}

static void panels_f16(const struct tare_vectors *v, const uint16_t *panels, uint32_t rows, uint32_t cols)
{
    for (uint32_t i = 0; i < v->n; i++) {
        const float *x = v->x + i * v->x_stride;
        for (uint32_t r = 0; r < rows; r++) {
            const uint16_t *row = panels + first_of(r, cols, 1);
            float sum = 0.0F;
            for (uint32_t c = 0; c < cols; c++) {
                sum += tare_widen_half(row[(size_t)c * TARE_PANEL_ROWS]) * x[c];
            }
            put(v->to + i * v->to_stride + r, sum, v->add);
        }
    }
}

static void panels_bf16(const struct tare_vectors *v, const uint16_t *panels, uint32_t rows, uint32_t cols)
{
    for (uint32_t i = 0; i < v->n; i++) {
        const float *x = v->x + i * v->x_stride;
        for (uint32_t r = 0; r < rows; r++) {
            const uint16_t *row = panels + first_of(r, tare_panels_pairs(cols), 2);
            float sum = 0.0F;
            for (uint32_t c = 0; c < cols; c++) {
                sum += bfloat(row[(size_t)(c / 2) * 2 * TARE_PANEL_ROWS + c % 2]) * x[c];
            }
            put(v->to + i * v->to_stride + r, sum, v->add);
        }
    }
}

static void prepare(void *prepared, const float *x, uint32_t cols)
{
    memcpy(prepared, x, (size_t)cols * sizeof *x);
}

static void gemv_int8(float *to, const uint8_t *panels, const float *scales, uint32_t rows, uint32_t cols,
                      const void *prepared, bool add)
{
    const float *x = prepared;
    for (uint32_t r = 0; r < rows; r++) {
        const uint8_t *row = panels + first_of(r, tare_panels_cols(cols) / 4, 4);
        float sum = 0.0F;
        for (uint32_t c = 0; c < cols; c++) {
            sum += (float)(row[(size_t)(c / 4) * 4 * TARE_PANEL_ROWS + c % 4] - 128) * x[c];
        }
        put(to + r, sum * scales[r], add);
    }
}

/* Eight columns from one step of a row of nibbles. */
static float eight_of_int4(const uint8_t *at, const float *x)
{
    float sum = 0.0F;
    for (uint32_t j = 0; j < 4; j++) {
        sum += (float)((int)(at[j] & 15u) - 8) * x[j] + (float)((at[j] >> 4) - 8) * x[4 + j];
    }
    return sum;
}

static void gemv_int4(float *to, const uint8_t *panels, const uint16_t *scales, uint32_t rows, uint32_t cols,
                      const void *prepared, bool add)
{
    const float *x = prepared;
    for (uint32_t r = 0; r < rows; r++) {
        const uint8_t *row = panels + first_of(r, cols / 8, 4);
        float sum = 0.0F;
        for (uint32_t g = 0; g < cols / 32; g++) {
            float part = 0.0F;
            for (uint32_t c = g * 32; c < (g + 1) * 32; c += 8) {
                part += eight_of_int4(row + (size_t)(c / 8) * 4 * TARE_PANEL_ROWS, x + c);
            }
            sum += part * tare_widen_half(scales[tare_panels_int4_scale_at(r, g, cols)]);
        }
        put(to + r, sum, add);
    }
}

static void unpack_f16(float *to, const uint16_t *panels, uint32_t rows, uint32_t cols)
{
    for (uint32_t r = 0; r < rows; r++) {
        const uint16_t *row = panels + first_of(r, cols, 1);
        for (uint32_t c = 0; c < cols; c++) {
            to[(size_t)r * cols + c] = tare_widen_half(row[(size_t)c * TARE_PANEL_ROWS]);
        }
    }
}

static void unpack_int8(float *to, const uint8_t *panels, const float *scales, uint32_t rows, uint32_t cols)
{
    for (uint32_t r = 0; r < rows; r++) {
        const uint8_t *row = panels + first_of(r, tare_panels_cols(cols) / 4, 4);
        for (uint32_t c = 0; c < cols; c++) {
            int code = row[(size_t)(c / 4) * 4 * TARE_PANEL_ROWS + c % 4] - 128;
            to[(size_t)r * cols + c] = (float)code * scales[r];
        }
    }
}

static void unpack_int4(float *to, const uint8_t *panels, const uint16_t *scales, uint32_t rows,
                        uint32_t cols)
{
    for (uint32_t r = 0; r < rows; r++) {
        const uint8_t *row = panels + first_of(r, cols / 8, 4);
        for (uint32_t c = 0; c < cols; c++) {
            uint8_t byte = row[(size_t)(c / 8) * 4 * TARE_PANEL_ROWS + c % 4];
            int code = (c % 8 < 4 ? byte & 15 : byte >> 4) - 8;
            float scale = tare_widen_half(scales[tare_panels_int4_scale_at(r, c / 32, cols)]);
            to[(size_t)r * cols + c] = (float)code * scale;
        }
    }
}

static void dots_f32(float *to, const float *q, const float *keys, size_t stride, uint32_t n, uint32_t width,
                     float factor)
{
    for (uint32_t i = 0; i < n; i++) {
        const float *key = keys + i * stride;
        float sum = 0.0F;
        for (uint32_t c = 0; c < width; c++) {
            sum += q[c] * key[c];
        }
        to[i] = sum * factor;
    }
}

static void mix_f32(float *to, const float *p, const float *values, size_t stride, uint32_t n, uint32_t width,
                    float factor)
{
    for (uint32_t c = 0; c < width; c++) {
        float sum = 0.0F;
        for (uint32_t i = 0; i < n; i++) {
            sum += p[i] * values[i * stride + c];
        }
        to[c] = sum * factor;
    }
}

const struct tare_kernels tare_kernels_portable = {
    .name = "portable",
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
