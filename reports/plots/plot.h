/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plot contract: a plot is plain data, panels of series of points with intervals, which a renderer draws.
 *
 * A kind of plot is one file, NAME.c, that defines tare_plot_kind_NAME and builds a tare_plot out of cells
 * and figures; and one line in this folder's meson.build. It knows neither the database nor gnuplot. The
 * renderer (script.c, gnuplot.c, svg.c) knows no figures. Values are in raw units; how they are scaled and
 * where axes begin is the renderer's business. A plot without data does not exist: building fails with the
 * reason.
 */
#ifndef TARE_REPORTS_PLOT_H
#define TARE_REPORTS_PLOT_H

#include "core/arena.h"
#include "reports/input.h"

#include <stdbool.h>
#include <tare/opt.h>
#include <tare/report.h>

enum tare_plot_style {
    TARE_PLOT_POINTS = 1, /* with the bars of their intervals */
    TARE_PLOT_LINE,
    TARE_PLOT_LINE_POINTS,
    TARE_PLOT_STEPS, /* each y holds from its x to the next one's */
    TARE_PLOT_BARS,  /* lying: from `base` to x, at the place y */
    TARE_PLOT_BAND,  /* between y_low and y_high */
    TARE_PLOT_MARKS  /* vertical lines over the whole height, at x */
};

/* AUTO: logarithmic if the data are above 0 and span over two decades. */
enum tare_plot_scale { TARE_PLOT_AUTO = 0, TARE_PLOT_LINEAR, TARE_PLOT_LOG };

struct tare_plot_axis {
    const char *label;
    const char *unit; /* of the values; "1" or NULL for none */
    enum tare_better better;
    enum tare_plot_scale scale;
    const char *const *categories; /* names of the places 0, 1, ...; NULL: a number axis */
    size_t n_categories;
    bool from_zero;   /* linear: zero is on it, as under bars */
    double low, high; /* limits that the data do not set, such as 0 and 1 of a share; NaN: from the data */
};

/* Bounds are NaN where there is no interval; x and y are finite. */
struct tare_plot_point {
    double x, y;
    double x_low, x_high;
    double y_low, y_high;
    double base;       /* BARS: the x where the bar begins */
    const char *label; /* written beside the point, if there is room; NULL: none */
};

struct tare_plot_series {
    const char *name; /* in the legend; NULL: not in it */
    enum tare_plot_style style;
    int look;    /* colour, dash and symbol: series of equal looks belong together. From 0 on */
    bool muted;  /* grey and open: there for comparison */
    bool hollow; /* open symbol */
    bool thin;   /* a reference line */
    const struct tare_plot_point *points;
    size_t n_points;
};

struct tare_plot_panel {
    struct tare_plot_axis x, y;
    const struct tare_plot_series *series;
    size_t n_series;
};

enum { TARE_PLOT_MAX_PANELS = 3, TARE_PLOT_MAX_LOOKS = 8 };

/* Zero-initialise. What it points at lies in its arena, or is constant. Panels stand one above the other. */
struct tare_plot {
    struct tare_arena arena;
    const char *title;
    struct tare_plot_panel panels[TARE_PLOT_MAX_PANELS];
    size_t n_panels;
    const char *caption; /* what bars and bands are, with their level; kinds; what was left out */
    const char *text;    /* what it shows, for those who cannot see it; NULL: the caption */
};

struct tare_plot_kind {
    const char *name; /* latency-cdf */
    const char *summary;
    const struct tare_opt *options; /* NULL if none: offsets into a struct of options_size */
    size_t options_size;
    /* TARE_E_UNSUPPORTED with the reason where there is nothing to draw. */
    int (*build)(const struct tare_report_input *in, const void *options, struct tare_plot *out,
                 struct tare_err *err);
};

/* NULL-terminated, as in meson.build. */
extern const struct tare_plot_kind *const tare_plot_kinds[];

/*
 * Builds the plot that `what` names: "pareto", or with options "pareto{x=peak_rss,task=text-*}". Checked:
 * after it every panel has a finite point and every axis a label. tare_plot_fini it, after a failure too.
 */
TARE_MUST_CHECK int tare_plot_build(const struct tare_report_input *in, const char *what,
                                    struct tare_plot *out, struct tare_err *err);
void tare_plot_fini(struct tare_plot *plot);

enum tare_plot_format { TARE_PLOT_SVG = 0, TARE_PLOT_PDF, TARE_PLOT_PNG, TARE_PLOT_TIKZ, TARE_PLOT_SCRIPT };
/* "svg", "pdf", "png", "tikz", "script", NULL. */
extern const char *const tare_plot_format_names[];

/* Draws it: *out is the whole file, malloc'ed. TARE_E_ENVIRONMENT where gnuplot is missing or lacks a
 * terminal; `script` needs none. */
TARE_MUST_CHECK int tare_plot_render(const struct tare_plot *plot, enum tare_plot_format format, char **out,
                                     size_t *out_n, struct tare_err *err);
/* An <svg> element to stand inside a page: no prolog, ids of its own, title and desc, the page's own text
 * colour, no background. free() it. */
TARE_MUST_CHECK int tare_plot_svg(const struct tare_plot *plot, char **svg, struct tare_err *err);
/* Builds and draws what `what` names as a picture of a table: the page writes title and text beside it, so
 * they are not in the svg. Its strings are malloc'ed. */
TARE_MUST_CHECK int tare_plot_picture(const struct tare_report_input *in, const char *what,
                                      struct tare_table_picture *out, struct tare_err *err);
void tare_plot_picture_fini(struct tare_table_picture *picture);

/* What plots are built of that are joined from elsewhere. */

/* A fitted curve with its band, to lie over points; arrays of n, x ascending. low and high NULL: no band. */
struct tare_plot_fit {
    const double *x, *y, *low, *high;
    size_t n;
    double level;     /* of the band */
    const char *text; /* the formula with its constants, for the legend */
    const char *how;  /* how the band came to be, for the caption */
};

/* Loss or quality against size, with a fit where there is one (NULL: points alone). */
TARE_MUST_CHECK int tare_plot_scaling(const struct tare_report_input *in, const char *x, const char *y,
                                      const struct tare_plot_fit *fit, struct tare_plot *out,
                                      struct tare_err *err);

/* One value a session, oldest first. */
struct tare_plot_history {
    const char *title, *label, *unit; /* of the value */
    const double *values;
    const double *low, *high; /* NULL: no intervals */
    double level;             /* of these; 0: none stated */
    const char *const *names; /* of the sessions, or NULL: their numbers */
    size_t n;
    const size_t *changes; /* index of the first session after each change, ascending */
    size_t n_changes;
    const char *const *change_labels; /* "+5.1 % [4.2, 6.0]", or NULL */
    const size_t *breaks; /* first session of each new series: another machine, kernel, microcode */
    size_t n_breaks;
    const char *method; /* how changes were found, for the caption */
};

TARE_MUST_CHECK int tare_plot_of_history(const struct tare_plot_history *history, struct tare_plot *out,
                                         struct tare_err *err);

/* Losses while a model was trained. */
struct tare_plot_curve {
    const char *name;
    const double *x, *y; /* ascending x */
    size_t n;
};

TARE_MUST_CHECK int tare_plot_of_curves(const struct tare_plot_curve *curves, size_t n, const char *x_label,
                                        const char *x_unit, const char *y_label, const char *y_unit,
                                        struct tare_plot *out, struct tare_err *err);

#endif
