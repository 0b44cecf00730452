/* SPDX-License-Identifier: Apache-2.0 */
/* The system's clocks, or a test's. */
#include "now.h"

#include <stddef.h>
#include <time.h>

static int64_t (*monotonic)(void);
static int64_t (*realtime)(void);

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;
    (void)clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t tare_now_ns(void)
{
    return monotonic ? monotonic() : read_clock(CLOCK_MONOTONIC);
}

int64_t tare_now_realtime_ns(void)
{
    return realtime ? realtime() : read_clock(CLOCK_REALTIME);
}

void tare_now_replace(int64_t (*monotonic_ns)(void), int64_t (*realtime_ns)(void))
{
    monotonic = monotonic_ns;
    realtime = realtime_ns;
}
