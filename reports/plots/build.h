/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What kinds of plots are built with: picking figures that belong together out of cells, growing series, and
 * the sentences of a caption. It draws nothing.
 */
#ifndef TARE_REPORTS_PLOTS_BUILD_H
#define TARE_REPORTS_PLOTS_BUILD_H

#include "base/buf.h"
#include "reports/plots/plot.h"

/* A series of points that grows. */
struct tare_points {
    struct tare_plot_point *at;
    size_t n, cap;
};

/* A plot that is being made. The first failure of memory is remembered and told by tare_making_end. */
struct tare_making {
    struct tare_plot *out;
    struct tare_buf caption;
    struct tare_plot_series *series[TARE_PLOT_MAX_PANELS];
    size_t cap[TARE_PLOT_MAX_PANELS];
    bool failed;
};

void tare_making_begin(struct tare_making *m, struct tare_plot *out, const char *title, size_t n_panels);
/* "RUN: what is shown". */
const char *tare_plot_title(const struct tare_report_input *in, const char *shown, char *to, size_t n_to);
/* Keeps the caption; err has the reason where memory was refused. Call it whatever happened before: `r` < 0
 * is passed on. */
TARE_MUST_CHECK int tare_making_end(struct tare_making *m, int r, struct tare_err *err);
/* Text that lives as long as the plot; never NULL. */
TARE_PRINTF(2, 3) const char *tare_making_text(struct tare_making *m, const char *fmt, ...);
/* Adds a sentence to the caption. */
TARE_PRINTF(2, 3) void tare_making_say(struct tare_making *m, const char *fmt, ...);
void tare_making_point(struct tare_making *m, struct tare_points *to, struct tare_plot_point point);
/* Adds a series; the points are kept. Without points it adds nothing. */
void tare_making_series(struct tare_making *m, size_t panel, struct tare_plot_series series,
                        const struct tare_points *points);
/* A point without intervals. */
struct tare_plot_point tare_point(double x, double y);

/* "model", or "model technique" where it is treated. */
const char *tare_system_name(struct tare_making *m, const struct tare_report_cell *cell);
bool tare_is_untreated(const struct tare_report_cell *cell);
bool tare_same_system(const struct tare_report_cell *a, const struct tare_report_cell *b);
bool tare_cell_is_valid(const struct tare_report_cell *cell);
/* Does the cell's task match the pattern (NULL: any)? */
bool tare_cell_matches(const struct tare_report_cell *cell, const char *task_pattern);

/*
 * Figures that may share an axis: of one name, unit, kind and scope, of valid cells. What is met first
 * decides; what does not belong is counted and named in the caption.
 */
struct tare_pick {
    const char *figure;
    const char *task;                /* pattern, or NULL */
    const char *one_task;            /* only this one; NULL: any */
    const struct tare_figure *first; /* decides unit, kind and scope; NULL: none was found yet */
    double level_low, level_high;    /* of the intervals that were met; 0: none */
    const char *method;              /* of the first */
    size_t n, n_bare, n_exact;       /* found; without an interval; without any uncertainty */
    size_t n_invalid, n_foreign, n_absent;
    const char *why_absent;  /* of the first that was absent */
    const char *why_invalid; /* the first reasons */
};

/* The figure, if it may be drawn; counts what it met. "quality" is the headline metric of the cell's task. */
const struct tare_figure *tare_pick(struct tare_pick *pick, const struct tare_report_cell *cell);
/* The name that a pick stands for on this cell. */
const char *tare_pick_name(const struct tare_pick *pick, const struct tare_report_cell *cell);
bool tare_figure_has_interval(const struct tare_figure *figure);
/* Sets y, or x, with their intervals. */
void tare_point_set_x(struct tare_plot_point *point, const struct tare_figure *figure);
void tare_point_set_y(struct tare_plot_point *point, const struct tare_figure *figure);
/* Sentences on the intervals of what was picked, its kind, and what was left out. `bars` says how they are
 * drawn. */
void tare_pick_say(struct tare_making *m, const struct tare_pick *pick, const char *bars);
/* The same under a name of the caller's. */
void tare_pick_say_as(struct tare_making *m, const struct tare_pick *pick, const char *name,
                      const char *bars);
/* The intervals alone. */
void tare_pick_say_intervals(struct tare_making *m, const struct tare_pick *pick, const char *bars);
/* TARE_E_UNSUPPORTED: "plot NAME: nothing to draw: " and why this pick found nothing. */
int tare_pick_nothing(const struct tare_pick *pick, const char *plot, const struct tare_report_input *in,
                      struct tare_err *err);
/* Splits "figure@pattern" into the pick. */
void tare_pick_parse(struct tare_making *m, struct tare_pick *pick, const char *text);
/* "decode throughput" of decode_throughput. */
const char *tare_figure_label(struct tare_making *m, const char *name);
/* Where fewer is better: times, bytes, energy, money, bits. 0 where neither can be told. */
enum tare_better tare_figure_better(const struct tare_report_cell *cell, const char *name);
/* Narrows the pick to the task at which most cells have the figure, the first of equals; the counts begin
 * anew. */
void tare_pick_one_task(struct tare_pick *pick, const struct tare_report_input *in);
/* Says that tokens of different tokenizers are different things, if such cells were drawn by figures of
 * tokens. */
void tare_say_tokenizers(struct tare_making *m, const struct tare_pick *pick,
                         const struct tare_report_input *in);
/* Says that times of the scenario "single" know no queues. */
void tare_say_closed(struct tare_making *m, const struct tare_report_cell *cell);
/*
 * Cells that may be drawn side by side: they have the picked figure (the pick is narrowed to one task) and a
 * model that matches the pattern (NULL: any). At most as many as there are looks; the caption says what was
 * left out. Returns their number; `out` has room for TARE_PLOT_MAX_LOOKS.
 */
size_t tare_choose(struct tare_making *m, const struct tare_report_input *in, struct tare_pick *pick,
                   const char *model_pattern, const struct tare_report_cell **out);
/* A number of the cell's spec, below "task_options"; NaN if it is not there. */
double tare_cell_option(const struct tare_report_cell *cell, const char *name);

#endif
