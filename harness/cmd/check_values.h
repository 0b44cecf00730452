/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the store to what a gate decides on: pairs of cells that differ in their arm alone, what became of
 * each of their repeats, and the values of the figures that the rules ask for, one a repeat. A block of the
 * gate is runs_per_block consecutive blocks of the run.
 */
#ifndef TARE_CMD_CHECK_VALUES_H
#define TARE_CMD_CHECK_VALUES_H

#include "cmd/check_plan.h"
#include "core/noise.h"
#include "store/store.h"

/* One figure of one cell, by block of the run. */
struct tare_check_series {
    char unit[32], kind[16], scope[32];
    char absent[200]; /* why a value is missing; "" for none */
    bool known;       /* some repeat had a value */
    bool mixed;       /* repeats differ in kind, scope or unit */
    double *values;   /* NaN: none */
};

struct tare_check_repeat {
    bool there;
    bool complete;
    tare_noise_set disturbed;
    int64_t id;
    char *failure; /* owned: how it ended, if not well; NULL */
    bool skipped;  /* the backend cannot do it, and says so */
};

struct tare_check_cell {
    int64_t id;
    int arm;
    const char *label;                         /* within model */
    char *model, *technique, *task, *scenario; /* owned */
    const struct tare_metric *metrics;
    bool data_mismatch;
    struct tare_check_repeat *repeats;
    struct tare_check_series *series; /* one a figure */
};

struct tare_check_pair {
    const struct tare_check_cell *arms[TARE_CHECK_N_ARMS];
};

struct tare_check_values {
    const struct tare_gate_rules *rules;
    struct tare_check_cell *cells;
    size_t n_cells;
    struct tare_check_pair *pairs;
    size_t n_pairs;
    const char **figures; /* NULL-terminated, those of the rules' metrics, each once */
    size_t n_figures;
    size_t n_blocks; /* of the run */
};

TARE_MUST_CHECK int tare_check_load(struct tare_store *store, int64_t run_id,
                                    const struct tare_gate_rules *rules, struct tare_check_values *out,
                                    struct tare_err *err);
void tare_check_values_fini(struct tare_check_values *values);
/* The rules of core/noise.h that void a block of a gate. */
tare_noise_set tare_check_voiding(const struct tare_gate_rules *rules);

#endif
