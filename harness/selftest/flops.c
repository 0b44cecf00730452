/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Twelve accumulators, more than any core needs to hide the latency of two units. Accumulator i begins at i
 * in every lane. A multiply-add halves and adds 1, which ends at 2 whatever it began with; an addition adds
 * 1; a multiplication turns the sign. So values stay normal numbers, and the result tells whether it was
 * done.
 *
 * An empty assembly statement behind every operation keeps compilers from vectorising the scalar loop and
 * from folding rounds; it is no instruction.
 */
#include "selftest/flops.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define WITH_X86 1
#include <immintrin.h>
#else
#define WITH_X86 0
#endif

enum { n_accumulators = 12, sum_of_begins = 66, most_floats = 16 * n_accumulators };

typedef double (*loop_fn)(uint64_t rounds, float a, float b);

#if WITH_X86
#define KEEP(r) __asm__ volatile("" : "+v"(r))
#elif defined(__aarch64__) && defined(__GNUC__)
#define KEEP(r) __asm__ volatile("" : "+w"(r))
#else
#define KEEP(r) (void)(r)
#endif

/* Sums the floats of n bytes of accumulators. */
static double sum_floats(const void *accumulators, size_t n)
{
    float values[most_floats];
    double sum = 0;
    memcpy(values, accumulators, n);
    for (size_t i = 0; i < n / sizeof *values; i++) {
        sum += (double)values[i];
    }
    return sum;
}

#define ALL(X)     X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define ALL_LISTED r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11

/* begin(i) and step(i) use r##i, a and b. */
#define LOOP(name, attribute, type, set1, begin, step)                \
    attribute static double name(uint64_t rounds, float fa, float fb) \
    {                                                                 \
        type a = set1(fa), b = set1(fb);                              \
        (void)a, (void)b;                                             \
        ALL(begin)                                                    \
        for (uint64_t i = 0; i < rounds; i++) {                       \
            ALL(step)                                                 \
        }                                                             \
        const type all[n_accumulators] = {ALL_LISTED};                \
        return sum_floats(all, sizeof all);                           \
    }

#define PLAIN_SET(x)   (x)
#define PLAIN_BEGIN(i) float r##i = (float)(i);
#define PLAIN_FMA(i)     \
    r##i = r##i * a + b; \
    KEEP(r##i);
#define PLAIN_ADD(i) \
    r##i = r##i + b; \
    KEEP(r##i);
#define PLAIN_MUL(i) \
    r##i = r##i * a; \
    KEEP(r##i);

LOOP(plain_fma, , float, PLAIN_SET, PLAIN_BEGIN, PLAIN_FMA)
LOOP(plain_add, , float, PLAIN_SET, PLAIN_BEGIN, PLAIN_ADD)
LOOP(plain_mul, , float, PLAIN_SET, PLAIN_BEGIN, PLAIN_MUL)

#if WITH_X86
#define FUSED_FMA(i)                   \
    r##i = __builtin_fmaf(r##i, a, b); \
    KEEP(r##i);
LOOP(fused_fma, __attribute__((target("fma"))), float, PLAIN_SET, PLAIN_BEGIN, FUSED_FMA)

#define T256         __attribute__((target("avx2,fma")))
#define BEGIN_256(i) __m256 r##i = _mm256_set1_ps((float)(i));
#define FMA_256(i)                      \
    r##i = _mm256_fmadd_ps(r##i, a, b); \
    KEEP(r##i);
#define ADD_256(i)                 \
    r##i = _mm256_add_ps(r##i, b); \
    KEEP(r##i);
#define MUL_256(i)                 \
    r##i = _mm256_mul_ps(r##i, a); \
    KEEP(r##i);
LOOP(fma_256, T256, __m256, _mm256_set1_ps, BEGIN_256, FMA_256)
LOOP(add_256, T256, __m256, _mm256_set1_ps, BEGIN_256, ADD_256)
LOOP(mul_256, T256, __m256, _mm256_set1_ps, BEGIN_256, MUL_256)

#define T512         __attribute__((target("avx512f")))
#define BEGIN_512(i) __m512 r##i = _mm512_set1_ps((float)(i));
#define FMA_512(i)                      \
    r##i = _mm512_fmadd_ps(r##i, a, b); \
    KEEP(r##i);
#define ADD_512(i)                 \
    r##i = _mm512_add_ps(r##i, b); \
    KEEP(r##i);
#define MUL_512(i)                 \
    r##i = _mm512_mul_ps(r##i, a); \
    KEEP(r##i);
LOOP(fma_512, T512, __m512, _mm512_set1_ps, BEGIN_512, FMA_512)
LOOP(add_512, T512, __m512, _mm512_set1_ps, BEGIN_512, ADD_512)
LOOP(mul_512, T512, __m512, _mm512_set1_ps, BEGIN_512, MUL_512)

static loop_fn find_loop(enum tare_flops_width width, enum tare_flops_op op)
{
    static const loop_fn loops[TARE_FLOPS_WIDTHS][TARE_FLOPS_OPS] = {
        {plain_fma, plain_add, plain_mul}, {fma_256, add_256, mul_256}, {fma_512, add_512, mul_512}};
    bool fused = width == TARE_FLOPS_SCALAR && op == TARE_FLOPS_FMA && __builtin_cpu_supports("fma");
    return fused ? fused_fma : loops[width][op];
}

bool tare_flops_has(enum tare_flops_width width)
{
    switch (width) {
    case TARE_FLOPS_256:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case TARE_FLOPS_512:
        return __builtin_cpu_supports("avx512f");
    default:
        return width == TARE_FLOPS_SCALAR;
    }
}
#else
static loop_fn find_loop(enum tare_flops_width width, enum tare_flops_op op)
{
    static const loop_fn loops[TARE_FLOPS_OPS] = {plain_fma, plain_add, plain_mul};
    (void)width;
    return loops[op];
}

bool tare_flops_has(enum tare_flops_width width)
{
    return width == TARE_FLOPS_SCALAR;
}
#endif

const char *tare_flops_width_name(enum tare_flops_width width)
{
    static const char *const names[TARE_FLOPS_WIDTHS] = {"scalar", "256 bit", "512 bit"};
    return names[width];
}

unsigned tare_flops_lanes(enum tare_flops_width width)
{
    static const unsigned lanes[TARE_FLOPS_WIDTHS] = {1, 8, 16};
    return lanes[width];
}

double tare_flops_run(enum tare_flops_width width, enum tare_flops_op op, uint64_t rounds)
{
    /* Read anew each time, so that no loop is specialised for them. */
    static const volatile float factors[TARE_FLOPS_OPS] = {0.5F, 1, -1}, summand = 1;
    return tare_flops_has(width) ? find_loop(width, op)(rounds, factors[op], summand) : (double)NAN;
}

double tare_flops_count(enum tare_flops_width width, enum tare_flops_op op, uint64_t rounds)
{
    double each = op == TARE_FLOPS_FMA ? 2 : 1;
    return each * n_accumulators * tare_flops_lanes(width) * (double)rounds;
}

double tare_flops_expected(enum tare_flops_width width, enum tare_flops_op op, uint64_t rounds)
{
    double lanes = tare_flops_lanes(width);
    switch (op) {
    case TARE_FLOPS_ADD:
        return lanes * (sum_of_begins + n_accumulators * (double)rounds);
    case TARE_FLOPS_MUL:
        return lanes * (rounds % 2 ? -sum_of_begins : sum_of_begins);
    default:
        return lanes * n_accumulators * 2;
    }
}
