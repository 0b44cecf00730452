/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to the meter `machine`: what it finds once and reads again and again, from roots that a test can
 * replace. Only tare_machine_find allocates and walks folders.
 */
#ifndef TARE_METRICS_MACHINE_H
#define TARE_METRICS_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

enum {
    TARE_MACHINE_CPUS = 8192,  /* as many as Linux can have */
    TARE_MACHINE_CLOCKS = 16,  /* processors whose clock is sampled, spread over all */
    TARE_MACHINE_SENSORS = 16, /* temperatures */
    TARE_MACHINE_SUPPLIES = 8, /* batteries */
    TARE_MACHINE_PATH = 256
};

/* What there is to be read; paths without their root. */
struct tare_machine_parts {
    size_t n_cores, n_packages, n_clocks, n_sensors, n_batteries;
    bool knows_supplies;             /* the kernel has a folder of power supplies, be it empty */
    int cores[TARE_MACHINE_CPUS];    /* one processor of each core that counts its throttling */
    int packages[TARE_MACHINE_CPUS]; /* and of each package */
    int clocks[TARE_MACHINE_CLOCKS];
    char sensors[TARE_MACHINE_SENSORS][TARE_MACHINE_PATH];
    char batteries[TARE_MACHINE_SUPPLIES][TARE_MACHINE_PATH]; /* of the system, not of a mouse */
};

/* Allocates while it looks; fails with TARE_E_NOMEM only. */
TARE_MUST_CHECK int tare_machine_find(const char *sys, struct tare_machine_parts *out, struct tare_err *err);

/* A value that may be absent. */
struct tare_machine_value {
    bool ok;
    double v;
};

/* The sum of a thermal_throttle count over these processors; not ok if one cannot be read or there is none.
 */
struct tare_machine_value tare_machine_throttle(const char *sys, const int *cpus, size_t n,
                                                const char *count);
/* The hottest sensor, in degrees Celsius. */
struct tare_machine_value tare_machine_temperature(const char *sys, const struct tare_machine_parts *parts);
/* 1: a battery is being discharged; 0: none is. */
struct tare_machine_value tare_machine_battery(const char *sys, const struct tare_machine_parts *parts);
/* 1: time is kept by the processor's own counter (tsc, or the architected timer of ARM and RISC-V). */
struct tare_machine_value tare_machine_clocksource(const char *sys);

/* CPU time of the whole machine, and that of a process with its living and waited-for children, in ticks. */
struct tare_machine_ticks {
    bool ok;
    double total, busy, steal;
};
struct tare_machine_ticks tare_machine_ticks(const char *proc);
/* pid 0: none, 0 ticks. Children are those of the process' first thread, and theirs, 64 processes in all. */
struct tare_machine_value tare_machine_process(const char *proc, int64_t pid);
/* Our own process, without children. */
struct tare_machine_value tare_machine_self(const char *proc);

/* CLOCK_REALTIME less CLOCK_MONOTONIC in ns, read within a microsecond or the best of some tries. */
int64_t tare_machine_clock_offset(void);
/* How far the wall clock was set in a window, in s: 0 for what 1 ms and 500 ppm of the window explain, which
 * is what reading and slewing do. */
double tare_machine_clock_step(int64_t begin_offset_ns, int64_t end_offset_ns, int64_t window_ns);

#endif
