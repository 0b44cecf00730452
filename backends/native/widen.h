/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stored numbers to float32, exactly.
 *
 * Reads little-endian bytes of any alignment; every half-precision value, subnormals, infinities and
 * NaNs included, has one float32 that equals it. It knows no tensors and checks no sizes.
 */
#ifndef TARE_NATIVE_WIDEN_H
#define TARE_NATIVE_WIDEN_H

#include <stddef.h>
#include <stdint.h>

void tare_widen_f16(float *restrict to, const unsigned char *restrict from, size_t n);
void tare_widen_f32(float *restrict to, const unsigned char *restrict from, size_t n);
/* How many of them differ from zero, of either sign. */
size_t tare_count_non_zero(const float *x, size_t n);

#endif
