/* SPDX-License-Identifier: Apache-2.0 */
/* What the values of a run decide under its rules: one line a metric and pair of cells. */
#ifndef TARE_CMD_CHECK_DECIDE_H
#define TARE_CMD_CHECK_DECIDE_H

#include "cmd/check_values.h"
#include "reports/gate/result.h"

struct tare_check_lines {
    struct tare_gate_line *list; /* strings are the values' and the rules' */
    size_t n;
    int64_t blocks_run, blocks_voided; /* of the gate, worst pair */
    int64_t blocks_left; /* that must still be run for the stage: the most that any timing metric lacks */
    bool suspicious;     /* a timing metric with a full first stage asks for the second */
    bool failed_cell;    /* a repeat of some pair ended badly */
    bool has_timing;
    tare_noise_set disturbed; /* of all repeats that were looked at */
};

/* stage: 1 or 2. A line of a stage that is not full yet is inconclusive. */
TARE_MUST_CHECK int tare_check_decide(const struct tare_check_values *values, struct tare_store *store,
                                      int stage, struct tare_check_lines *out, struct tare_err *err);
void tare_check_lines_fini(struct tare_check_lines *lines);

#endif
