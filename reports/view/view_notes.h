/* SPDX-License-Identifier: Apache-2.0 */
/* What a view says below its table. Private to the survey. */
#ifndef TARE_REPORTS_VIEW_NOTES_H
#define TARE_REPORTS_VIEW_NOTES_H

#include "reports/view/survey_columns.h"

/* Puts the view's own notes, what its means are over and which of its columns nothing could fill before the
 * notes of the table. A view of NULL adds none. Returns -1 when memory is refused. */
TARE_MUST_CHECK int tare_view_explain(const struct tare_view *view, const struct tare_report_input *input,
                                      const struct tare_survey_columns *columns, size_t n_text,
                                      struct tare_survey *survey);

#endif
