/* SPDX-License-Identifier: Apache-2.0 */
/* Where each number of a packed matrix lies, and the loops that put it there or fetch it. */
#include "panels.h"

#include "widen.h"

#include <string.h>

/* Start of the panel that holds `row`, and its place in there, in numbers of `per` of which a row has
 * `steps`. */
static size_t place(uint32_t row, size_t step, size_t steps, size_t per)
{
    return ((row / TARE_PANEL_ROWS * steps + step) * TARE_PANEL_ROWS + row % TARE_PANEL_ROWS) * per;
}

size_t tare_panels_f16_bytes(uint32_t rows, uint32_t cols)
{
    return tare_panels_rows(rows) * cols * sizeof(uint16_t);
}

void tare_panels_f16_pack(uint16_t *to, const uint16_t *from, uint32_t rows, uint32_t cols)
{
    memset(to, 0, tare_panels_f16_bytes(rows, cols));
    for (uint32_t r = 0; r < rows; r++) {
        for (uint32_t c = 0; c < cols; c++) {
            to[place(r, c, cols, 1)] = from[(size_t)r * cols + c];
        }
    }
}

void tare_panels_f16_row(float *to, const uint16_t *panels, uint32_t row, uint32_t cols)
{
    const uint16_t *at = panels + place(row, 0, cols, 1);
    for (uint32_t c = 0; c < cols; c++) {
        to[c] = tare_widen_half(at[(size_t)c * TARE_PANEL_ROWS]);
    }
}

size_t tare_panels_bf16_bytes(uint32_t rows, uint32_t cols)
{
    return tare_panels_rows(rows) * tare_panels_pairs(cols) * 2 * sizeof(uint16_t);
}

void tare_panels_bf16_pack(uint16_t *to, const uint16_t *from, uint32_t rows, uint32_t cols)
{
    memset(to, 0, tare_panels_bf16_bytes(rows, cols));
    for (uint32_t r = 0; r < rows; r++) {
        for (uint32_t c = 0; c < cols; c++) {
            to[place(r, c / 2, tare_panels_pairs(cols), 2) + c % 2] = from[(size_t)r * cols + c];
        }
    }
}

void tare_panels_bf16_row(float *to, const uint16_t *panels, uint32_t row, uint32_t cols)
{
    for (uint32_t c = 0; c < cols; c++) {
        uint32_t bits = (uint32_t)panels[place(row, c / 2, tare_panels_pairs(cols), 2) + c % 2] << 16;
        memcpy(to + c, &bits, sizeof bits);
    }
}

size_t tare_panels_int8_bytes(uint32_t rows, uint32_t cols)
{
    return tare_panels_rows(rows) * tare_panels_cols(cols);
}

void tare_panels_int8_pack(uint8_t *to, const int8_t *from, uint32_t rows, uint32_t cols)
{
    memset(to, 128, tare_panels_int8_bytes(rows, cols));
    for (uint32_t r = 0; r < rows; r++) {
        for (uint32_t c = 0; c < cols; c++) {
            /* code + 128: the sign bit the other way round */
            uint8_t code = (uint8_t)from[(size_t)r * cols + c];
            to[place(r, c / 4, tare_panels_cols(cols) / 4, 4) + c % 4] = code ^ 0x80u;
        }
    }
}

void tare_panels_int8_row(int8_t *to, const uint8_t *panels, uint32_t row, uint32_t cols)
{
    for (uint32_t c = 0; c < cols; c++) {
        to[c] = (int8_t)(panels[place(row, c / 4, tare_panels_cols(cols) / 4, 4) + c % 4] - 128);
    }
}

size_t tare_panels_int4_bytes(uint32_t rows, uint32_t cols)
{
    return tare_panels_rows(rows) * cols / 2;
}

void tare_panels_int4_pack(uint8_t *to, const uint8_t *from, uint32_t rows, uint32_t cols)
{
    memset(to, 0x88, tare_panels_int4_bytes(rows, cols));
    for (uint32_t r = 0; r < rows; r++) {
        const uint8_t *row = from + (size_t)r * cols;
        for (uint32_t c = 0; c < cols; c += 8) {
            uint8_t *at = to + place(r, c / 8, cols / 8, 4);
            for (uint32_t j = 0; j < 4; j++) {
                at[j] = (uint8_t)((row[c + j] & 15u) | (row[c + 4 + j] & 15u) << 4);
            }
        }
    }
}

void tare_panels_int4_row(uint8_t *to, const uint8_t *panels, uint32_t row, uint32_t cols)
{
    for (uint32_t c = 0; c < cols; c += 8) {
        const uint8_t *at = panels + place(row, c / 8, cols / 8, 4);
        for (uint32_t j = 0; j < 4; j++) {
            to[c + j] = at[j] & 15u;
            to[c + 4 + j] = at[j] >> 4;
        }
    }
}

size_t tare_panels_int4_scales(uint32_t rows, uint32_t cols)
{
    return tare_panels_rows(rows) * (cols / 32);
}

void tare_panels_int4_pack_scales(uint16_t *to, const uint16_t *from, uint32_t rows, uint32_t cols)
{
    memset(to, 0, tare_panels_int4_scales(rows, cols) * sizeof *to);
    for (uint32_t r = 0; r < rows; r++) {
        for (uint32_t g = 0; g < cols / 32; g++) {
            to[tare_panels_int4_scale_at(r, g, cols)] = from[(size_t)r * (cols / 32) + g];
        }
    }
}
