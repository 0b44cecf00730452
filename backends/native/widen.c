/* SPDX-License-Identifier: Apache-2.0 */
/* Conversions of stored numbers without a table and without branches, so that the loops vectorise. */
#include "widen.h"

void tare_widen_f16(float *restrict to, const unsigned char *restrict from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = tare_widen_half((uint16_t)(from[2 * i] | from[2 * i + 1] << 8));
    }
}

void tare_widen_f32(float *restrict to, const unsigned char *restrict from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const unsigned char *b = from + 4 * i;
        uint32_t bits = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
        memcpy(to + i, &bits, sizeof bits);
    }
}

/* Subnormal halves are whole units of 2^-24: adding 0.5, whose last place that is, rounds to one. */
uint16_t tare_narrow_half(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000u);
    bits &= 0x7fffffffu;
    if (bits > 0x7f800000u) {
        return (uint16_t)(sign | 0x7e00u);
    }
    if (bits >= 0x477ff000u) { /* 65520 and above */
        return (uint16_t)(sign | 0x7c00u);
    }
    if (bits < 0x38800000u) { /* below 2^-14: count units of 2^-24 */
        float magnitude;
        memcpy(&magnitude, &bits, sizeof magnitude);
        float shifted = magnitude + 0.5F; /* the last place of 0.5 is 2^-24 */
        memcpy(&bits, &shifted, sizeof bits);
        return (uint16_t)(sign | (bits - 0x3f000000u));
    }
    uint32_t odd = bits >> 13 & 1u;
    return (uint16_t)(sign | ((bits + 0xfffu + odd - 0x38000000u) >> 13));
}

size_t tare_count_non_zero(const float *x, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        count += x[i] != 0.0F;
    }
    return count;
}
