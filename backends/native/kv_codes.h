/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inner loops over keys and values that are kept as codes: one head's part of many rows, in plain C and, on
 * x86-64, for registers of 8 numbers. Pure functions; which set this machine gets is asked once.
 */
#ifndef TARE_NATIVE_KV_CODES_H
#define TARE_NATIVE_KV_CODES_H

#include <stddef.h>
#include <stdint.h>

/* Codes and float16 scales of row r lie r * stride bytes on. Of 4 bits, element i has the low half of byte i
 * and element i + width / 2 the high one, each 8 more than its value. */
struct tare_kv_strip {
    const unsigned char *codes;
    const unsigned char *scales;
    size_t stride;
    uint32_t width;
    uint32_t n; /* rows */
};

struct tare_kv_codes {
    const char *name;
    /* to[r] = scale of r * (x . codes of r) */
    void (*dots_int8)(float *to, const struct tare_kv_strip *s, const float *x);
    void (*dots_int4)(float *to, const struct tare_kv_strip *s, const float *x);
    /* to = sum of weights[r] * codes of r; the scales are in the weights. */
    void (*mix_int8)(float *to, const struct tare_kv_strip *s, const float *weights);
    void (*mix_int4)(float *to, const struct tare_kv_strip *s, const float *weights);
};

extern const struct tare_kv_codes tare_kv_codes_portable;
/* NULL if this machine or this build has it not. */
const struct tare_kv_codes *tare_kv_codes_avx2(void);
const struct tare_kv_codes *tare_kv_codes_best(void);

#endif
