/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the four forms of llama-bench share: the meaning of a row's fields, in and out. A row is a prompt
 * test (pp), a generation test (tg) or both (pg), by which of n_prompt and n_gen is zero.
 */
#ifndef TARE_INTEROP_LLAMA_ROWS_H
#define TARE_INTEROP_LLAMA_ROWS_H

#include "records.h"

#define TARE_LLAMA_TOOL   "llama-bench"
#define TARE_LLAMA_FAMILY "llama-bench"

/* The cell and figures of one row, whose record is handed over already. */
TARE_MUST_CHECK int tare_llama_row(const struct tare_interop_in *in, const struct tare_json *row,
                                   struct tare_err *err);
/* Is it a row of llama-bench? The fields that every version of it writes. */
bool tare_llama_looks(const char *head, size_t n);

/* Calls fn with every row that a measured run gives. */
TARE_MUST_CHECK int tare_llama_rows(const struct tare_interop_run *run, tare_interop_record_fn fn, void *ctx,
                                    struct tare_err *err);
/* A stored row with the types that llama-bench gives its fields in JSON: rows that came out of CSV or SQL
 * have text everywhere. free() the result. */
TARE_MUST_CHECK int tare_llama_typed(const char *json, char **out, struct tare_err *err);
/* The same records for a writer of JSON. */
TARE_MUST_CHECK int tare_llama_give_back_json(const struct tare_interop_stored *stored, bool lines, FILE *to,
                                              struct tare_err *err);

/* A measured run as if it had been imported: its rows, for the writers of imported rows. */
struct tare_interop_stored tare_llama_as_stored(const struct tare_interop_run *run);

#endif
