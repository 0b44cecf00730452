/* SPDX-License-Identifier: Apache-2.0 */
/* Files of numbers that a user hands to a score: one line a row, commas between, the names of the columns in
 * the first line; lines that begin with # are skipped. No quotes: names with commas do not belong here. */
#ifndef TARE_REPORTS_SCORES_ROWS_H
#define TARE_REPORTS_SCORES_ROWS_H

#include "core/arena.h"

#include <stdbool.h>
#include <tare/err.h>

struct tare_rows {
    size_t n_rows, n_columns;
    const char **columns;
    const char **cells; /* row-major */
};

/* Reads a file of at most 64 MiB into the arena. */
TARE_MUST_CHECK int tare_rows_load(const char *path, struct tare_arena *arena, struct tare_rows *out,
                                   struct tare_err *err);
/* Number of the column; n_columns if there is none of that name. */
size_t tare_rows_column(const struct tare_rows *rows, const char *name);
/* A finite number out of a cell, or an error that names file and line. */
TARE_MUST_CHECK int tare_rows_number(const struct tare_rows *rows, size_t row, size_t column,
                                     const char *path, double *out, struct tare_err *err);

#endif
