/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inner loops of the storages that kernels.h leaves out: bitmaps, 2:4, codes by group, and int8 by int8.
 *
 * All lie in panels of 16 rows (see panels.h), the last one filled up, so that a vector register holds one
 * column of a panel. packed.c is plain C, runs everywhere and is the oracle of the others; sets go by the
 * names that those of kernels.h have. Each function is pure: no allocation, no state, no threads. x is
 * float32 [cols], `row` is a multiple of 16, `add` means += instead of =.
 */
#ifndef TARE_NATIVE_PACKED_H
#define TARE_NATIVE_PACKED_H

#include "panels.h"

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Bytes that must be readable behind the last value or code of a matrix. */
#define TARE_PACKED_SLACK 128u

/* Values of a panel follow each other column by column, in a column row by row. Of a mask, bit r says whether
 * row r has a value in the first of two columns, bit 16 + r in the second. */
struct tare_bitmap {
    const uint32_t *masks;  /* [panel][pair of columns] */
    const uint16_t *values; /* halves */
    const uint32_t *begin;  /* of the values of each panel; [panels + 1] */
    uint32_t cols;
};

/* Two halves for each 4 columns; their places among the 4 in 2 bits each, of 8 groups in one number, lowest
 * bits first. */
struct tare_two_four {
    const uint16_t *values; /* [panel][4 columns][2][16 rows] */
    const uint32_t *places; /* [panel][32 columns][16 rows] */
    uint32_t cols;          /* a multiple of 4 */
};

/* Codes of `bits` bits, 8 of a row in `bits` bytes, lowest bits first. w = (levels[code] - zero) * scale. */
struct tare_codes {
    const unsigned char *codes; /* [panel][group][8 columns][16 rows][bits] */
    const uint16_t *scales;     /* halves [panel][group][16 rows] */
    const uint8_t *zeros;       /* [panel][group][16 rows], or NULL: all 0 */
    const float *levels;        /* [256] */
    bool linear;                /* levels[code] = levels[0] + code */
    uint32_t bits;              /* 1 to 8 */
    uint32_t group;
    uint32_t cols; /* a multiple of group */
};

/* int8 in -127 .. 127, 4 columns of a row together. w = code * scale. */
struct tare_w8 {
    const int8_t *codes; /* [panel][4 columns][16 rows][4]; the last columns filled up with 0 */
    const float *scales; /* [panel][16 rows] */
    const int32_t *sums; /* [panel][16 rows]: of the codes of a row */
    uint32_t cols;
};

struct tare_packed {
    const char *name;
    bool skips_zeros; /* gemv_bitmap multiplies stored values only; else whole vectors, zeros among them */
    /* Rows row .. row+n-1 into to[0 .. n). */
    void (*gemv_bitmap)(float *to, const struct tare_bitmap *w, uint32_t row, uint32_t n, const float *x,
                        bool add);
    void (*gemv_two_four)(float *to, const struct tare_two_four *w, uint32_t row, uint32_t n, const float *x,
                          bool add);
    void (*gemv_codes)(float *to, const struct tare_codes *w, uint32_t row, uint32_t n, const float *x,
                       bool add);
    /* Rounds n numbers to -127 .. 127 by the largest and returns their scale, 0 where all are 0. */
    float (*round_int8)(const float *x, uint32_t n, int8_t *to);
    /* to[r] = scale[r] * x_scale * (codes[r, :] . x), the sum in int32; x lies in -127 .. 127, filled up with
     * 0 to a multiple of 4. */
    void (*gemv_w8a8)(float *to, const struct tare_w8 *w, uint32_t row, uint32_t n, const int8_t *x,
                      float x_scale, bool add);
};

extern const struct tare_packed tare_packed_portable;
/* NULL if this machine or this build has it not. */
const struct tare_packed *tare_packed_avx512(void);

/* The set named, or the portable one if this machine or this build has it not. */
const struct tare_packed *tare_packed_find(const char *name);
/* The fastest that this machine has. */
const struct tare_packed *tare_packed_best(void);

/* The 8 codes of `bits` bytes, of which 8 are readable; and back. */
static inline void tare_packed_decode(const unsigned char *codes, uint32_t bits, uint8_t to[8])
{
    uint64_t word;
    memcpy(&word, codes, sizeof word);
    word = le64toh(word);
    for (uint32_t i = 0; i < 8; i++) {
        to[i] = (uint8_t)(word >> (i * bits) & ((1u << bits) - 1));
    }
}
void tare_packed_encode(const uint8_t codes[8], uint32_t bits, unsigned char *to);

#endif
