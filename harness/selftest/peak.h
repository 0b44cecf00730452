/* SPDX-License-Identifier: Apache-2.0 */
/* A peak as measured here: the median of its repeats, with the work of one repeat and what the number means.
 */
#ifndef TARE_SELFTEST_PEAK_H
#define TARE_SELFTEST_PEAK_H

#include <stdint.h>

enum { tare_peak_repeats = 5 };

struct tare_peak {
    const char *name; /* "fma float32 512 bit", "stream triad" */
    const char *unit; /* "FLOP/s", "B/s" */
    unsigned threads;
    unsigned repeats;
    double value;         /* median of the repeats */
    double low, high;     /* slowest and fastest of them */
    double amount;        /* FLOPs or bytes of one repeat, all threads together: exact */
    int64_t shortest_ns;  /* of the repeats */
    double working_bytes; /* memory that was gone through; 0: registers only */
    double cache_bytes;   /* last-level cache as the processor reports it; 0: unknown or does not matter */
    const char *note;     /* what the number is not; "" if nothing is to be said */
};

/* Fills the times of p, whose amount is set, from durations (sorted in place). */
void tare_peak_set(struct tare_peak *p, int64_t *durations_ns, unsigned n);

#endif
