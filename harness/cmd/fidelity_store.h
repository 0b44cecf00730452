/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures of fidelity on their way into the database: a run of its own with one cell, the student's. No
 * sample stands behind them, for no row of logits is kept: `tare derive` refuses such a run.
 */
#ifndef TARE_CMD_FIDELITY_STORE_H
#define TARE_CMD_FIDELITY_STORE_H

#include "core/paths.h"
#include "core/plan.h"
#include "fidelity/figures.h"
#include "store/store.h"

struct tare_fidelity_stored {
    const char *teacher;        /* as it was named */
    const char *teacher_sha256; /* NULL: unknown */
    const char *teacher_facts;  /* JSON; NULL: a file */
    const struct tare_cell *student;
    const char *task;
    int64_t seed;
    int64_t items; /* that were asked */
    bool failed;   /* some of them */
    const struct tare_fidelity_figures *figures;
};

/* In one transaction; creates the database if need be. Nothing is stored unless all is. */
TARE_MUST_CHECK int tare_fidelity_store(const char *db, const struct tare_paths *paths,
                                        const struct tare_fidelity_stored *given, int64_t *out_run_id,
                                        struct tare_err *err);
/* Is it such a run? */
TARE_MUST_CHECK int tare_fidelity_made(struct tare_store *store, int64_t run_id, bool *out,
                                       struct tare_err *err);

#endif
