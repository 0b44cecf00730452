/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How packed matrices lie in memory: panels of 16 rows, so that a vector register holds one column of a
 * panel and a product needs no sum across a register.
 *
 * One layout for all instruction sets. Rows and columns that fill up a panel hold zeros. Packing and the
 * reading of single rows are plain C; the fast ways are in the kernels.
 */
#ifndef TARE_NATIVE_PANELS_H
#define TARE_NATIVE_PANELS_H

#include <stddef.h>
#include <stdint.h>

#define TARE_PANEL_ROWS 16u

static inline size_t tare_panels_rows(uint32_t rows)
{
    return ((size_t)rows + TARE_PANEL_ROWS - 1) / TARE_PANEL_ROWS * TARE_PANEL_ROWS;
}

/* Columns of int8 panels come in fours, those of bfloat16 in twos. */
static inline size_t tare_panels_cols(uint32_t cols)
{
    return ((size_t)cols + 3) / 4 * 4;
}

static inline size_t tare_panels_pairs(uint32_t cols)
{
    return ((size_t)cols + 1) / 2;
}

/* Halves: [panel][column][16 rows]. */
size_t tare_panels_f16_bytes(uint32_t rows, uint32_t cols);
void tare_panels_f16_pack(uint16_t *to, const uint16_t *from, uint32_t rows, uint32_t cols);
/* Row `row` widened. */
void tare_panels_f16_row(float *to, const uint16_t *panels, uint32_t row, uint32_t cols);

/* bfloat16: [panel][pair of columns][16 rows][2 columns]. */
size_t tare_panels_bf16_bytes(uint32_t rows, uint32_t cols);
void tare_panels_bf16_pack(uint16_t *to, const uint16_t *from, uint32_t rows, uint32_t cols);
void tare_panels_bf16_row(float *to, const uint16_t *panels, uint32_t row, uint32_t cols);

/* Codes -128 .. 127 as code + 128: [panel][four columns][16 rows][4 columns]. */
size_t tare_panels_int8_bytes(uint32_t rows, uint32_t cols);
void tare_panels_int8_pack(uint8_t *to, const int8_t *from, uint32_t rows, uint32_t cols);
void tare_panels_int8_row(int8_t *to, const uint8_t *panels, uint32_t row, uint32_t cols);

/* Codes 0 .. 15, cols a multiple of 32: [panel][eight columns][16 rows][4 bytes], byte j with column j in its
 * low and 4 + j in its high nibble; and their scales: [panel][32 columns][16 rows]. */
size_t tare_panels_int4_bytes(uint32_t rows, uint32_t cols);
void tare_panels_int4_pack(uint8_t *to, const uint8_t *from, uint32_t rows, uint32_t cols);
void tare_panels_int4_row(uint8_t *to, const uint8_t *panels, uint32_t row, uint32_t cols);
size_t tare_panels_int4_scales(uint32_t rows, uint32_t cols); /* halves */
void tare_panels_int4_pack_scales(uint16_t *to, const uint16_t *from, uint32_t rows, uint32_t cols);
static inline size_t tare_panels_int4_scale_at(uint32_t row, uint32_t group, uint32_t cols)
{
    return ((size_t)(row / TARE_PANEL_ROWS) * (cols / 32) + group) * TARE_PANEL_ROWS + row % TARE_PANEL_ROWS;
}

#endif
