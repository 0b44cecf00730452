/* SPDX-License-Identifier: Apache-2.0 */
/* A run in the database: entered as a whole before its first worker starts, and judged at its end. */
#ifndef TARE_CMD_RECORD_H
#define TARE_CMD_RECORD_H

#include "cmd/evidence.h"
#include "cmd/execute.h"
#include "core/plan.h"

/* Enters the run with all cells and repeats: that is what executing and resuming read. Sets to->run_id. */
TARE_MUST_CHECK int tare_record_run(struct tare_execute_args *to, const struct tare_plan *plan,
                                    struct tare_err *err);
/* Verdicts and figures of the run, which is finished now. */
TARE_MUST_CHECK int tare_record_end(const struct tare_execute_args *to, struct tare_judged *judged,
                                    struct tare_err *err);

#endif
