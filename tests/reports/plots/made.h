/* SPDX-License-Identifier: Apache-2.0 */
/* Cells made for the tests of plots. Their figures are invented; they were measured nowhere. */
#ifndef TARE_TESTS_PLOTS_MADE_H
#define TARE_TESTS_PLOTS_MADE_H

#include "reports/plots/plot.h"

enum { made_max_cells = 64, made_max_figures = 24 };

struct made {
    struct tare_report_input in;
    struct tare_report_cell cells[made_max_cells];
    struct tare_figure figures[made_max_cells][made_max_figures];
    char specs[made_max_cells][128];
};

/* No cells; made_fini is not needed. */
void made_begin(struct made *m);
/* A valid cell of the scenario "single"; its index. */
size_t made_cell(struct made *m, const char *model, const char *technique, const char *task);
/* A measured figure with the interval value +- half at 0.969; half < 0: none; half 0: exact. */
struct tare_figure *made_figure(struct made *m, size_t cell, const char *name, const char *unit, double value,
                                double half);
struct tare_figure *made_absent(struct made *m, size_t cell, const char *name, const char *why);
/* "task_options" of the spec: prompt_tok and max_output. */
void made_lengths(struct made *m, size_t cell, int prompt_tok, int max_output);
/* The series of that name of a panel; NULL. */
const struct tare_plot_series *made_series(const struct tare_plot *plot, size_t panel, const char *name);

#endif
