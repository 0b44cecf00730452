/* SPDX-License-Identifier: Apache-2.0 */
/* Cells made by hand, for scores to read. Static memory: one selection at a time. */
#ifndef TARE_TEST_SCORES_FIXTURE_H
#define TARE_TEST_SCORES_FIXTURE_H

#include "reports/input.h"

#include <tare/kind.h>

/* Forgets everything; the plan's baseline is `baseline`. */
void fixture_begin(const char *baseline);
/* A valid cell; its task's headline is the share "acc". */
struct tare_report_cell *fixture_cell(const char *model, const char *technique, const char *task);
/* A measured figure of the last cell with an interval of value +- half; half < 0: none. */
void fixture_figure(const char *name, double value, const char *unit, double half);
/* The last figure, to be changed. */
struct tare_figure *fixture_last(void);
const struct tare_report_input *fixture_input(void);

#endif
