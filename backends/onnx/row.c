/* SPDX-License-Identifier: Apache-2.0 */
/* Plain loops; sums run in order of id, so that a reader can repeat them. */
#include "row.h"

#include <float.h>
#include <math.h>
#include <string.h>

/*
 * The 15 bits below the sign, moved to the place of a float32's exponent and fraction, spell the value times
 * 2^-112; one product corrects that, also for subnormals. Infinities and NaNs need all ones as exponent.
 */
static float widen_half(uint16_t half)
{
    uint32_t bits = (uint32_t)(half & 0x7fffU) << 13;
    float x;
    memcpy(&x, &bits, sizeof x);
    x *= 0x1p112F;
    memcpy(&bits, &x, sizeof bits);
    bits |= (half & 0x7c00U) == 0x7c00U ? 0x7f800000U : 0U;
    bits |= (uint32_t)(half & 0x8000U) << 16;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static float widen_brain(uint16_t brain)
{
    uint32_t bits = (uint32_t)brain << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

void tare_onnx_row_widen(float *to, const unsigned char *from, size_t n, bool bfloat)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t bits;
        memcpy(&bits, from + i * sizeof bits, sizeof bits);
        to[i] = bfloat ? widen_brain(bits) : widen_half(bits);
    }
}

bool tare_onnx_row_sound(const float *row, size_t n)
{
    bool bad = false;
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        bad |= !(row[i] <= FLT_MAX);
        any |= row[i] >= -FLT_MAX;
    }
    return any && !bad;
}

static size_t largest(const float *row, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++) {
        best = row[i] > row[best] ? i : best;
    }
    return best;
}

static void probabilities(double *to, const float *row, size_t n, double temperature)
{
    double most = (double)row[largest(row, n)];
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        to[i] = exp(((double)row[i] - most) / temperature);
        sum += to[i];
    }
    for (size_t i = 0; i < n; i++) {
        to[i] /= sum;
    }
}

int32_t tare_onnx_row_draw(double *room, const float *row, size_t n, double temperature, struct tare_rng *rng)
{
    if (temperature <= 0) {
        return (int32_t)largest(row, n);
    }
    probabilities(room, row, n, temperature);
    double u = tare_rng_unit(rng);
    double sum = 0;
    size_t last = 0;
    for (size_t i = 0; i < n; i++) {
        sum += room[i];
        last = room[i] > 0 ? i : last;
        if (sum > u) {
            return (int32_t)i;
        }
    }
    return (int32_t)last; /* the sum is a rounding below 1, and u above it */
}
