/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The meter contract: a source of readings about a phase.
 *
 * A meter stands in one of two places. One in the worker reads what only the process itself can read; it
 * is asked at the begin and the end of every phase (load, warm-up, measure), on the worker's main thread,
 * outside every request. One outside reads what anybody can read (energy, temperatures, a cgroup, a GPU);
 * it lives in the supervisor for the length of a run, all its hooks are called on one thread there, and
 * the worker waits at the edges of a phase until it has been read, so that its window is the phase's.
 *
 * A meter keeps what it needs in `self`, allocated once. A reading is a raw value with its unit, kind and
 * scope; what cannot be read is reported as absent with a reason, never as 0. How far a value may be off,
 * and why it may be wrong, stands beside it as a doubt. Figures are derived later, from the stored
 * readings.
 *
 * Names: readings in J are called energy_<channel> and their scope says what they cover: "package" and
 * "dram" and "device" add up, "core" and "uncore" lie inside the package, "psys", "battery" and "wall"
 * contain the others. metrics/derive/energy.c goes by the scope.
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

/* What may be wrong with a reading. */
struct tare_doubt {
    double u;          /* standard uncertainty in the reading's unit, gain errors left out; NaN: unknown */
    double gain;       /* relative standard uncertainty of the source's gain; NaN: unknown */
    const char *flags; /* words of A-Z, 0-9 and '_' with commas between; "" for none */
};

/* Takes a copy of the reading. Its strings need to live during the call only. */
struct tare_readings {
    void (*add)(struct tare_readings *to, const struct tare_reading *reading);
    /* The same with its doubt. In every sink of a tare that knows outside meters; never NULL there. */
    void (*add_doubted)(struct tare_readings *to, const struct tare_reading *reading,
                        const struct tare_doubt *doubt);
};

enum tare_meter_place {
    TARE_METER_WORKER = 0, /* also that of a meter built before there were places */
    TARE_METER_OUTSIDE = 1
};

struct tare_meter {
    struct tare_plugin_header header; /* kind TARE_PLUGIN_METER, abi TARE_METER_ABI */
    const char *name;
    const char *summary;
    uint32_t priv_size;
    /* Can it be read here? Returns 0, or negative with the reason, and what would make it readable, in
     * why[]. Knows no options, and is not asked where the plan sets some; optional. */
    int (*probe)(char *why, size_t n_why);
    /* A failure means the same as one of probe: *err says why it cannot be read. Optional. */
    int (*open)(void *self, struct tare_err *err);
    /* Reset or remember; must be cheap and must not allocate. */
    void (*begin)(void *self);
    /* Report what happened since begin. Must report every name it has, absent ones with a reason. */
    void (*end)(void *self, struct tare_readings *to);
    void (*close)(void *self);
    /* enum tare_meter_place. */
    uint32_t place;
    /* NULL if none; offsets into `self`, which has the defaults or the plan's values when open is called. */
    const struct tare_opt *options;
    /* Outside only, optional. Called every period, at random distances of half to one and a half of it so
     * that no load can stay in step, between phases too. Carries counters on and adds powers up; must not
     * allocate. */
    void (*sample)(void *self);
    /* Outside only, optional: the process that is measured from here on; 0: none (idle phases). */
    void (*attach)(void *self, int64_t pid);
    int64_t period_ns; /* of `sample`; 0: 100 ms */
    /* Outside only, optional: the hottest part that it knows now, in degrees Celsius; NaN: unknown. For
     * cooling down to a temperature before a cell. */
    double (*temperature_c)(void *self);
    /* `end` takes long (it walks page tables, or waits): called behind all others, in the worker behind those
     * outside too. Outside its `begin` comes before the others'. */
    uint32_t late;
};

#define TARE_METER_HEADER                                                                         \
    {                                                                                             \
        TARE_PLUGIN_MAGIC, TARE_PLUGIN_METER, TARE_METER_ABI, (uint32_t)sizeof(struct tare_meter) \
    }

#ifdef __cplusplus
}
#endif
#endif
