/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The survey table: one row a model and technique, quality per task beside what it costs. Builds a
 * typed table out of figures; knows neither the database nor how a table is printed.
 */
#ifndef TARE_REPORTS_SURVEY_H
#define TARE_REPORTS_SURVEY_H

#include "core/arena.h"
#include "reports/input.h"
#include "reports/view/view.h"

#include <tare/report.h>

/* A table and the memory it lies in. */
struct tare_survey {
    struct tare_arena arena;
    struct tare_table table;
};

/* A row a model and technique, a column a figure. With a view (NULL: none) its columns, groups, averages and
 * ranking hold; without, those of the input. The view must live as long as the table. */
TARE_MUST_CHECK int tare_survey_build(const struct tare_report_input *input, const struct tare_view *view,
                                      struct tare_survey *out, struct tare_err *err);
/* Every figure of every cell: a row each. */
TARE_MUST_CHECK int tare_survey_build_full(const struct tare_report_input *input, struct tare_survey *out,
                                           struct tare_err *err);
/* What the view asks for, of whatever kind it is. */
TARE_MUST_CHECK int tare_survey_view(const struct tare_report_input *input, const struct tare_view *view,
                                     struct tare_survey *out, struct tare_err *err);
/* Category x resource: what each technique is claimed to save, beside what it saved here (view/resources.c).
 */
TARE_MUST_CHECK int tare_survey_build_resources(const struct tare_report_input *input,
                                                const struct tare_view *view, struct tare_survey *out,
                                                struct tare_err *err);
/* Orders in length that architectures claim, beside measured exponents (view/architectures.c). */
TARE_MUST_CHECK int tare_survey_build_architectures(const struct tare_report_input *input,
                                                    const struct tare_view *view, struct tare_survey *out,
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
