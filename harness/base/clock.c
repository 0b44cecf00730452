/* SPDX-License-Identifier: Apache-2.0 */
/* Wall-clock labels; the measuring clock is inline in the header. */
#include "base/clock.h"

int64_t tare_clock_wall_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void tare_clock_format(int64_t wall_ns, char *out, size_t n_out)
{
    time_t seconds = (time_t)(wall_ns / 1000000000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    if (strftime(out, n_out, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0 && n_out > 0) {
        out[0] = '\0';
    }
}
