/* SPDX-License-Identifier: Apache-2.0 */
/* Means over the columns of a row, as a view asks for them. Private to the survey. */
#ifndef TARE_REPORTS_VIEW_AVERAGES_H
#define TARE_REPORTS_VIEW_AVERAGES_H

#include "reports/view/table.h"

/* Fills the last n_averages columns of every row. Returns -1 when memory is refused. */
TARE_MUST_CHECK int tare_view_average(const struct tare_view *view, const struct tare_survey_columns *columns,
                                      size_t n_text, size_t n_rows, struct tare_table_column *to,
                                      struct tare_table_cell *cells, struct tare_arena *arena);
/* What each mean is over and which columns it leaves out, a text each. Returns -1 when memory is refused. */
TARE_MUST_CHECK int tare_view_average_notes(const struct tare_view *view,
                                            const struct tare_survey_columns *columns, size_t n_text,
                                            const struct tare_table *table, const char **to,
                                            struct tare_arena *arena);

#endif
