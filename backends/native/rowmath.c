/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The row functions, and the exponential that they share.
 *
 * Written on vectors of 8 numbers (the vector extension of gcc and clang), which the compiler maps to
 * whatever registers the machine has. A remainder is copied to a full vector and back. Vectors are
 * handed on by address, because passing them by value would depend on the instruction set.
 */
#include "rowmath.h"

#include <math.h>
#include <string.h>

#define LANES     8
#define NORM_EPS  1e-5F
#define ROPE_BASE 10000.0

typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t int_lanes __attribute__((vector_size(LANES * sizeof(int32_t))));

/* A variant for registers of 8 numbers, picked once by the dynamic linker. Contraction of a*b+c stays off
 * under -std=c11, so both give the same bits. Sanitizers and the resolver do not go together. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && defined(__OPTIMIZE__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif
#define INLINE static inline __attribute__((always_inline))

/* x = where mask is set (all ones) y, else x. */
INLINE void replace(lanes *x, const int_lanes *mask, float y)
{
    const lanes zero = {0};
    const lanes value = zero + y;
    *x = (lanes)((*mask & (int_lanes)value) | (~*mask & (int_lanes)*x));
}

/*
 * x = e^x. Anything below -87 counts as -87 (1.6e-38), above 88 as 88; NaN stays.
 *
 * x is split into n ln 2 + r with |r| <= ln 2 / 2, e^r summed as a Taylor series to the seventh power
 * (the rest is below 6e-9 of the value, a tenth of a float32's last place), and n put into the exponent.
 */
INLINE void exponential(lanes *x)
{
    const float magic = 12582912.0F; /* 1.5 * 2^23: adding it leaves the rounded integer in the low bits */
    const int_lanes low = *x < -87.0F;
    const int_lanes high = *x > 88.0F;
    replace(x, &low, -87.0F);
    replace(x, &high, 88.0F);
    lanes shifted = *x * 1.44269504F + magic;
    lanes n = shifted - magic;
    /* ln 2 in two parts; the first has 15 significant bits, so that its product with n is exact. */
    lanes r = (*x - n * 0x1.62e4p-1F) - n * 1.42860677e-6F;
    lanes p = r * (1.0F / 5040.0F) + 1.0F / 720.0F;
    p = p * r + 1.0F / 120.0F;
    p = p * r + 1.0F / 24.0F;
    p = p * r + 1.0F / 6.0F;
    p = p * r + 0.5F;
    p = p * r + 1.0F;
    p = p * r + 1.0F;
    int_lanes exponent = ((int_lanes)shifted + 127) << 23; /* shifts out the bits of magic above n */
    *x = p * (lanes)exponent;
}

/* The first n numbers at `from`, the rest of the vector set to `fill`. */
INLINE void load_part(lanes *to, const float *from, size_t n, float fill)
{
    float part[LANES];
    for (size_t i = 0; i < LANES; i++) {
        part[i] = fill;
    }
    memcpy(part, from, n * sizeof *part);
    memcpy(to, part, sizeof *to);
}

/* Halves are folded onto each other: the same order of sums for every width of registers. */
INLINE float sum_of(const lanes *x)
{
    float part[LANES];
    memcpy(part, x, sizeof part);
    for (size_t half = LANES / 2; half > 0; half /= 2) {
        for (size_t i = 0; i < half; i++) {
            part[i] += part[i + half];
        }
    }
    return part[0];
}

INLINE void raise_to(lanes *most, const lanes *x)
{
    const int_lanes more = *x > *most;
    *most = (lanes)((more & (int_lanes)*x) | (~more & (int_lanes)*most));
}

INLINE float max_of(const float *x, size_t n)
{
    lanes most;
    lanes v;
    load_part(&most, x, n < LANES ? n : LANES, -INFINITY);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        memcpy(&v, x + i, sizeof v);
        raise_to(&most, &v);
    }
    load_part(&v, x + i, n - i, -INFINITY);
    raise_to(&most, &v);
    float part[LANES];
    memcpy(part, &most, sizeof part);
    for (size_t half = LANES / 2; half > 0; half /= 2) {
        for (size_t j = 0; j < half; j++) {
            part[j] = part[j + half] > part[j] ? part[j + half] : part[j];
        }
    }
    return part[0];
}

WIDE static float exp_row(float *x, size_t n)
{
    float most = max_of(x, n);
    lanes sum = {0};
    lanes v;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        memcpy(&v, x + i, sizeof v);
        v -= most;
        exponential(&v);
        sum += v;
        memcpy(x + i, &v, sizeof v);
    }
    if (i < n) {
        load_part(&v, x + i, n - i, -INFINITY); /* adds 1.6e-38 each to a sum of at least 1: nothing */
        v -= most;
        exponential(&v);
        sum += v;
        memcpy(x + i, &v, (n - i) * sizeof *x);
    }
    return sum_of(&sum);
}

WIDE static void rmsnorm_row(float *to, const float *x, const float *weight, size_t n)
{
    lanes sum = {0};
    lanes v;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        memcpy(&v, x + i, sizeof v);
        sum += v * v;
    }
    load_part(&v, x + i, n - i, 0.0F);
    sum += v * v;
    float scale = 1.0F / sqrtf(sum_of(&sum) / (float)n + NORM_EPS);
    for (i = 0; i < n; i++) {
        to[i] = x[i] * scale * weight[i];
    }
}

INLINE void swiglu(lanes *gate, const lanes *up)
{
    lanes e = -*gate;
    exponential(&e);
    *gate = *gate * *up / (1.0F + e);
}

WIDE static void swiglu_row(float *gate, const float *up, size_t n)
{
    lanes g;
    lanes u;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        memcpy(&g, gate + i, sizeof g);
        memcpy(&u, up + i, sizeof u);
        swiglu(&g, &u);
        memcpy(gate + i, &g, sizeof g);
    }
    load_part(&g, gate + i, n - i, 0.0F);
    load_part(&u, up + i, n - i, 0.0F);
    swiglu(&g, &u);
    memcpy(gate + i, &g, (n - i) * sizeof *gate);
}

/* The variants above are static, because the compiler would export the resolver of a hidden one. */
float tare_row_exp(float *x, size_t n)
{
    return exp_row(x, n);
}

void tare_row_rmsnorm(float *to, const float *x, const float *weight, size_t n)
{
    rmsnorm_row(to, x, weight, n);
}

void tare_row_swiglu(float *gate, const float *up, size_t n)
{
    swiglu_row(gate, up, n);
}

void tare_row_rope(float *x, uint32_t n_heads, uint32_t head_dim, const float *cosine, const float *sine)
{
    uint32_t half = head_dim / 2;
    for (uint32_t head = 0; head < n_heads; head++) {
        float *restrict a = x + head * head_dim;
        float *restrict b = a + half;
        for (uint32_t i = 0; i < half; i++) {
            float u = a[i];
            float v = b[i];
            a[i] = u * cosine[i] - v * sine[i];
            b[i] = v * cosine[i] + u * sine[i];
        }
    }
}

void tare_row_scale(float *x, float factor, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        x[i] *= factor;
    }
}

void tare_rope_angles(float *cosine, float *sine, uint32_t position, uint32_t head_dim)
{
    for (uint32_t i = 0; i < head_dim / 2; i++) {
        double angle = position * pow(ROPE_BASE, -2.0 * i / head_dim);
        cosine[i] = (float)cos(angle);
        sine[i] = (float)sin(angle);
    }
}
