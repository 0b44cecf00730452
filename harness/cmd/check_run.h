/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a gate: one block to see that both arms work, the rest of stage 1, blocks again for those that were
 * voided, and stage 2 where stage 1 asks for it. What to do next is read from the database each time.
 */
#ifndef TARE_CMD_CHECK_RUN_H
#define TARE_CMD_CHECK_RUN_H

#include "cmd/check_decide.h"
#include "cmd/execute.h"

struct tare_check_state {
    int stage;
    bool unfit; /* more than a fifth of the blocks was voided */
    struct tare_check_values values;
    struct tare_check_lines lines;
};

/* Runs what is missing. `to` has its store open and no run yet. */
TARE_MUST_CHECK int tare_check_run(struct tare_execute_args *to, const struct tare_plan *plan,
                                   const struct tare_gate_rules *rules, struct tare_check_state *out,
                                   struct tare_err *err);
/* Decides on a stored run and runs nothing. */
TARE_MUST_CHECK int tare_check_look(struct tare_store *store, int64_t run_id,
                                    const struct tare_gate_rules *rules, struct tare_check_state *out,
                                    struct tare_err *err);
void tare_check_state_fini(struct tare_check_state *state);

#endif
