/* SPDX-License-Identifier: Apache-2.0 */
/* Fills the table of a score: columns first, then rows of cells from left to right, then notes. All memory is
 * the score's arena; a refused allocation or a row of the wrong length is remembered and told by sheet_end.
 */
#ifndef TARE_REPORTS_SCORES_SHEET_H
#define TARE_REPORTS_SCORES_SHEET_H

#include "matrix.h"
#include "score.h"

enum { TARE_SHEET_COLUMNS = 64, TARE_SHEET_NOTES = 48 };

struct tare_sheet {
    struct tare_score_out *out;
    struct tare_table_column columns[TARE_SHEET_COLUMNS];
    size_t n_columns;
    struct tare_table_cell *cells;
    size_t n_cells, cap_cells;
    const char *notes[TARE_SHEET_NOTES];
    size_t n_notes;
    const char *caption;
    bool failed;  /* memory was refused */
    bool crooked; /* more columns, notes or cells than fit */
};

void tare_sheet_begin(struct tare_sheet *sheet, struct tare_score_out *out,
                      const struct tare_report_input *input);
void tare_sheet_column(struct tare_sheet *sheet, const char *key, const char *header, const char *unit,
                       enum tare_better better);
/* A column for each metric of a matrix. */
void tare_sheet_metric_columns(struct tare_sheet *sheet, const struct tare_score_matrix *matrix);
void tare_sheet_text(struct tare_sheet *sheet, const char *text); /* borrowed; NULL: an empty cell */
TARE_PRINTF(2, 3) void tare_sheet_textf(struct tare_sheet *sheet, const char *fmt, ...);
/* The value, or its absence. Decimals are chosen so that four digits show. */
void tare_sheet_value(struct tare_sheet *sheet, const struct tare_score_value *value);
void tare_sheet_absent(struct tare_sheet *sheet, const char *why);
/* Where no row was put: one that says why. */
void tare_sheet_or_why(struct tare_sheet *sheet, const char *why);
/* All values of a system, in the order of the metrics. */
void tare_sheet_values(struct tare_sheet *sheet, const struct tare_score_matrix *matrix, size_t system);
TARE_PRINTF(2, 3) void tare_sheet_note(struct tare_sheet *sheet, const char *fmt, ...);
/* "Set of systems that ... depends on: ..." */
void tare_sheet_note_set(struct tare_sheet *sheet, const struct tare_score_matrix *matrix, const char *what);
/* A text in the arena; NULL when memory is refused. */
TARE_PRINTF(2, 3) const char *tare_sheet_keep(struct tare_sheet *sheet, const char *fmt, ...);
/* Begins with the column of systems. */
void tare_sheet_systems(struct tare_sheet *sheet, struct tare_score_out *out,
                        const struct tare_report_input *input);
/* The most common beginning: metrics from a text, and the matrix of them. */
TARE_MUST_CHECK int tare_sheet_matrix(const struct tare_report_input *input, const char *metrics,
                                      struct tare_score_out *out, struct tare_score_matrix *matrix,
                                      struct tare_err *err);
/* Makes the table. `title` is the score's. */
TARE_MUST_CHECK int tare_sheet_end(struct tare_sheet *sheet, const char *title, struct tare_err *err);

#endif
