/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For testing a gate, and for nothing else: an engine that is slower by a known share. A sink stands before
 * the harness's and spins, before each token and behind the rows of a request, for that share of the time
 * since the one before. With the share 0 none of this is entered.
 */
#ifndef TARE_NATIVE_SLOWDOWN_H
#define TARE_NATIVE_SLOWDOWN_H

#include <tare/backend.h>

struct tare_slow_sink {
    struct tare_sink sink; /* first: the engine sees this one */
    struct tare_sink *behind;
    double share;
    int64_t since_ns;
};

/* From now on the time counts. */
void tare_slow_begin(struct tare_slow_sink *slow, struct tare_sink *behind, double share);
/* Spins for the share of what has passed since the last token, or the begin. */
void tare_slow_spin(struct tare_slow_sink *slow);

#endif
