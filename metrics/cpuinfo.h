/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What meters of RAPL must know of the processor: who made it and whether it blurs its counters. Reads
 * /proc/cpuinfo; nothing else of it is told.
 */
#ifndef TARE_METRICS_CPUINFO_H
#define TARE_METRICS_CPUINFO_H

#include <stdbool.h>

struct tare_cpuinfo {
    bool is_amd;  /* or Hygon, which builds the same */
    bool has_sgx; /* then energy counters are blurred (Intel advisory for CVE-2020-8694) */
};

/* path NULL: /proc/cpuinfo. All false where it cannot be read. */
void tare_cpuinfo_read(const char *path, struct tare_cpuinfo *out);

#endif
