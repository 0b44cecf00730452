/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Half precision to float32 without a table and without branches, so that the loop vectorises.
 *
 * The 15 bits below the sign, moved up to the place of a float32's exponent and fraction, spell the
 * value times 2^-112 (the difference of the two exponent biases, 127 and 15). One product corrects
 * that, also for subnormals. Only infinities and NaNs need their exponent set to all ones.
 */
#include "widen.h"

#include <string.h>

static float widen_half(uint16_t half)
{
    uint32_t bits = (uint32_t)(half & 0x7fffu) << 13;
    float magnitude;
    memcpy(&magnitude, &bits, sizeof magnitude);
    magnitude *= 0x1p112f;
    memcpy(&bits, &magnitude, sizeof bits);
    uint32_t special = (half & 0x7c00u) == 0x7c00u ? 0x7f800000u : 0u;
    bits |= special | (uint32_t)(half & 0x8000u) << 16;
    memcpy(&magnitude, &bits, sizeof magnitude);
    return magnitude;
}

void tare_widen_f16(float *restrict to, const unsigned char *restrict from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = widen_half((uint16_t)(from[2 * i] | from[2 * i + 1] << 8));
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

size_t tare_count_non_zero(const float *x, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        count += x[i] != 0.0F;
    }
    return count;
}
