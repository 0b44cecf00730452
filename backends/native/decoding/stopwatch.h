/* SPDX-License-Identifier: Apache-2.0 */
/* Times of one kind of step, of which the median is wanted. Taking one neither allocates nor sorts. */
#ifndef TARE_NATIVE_STOPWATCH_H
#define TARE_NATIVE_STOPWATCH_H

#include <stdint.h>

enum { tare_stopwatch_cap = 4096 };

struct tare_stopwatch {
    double begin_s;
    float s[tare_stopwatch_cap]; /* the last ones */
    uint64_t n;                  /* that were taken */
};

void tare_stopwatch_begin(struct tare_stopwatch *watch);
void tare_stopwatch_end(struct tare_stopwatch *watch);
/* Seconds; 0 when none was taken. Sorts what is kept: not inside a request. */
double tare_stopwatch_median(struct tare_stopwatch *watch);

#endif
