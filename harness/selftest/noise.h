/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How noisy is this machine now? Three looks that share the time given: the same arithmetic over and over,
 * sleeps to a deadline, and what everybody else uses meanwhile. It judges nothing; the numbers say how small
 * a difference can be seen here, and whether to look for another hour.
 */
#ifndef TARE_SELFTEST_NOISE_H
#define TARE_SELFTEST_NOISE_H

#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

struct tare_noise {
    double seconds;
    int64_t n_spins;
    double spin_ms;        /* median time of the same work */
    double spin_cv;        /* standard deviation over mean, in percent: with everything that happened */
    double spin_robust_cv; /* 1.4826 x median deviation over median, in percent: without rare interruptions */
    double spin_lag1;      /* correlation of neighbours; far from 0: times are not independent */
    int64_t n_sleeps;
    double late_p50_us, late_p99_us, late_max_us; /* how late a sleep of 1 ms ends */
    double gaps_per_s;                            /* times that a spin lost the CPU for over 100 us */
    double foreign_percent;                       /* of the machine; NaN: /proc/stat says nothing */
    double steal_percent;
};

/* Takes about limit_ns (at least half a second is needed). One thread. */
TARE_MUST_CHECK int tare_noise_measure(int64_t limit_ns, struct tare_noise *out, struct tare_err *err);

#endif
