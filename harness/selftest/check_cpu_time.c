/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPU time of a known spin, on one thread and on two, read by the meter rusage. Each
 * thread spins until its own CPU clock has come to the time asked for.
 */
#include "selftest/instrument.h"
#include "selftest/selftest.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

enum { spin_ms = 300 };

static double cpu_s(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds that it really took, into *arg: the last look lies beyond the deadline. */
static void *spin(void *arg)
{
    double begin_s = cpu_s(CLOCK_THREAD_CPUTIME_ID), now_s = begin_s;
    while (now_s - begin_s < spin_ms / 1e3) {
        now_s = cpu_s(CLOCK_THREAD_CPUTIME_ID);
    }
    *(double *)arg = now_s - begin_s;
    return NULL;
}

static int spin_all(struct tare_check_instrument *m, size_t n, double *out_truth_s, double *out_reading_s,
                    struct tare_err *err)
{
    enum { most = 8 };
    pthread_t threads[most];
    double spun_s[most] = {0};
    size_t started = 0;
    int r = 0;
    tare_instrument_begin(m);
    while (started + 1 < n && r == 0) {
        r = pthread_create(&threads[started], NULL, spin, &spun_s[started]);
        started += r == 0;
    }
    (void)spin(&spun_s[n - 1]);
    for (size_t i = 0; i < started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    tare_instrument_end(m);
    *out_reading_s = tare_instrument_value(m, "cpu_user") + tare_instrument_value(m, "cpu_system");
    *out_truth_s = 0;
    for (size_t i = 0; i < n; i++) {
        *out_truth_s += spun_s[i];
    }
    return r == 0 ? 0 : tare_err_set(err, TARE_E_ENVIRONMENT, "self-test: thread: %s", strerror(r));
}

int tare_check_cpu_time(const struct tare_check_context *c, struct tare_err *err);

int tare_check_cpu_time(const struct tare_check_context *c, struct tare_err *err)
{
    static const struct {
        size_t threads;
        const char *workload;
    } cases[] = {{1, "300 ms of CPU time spun by one thread, meter rusage; 1 ms or 0.1 %"},
                 {2, "300 ms of CPU time spun by each of two threads, meter rusage; 1 ms or 0.1 %"}};
    struct tare_check_instrument m;
    struct tare_err fault = {0};
    if (tare_instrument_open(&m, "rusage", NULL, &fault) < 0) {
        return tare_check_add_absent(c, "CPU time", cases[0].workload, fault.msg, err);
    }
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof cases / sizeof *cases; i++) {
        double truth_s = 0, reading_s = 0;
        r = spin_all(&m, cases[i].threads, &truth_s, &reading_s, err);
        r = r == 0 ? tare_check_add(c, "CPU time", cases[i].workload, "ms", truth_s * 1e3, reading_s * 1e3,
                                    fmax(1, truth_s), err)
                   : r;
    }
    tare_instrument_close(&m);
    return r;
}
