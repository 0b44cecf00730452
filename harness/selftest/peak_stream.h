/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bandwidth of memory by streaming loops over three arrays of doubles: copy c = a (by the C library), read
 * (the sum of all three), triad a = b + 3 c. Bytes are those that the loop names, as STREAM counts them: 16
 * an element of a copy, 24 of the others; what caches add by reading lines before they are written is not
 * counted.
 *
 * Arrays are to be far larger than the last-level cache. Where they cannot be (a virtual machine that reports
 * the cache of its whole host, little memory), the note says so: the number may then be that of a cache, and
 * is an upper bound of the memory's.
 */
#ifndef TARE_SELFTEST_PEAK_STREAM_H
#define TARE_SELFTEST_PEAK_STREAM_H

#include "selftest/peak.h"

#include <stddef.h>
#include <tare/err.h>

enum tare_stream_kernel { TARE_STREAM_COPY = 0, TARE_STREAM_READ, TARE_STREAM_TRIAD, TARE_STREAM_KERNELS };

struct tare_stream;

/* Bytes of one array: 256 MiB, or less so that the three together stay below an eighth of the memory. */
size_t tare_stream_default_bytes(void);
/* Three arrays, first touched by the threads that will work on them. array_bytes 0: the default. */
TARE_MUST_CHECK int tare_sweep_open(struct tare_stream **out, size_t array_bytes, unsigned threads,
                                    struct tare_err *err);
/* Every repeat takes about min_ns or longer, at least one pass. Arrays that do not hold what they must
 * afterwards are TARE_E_ENVIRONMENT. */
TARE_MUST_CHECK int tare_stream_measure(struct tare_stream *s, enum tare_stream_kernel kernel, int64_t min_ns,
                                        struct tare_peak *out, struct tare_err *err);
void tare_sweep_close(struct tare_stream *s);

/* Bytes and FLOPs of one pass over arrays of n doubles. */
double tare_sweep_bytes(enum tare_stream_kernel kernel, size_t n);
double tare_stream_flops(enum tare_stream_kernel kernel, size_t n);

/* The fastest of the three on arrays of the default size. */
TARE_MUST_CHECK int tare_peak_stream(unsigned threads, int64_t min_ns, struct tare_peak *out,
                                     struct tare_err *err);

#endif
