/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between a plot and gnuplot: axes with their ticks, where everything stands on the sheet, text made safe.
 * Sizes are in px of a sheet that is 760 wide; other formats scale it. Y runs upwards, as in gnuplot.
 */
#ifndef TARE_REPORTS_PLOTS_RENDER_H
#define TARE_REPORTS_PLOTS_RENDER_H

#include "base/buf.h"
#include "reports/plots/plot.h"

enum { TARE_AXIS_MAX_TICKS = 24 };

struct tare_axis_map {
    bool log;
    double low, high; /* raw units */
    double scale;     /* shown = raw x scale */
    char unit[48];    /* shown; "" for none */
    size_t n_ticks;
    double ticks[TARE_AXIS_MAX_TICKS]; /* raw */
    char texts[TARE_AXIS_MAX_TICKS][24];
};

/* Where an axis of a panel begins and ends, and its ticks. Panels that stand one above the other share their
 * x. */
void tare_axis_map_make(const struct tare_plot *plot, size_t panel, bool is_x, struct tare_axis_map *out);
/* Of the way from the low end to the high one. */
double tare_axis_map_at(const struct tare_axis_map *map, double raw);
/* Does a unit take prefixes, and which one suits this size? Writes "GB/s"; returns the scale. */
double tare_unit_scale(const char *unit, double size, char *to, size_t n_to);

/* A label that found its place; it begins there. */
struct tare_placed {
    double x, y; /* px */
    const char *text;
    size_t panel;
    bool muted;
    bool led; /* it stands away from its point, and a line leads there */
    double from_x, from_y, to_x, to_y;
};

struct tare_frame {
    double left, right, bottom, top; /* px */
    struct tare_axis_map x, y;
};

struct tare_layout {
    double width, height;
    double caption_top; /* baseline of the first line */
    double legend_left; /* px; 0: no legend */
    struct tare_frame frames[TARE_PLOT_MAX_PANELS];
    struct tare_placed *labels; /* of all panels, absolute */
    size_t n_labels, n_unplaced;
    char **lines; /* of the caption */
    size_t n_lines;
    struct tare_arena arena;
};

/* Room for the title, and for the caption. */
TARE_MUST_CHECK int tare_layout_make(const struct tare_plot *plot, bool titled, bool captioned,
                                     struct tare_layout *out, struct tare_err *err);
void tare_layout_fini(struct tare_layout *layout);
/* Has a series an entry in the legend of its panel? The first of equal names speaks for all. */
bool tare_in_legend(const struct tare_plot *plot, size_t panel, size_t i);

/* How a look is drawn: differs in colour, grey, dash and symbol. */
struct tare_look {
    const char *colour;
    const char *dash;        /* gnuplot's dt */
    int symbol, symbol_open; /* gnuplot's pt */
    double fill;             /* density of bars */
};

struct tare_look tare_look_of(const struct tare_plot_series *series);

/* Foreign text made harmless: valid UTF-8 without controls, at most max_chars of them, "..." where cut. */
void tare_plot_clean(struct tare_buf *to, const char *text, size_t max_chars);
/* How wide a text is, in px at a font size of 12. */
double tare_plot_width(const char *text);
/* Which letters a format can draw. What it cannot is written as "[U+6A21]". */
enum tare_letters {
    TARE_LETTERS_ALL = 0, /* SVG: whoever shows it has the fonts */
    TARE_LETTERS_CAIRO,   /* what DejaVu has: gnuplot 5.4 draws others, if no font has them, all over the
                             picture */
    TARE_LETTERS_TEX      /* what pdflatex knows; TeX's specials escaped */
};

/* A gnuplot string in double quotes. `percent`: gnuplot formats it. */
void tare_plot_quote(struct tare_buf *to, const char *text, enum tare_letters letters, bool percent);
void tare_plot_tex(struct tare_buf *to, const char *text);
void tare_plot_xml(struct tare_buf *to, const char *text);

/* FILE: a file of its own. PAGE: in a page, without the title. BARE: without caption, title and description
 * too, for pages that write them beside it. */
enum tare_plot_form { TARE_FORM_FILE = 0, TARE_FORM_PAGE, TARE_FORM_BARE };

/* The whole script for a format's terminal; TARE_PLOT_SCRIPT: with words for whoever restyles it. */
TARE_MUST_CHECK int tare_plot_script(const struct tare_plot *plot, enum tare_plot_format format,
                                     enum tare_plot_form form, struct tare_buf *to, struct tare_err *err);
/* Runs gnuplot on a script; *out is what it wrote. */
TARE_MUST_CHECK int tare_gnuplot_run(const char *script, size_t n, enum tare_plot_format format, char **out,
                                     size_t *out_n, struct tare_err *err);
/* Makes gnuplot's SVG ours: title, desc, ids, colours. */
TARE_MUST_CHECK int tare_svg_finish(const struct tare_plot *plot, const char *svg, size_t n,
                                    enum tare_plot_form form, struct tare_buf *to, struct tare_err *err);

#endif
