/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of tables that all formats obey: which table may be printed at all, what counts as absent, and
 * how an outcome is called. It writes no cell and lays nothing out: text.h does that for formats that people
 * read.
 */
#ifndef TARE_REPORTS_TABLE_H
#define TARE_REPORTS_TABLE_H

#include <tare/report.h>

/* Keys unique, every quantity with a unit and a kind, groups in order and within the table; else an error
 * that names the place. */
TARE_MUST_CHECK int tare_table_check(const struct tare_table *table, struct tare_err *err);
/* Flushes what `format` wrote; an error of the stream becomes TARE_E_IO. */
TARE_MUST_CHECK int tare_table_flush(FILE *to, const char *format, struct tare_err *err);

/* Closes the open_memstream that fills *text; false when memory was refused, which glibc says three ways. */
TARE_MUST_CHECK bool tare_stream_close(FILE *stream, char *const *text);

const struct tare_table_cell *tare_table_at(const struct tare_table *table, size_t row, size_t column);
/*
 * The cell as every format must treat it: a quantity that is no finite number is absent, and an absent
 * cell has a reason, a mark, and an outcome that is not OK. Strings are borrowed from the cell or constant.
 */
struct tare_table_cell tare_cell_settled(const struct tare_table_cell *cell);
/* OK, MISSING, SKIPPED, INVALID, FAIL, CRASH, TIMEOUT, OOM. */
const char *tare_outcome_name(enum tare_cell_outcome outcome);
/* Has the column numbers? Cells all absent count as numbers that could not be had. */
bool tare_table_is_numeric(const struct tare_table *table, size_t column);
/* The text, or "" for NULL. */
const char *tare_text_or_empty(const char *text);
/* The next of the comma-separated flags, without blanks; its length, 0 at the end. Moves *flags on. */
size_t tare_flags_next(const char **flags, const char **code);
/* What a value, its bounds and decimals are multiplied by for display. */
double tare_quantity_scale(const struct tare_quantity *q);
/* Is there a ratio to the baseline to be shown? */
bool tare_quantity_has_ratio(const struct tare_quantity *q);
/* Has that ratio an interval? */
bool tare_quantity_has_ratio_interval(const struct tare_quantity *q);

/* The settled quantity of a cell, or false for a cell without one. */
bool tare_table_quantity(const struct tare_table *table, size_t row, size_t column,
                         struct tare_quantity *out);
/* Bits 1 << kind of the quantities of a column; 0 when it has none. */
unsigned tare_table_kinds(const struct tare_table *table, size_t column);
/* The group that a row or column is in; NULL for none. */
const struct tare_table_group *tare_table_group_of(const struct tare_table_group *groups, size_t n,
                                                   size_t index);
/* How many columns tell the rows apart: the first, and as many texts behind it as that needs. */
size_t tare_table_count_keys(const struct tare_table *table);
/* One line on how the quantities of a column came to be: kind, scope, source, intervals, n. */
void tare_column_describe(FILE *to, const struct tare_table *table, size_t column);

#endif
