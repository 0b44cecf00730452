/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The row functions, and the exponential that they share.
 *
 * Written on vectors of 8 numbers (the vector extension of gcc and clang), which the compiler maps to
 * whatever registers the machine has. A remainder is copied to a full vector and back. Vectors are
 * handed on by address, because passing them by value would depend on the instruction set.
 */
#include "rowmath.h"

#include "kernels/kernels.h"
#include "wide.h"

#include <math.h>
#include <string.h>

#define LANES    8
#define NORM_EPS 1e-5F

typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t int_lanes __attribute__((vector_size(LANES * sizeof(int32_t))));
typedef uint32_t bit_lanes __attribute__((vector_size(LANES * sizeof(uint32_t))));

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
    bit_lanes exponent = ((bit_lanes)shifted + 127) << 23; /* shifts out the bits of magic above n */
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

INLINE float max_of(const lanes *x)
{
    float part[LANES];
    memcpy(part, x, sizeof part);
    for (size_t half = LANES / 2; half > 0; half /= 2) {
        for (size_t j = 0; j < half; j++) {
            part[j] = part[j + half] > part[j] ? part[j + half] : part[j];
        }
    }
    return part[0];
}

/* e^(x - most), of which the lanes from `from` on are added to the sum. */
INLINE void add_exponential(lanes *x, float most, int32_t from, lanes *sum)
{
    const int_lanes place = {0, 1, 2, 3, 4, 5, 6, 7};
    *x -= most;
    exponential(x);
    *sum += (lanes)((place >= from) & (int_lanes)*x);
}

INLINE float exp_short(float *x, size_t n)
{
    lanes v;
    lanes sum = {0};
    load_part(&v, x, n, -INFINITY); /* adds 1.6e-38 each to a sum of at least 1: nothing */
    add_exponential(&v, max_of(&v), 0, &sum);
    memcpy(x, &v, n * sizeof *x);
    return sum_of(&sum);
}

/* The last vector reaches back over numbers that the one before has done: it is read before they change,
 * gives the same for them, and leaves them out of the sum. */
TARE_WIDE static float exp_row(float *x, size_t n)
{
    if (n < LANES) {
        return exp_short(x, n);
    }
    lanes last;
    lanes v;
    lanes sum = {0};
    size_t i = 0;
    memcpy(&last, x + n - LANES, sizeof last);
    lanes most = last;
    for (; i + LANES <= n; i += LANES) {
        memcpy(&v, x + i, sizeof v);
        raise_to(&most, &v);
    }
    float largest = max_of(&most);
    for (i = 0; i + LANES <= n; i += LANES) {
        memcpy(&v, x + i, sizeof v);
        add_exponential(&v, largest, 0, &sum);
        memcpy(x + i, &v, sizeof v);
    }
    if (i < n) {
        add_exponential(&last, largest, (int32_t)(LANES - (n - i)), &sum);
        memcpy(x + n - LANES, &last, sizeof last);
    }
    return sum_of(&sum);
}

TARE_WIDE static void rmsnorm_row(float *to, const float *x, const float *weight, size_t n)
{
    lanes sum = {0};
    lanes v;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        memcpy(&v, x + i, sizeof v);
        sum += v * v;
    }
    if (i < n) {
        load_part(&v, x + i, n - i, 0.0F);
        sum += v * v;
    }
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

TARE_WIDE static void swiglu_row(float *gate, const float *up, size_t n)
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
    if (i < n) {
        load_part(&g, gate + i, n - i, 0.0F);
        load_part(&u, up + i, n - i, 0.0F);
        swiglu(&g, &u);
        memcpy(gate + i, &g, (n - i) * sizeof *gate);
    }
}

TARE_WIDE static void layernorm_row(float *to, const float *x, const float *weight, const float *bias,
                                    size_t n)
{
    lanes sum = {0};
    lanes v;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        memcpy(&v, x + i, sizeof v);
        sum += v;
    }
    if (i < n) {
        load_part(&v, x + i, n - i, 0.0F);
        sum += v;
    }
    float mean = sum_of(&sum) / (float)n;
    lanes square = {0};
    for (i = 0; i + LANES <= n; i += LANES) {
        memcpy(&v, x + i, sizeof v);
        v -= mean;
        square += v * v;
    }
    if (i < n) {
        load_part(&v, x + i, n - i, mean);
        v -= mean;
        square += v * v;
    }
    float scale = 1.0F / sqrtf(sum_of(&square) / (float)n + NORM_EPS);
    for (i = 0; i < n; i++) {
        to[i] = (x[i] - mean) * scale * weight[i] + bias[i];
    }
}

/* x / (1 + e^-y); with y = x a SiLU, with y = 2 * 0.79788 (x + 0.044715 x^3) the tanh form of GELU, since
 * 0.5 (1 + tanh u) = 1 / (1 + e^-2u). */
INLINE void gate_by(lanes *x, const lanes *y)
{
    lanes e = -*y;
    exponential(&e);
    *x = *x / (1.0F + e);
}

/* x = each(x), vector by vector; what `each` makes of the filling of the last one is dropped. */
INLINE void map(float *x, size_t n, void (*each)(lanes *v))
{
    lanes v;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        memcpy(&v, x + i, sizeof v);
        each(&v);
        memcpy(x + i, &v, sizeof v);
    }
    if (i < n) {
        load_part(&v, x + i, n - i, 0.0F);
        each(&v);
        memcpy(x + i, &v, (n - i) * sizeof *x);
    }
}

INLINE void gelu(lanes *v)
{
    lanes y = (*v + *v * *v * *v * 0.044715F) * 1.5957691216057308F;
    gate_by(v, &y);
}

INLINE void relu_square(lanes *v)
{
    const int_lanes low = *v < 0.0F;
    replace(v, &low, 0.0F);
    *v = *v * *v;
}

TARE_WIDE static void relu_square_row(float *x, size_t n)
{
    map(x, n, relu_square);
}

TARE_WIDE static void gelu_row(float *x, size_t n)
{
    map(x, n, gelu);
}

/* The clamp keeps NaN, which exponential() keeps too. */
INLINE void clamp(lanes *x, float least, float most)
{
    const int_lanes low = *x < least;
    const int_lanes high = *x > most;
    replace(x, &low, least);
    replace(x, &high, most);
}

TARE_WIDE static void exp_clamped_row(float *x, float least, float most, size_t n)
{
    lanes v;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        memcpy(&v, x + i, sizeof v);
        clamp(&v, least, most);
        exponential(&v);
        memcpy(x + i, &v, sizeof v);
    }
    if (i < n) {
        load_part(&v, x + i, n - i, 0.0F);
        clamp(&v, least, most);
        exponential(&v);
        memcpy(x + i, &v, (n - i) * sizeof *x);
    }
}

TARE_WIDE static void blend_row(float *restrict to, const float *restrict a, const float *restrict b,
                                const float *restrict weight, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = a[i] * weight[i] + b[i] * (1.0F - weight[i]);
    }
}

TARE_WIDE static void scale_row(float *x, float factor, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        x[i] *= factor;
    }
}

TARE_WIDE static void multiply_row(float *x, const float *by, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        x[i] *= by[i];
    }
}

TARE_WIDE static void add_products_row(float *x, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        x[i] += a[i] * b[i];
    }
}

INLINE void sigmoid(lanes *v)
{
    lanes one = {0};
    one += 1.0F;
    gate_by(&one, v);
    *v = one;
}

TARE_WIDE static void sigmoid_row(float *x, size_t n)
{
    map(x, n, sigmoid);
}

/* The variants above are static, because the compiler would export the resolver of a hidden one. */
float tare_row_exp(float *x, size_t n)
{
    const struct tare_kernels *k = tare_kernels_best();
    return k->row_exp ? k->row_exp(x, n) : exp_row(x, n);
}

void tare_row_rmsnorm(float *to, const float *x, const float *weight, size_t n)
{
    const struct tare_kernels *k = tare_kernels_best();
    if (k->row_rmsnorm) {
        k->row_rmsnorm(to, x, weight, n);
    } else {
        rmsnorm_row(to, x, weight, n);
    }
}

void tare_row_swiglu(float *gate, const float *up, size_t n)
{
    const struct tare_kernels *k = tare_kernels_best();
    if (k->row_swiglu) {
        k->row_swiglu(gate, up, n);
    } else {
        swiglu_row(gate, up, n);
    }
}

void tare_row_scale(float *x, float factor, size_t n)
{
    scale_row(x, factor, n);
}

void tare_row_layernorm(float *to, const float *x, const float *weight, const float *bias, size_t n)
{
    layernorm_row(to, x, weight, bias, n);
}

void tare_row_gelu(float *x, size_t n)
{
    const struct tare_kernels *k = tare_kernels_best();
    if (k->row_gelu) {
        k->row_gelu(x, n);
    } else {
        gelu_row(x, n);
    }
}

size_t tare_row_largest(const float *x, size_t n)
{
    const struct tare_kernels *k = tare_kernels_best();
    if (k->row_largest) {
        return k->row_largest(x, n);
    }
    size_t best = 0;
    for (size_t i = 1; i < n; i++) {
        best = x[i] > x[best] ? i : best;
    }
    return best;
}

void tare_row_sigmoid(float *x, size_t n)
{
    sigmoid_row(x, n);
}

void tare_row_exp_clamped(float *x, float least, float most, size_t n)
{
    exp_clamped_row(x, least, most, n);
}

void tare_row_blend(float *to, const float *a, const float *b, const float *weight, size_t n)
{
    blend_row(to, a, b, weight, n);
}

void tare_row_relu_square(float *x, size_t n)
{
    relu_square_row(x, n);
}

void tare_row_multiply(float *x, const float *by, size_t n)
{
    multiply_row(x, by, n);
}

void tare_row_add_products(float *x, const float *a, const float *b, size_t n)
{
    add_products_row(x, a, b, n);
}

void tare_rows_rmsnorm(float *to, const float *x, const float *weight, size_t d, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        tare_row_rmsnorm(to + i * d, x + i * d, weight, d);
    }
}

void tare_rows_layernorm(float *to, const float *x, const float *weight, const float *bias, size_t d,
                         size_t n)
{
    for (size_t i = 0; i < n; i++) {
        layernorm_row(to + i * d, x + i * d, weight, bias, d);
    }
}
