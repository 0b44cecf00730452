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
/* The same with the first `n` of its blocks alone, for those who look before they go on. */
TARE_MUST_CHECK int tare_record_begin(struct tare_execute_args *to, const struct tare_plan *plan, int64_t n,
                                      struct tare_err *err);
/* More blocks of a run that is entered: from block `first` on, `n` of them, for cells that take part in all.
 */
TARE_MUST_CHECK int tare_record_more(struct tare_execute_args *to, const struct tare_plan *plan,
                                     int64_t first, int64_t n, struct tare_err *err);
/* Verdicts and figures of the run, which is finished now. */
TARE_MUST_CHECK int tare_record_end(const struct tare_execute_args *to, struct tare_judged *judged,
                                    struct tare_err *err);

#endif
