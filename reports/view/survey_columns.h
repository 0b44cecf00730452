/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of a survey: which figures of which tasks, and how each is shown. Internal to the survey. */
#ifndef TARE_REPORTS_SURVEY_COLUMNS_H
#define TARE_REPORTS_SURVEY_COLUMNS_H

#include "reports/view/figures.h"
#include "survey.h"

struct tare_survey_column {
    const struct tare_figure_look *spec;
    const char *task; /* NULL: of the model */
    const char *figure;
    const char *unit;
    const char *header;
    enum tare_better better;
    bool split; /* only what is alike: the next two hold */
    bool weak;  /* of a modelled or declared value, not of one that was measured, counted or reported */
    const char *scope; /* NULL: of any */
    size_t asked;      /* which of the input's columns it came from */
};

struct tare_survey_columns {
    struct tare_survey_column *list; /* in the survey's arena */
    size_t n;
};

/* The input's columns, or the default ones. A column that no cell could fill is left out, but for those that
 * are always there: the full view says why. Values that were read and values that come out of a model or a
 * declaration get columns of their own. Returns -1 when memory is refused. */
TARE_MUST_CHECK int tare_survey_find_columns(const struct tare_report_input *input, struct tare_arena *arena,
                                             struct tare_survey_columns *out);
/* May the column show the figure? */
bool tare_survey_belongs(const struct tare_survey_column *column, const struct tare_figure *figure);
/* Do the flags hold one that voids a ranking? */
bool tare_survey_is_doubtful(const char *flags);
bool tare_survey_is_valid(const struct tare_report_cell *cell);

#endif
