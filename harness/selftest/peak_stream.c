/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each thread works on its own part of the arrays, which it has touched first. Elements are small whole
 * numbers, so sums are exact in any order and every result can be checked. All copies and triads leave values
 * that are known whatever ran before: a = 7, b = 1, c = 2 to begin with; a copy makes c = a, a triad a = b +
 * 3 c.
 */
#include "selftest/peak_stream.h"

#include "base/clock.h"
#include "selftest/team.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { most_threads = 1024, lanes = 16, n_arrays = 3, alignment = 1 << 21 };

struct tare_stream {
    double *array[n_arrays]; /* a, b, c */
    size_t n;
    unsigned threads;
    enum tare_stream_kernel kernel;
    uint64_t passes;
    double a, c;              /* what every element of a and c is; b stays 1 */
    double sum[most_threads]; /* of each thread's last read pass */
};

double tare_sweep_bytes(enum tare_stream_kernel kernel, size_t n)
{
    static const double arrays[TARE_STREAM_KERNELS] = {2, 3, 3};
    return arrays[kernel] * sizeof(double) * (double)n;
}

double tare_stream_flops(enum tare_stream_kernel kernel, size_t n)
{
    static const double each[TARE_STREAM_KERNELS] = {0, 3, 2};
    return each[kernel] * (double)n;
}

size_t tare_stream_default_bytes(void)
{
    const double most = 256.0 * 1024 * 1024;
    double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    double third = memory / 8 / n_arrays;
    return memory > 0 && third < most ? (size_t)third : (size_t)most;
}

/* Elements of a thread: begin of the part of `index`; that of n is the end of all. */
static size_t part(const struct tare_stream *s, unsigned index, unsigned n)
{
    return (size_t)((double)s->n / n * index);
}

/* Independent sums, so that compilers may use vectors and no addition waits for another; three streams at a
 * time, which is what keeps most lines in flight. */
static double sum_of(const double *restrict x, const double *restrict y, const double *restrict z, size_t n)
{
    double sums[lanes] = {0}, sum = 0;
    size_t i = 0;
    for (; i + lanes <= n; i += lanes) {
        for (size_t k = 0; k < lanes; k++) {
            sums[k] += (x[i + k] + y[i + k]) + z[i + k];
        }
    }
    for (; i < n; i++) {
        sum += x[i] + y[i] + z[i];
    }
    for (size_t k = 0; k < lanes; k++) {
        sum += sums[k];
    }
    return sum;
}

static void triad(double *restrict a, const double *restrict b, const double *restrict c, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        a[i] = b[i] + 3 * c[i];
    }
}

static void work(void *ctx, unsigned index, unsigned n)
{
    struct tare_stream *s = ctx;
    size_t from = part(s, index, n), count = (index + 1 == n ? s->n : part(s, index + 1, n)) - from;
    double *a = s->array[0] + from, *b = s->array[1] + from, *c = s->array[2] + from;
    for (uint64_t i = 0; i < s->passes; i++) {
        switch (s->kernel) {
        case TARE_STREAM_COPY:
            memcpy(c, a, count * sizeof *c);
            break;
        case TARE_STREAM_READ:
            s->sum[index] = sum_of(a, b, c, count);
            break;
        default:
            triad(a, b, c, count);
            break;
        }
    }
}

static void touch(void *ctx, unsigned index, unsigned n)
{
    struct tare_stream *s = ctx;
    size_t end = index + 1 == n ? s->n : part(s, index + 1, n);
    for (size_t i = part(s, index, n); i < end; i++) {
        s->array[0][i] = 7;
        s->array[1][i] = 1;
        s->array[2][i] = 2;
    }
}

static int allocate(struct tare_stream *s, size_t array_bytes, unsigned threads, struct tare_err *err)
{
    s->n = array_bytes / sizeof(double);
    s->threads = threads;
    s->a = 7;
    s->c = 2;
    for (size_t i = 0; i < n_arrays; i++) {
        size_t bytes = (array_bytes + alignment - 1) / alignment * alignment;
        s->array[i] = aligned_alloc(alignment, bytes);
        if (!s->array[i]) {
            return tare_err_set(err, TARE_E_NOMEM, "no memory for three arrays of %zu bytes", array_bytes);
        }
        (void)madvise(s->array[i], bytes,
                      MADV_HUGEPAGE); /* where the kernel likes: fewer misses of the TLB */
    }
    return tare_team_run(threads, touch, s, 0, NULL, err);
}

int tare_sweep_open(struct tare_stream **out, size_t array_bytes, unsigned threads, struct tare_err *err)
{
    array_bytes = array_bytes ? array_bytes : tare_stream_default_bytes();
    if (threads == 0 || threads > most_threads || array_bytes / sizeof(double) < threads) {
        return tare_err_set(err, TARE_E_USAGE, "streams: 1 to %d threads, and an element for each",
                            most_threads);
    }
    struct tare_stream *s = calloc(1, sizeof *s);
    int r = s ? allocate(s, array_bytes, threads, err) : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    if (r < 0) {
        tare_sweep_close(s);
        return r;
    }
    *out = s;
    return 0;
}

void tare_sweep_close(struct tare_stream *s)
{
    for (size_t i = 0; s && i < n_arrays; i++) {
        free(s->array[i]);
    }
    free(s);
}

/* Passes that take min_ns with all threads, by the time of one. */
static int calibrate(struct tare_stream *s, int64_t min_ns, struct tare_err *err)
{
    int64_t one_ns = 0;
    s->passes = 1;
    int r = tare_team_run(s->threads, work, s, 1, &one_ns, err);
    s->passes = one_ns > 0 && min_ns > one_ns ? (uint64_t)(min_ns / one_ns) + 1 : 1;
    return r;
}

/* Every element of x is `value`. */
static bool holds(const double *x, size_t n, double value)
{
    for (size_t i = 0; i < n; i += 509) { /* a prime: every part, every place in a line */
        if (x[i] != value) {
            return false;
        }
    }
    return x[n - 1] == value;
}

/* Do the arrays hold what the kernel must have left there? */
static bool is_right(struct tare_stream *s)
{
    double sum = 0;
    switch (s->kernel) {
    case TARE_STREAM_COPY:
        s->c = s->a;
        return holds(s->array[2], s->n, s->c);
    case TARE_STREAM_READ:
        for (unsigned i = 0; i < s->threads; i++) {
            sum += s->sum[i];
        }
        return sum == (double)s->n * (s->a + 1 + s->c);
    default:
        s->a = 1 + 3 * s->c;
        return holds(s->array[0], s->n, s->a);
    }
}

/* What the processor says; the largest level that it names. */
static double cache_bytes(void)
{
    static const int levels[] = {_SC_LEVEL4_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE, _SC_LEVEL2_CACHE_SIZE};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        long bytes = sysconf(levels[i]);
        if (bytes > 0) {
            return (double)bytes;
        }
    }
    return 0;
}

static const char *note(double working_bytes, double cache)
{
    enum { times = 4 };
    return cache <= 0 ? "the size of the last-level cache is not known: may be that of a cache"
           : working_bytes >= times * cache
               ? ""
               : "arrays are not four times the last-level cache that the processor "
                 "reports: an upper bound of the memory's";
}

int tare_stream_measure(struct tare_stream *s, enum tare_stream_kernel kernel, int64_t min_ns,
                        struct tare_peak *out, struct tare_err *err)
{
    static const char *const names[TARE_STREAM_KERNELS] = {"stream copy", "stream read", "stream triad"};
    int64_t durations_ns[tare_peak_repeats];
    s->kernel = kernel;
    int r = calibrate(s, min_ns, err);
    r = r == 0 ? tare_team_run(s->threads, work, s, tare_peak_repeats, durations_ns, err) : r;
    if (r < 0) {
        return r;
    }
    if (!is_right(s)) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "%s did not leave in memory what it must",
                            names[kernel]);
    }
    *out = (struct tare_peak){.name = names[kernel],
                              .unit = "B/s",
                              .threads = s->threads,
                              .amount = tare_sweep_bytes(kernel, s->n) * (double)s->passes,
                              .working_bytes = tare_sweep_bytes(kernel, s->n),
                              .cache_bytes = cache_bytes()};
    out->note = note(out->working_bytes, out->cache_bytes);
    tare_peak_set(out, durations_ns, tare_peak_repeats);
    return 0;
}

int tare_peak_stream(unsigned threads, int64_t min_ns, struct tare_peak *out, struct tare_err *err)
{
    struct tare_stream *s = NULL;
    struct tare_peak best = {0};
    int r = tare_sweep_open(&s, 0, threads, err);
    for (int kernel = 0; r == 0 && kernel < TARE_STREAM_KERNELS; kernel++) {
        struct tare_peak one;
        r = tare_stream_measure(s, (enum tare_stream_kernel)kernel, min_ns, &one, err);
        best = r == 0 && one.value > best.value ? one : best;
    }
    tare_sweep_close(s);
    if (r == 0) {
        *out = best;
    }
    return r;
}
