/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules, as a table of versions.
 *
 * Up to 6.1 every thread keeps up to 64 events to itself. From 6.2 on every CPU keeps less than a batch
 * of each counter, the larger of 32 and twice the number of CPUs. From 6.16 on whoever reads
 * /proc/PID/status gets an exact sum, but the peak is still noted from the batched counters, three of
 * them, whenever memory is given back. Distributions that have taken the exact sum into an older kernel
 * get a bound that is too large, never one that is too small.
 */
#include "rss_bound.h"

#include <math.h>
#include <stdio.h>

enum { events_per_thread = 64, least_batch = 32, counters = 3 };

static double batched(int64_t cpus)
{
    int64_t batch = 2 * cpus > least_batch ? 2 * cpus : least_batch;
    return (double)cpus * (double)batch;
}

struct tare_rss_bound tare_rss_bound(const char *release, int64_t threads, int64_t cpus)
{
    int major = 0, minor = 0;
    if (sscanf(release, "%d.%d", &major, &minor) != 2 || threads < 1 || cpus < 1) {
        return (struct tare_rss_bound){(double)NAN, (double)NAN};
    }
    int version = major * 1000 + minor;
    if (version < 6002) {
        double most = (double)events_per_thread * (double)threads;
        return (struct tare_rss_bound){most, most};
    }
    double most = batched(cpus);
    return (struct tare_rss_bound){version < 6016 ? most : 0, counters * most};
}
