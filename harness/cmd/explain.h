/* SPDX-License-Identifier: Apache-2.0 */
/* One figure of one cell, from what a table shows back to samples, readings, formula and files by hash. */
#ifndef TARE_CMD_EXPLAIN_H
#define TARE_CMD_EXPLAIN_H

#include "store/store.h"

#include <tare/json.h>

/* Which cell: NULL or empty members are left open; exactly one cell of the run must be left. */
struct tare_explain_cell {
    const char *model, *technique, *task, *scenario;
    int64_t ordinal; /* TARE_ABSENT: open */
};

/* Fills the object. The stored figure is derived once more, and whether that gives the same is said. */
TARE_MUST_CHECK int tare_explain(struct tare_store *store, int64_t run_id,
                                 const struct tare_explain_cell *which, const char *figure,
                                 struct tare_json *to, struct tare_err *err);
/* The object as lines for people. */
TARE_MUST_CHECK int tare_explain_print(const struct tare_json *explained, struct tare_err *err);

#endif
