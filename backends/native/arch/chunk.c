/* SPDX-License-Identifier: Apache-2.0 */
/* Tiles of rows, so that of the half that no row may see only the corner of a tile is multiplied. */
#include "chunk.h"

#include "rowmath.h"

#include <cblas.h>
#include <string.h>

#define TILE 64u

static uint32_t tile_of(uint32_t n)
{
    return n < TILE ? n : TILE;
}

/* Not a power of two, or the rows would share a few sets of the cache. */
static size_t stride_of(uint32_t n)
{
    return ((size_t)n + 15) / 16 * 16 + 16;
}

size_t tare_chunk_floats(uint32_t n)
{
    return tile_of(n) * stride_of(n);
}

/* Rows from .. to-1. */
static void add_tile(const struct tare_chunk *c, uint32_t from, uint32_t to)
{
    int rows = (int)(to - from);
    int stride = (int)stride_of(c->n);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, (int)to, (int)c->width, 1.0F,
                c->q + (size_t)from * c->qk_stride, (int)c->qk_stride, c->k, (int)c->qk_stride, 0.0F,
                c->scores, stride);
    for (uint32_t i = from; i < to; i++) {
        float *row = c->scores + (size_t)(i - from) * (size_t)stride;
        tare_row_multiply(row, c->weights - i, i + 1);
        memset(row + i + 1, 0, (to - i - 1) * sizeof *row);
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, (int)c->v_width, (int)to, 1.0F, c->scores,
                stride, c->v, (int)c->v_stride, 1.0F, c->out + (size_t)from * c->v_stride, (int)c->v_stride);
}

void tare_chunk_add(const struct tare_chunk *chunk)
{
    for (uint32_t from = 0; from < chunk->n; from += TILE) {
        add_tile(chunk, from, chunk->n - from < TILE ? chunk->n : from + TILE);
    }
}
