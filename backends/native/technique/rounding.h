/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rounding of weights to codes, without any data: the rules of the zoo's int8 and int4 and their
 * generalisation to other widths, groups and zero points.
 *
 * All arithmetic is float32 in one fixed order, so that the codes are the same everywhere. Scales are halves
 * but for int8 by row, where they are float32. Which layers are rounded, and to what, techniques decide.
 */
#ifndef TARE_NATIVE_ROUNDING_H
#define TARE_NATIVE_ROUNDING_H

#include "technique.h"

struct tare_rounding {
    uint32_t bits;   /* 2 to 8 */
    uint32_t group;  /* columns; 0: a whole row */
    bool asymmetric; /* codes from 0 with a zero point; else around the middle */
    bool search;     /* tries scales of 1, 0.95 .. 0.8 of the full one, keeps the least squared error */
};

/* Codes of one group of n numbers. zero: NULL when symmetric. */
void tare_round_group(const struct tare_rounding *how, const float *w, uint32_t n, uint8_t *codes,
                      uint16_t *scale, uint8_t *zero);
/* scale = max|w| (float)(1 / 127.0), code = w / scale to the nearest in -127 .. 127, ties to even. */
void tare_round_int8_row(const float *w, uint32_t n, int8_t *codes, float *scale);

/* The largest divisor of `columns` that is not above `most`. */
uint32_t tare_round_group_size(uint32_t columns, uint32_t most);

/* A layer of the name and shape of w that holds nothing. */
struct tare_linear tare_round_empty(const struct tare_linear *w);
/* Codes [out, in] and scales [out] of w by the rule above; free() both. */
TARE_MUST_CHECK int tare_round_int8_codes(const struct tare_linear *w, int8_t **codes, float **scales,
                                          struct tare_err *err);
/* Codes by some other rule, which returns the scale, a half, of n numbers that share it. */
struct tare_rounding_rule {
    uint32_t bits;
    uint32_t group;      /* columns; 0: a whole row */
    const float *levels; /* [2^bits], or NULL: linear around the middle */
    uint16_t (*round)(const float *w, uint32_t n, uint8_t *codes);
};

/* Fill `to`, an empty layer, with the codes of w. */
TARE_MUST_CHECK int tare_round_linear_by_rule(const struct tare_rounding_rule *rule,
                                              const struct tare_linear *w, struct tare_linear *to,
                                              struct tare_err *err);
TARE_MUST_CHECK int tare_round_linear(const struct tare_rounding *how, const struct tare_linear *w,
                                      struct tare_linear *to, struct tare_err *err);
TARE_MUST_CHECK int tare_round_linear_int8(const struct tare_linear *w, struct tare_linear *to,
                                           struct tare_err *err);

/* Puts `made` in the place of w if it is stored in fewer bytes, else frees it: a sparse layer may be smaller
 * than its dense codes. */
void tare_round_keep_smaller(struct tare_linear *w, struct tare_linear *made);
/* The embedding, which is also the head, to int8 by row. */
TARE_MUST_CHECK int tare_round_embedding(struct tare_treatment *treatment, struct tare_err *err);

#endif
