/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans: what to run. A JSON file (or text built from the command line) becomes a list of cells, the
 * matrix models x techniques x tasks x scenarios after include and exclude filters. Unknown keys are
 * refused with the nearest known one; task options are checked here, backend options by the caller
 * (they need the backend). docs/plan.md describes the keys.
 */
#ifndef TARE_CORE_PLAN_H
#define TARE_CORE_PLAN_H

#include "core/paths.h"
#include "core/plan_entry.h"

#include <stdbool.h>
#include <tare/json.h>
#include <tare/opt.h>

/* The scalar keys of a plan; each is an option of `tare run` too. */
struct tare_plan_options {
    char *name;
    char *about; /* what the plan is for, in one line */
    int64_t seed;
    int64_t repeats;
    int64_t time_limit_ns;      /* of one worker */
    int64_t memory_limit_bytes; /* of one worker */
    int64_t metering;           /* enum tare_metering_choice */
    int64_t sustain_ns;         /* ask the items again for at least this long; 0: do not */
    int64_t idle_ns;            /* idle baseline before and behind every worker; 0: none */
    double cool_to_c;           /* wait for this temperature before every worker; 0: do not */
    int64_t cool_limit_ns;      /* and no longer than this */
    int64_t network;            /* enum tare_network (core/spec.h) */
    char *cgroup;               /* folder of a cgroup that every worker enters */
    double peak_flops;          /* declared, FLOP/s; 0: not */
    double peak_bandwidth;      /* declared, B/s; 0: not */
    char *baseline;             /* name of the model that speed-ups refer to */
    int64_t noise;              /* enum tare_noise_policy (core/noise.h) */
};
extern const struct tare_opt tare_plan_table[];

/* One combination. Strings are owned by the plan. */
struct tare_cell {
    const char *backend;   /* as named in the plan */
    const char *model;     /* label */
    const char *technique; /* by which tables group: "baseline", the model's own tag, the label of what is
                            * applied, or "own + applied" */
    const char *task;      /* label */
    const char *scenario;  /* label */
    int64_t repeats;       /* blocks that it takes part in, from the first on */
    char *spec;            /* JSON for the worker */
    char *combined;        /* what `technique` points to if it is of two tags; else NULL */
    const struct tare_json *backend_options; /* object or NULL, within the plan's tree */
};

struct tare_plan {
    struct tare_plan_options options;
    struct tare_json *json; /* the whole plan, with what the command line added */
    size_t n_cells;
    struct tare_cell *cells;
    struct tare_entry *axes[TARE_N_AXES]; /* what the cells' labels point into */
    size_t n_entries[TARE_N_AXES];
};

/* Reads a plan. `changes` (an object with plan keys, or NULL) replaces members of the file's; its member
 * "set", an array of texts, then sets single options (core/plan_set.h). */
TARE_MUST_CHECK int tare_plan_parse(const char *text, size_t n, const char *what,
                                    const struct tare_json *changes, const struct tare_paths *paths,
                                    struct tare_plan *out, struct tare_err *err);
void tare_plan_fini(struct tare_plan *plan);
/* Only the scalar keys; free with tare_opts_fini(tare_plan_table, out), also after a failure. */
TARE_MUST_CHECK int tare_plan_read_options(const struct tare_json *json, struct tare_plan_options *out,
                                           struct tare_err *err);

/* The order in which a block runs its cells: a permutation of 0 .. n-1 out of (seed, block). */
void tare_plan_order(int64_t seed, int64_t block, size_t n, size_t *order);

#endif
