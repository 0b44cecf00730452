/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The survey table: one row a model and technique, quality per task beside what it costs. Builds a
 * typed table out of figures; knows neither the database nor how a table is printed.
 */
#ifndef TARE_REPORTS_SURVEY_H
#define TARE_REPORTS_SURVEY_H

#include "core/arena.h"
#include "reports/input.h"

#include <tare/report.h>

/* A table and the memory it lies in. */
struct tare_survey {
    struct tare_arena arena;
    struct tare_table table;
};

/* The survey: a row a model, a column a figure. */
TARE_MUST_CHECK int tare_survey_build(const struct tare_report_input *input, struct tare_survey *out,
                                      struct tare_err *err);
/* Every figure of every cell: a row each. */
TARE_MUST_CHECK int tare_survey_build_full(const struct tare_report_input *input, struct tare_survey *out,
                                           struct tare_err *err);
void tare_survey_fini(struct tare_survey *survey);

/* Shared by both: the table cell that shows a figure of a run cell, or why it cannot. */
struct tare_table_cell tare_survey_cell_of(const struct tare_report_cell *cell,
                                           const struct tare_figure *figure, int decimals,
                                           double display_scale);

/* Notes that explain every flag and technique label in the table, into table->notes; on failure the
 * survey is as before. */
TARE_MUST_CHECK int tare_survey_explain(struct tare_survey *survey, const struct tare_report_input *input,
                                        struct tare_err *err);

#endif
