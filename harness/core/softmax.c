/* SPDX-License-Identifier: Apache-2.0 */
/* A log-softmax that the compiler can vectorise: an own exponential, lanes summed in double. */
#include "core/softmax.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* A second variant for wide registers, picked once by the dynamic linker; both give the same bits,
 * for -std=c11 contracts nothing. Sanitizers and the resolver do not go together. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && defined(__OPTIMIZE__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

enum { lane_count = 8 };

typedef float lanes __attribute__((vector_size(lane_count * sizeof(float))));
typedef int32_t int_lanes __attribute__((vector_size(lane_count * sizeof(int32_t))));

/*
 * *sum += e^(x - max), lane by lane, for x <= max. x - max = k ln 2 + r with |r| <= ln 2 / 2; e^r by
 * its Taylor polynomial of degree 7 (remainder below 6e-9 relative), 2^k through the exponent bits.
 * Below -87 a term counts as e^-87 = 1.6e-38, which against a sum of at least 1 is beyond float.
 * A NaN stays one.
 */
static inline __attribute__((always_inline)) void add_exp(lanes *sum, const lanes *row, float max)
{
    const float magic = 12582912.0F; /* 1.5 * 2^23: adding it leaves the rounded integer in the low bits */
    const lanes floor_value = (lanes){0} - 87.0F;
    lanes x = *row - max;
    const int_lanes low = x < floor_value;
    x = (lanes)((low & (int_lanes)floor_value) | (~low & (int_lanes)x));
    lanes shifted = x * 1.44269504F + magic;
    lanes k = shifted - magic;
    /* ln 2 in two parts; the first has 15 significant bits, so that its product with k is exact. */
    lanes r = (x - k * 0x1.62e4p-1F) - k * 1.42860677e-6F;
    lanes p = r * (1.0F / 5040) + 1.0F / 720;
    p = p * r + 1.0F / 120;
    p = p * r + 1.0F / 24;
    p = p * r + 1.0F / 6;
    p = p * r + 0.5F;
    p = p * r + 1.0F;
    p = p * r + 1.0F;
    *sum += p * (lanes)(((int_lanes)shifted + 127) << 23);
}

WIDE static float row_max(const float *row, size_t n)
{
    float part[16];
    for (int j = 0; j < 16; j++) {
        part[j] = -INFINITY;
    }
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        for (int j = 0; j < 16; j++) {
            part[j] = row[i + (size_t)j] > part[j] ? row[i + (size_t)j] : part[j];
        }
    }
    for (; i < n; i++) {
        part[0] = row[i] > part[0] ? row[i] : part[0];
    }
    for (int j = 1; j < 16; j++) {
        part[0] = part[j] > part[0] ? part[j] : part[0];
    }
    return part[0];
}

static double fold(const lanes *sum)
{
    double total = 0;
    for (int j = 0; j < lane_count; j++) {
        total += (double)(*sum)[j];
    }
    return total;
}

/* Two sums of float lanes over at most 1024 numbers at a time, then double; the few numbers that are
 * left over one by one. */
WIDE static double sum_exp(const float *row, size_t n, float max)
{
    double total = 0;
    size_t i = 0;
    while (i + (size_t)2 * lane_count <= n) {
        lanes a = {0}, b = {0}, x;
        size_t end = i + 1024 < n ? i + 1024 : n;
        for (; i + (size_t)2 * lane_count <= end; i += (size_t)2 * lane_count) {
            memcpy(&x, row + i, sizeof x);
            add_exp(&a, &x, max);
            memcpy(&x, row + i + lane_count, sizeof x);
            add_exp(&b, &x, max);
        }
        total += fold(&a) + fold(&b);
    }
    for (; i < n; i++) {
        total += exp((double)row[i] - (double)max);
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
