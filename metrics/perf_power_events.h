/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The energy events of the perf devices `power` and `power_core`: what sysfs says of them, and which CPU each
 * is to be opened on. Text only; the events are opened by perf_power.c.
 */
#ifndef TARE_METRICS_PERF_POWER_EVENTS_H
#define TARE_METRICS_PERF_POWER_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

enum { tare_perf_events_max = 512 };

struct tare_perf_event {
    uint32_t type;   /* perf_event_attr.type */
    uint64_t config; /* perf_event_attr.config */
    double scale;    /* J of one count */
    int cpu;
    const char *scope; /* package, dram, core, uncore, psys */
    char channel[40];  /* package_0_dram; events with one channel are added up */
    char source[64];   /* power/energy-ram */
};

struct tare_perf_events {
    size_t n;
    struct tare_perf_event list[tare_perf_events_max];
};

/* Events below root (/sys); cpuinfo NULL: /proc/cpuinfo. 0, or negative with the reason if there is none that
 * can be used. One event a package (or die, where those count by themselves, or core) and no more: its CPUs
 * all show the same counter. */
TARE_MUST_CHECK int tare_perf_events_find(const char *root, const char *cpuinfo,
                                          struct tare_perf_events *events, struct tare_err *err);
/* "0,18-20" as a list of at most n CPUs; how many, or negative if it is no such list or has more. */
TARE_MUST_CHECK int tare_perf_cpus(const char *text, int *cpus, size_t n);
/* "event=0x02" or "config=2"; false if it has any other term. */
bool tare_perf_config(const char *text, uint64_t *config);

#endif
