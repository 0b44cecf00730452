/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A matrix in codes on its way into a storage, for techniques that choose codes by what the matrix meets.
 *
 * Grids are those of rounding.h, so that GPTQ and AWQ differ from plain rounding in how they choose codes
 * and in nothing else. 8 bits by whole rows, symmetric, are the zoo's int8; all else has scales in halves.
 */
#ifndef TARE_NATIVE_QUANTIZED_H
#define TARE_NATIVE_QUANTIZED_H

#include "rounding.h"

/* w = (code - zero) * scale */
struct tare_grid {
    float scale; /* > 0 */
    float zero;
    float least; /* code */
    float most;
};

static inline float tare_grid_code(const struct tare_grid *grid, float w)
{
    float code = __builtin_rintf(w / grid->scale) + grid->zero;
    code = code > grid->least ? code : grid->least;
    return code < grid->most ? code : grid->most;
}

static inline float tare_grid_value(const struct tare_grid *grid, float code)
{
    return (code - grid->zero) * grid->scale;
}

/* The grid that plain rounding would give n numbers; `work` holds n bytes. */
void tare_grid_fit(const struct tare_rounding *how, const float *w, uint32_t n, uint8_t *work,
                   struct tare_grid *out);

struct tare_quantized {
    struct tare_rounding how;
    uint32_t columns;        /* of a group */
    uint32_t groups;         /* in a row */
    uint8_t *codes;          /* owned, [out, in] */
    struct tare_grid *grids; /* owned, [out, groups] */
    uint8_t *work;           /* owned, [in] */
};

/* For codes of a matrix of w's shape. group, which how's own gives way to: columns, 0 for whole rows, -1 for
 * whole rows of 8 bits and else the largest divisor up to 32; refused where it does not divide the rows. */
TARE_MUST_CHECK int tare_quantized_open(struct tare_quantized *q, const struct tare_rounding *how,
                                        int64_t group, const struct tare_linear *w, struct tare_err *err);
void tare_quantized_close(struct tare_quantized *q);
/* Fits the grid of group `group` of row `row` to its numbers. */
void tare_quantized_fit(struct tare_quantized *q, uint32_t row, uint32_t group, const float *w);
/* Fits all grids and rounds dense [out, in] to them. */
void tare_quantized_round(struct tare_quantized *q, const struct tare_linear *w, const float *dense);
/* Rounds to the grids as they are. */
void tare_quantized_code(struct tare_quantized *q, const struct tare_linear *w, const float *dense);
/* The numbers that the codes stand for. */
void tare_quantized_values(const struct tare_quantized *q, const struct tare_linear *w, float *to);
/* Puts the codes in place of w's storage. */
TARE_MUST_CHECK int tare_quantized_store(const struct tare_quantized *q, struct tare_linear *w,
                                         struct tare_err *err);

#endif
