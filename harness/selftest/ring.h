/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A known collective: an all-reduce over a ring of TCP connections on loopback, a thread a rank. Every
 * rank must send exactly 2 (n - 1) / n of the array, by our count and by the kernel's, and end up with
 * the sums.
 */
#ifndef TARE_SELFTEST_RING_H
#define TARE_SELFTEST_RING_H

#include <stdint.h>
#include <tare/err.h>

enum { TARE_KNOWN_RING_MAX = 8 };

struct tare_known_ring {
    int64_t ranks;
    int64_t array_bytes;
    int64_t wrong_values;                      /* over all ranks */
    int64_t sent_bytes[TARE_KNOWN_RING_MAX];   /* our count */
    int64_t kernel_bytes[TARE_KNOWN_RING_MAX]; /* TCP_INFO, what was sent again left out */
};

/* 2 to 8 ranks. The array has 840 x scale numbers of 8 bytes, which every number of ranks divides. */
TARE_MUST_CHECK int tare_known_ring(int64_t ranks, int64_t scale, struct tare_known_ring *out,
                                    struct tare_err *err);

#endif
