/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far the kernel's count of resident pages may be off, by kernel version. The kernel keeps it in
 * batches, so that threads need not share a cache line; what a reader gets depends on who adds them up.
 * Plain arithmetic, no I/O.
 */
#ifndef TARE_METRICS_RSS_BOUND_H
#define TARE_METRICS_RSS_BOUND_H

#include <stdint.h>

struct tare_rss_bound {
    double now_pages;  /* of one of RssAnon, RssFile, RssShmem as read; NaN: not known */
    double peak_pages; /* of VmHWM, which is noted when memory is given back, and at its reset */
};

/* release: "6.18.1-generic" as of uname(2); one that does not begin with two numbers gives NaN. */
struct tare_rss_bound tare_rss_bound(const char *release, int64_t threads, int64_t cpus);

#endif
