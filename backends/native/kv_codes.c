/* SPDX-License-Identifier: Apache-2.0 */
/* The loops in plain C, by which the others are judged, and the choice. */
#include "kv_codes.h"

#include "widen.h"

#include <stdatomic.h>
#include <string.h>

static float scale_at(const struct tare_kv_strip *s, uint32_t row)
{
    uint16_t half;
    memcpy(&half, s->scales + row * s->stride, sizeof half);
    return tare_widen_half(half);
}

static int low_of(unsigned char code)
{
    return (code & 15) - 8;
}

static int high_of(unsigned char code)
{
    return (code >> 4) - 8;
}

static void dots_int8(float *to, const struct tare_kv_strip *s, const float *x)
{
    for (uint32_t row = 0; row < s->n; row++) {
        const signed char *codes = (const signed char *)s->codes + row * s->stride;
        float sum = 0.0F;
        for (uint32_t i = 0; i < s->width; i++) {
            sum += x[i] * (float)codes[i];
        }
        to[row] = scale_at(s, row) * sum;
    }
}

static void dots_int4(float *to, const struct tare_kv_strip *s, const float *x)
{
    uint32_t half = s->width / 2;
    for (uint32_t row = 0; row < s->n; row++) {
        const unsigned char *codes = s->codes + row * s->stride;
        float sum = 0.0F;
        for (uint32_t i = 0; i < half; i++) {
            sum += x[i] * (float)low_of(codes[i]) + x[half + i] * (float)high_of(codes[i]);
        }
        to[row] = scale_at(s, row) * sum;
    }
}

static void mix_int8(float *to, const struct tare_kv_strip *s, const float *weights)
{
    memset(to, 0, s->width * sizeof *to);
    for (uint32_t row = 0; row < s->n; row++) {
        const signed char *codes = (const signed char *)s->codes + row * s->stride;
        for (uint32_t i = 0; i < s->width; i++) {
            to[i] += weights[row] * (float)codes[i];
        }
    }
}

static void mix_int4(float *to, const struct tare_kv_strip *s, const float *weights)
{
    uint32_t half = s->width / 2;
    memset(to, 0, s->width * sizeof *to);
    for (uint32_t row = 0; row < s->n; row++) {
        const unsigned char *codes = s->codes + row * s->stride;
        for (uint32_t i = 0; i < half; i++) {
            to[i] += weights[row] * (float)low_of(codes[i]);
            to[half + i] += weights[row] * (float)high_of(codes[i]);
        }
    }
}

const struct tare_kv_codes tare_kv_codes_portable = {.name = "portable",
                                                     .dots_int8 = dots_int8,
                                                     .dots_int4 = dots_int4,
                                                     .mix_int8 = mix_int8,
                                                     .mix_int4 = mix_int4};

/* Asked for at every head: the answer is kept. Threads that ask at once get the same. */
const struct tare_kv_codes *tare_kv_codes_best(void)
{
    static _Atomic(const struct tare_kv_codes *) best;
    const struct tare_kv_codes *known = atomic_load_explicit(&best, memory_order_relaxed);
    if (!known) {
        known = tare_kv_codes_avx2();
        known = known ? known : &tare_kv_codes_portable;
        atomic_store_explicit(&best, known, memory_order_relaxed);
    }
    return known;
}
