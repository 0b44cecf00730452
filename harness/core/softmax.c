/* SPDX-License-Identifier: Apache-2.0 */
/* A log-softmax that the compiler can vectorise: an own exponential, blocks summed in double. */
#include "core/softmax.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/*
 * e^x for x <= 0. x = k ln 2 + r with |r| <= ln 2 / 2; e^r by its Taylor polynomial of degree 7
 * (remainder below 6e-9 relative), 2^k through the exponent bits. Below -87 the result is 0, which
 * against a sum of at least 1 is beyond float.
 */
static inline float exp_nonpositive(float x)
{
    float clamped = x < -87.0F ? -87.0F : x;
    float k = rintf(clamped * 1.44269504088896F);
    float r = clamped - k * 0.693359375F;
    r = r + k * 2.12194440e-4F;
    float p = 1.0F / 5040;
    p = p * r + 1.0F / 720;
    p = p * r + 1.0F / 120;
    p = p * r + 1.0F / 24;
    p = p * r + 1.0F / 6;
    p = p * r + 0.5F;
    p = p * r + 1.0F;
    p = p * r + 1.0F;
    int32_t bits = ((int32_t)k + 127) * (1 << 23);
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return x < -87.0F ? 0.0F : p * scale;
}

static float row_max(const float *row, size_t n)
{
    float lanes[16];
    for (int j = 0; j < 16; j++) {
        lanes[j] = -INFINITY;
    }
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        for (int j = 0; j < 16; j++) {
            lanes[j] = row[i + (size_t)j] > lanes[j] ? row[i + (size_t)j] : lanes[j];
        }
    }
    for (; i < n; i++) {
        lanes[0] = row[i] > lanes[0] ? row[i] : lanes[0];
    }
    for (int j = 1; j < 16; j++) {
        lanes[0] = lanes[j] > lanes[0] ? lanes[j] : lanes[0];
    }
    return lanes[0];
}

/* Sixteen float lanes over at most 1024 entries at a time, then double. */
static double sum_exp(const float *row, size_t n, float max)
{
    double total = 0;
    size_t i = 0;
    while (i + 16 <= n) {
        float lanes[16] = {0};
        size_t end = i + 1024 < n ? i + 1024 : n;
        for (; i + 16 <= end; i += 16) {
            for (int j = 0; j < 16; j++) {
                lanes[j] += exp_nonpositive(row[i + (size_t)j] - max);
            }
        }
        for (int j = 0; j < 16; j++) {
            total += (double)lanes[j];
        }
    }
    for (; i < n; i++) {
        total += (double)exp_nonpositive(row[i] - max);
    }
    return total;
}

double tare_log_softmax(const float *row, size_t n, size_t target, bool *out_greedy)
{
    float max = row_max(row, n);
    bool greedy = row[target] >= max;
    for (size_t i = 0; greedy && i < target; i++) {
        greedy = row[i] < max;
    }
    *out_greedy = greedy;
    return (double)row[target] - (double)max - log(sum_exp(row, n, max));
}
