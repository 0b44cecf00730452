/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one clock of every stamp: CLOCK_MONOTONIC, which is the same in all processes of a machine and
 * is never stepped. About 23 ns a call through the vdso. Wall-clock time is for labels only.
 */
#ifndef TARE_BASE_CLOCK_H
#define TARE_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

static inline int64_t tare_clock_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Wall-clock time, nanoseconds since 1970-01-01 UTC: to label a run, never to measure one. */
int64_t tare_clock_wall_ns(void);
/* RFC 3339 UTC with seconds, "2026-01-02T03:04:05Z"; out has room for 21 bytes. */
void tare_clock_format(int64_t wall_ns, char *out, size_t n_out);

#endif
