/* SPDX-License-Identifier: Apache-2.0 */
/* The evidence of a run, as the store has it: what derivations are made from. Memory is the caller's to free.
 */
#ifndef TARE_CMD_EVIDENCE_LOAD_H
#define TARE_CMD_EVIDENCE_LOAD_H

#include "cmd/instrument.h"
#include "core/declared.h"
#include "core/verdict.h"
#include "metrics/derive/derive.h"
#include "store/store.h"

/* A cell with all that is known of it. */
struct tare_loaded_cell {
    int64_t id;
    char *model, *task, *scenario; /* owned */
    bool treated;                  /* a technique was applied to the model */
    struct tare_evidence evidence;
    struct tare_evidence_repeat *repeats;
    size_t n_repeats, cap_repeats;
    struct tare_evidence_reading *readings;
    size_t n_readings, cap_readings;
    char *convention;
    struct tare_verdict_facts facts;
    enum tare_verdict verdict;
    char reasons[320];
};

struct tare_loaded_run {
    struct tare_store *store;
    int64_t id;
    const char *task; /* the only one that is wanted; NULL: all */
    struct tare_loaded_cell *cells;
    size_t n, cap;
    struct tare_loaded_cell *current;  /* while its rows are being read */
    bool slow_build;                   /* as the run's environment has it, whoever derives now */
    int64_t cpus;                      /* likewise; 0: not known */
    bool settings_changed;             /* between its begin and its being taken up again */
    enum tare_noise_policy policy;     /* of its plan */
    double peak_flops, peak_bandwidth; /* that its plan declares */
    struct tare_instrument instrument;
    char speedup_source[160];
};

/* Loads the cells of the run, or (task not NULL) those of one task alone. On failure there is nothing to
 * free. */
TARE_MUST_CHECK int tare_evidence_load(struct tare_store *store, int64_t run_id, const char *task,
                                       struct tare_loaded_run *run, struct tare_err *err);
/* Sets every cell's verdict and what it is compared with: the untreated model called `baseline` (NULL: none).
 * What is declared is borrowed. */
void tare_evidence_judge(struct tare_loaded_run *run, const char *baseline,
                         const struct tare_declared *declared);
void tare_evidence_free(struct tare_loaded_run *run);

#endif
