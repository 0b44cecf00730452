/* SPDX-License-Identifier: Apache-2.0 */
/* How a figure is shown: header, unit, digits, and which direction is the good one. One table for views,
 * comparisons and gates. */
#ifndef TARE_REPORTS_FIGURES_H
#define TARE_REPORTS_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <tare/report.h>

#define TARE_FIGURE_QUALITY "quality" /* stands for a task's headline metric */

struct tare_figure_look {
    const char *figure;
    const char *header;
    const char *unit; /* shown; NULL: the figure's own */
    double scale;     /* to the shown unit; 0: as it is */
    int decimals;
    enum tare_better better;
    bool of_model;   /* the same for all tasks: no task in the header */
    bool by_default; /* a column where a plan names none */
};

/* All of them, in the order of default columns. */
const struct tare_figure_look *tare_figure_looks(size_t *out_n);
/* NULL: the figure is shown as it is, and no direction is better. */
const struct tare_figure_look *tare_figure_look(const char *figure);

#endif
