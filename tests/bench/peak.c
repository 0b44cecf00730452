/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Are the measured peaks peaks? Multiply-adds out of registers must not be slower than the matrix product of
 * OpenBLAS, which is made of them; measured in turn, best of both, with one thread and with all. Prints the
 * whole set of peaks and how long it took. Fails if a product is faster by more than 2 %.
 */
#include "base/clock.h"
#include "selftest/peak_fma.h"
#include "selftest/peak_stream.h"
#include "selftest/team.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cblas.h>

void openblas_set_num_threads(int n);

enum { n_matrix = 2048, rounds = 5, min_ns = 40000000 };

static int fail(const struct tare_err *err)
{
    (void)fprintf(stderr, "peak: %s\n", err->msg);
    return 1;
}

static void show(const struct tare_peak *p)
{
    printf("%-20s %3u threads  %8.2f G%s  (%.2f to %.2f)  %s\n", p->name, p->threads, p->value / 1e9, p->unit,
           p->low / 1e9, p->high / 1e9, p->note);
}

static int show_fma(unsigned threads)
{
    struct tare_err err = {0};
    struct tare_peak p;
    for (int w = 0; w < TARE_FLOPS_WIDTHS; w++) {
        int r = tare_peak_fma_width((enum tare_flops_width)w, threads, min_ns, &p, &err);
        if (r < 0 && r != TARE_E_UNSUPPORTED) {
            return fail(&err);
        }
        if (r == 0) {
            show(&p);
        }
    }
    return 0;
}

static int show_streams(unsigned threads)
{
    struct tare_err err = {0};
    struct tare_stream *s = NULL;
    struct tare_peak p;
    int r = tare_sweep_open(&s, 0, threads, &err);
    for (int k = 0; r == 0 && k < TARE_STREAM_KERNELS; k++) {
        r = tare_stream_measure(s, (enum tare_stream_kernel)k, min_ns, &p, &err);
        if (r == 0) {
            show(&p);
        }
    }
    tare_sweep_close(s);
    return r == 0 ? 0 : fail(&err);
}

/* FLOP/s of one product. */
static double sgemm_rate(const float *a, const float *b, float *c)
{
    int64_t begin_ns = tare_clock_ns();
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n_matrix, n_matrix, n_matrix, 1, a, n_matrix, b,
                n_matrix, 0, c, n_matrix);
    return 2.0 * n_matrix * n_matrix * n_matrix * 1e9 / (double)(tare_clock_ns() - begin_ns);
}

static int compare(unsigned threads, float *m)
{
    const size_t n = (size_t)n_matrix * n_matrix;
    double product = 0, fma = 0;
    struct tare_err err = {0};
    openblas_set_num_threads((int)threads);
    for (int i = 0; i < rounds; i++) {
        struct tare_peak p;
        if (tare_peak_fma(threads, min_ns / 2, &p, &err) < 0) {
            return fail(&err);
        }
        double rate = sgemm_rate(m, m + n, m + 2 * n);
        product = rate > product ? rate : product;
        fma = p.high > fma ? p.high : fma;
    }
    bool good = fma > product * 0.98;
    printf("peak.fma_over_sgemm.%u 1 %.3f >=0.98 %s  (%.1f over %.1f GFLOP/s)\n", threads, fma / product,
           good ? "ok" : "MISS", fma / 1e9, product / 1e9);
    return good ? 0 : 1;
}

/* OpenBLAS takes processors that are newer than itself for old ones; the opponent is to be its best. It looks
 * when it is loaded, so the program starts itself again. */
static void choose_kernels(char **argv)
{
#if defined(__x86_64__)
    const char *core = __builtin_cpu_supports("avx512f")                                 ? "SkylakeX"
                       : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? "Haswell"
                                                                                         : NULL;
    if (core && setenv("OPENBLAS_CORETYPE", core, 0) == 0 && !getenv("PEAK_STARTED")) {
        (void)setenv("PEAK_STARTED", "1", 1);
        (void)execv("/proc/self/exe", argv);
    }
#else
    (void)argv;
#endif
}

int main(int argc, char **argv)
{
    (void)argc;
    choose_kernels(argv);
    const size_t n = (size_t)3 * n_matrix * n_matrix;
    unsigned cpus = tare_team_cpus();
    int64_t begin_ns = tare_clock_ns();
    int r = show_fma(1) || show_fma(cpus) || show_streams(1) || show_streams(cpus);
    printf("peak.whole_set s %.2f <8\n", (double)(tare_clock_ns() - begin_ns) / 1e9);
    float *m = malloc(n * sizeof *m);
    if (!m) {
        return 1;
    }
    for (size_t i = 0; i < n; i++) {
        m[i] = (float)(i % 7) * 0.125F;
    }
    r = compare(1, m) || r;
    r = compare(cpus, m) || r;
    free(m);
    return r;
}
