/* SPDX-License-Identifier: Apache-2.0 */
/* Half the time spins, a quarter sleeps, a quarter looks at its own clock. */
#include "selftest/noise.h"

#include "base/clock.h"
#include "stats/interval.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { most = 20000, gap_ns = 100000 };

/* Work of about a fifth of a millisecond that no compiler can leave out. */
static void work(void)
{
    uint64_t x = 88172645463325252U;
    for (int i = 0; i < 100000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        __asm__ volatile("" : "+r"(x));
    }
}

static double lag1(const double *v, size_t n, double mean)
{
    double up = 0, down = 0;
    for (size_t i = 0; i < n; i++) {
        down += (v[i] - mean) * (v[i] - mean);
        up += i + 1 < n ? (v[i] - mean) * (v[i + 1] - mean) : 0;
    }
    return down > 0 ? up / down : 0;
}

static void judge_spins(double *v, size_t n, struct tare_noise *out)
{
    double mean = tare_mean(v, n), square = 0;
    for (size_t i = 0; i < n; i++) {
        square += (v[i] - mean) * (v[i] - mean);
    }
    out->n_spins = (int64_t)n;
    out->spin_cv = 100 * sqrt(square / (double)(n - 1)) / mean;
    out->spin_lag1 = lag1(v, n, mean);
    tare_sort(v, n);
    double median = tare_quantile(v, n, 0.5);
    for (size_t i = 0; i < n; i++) {
        v[i] = fabs(v[i] - median);
    }
    tare_sort(v, n);
    out->spin_ms = median / 1e6;
    out->spin_robust_cv = 100 * 1.4826 * tare_quantile(v, n, 0.5) / median;
}

/* Blocks of about 12 ms, as a short request would take. */
static void spin(int64_t end_ns, double *v, struct tare_noise *out)
{
    enum { rounds = 50 };
    size_t n = 0;
    for (int64_t begin_ns = tare_clock_ns(); n < most && (n < 3 || begin_ns < end_ns);) {
        for (int i = 0; i < rounds; i++) {
            work();
        }
        int64_t now_ns = tare_clock_ns();
        v[n++] = (double)(now_ns - begin_ns);
        begin_ns = now_ns;
    }
    judge_spins(v, n, out);
}

static void sleep_on(int64_t end_ns, double *v, struct tare_noise *out)
{
    size_t n = 0;
    for (int64_t now_ns = tare_clock_ns(); n < most && (n < 3 || now_ns < end_ns);) {
        int64_t due_ns = now_ns + 1000000;
        struct timespec due = {due_ns / 1000000000, due_ns % 1000000000};
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
        now_ns = tare_clock_ns();
        v[n++] = (double)(now_ns - due_ns) / 1e3;
    }
    tare_sort(v, n);
    out->n_sleeps = (int64_t)n;
    out->late_p50_us = tare_quantile(v, n, 0.5);
    out->late_p99_us = tare_quantile(v, n, 0.99);
    out->late_max_us = v[n - 1];
}

static void watch(int64_t end_ns, struct tare_noise *out)
{
    int64_t begin_ns = tare_clock_ns(), last_ns = begin_ns, gaps = 0;
    while (last_ns < end_ns) {
        int64_t now_ns = tare_clock_ns();
        gaps += now_ns - last_ns > gap_ns;
        last_ns = now_ns;
    }
    out->gaps_per_s = (double)gaps * 1e9 / (double)(last_ns - begin_ns + 1);
}

/* Ticks of the whole machine, and our own. */
struct ticks {
    double total, busy, steal, own;
    bool known;
};

static struct ticks read_ticks(void)
{
    struct ticks t = {0};
    double v[8] = {0};
    struct rusage own;
    FILE *from = fopen("/proc/stat", "re");
    if (from) {
        t.known = fscanf(from, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &v[0], &v[1], &v[2], &v[3], &v[4],
                         &v[5], &v[6], &v[7]) == 8;
        (void)fclose(from);
    }
    (void)getrusage(RUSAGE_SELF, &own);
    t.busy = v[0] + v[1] + v[2] + v[5] + v[6];
    t.steal = v[7];
    t.total = t.busy + v[3] + v[4] + v[7];
    t.own = (double)sysconf(_SC_CLK_TCK) * ((double)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) +
                                            (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec) / 1e6);
    return t;
}

static void judge_others(const struct ticks *a, const struct ticks *b, struct tare_noise *out)
{
    double total = b->total - a->total, others = (b->busy - a->busy) - (b->own - a->own);
    bool known = a->known && b->known && total > 0;
    out->foreign_percent = known ? 100 * fmax(others, 0) / total : (double)NAN;
    out->steal_percent = known ? 100 * (b->steal - a->steal) / total : (double)NAN;
}

int tare_noise_measure(int64_t limit_ns, struct tare_noise *out, struct tare_err *err)
{
    if (limit_ns < 500000000) {
        return tare_err_set(err, TARE_E_USAGE, "noise: half a second is the least that says something");
    }
    double *v = calloc(most, sizeof *v);
    if (!v) {
        return tare_err_set(err, TARE_E_NOMEM, "noise: out of memory");
    }
    struct tare_noise found = {0};
    int64_t begin_ns = tare_clock_ns();
    struct ticks before = read_ticks();
    spin(begin_ns + limit_ns / 2, v, &found);
    sleep_on(begin_ns + limit_ns / 4 * 3, v, &found);
    watch(begin_ns + limit_ns, &found);
    struct ticks after = read_ticks();
    judge_others(&before, &after, &found);
    found.seconds = (double)(tare_clock_ns() - begin_ns) / 1e9;
    free(v);
    *out = found;
    return 0;
}
