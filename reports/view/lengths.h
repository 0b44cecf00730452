/* SPDX-License-Identifier: Apache-2.0 */
/* How long the sequences of a cell are, as its plan asked for them. */
#ifndef TARE_REPORTS_VIEW_LENGTHS_H
#define TARE_REPORTS_VIEW_LENGTHS_H

#include "reports/input.h"

struct tare_view_lengths {
    double prompt_tok, output_tok; /* NaN: the task has no such option */
};

/* From the cell's spec, else the default of the task's option. Output is what was asked for at most. */
struct tare_view_lengths tare_view_lengths(const struct tare_report_cell *cell);

#endif
