/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of keys and values, packed and unpacked. Codes are symmetric: x = code * scale with scale = the
 * largest magnitude over 127 or 7, rounded to float16 first, so that what is stored is what is used.
 * Two 4-bit codes share a byte: element i the low half, element i + head_dim / 2 the high one.
 */
#include "kv.h"

#include "kv_codes.h"
#include "widen.h"

#include <math.h>
#include <string.h>

#define HALF_LARGEST 0x7bffu /* 65504 */

/* Where the parts of one head lie in a row of codes. */
struct place {
    uint16_t *scale;
    unsigned char *codes;
};

static size_t code_bytes(const struct tare_kv *kv)
{
    return (size_t)kv->head_dim * kv->how.bits / 8;
}

size_t tare_kv_row_bytes(const struct tare_kv *kv)
{
    if (kv->how.bits == 0) {
        return (size_t)2 * kv->n_heads * kv->head_dim * sizeof(float);
    }
    return 2 * kv->n_heads * (sizeof(uint16_t) + code_bytes(kv));
}

uint32_t tare_kv_rows(const struct tare_kv *kv, uint32_t n_tokens)
{
    uint32_t most = kv->how.sinks + kv->how.window;
    return kv->how.window == 0 || n_tokens < most ? n_tokens : most;
}

uint32_t tare_kv_row_of(const struct tare_kv *kv, uint32_t position)
{
    if (kv->how.window == 0 || position < kv->how.sinks) {
        return position;
    }
    return kv->how.sinks + (position - kv->how.sinks) % kv->how.window;
}

bool tare_kv_in_place(const struct tare_kv *kv, uint32_t start, uint32_t n)
{
    bool evicts = kv->how.window > 0 && start + n > kv->how.sinks + kv->how.window;
    return kv->how.bits == 0 && (n == 1 || !evicts);
}

/* The scales come first, so that they are aligned. `values`: 0 for the key, 1 for the value. */
static struct place place_of(const struct tare_kv *kv, const unsigned char *state, uint32_t row,
                             uint32_t head, uint32_t values)
{
    unsigned char *at = (unsigned char *)(uintptr_t)state + row * tare_kv_row_bytes(kv);
    uint32_t index = values * kv->n_heads + head;
    return (struct place){
        .scale = (uint16_t *)(void *)at + index,
        .codes = at + 2 * kv->n_heads * sizeof(uint16_t) + index * code_bytes(kv),
    };
}

static float *floats_of(const struct tare_kv *kv, const unsigned char *state, uint32_t row, uint32_t head)
{
    unsigned char *at = (unsigned char *)(uintptr_t)state + row * tare_kv_row_bytes(kv);
    return (float *)(void *)at + (size_t)head * kv->head_dim;
}

/* The float16 that x[n] is scaled by; 0 when all of x is too small for one. */
static uint16_t scale_of(const float *x, uint32_t n, int most)
{
    float largest = 0.0F;
    for (uint32_t i = 0; i < n; i++) {
        largest = fabsf(x[i]) > largest ? fabsf(x[i]) : largest;
    }
    uint16_t half = tare_narrow_half(largest / (float)most);
    return half > HALF_LARGEST ? HALF_LARGEST : half;
}

static int code_of(float x, float scale, int most)
{
    float code = scale > 0.0F ? rintf(x / scale) : 0.0F;
    return code > (float)most ? most : code < (float)-most ? -most : (int)code;
}

static void put_codes(const struct tare_kv *kv, struct place to, const float *x)
{
    int most = kv->how.bits == 8 ? 127 : 7;
    uint32_t half = kv->head_dim / 2;
    *to.scale = scale_of(x, kv->head_dim, most);
    float scale = tare_widen_half(*to.scale);
    if (kv->how.bits == 8) {
        for (uint32_t i = 0; i < kv->head_dim; i++) {
            to.codes[i] = (unsigned char)code_of(x[i], scale, most);
        }
        return;
    }
    for (uint32_t i = 0; i < half; i++) {
        unsigned low = (unsigned)(code_of(x[i], scale, most) + 8);
        unsigned high = (unsigned)(code_of(x[half + i], scale, most) + 8);
        to.codes[i] = (unsigned char)(low | high << 4);
    }
}

void tare_kv_put(const struct tare_kv *kv, unsigned char *state, uint32_t row, uint32_t head,
                 const float *key, const float *value)
{
    if (kv->how.bits > 0) {
        put_codes(kv, place_of(kv, state, row, head, 0), key);
        put_codes(kv, place_of(kv, state, row, head, 1), value);
        return;
    }
    float *to = floats_of(kv, state, row, head);
    memcpy(to, key, kv->head_dim * sizeof *to);
    memcpy(to + (size_t)kv->n_heads * kv->head_dim, value, kv->head_dim * sizeof *to);
}

/* The codes of one head times their scale. */
static void get_codes(const struct tare_kv *kv, struct place from, float *to)
{
    float scale = tare_widen_half(*from.scale);
    uint32_t half = kv->head_dim / 2;
    for (uint32_t i = 0; kv->how.bits == 8 && i < kv->head_dim; i++) {
        to[i] = (float)((const signed char *)from.codes)[i] * scale;
    }
    for (uint32_t i = 0; kv->how.bits != 8 && i < half; i++) {
        to[i] = (float)((from.codes[i] & 15) - 8) * scale;
        to[half + i] = (float)((from.codes[i] >> 4) - 8) * scale;
    }
}

void tare_kv_get(const struct tare_kv *kv, const unsigned char *state, uint32_t row, uint32_t n,
                 uint32_t head, float *keys, float *values)
{
    size_t w = (size_t)kv->n_heads * kv->head_dim;
    for (uint32_t i = 0; i < n; i++, keys += kv->head_dim, values += kv->head_dim) {
        if (kv->how.bits > 0) {
            get_codes(kv, place_of(kv, state, row + i, head, 0), keys);
            get_codes(kv, place_of(kv, state, row + i, head, 1), values);
        } else {
            const float *from = floats_of(kv, state, row + i, head);
            memcpy(keys, from, kv->head_dim * sizeof *keys);
            memcpy(values, from + w, kv->head_dim * sizeof *values);
        }
    }
}

static struct tare_kv_strip strip_of(const struct tare_kv *kv, const unsigned char *state, uint32_t n,
                                     uint32_t head, uint32_t values)
{
    struct place first = place_of(kv, state, 0, head, values);
    return (struct tare_kv_strip){.codes = first.codes,
                                  .scales = (const unsigned char *)first.scale,
                                  .stride = tare_kv_row_bytes(kv),
                                  .width = kv->head_dim,
                                  .n = n};
}

void tare_kv_score(const struct tare_kv *kv, const unsigned char *state, uint32_t n, uint32_t head,
                   const float *query, float *scores)
{
    struct tare_kv_strip keys = strip_of(kv, state, n, head, 0);
    if (kv->how.bits == 8) {
        tare_kv_codes_best()->dots_int8(scores, &keys, query);
    } else {
        tare_kv_codes_best()->dots_int4(scores, &keys, query);
    }
}

void tare_kv_mix(const struct tare_kv *kv, const unsigned char *state, uint32_t n, uint32_t head,
                 float *weights, float *out)
{
    struct tare_kv_strip values = strip_of(kv, state, n, head, 1);
    for (uint32_t row = 0; row < n; row++) {
        weights[row] *= tare_widen_half(*place_of(kv, state, row, head, 1).scale);
    }
    if (kv->how.bits == 8) {
        tare_kv_codes_best()->mix_int8(out, &values, weights);
    } else {
        tare_kv_codes_best()->mix_int4(out, &values, weights);
    }
}
