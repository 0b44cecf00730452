/* SPDX-License-Identifier: Apache-2.0 */
/* How a view changes a survey table: which cells and columns enter, their dress and groups. Private
 * to the survey. With a view of NULL every call leaves things as they are. */
#ifndef TARE_REPORTS_VIEW_TABLE_H
#define TARE_REPORTS_VIEW_TABLE_H

#include "reports/view/survey_columns.h"

/* Takes the cells that the view's filter leaves, and its columns. Returns -1 when memory is refused. */
TARE_MUST_CHECK int tare_view_choose(const struct tare_view *view, struct tare_report_input *input,
                                     struct tare_arena *arena);
/* The group of a cell's technique; n_groups where it is in none. */
size_t tare_view_group_of(const struct tare_view *view, const struct tare_report_cell *cell);
/* The architecture that the backend names in its facts; "" if it names none. */
void tare_view_architecture(const struct tare_report_cell *cell, char *out, size_t n_out);
/* Is the tag the prefix itself, or below it in the tree? */
bool tare_view_is_below(const char *tag, const char *prefix);
void tare_view_dress_column(const struct tare_view *view, const struct tare_survey_column *column,
                            struct tare_table_column *to);
/* Digits, unit, and the ratio that stands in brackets behind, of a run cell's figure. */
void tare_view_dress_cell(const struct tare_view *view, const struct tare_survey_column *column,
                          const struct tare_report_cell *cell, struct tare_table_cell *to);
/* The words of both comma-separated lists, each once, in the arena; NULL when memory is refused. */
const char *tare_view_join_flags(struct tare_arena *arena, const char *x, const char *y);

#endif
