/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stored numbers to float32, exactly, and float32 to half precision, rounded.
 *
 * Reads little-endian bytes of any alignment; every half-precision value, subnormals, infinities and
 * NaNs included, has one float32 that equals it. It knows no tensors and checks no sizes.
 */
#ifndef TARE_NATIVE_WIDEN_H
#define TARE_NATIVE_WIDEN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * The 15 bits below the sign, moved up to the place of a float32's exponent and fraction, spell the
 * value times 2^-112 (the difference of the two exponent biases, 127 and 15). One product corrects
 * that, also for subnormals. Only infinities and NaNs need their exponent set to all ones.
 */
static inline float tare_widen_half(uint16_t half)
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

void tare_widen_f16(float *restrict to, const unsigned char *restrict from, size_t n);
void tare_widen_f32(float *restrict to, const unsigned char *restrict from, size_t n);
/* To the nearest half, ties to the even one; beyond the largest becomes an infinity, NaN stays NaN. */
uint16_t tare_narrow_half(float x);
/* How many of them differ from zero, of either sign. */
size_t tare_count_non_zero(const float *x, size_t n);

#endif
