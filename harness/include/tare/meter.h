/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The meter contract: a source of readings about a phase.
 *
 * A meter is asked at the begin and the end of every phase of a worker (load, warm-up, measure), on
 * the worker's main thread, outside every request. It keeps what it needs in `self`, allocated once.
 * A reading is a raw value with its unit, kind and scope; what cannot be read is reported as absent
 * with a reason, never as 0. Figures are derived later, from the stored readings.
 */
#ifndef TARE_METER_H
#define TARE_METER_H

#include <stdbool.h>
#include <tare/kind.h>
#include <tare/opt.h>
#include <tare/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TARE_METER_ABI 1u

struct tare_reading {
    const char *name;   /* constant string: peak_rss */
    const char *unit;   /* "B", "ns", "1" */
    const char *scope;  /* process, cgroup, node, ... */
    const char *source; /* where it was read: "/proc/self/status VmHWM" */
    enum tare_kind kind;
    bool absent;
    double value;
    const char *why; /* constant string; the reason when absent */
};

/* Takes a copy of the reading. */
struct tare_readings {
    void (*add)(struct tare_readings *to, const struct tare_reading *reading);
};

struct tare_meter {
    struct tare_plugin_header header; /* kind TARE_PLUGIN_METER, abi TARE_METER_ABI */
    const char *name;
    const char *summary;
    uint32_t priv_size;
    /* Can it be read here? Returns 0, or negative with the reason in why[]. */
    int (*probe)(char *why, size_t n_why);
    int (*open)(void *self, struct tare_err *err);
    /* Reset or remember; must be cheap and must not allocate. */
    void (*begin)(void *self);
    /* Report what happened since begin. Must report every name it has, absent ones with a reason. */
    void (*end)(void *self, struct tare_readings *to);
    void (*close)(void *self);
};

#define TARE_METER_HEADER                                                                         \
    {                                                                                             \
        TARE_PLUGIN_MAGIC, TARE_PLUGIN_METER, TARE_METER_ABI, (uint32_t)sizeof(struct tare_meter) \
    }

#ifdef __cplusplus
}
#endif
#endif
