/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The survey table: one row a model and technique, quality per task beside what it costs. Builds a
 * typed table out of figures; knows neither the database nor how a table is printed.
 */
#ifndef TARE_REPORTS_SURVEY_H
#define TARE_REPORTS_SURVEY_H

#include "base/record.h"
#include "core/arena.h"

#include <tare/report.h>
#include <tare/task.h>

/* One cell of the run. Everything borrowed. */
struct tare_survey_cell {
    const char *model, *backend, *technique, *task, *scenario;
    const struct tare_metric *metrics; /* the task's; NULL for none */
    const char *tokenizer;             /* the model's; NULL if not known */
    const char *verdict;               /* VALID, INVALID, SKIPPED, or NULL when not judged */
    const char *reasons;
    const char *message; /* of the first repeat that failed; NULL */
    const struct tare_figure *figures;
    size_t n_figures;
};

/* A technique's label, where it is not its tag. */
struct tare_survey_label {
    const char *label;
    const char *tag;
};

struct tare_survey_input {
    const char *title;
    const char *caption;
    const struct tare_survey_cell *cells;
    size_t n_cells;
    const char *const *columns; /* "figure" or "figure@task pattern"; none: the default ones */
    size_t n_columns;
    const struct tare_survey_label *labels; /* what the techniques' labels stand for */
    size_t n_labels;
};

/* A table and the memory it lies in. */
struct tare_survey {
    struct tare_arena arena;
    struct tare_table table;
};

/* The survey: a row a model, a column a figure. */
TARE_MUST_CHECK int tare_survey_build(const struct tare_survey_input *input, struct tare_survey *out,
                                      struct tare_err *err);
/* Every figure of every cell: a row each. */
TARE_MUST_CHECK int tare_survey_build_full(const struct tare_survey_input *input, struct tare_survey *out,
                                           struct tare_err *err);
void tare_survey_fini(struct tare_survey *survey);

/* Shared by both: the table cell that shows a figure of a run cell, or why it cannot. */
struct tare_table_cell tare_survey_cell_of(const struct tare_survey_cell *cell,
                                           const struct tare_figure *figure, int decimals,
                                           double display_scale);

/* Notes that explain every flag and technique label in the table, into table->notes; on failure the
 * survey is as before. */
TARE_MUST_CHECK int tare_survey_explain(struct tare_survey *survey, const struct tare_survey_input *input,
                                        struct tare_err *err);

#endif
