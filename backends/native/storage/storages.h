/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constructors of the storages, for techniques. Each takes W in some form and fills an empty linear layer
 * (name and shape set); the layer owns what is made. `err` is set when memory runs out.
 */
#ifndef TARE_NATIVE_STORAGES_H
#define TARE_NATIVE_STORAGES_H

#include "linear.h"

/* float32 [out, in], copied. */
TARE_MUST_CHECK int tare_storage_f32(struct tare_linear *w, const float *dense, struct tare_err *err);
/* Rounded to halves. */
TARE_MUST_CHECK int tare_storage_f16(struct tare_linear *w, const float *dense, struct tare_err *err);

/* Codes [out, in] with scales [out], w = code * scale: the zoo's int8. */
TARE_MUST_CHECK int tare_storage_int8(struct tare_linear *w, const int8_t *codes, const float *scales,
                                      struct tare_err *err);
/* Codes 0 .. 15 [out, in], scales as halves [out, in / 32], w = (code - 8) * scale: the zoo's int4. */
TARE_MUST_CHECK int tare_storage_int4(struct tare_linear *w, const uint8_t *codes, const uint16_t *scales,
                                      struct tare_err *err);
/* Any other code of at most 8 bits by groups along a row. */
struct tare_grouped {
    uint32_t bits;          /* 1 to 8; packed densely, groups start on a byte */
    uint32_t group;         /* columns; divides `in` */
    const uint8_t *codes;   /* [out, in], each below 2^bits */
    const uint16_t *scales; /* halves [out, in / group] */
    const uint8_t *zeros; /* [out, in / group], w = (code - zero) * scale; NULL: with levels, or the middle */
    const float *levels;  /* 2^bits numbers, w = levels[code] * scale; NULL: codes are linear */
};
TARE_MUST_CHECK int tare_storage_grouped(struct tare_linear *w, const struct tare_grouped *how,
                                         struct tare_err *err);
/* int8 weights as above, multiplied with activations that are rounded to int8 per token. */
TARE_MUST_CHECK int tare_storage_w8a8(struct tare_linear *w, const int8_t *codes, const float *scales,
                                      struct tare_err *err);
/* The zoo's sparse bitmap: what is not zero in dense [out, in] is stored as halves. */
TARE_MUST_CHECK int tare_storage_bitmap(struct tare_linear *w, const float *dense, struct tare_err *err);
/* Two values and two 2-bit places in each 4 columns; dense has at most 2 of 4 that are not zero. */
TARE_MUST_CHECK int tare_storage_two_four(struct tare_linear *w, const float *dense, struct tare_err *err);
/* W = B A with a [rank, in], b [out, rank], stored as halves. */
TARE_MUST_CHECK int tare_storage_low_rank(struct tare_linear *w, uint32_t rank, const float *a,
                                          const float *b, struct tare_err *err);
/* W = W1 + W2 of the same shape; takes over what both hold. */
TARE_MUST_CHECK int tare_storage_sum(struct tare_linear *w, struct tare_linear *first,
                                     struct tare_linear *second, struct tare_err *err);

/* tare_stored_NAME for each storage in the list in meson.build. */
#define X(name) extern const struct tare_storage tare_stored_##name;
#include "native_storages.inc"
#undef X

/* All of them, NULL-terminated. */
extern const struct tare_storage *const tare_storages[];

#endif
