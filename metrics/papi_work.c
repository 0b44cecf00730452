/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loops in assembly, so that no compiler changes what is counted. One round is four arithmetic instructions,
 * four loads, one subtraction and one branch; the operands are 0 and stay it. The dozen instructions around
 * each loop are not counted: they are less than 1e-5 of it.
 */
#include "papi_work.h"

#if defined(__x86_64__) && defined(__GNUC__)

enum { per_round_instructions = 10, per_round_loads = 4, per_round_arithmetic = 4 };

static const double zero;

#define FMA4(insn, r)                                                                                  \
    insn " %%" r "15, %%" r "15, %%" r "0\n\t" insn " %%" r "15, %%" r "15, %%" r "1\n\t" insn " %%" r \
         "15, %%" r "15, %%" r "2\n\t" insn " %%" r "15, %%" r "15, %%" r "3\n\t"
#define ADD4(insn)                                                                           \
    insn " %%xmm15, %%xmm0\n\t" insn " %%xmm15, %%xmm1\n\t" insn " %%xmm15, %%xmm2\n\t" insn \
         " %%xmm15, %%xmm3\n\t"
#define LOAD4 "mov (%1), %%rax\n\tmov (%1), %%rax\n\tmov (%1), %%rax\n\tmov (%1), %%rax\n\t"

#define LOOP(name, clear, arithmetic, leave)                                                \
    static void name(uint64_t n)                                                            \
    {                                                                                       \
        __asm__ volatile(clear "1:\n\t" arithmetic LOAD4 "sub $1, %0\n\tjnz 1b\n\t" leave   \
                         : "+r"(n)                                                          \
                         : "r"(&zero)                                                       \
                         : "rax", "xmm0", "xmm1", "xmm2", "xmm3", "xmm15", "cc", "memory"); \
    }

#define CLEAR_SSE                                                                                      \
    "xorps %%xmm0, %%xmm0\n\txorps %%xmm1, %%xmm1\n\txorps %%xmm2, %%xmm2\n\txorps %%xmm3, %%xmm3\n\t" \
    "xorps %%xmm15, %%xmm15\n\t"
/* Clears the upper parts as well. */
#define CLEAR_AVX                                                                                         \
    "vxorps %%xmm0, %%xmm0, %%xmm0\n\tvxorps %%xmm1, %%xmm1, %%xmm1\n\tvxorps %%xmm2, %%xmm2, %%xmm2\n\t" \
    "vxorps %%xmm3, %%xmm3, %%xmm3\n\tvxorps %%xmm15, %%xmm15, %%xmm15\n\t"
#define LEAVE_AVX "vzeroupper\n\t"

LOOP(sse_ss, CLEAR_SSE, ADD4("addss"), "")
LOOP(sse_sd, CLEAR_SSE, ADD4("addsd"), "")
LOOP(fma_ss, CLEAR_AVX, FMA4("vfmadd231ss", "xmm"), LEAVE_AVX)
LOOP(fma_sd, CLEAR_AVX, FMA4("vfmadd231sd", "xmm"), LEAVE_AVX)
LOOP(fma_ps256, CLEAR_AVX, FMA4("vfmadd231ps", "ymm"), LEAVE_AVX)
LOOP(fma_pd256, CLEAR_AVX, FMA4("vfmadd231pd", "ymm"), LEAVE_AVX)
LOOP(fma_ps512, CLEAR_AVX, FMA4("vfmadd231ps", "zmm"), LEAVE_AVX)
LOOP(fma_pd512, CLEAR_AVX, FMA4("vfmadd231pd", "zmm"), LEAVE_AVX)

/* FLOPs of one arithmetic instruction: lanes, twice for a fused multiply-add. */
struct loop {
    void (*run)(uint64_t n);
    double sp, dp;
};

static void run(const struct loop *loop, uint64_t n, struct tare_papi_work *done)
{
    double rounds = (double)n;
    loop->run(n);
    done->instructions += rounds * per_round_instructions;
    done->branches += rounds;
    done->loads += rounds * per_round_loads;
    done->flops_sp += rounds * per_round_arithmetic * loop->sp;
    done->flops_dp += rounds * per_round_arithmetic * loop->dp;
}

bool tare_papi_work(uint64_t n, struct tare_papi_work *done)
{
    static const struct loop scalar[] = {{sse_ss, 1, 0}, {sse_sd, 0, 1}};
    static const struct loop fma[] = {{fma_ss, 2, 0}, {fma_sd, 0, 2}, {fma_ps256, 16, 0}, {fma_pd256, 0, 8}};
    static const struct loop wide[] = {{fma_ps512, 32, 0}, {fma_pd512, 0, 16}};
    bool has_fma = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool has_wide = has_fma && __builtin_cpu_supports("avx512f");
    *done = (struct tare_papi_work){0};
    for (int i = 0; n > 0 && i < 2; i++) {
        run(&scalar[i], n, done);
    }
    for (int i = 0; n > 0 && has_fma && i < 4; i++) {
        run(&fma[i], n, done);
    }
    for (int i = 0; n > 0 && has_wide && i < 2; i++) {
        run(&wide[i], n, done);
    }
    return true;
}

#else

bool tare_papi_work(uint64_t n, struct tare_papi_work *done)
{
    (void)n;
    *done = (struct tare_papi_work){0};
    return false;
}

#endif
