/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a plot to a gnuplot script with its data inline, in raw units: `using` scales them. It draws what the
 * layout says and decides nothing but lines and symbols. gnuplot writes to standard output; no path is in the
 * script.
 */
#include "reports/plots/render.h"

#include <inttypes.h>
#include <string.h>

struct script {
    const struct tare_plot *plot;
    const struct tare_layout *layout;
    struct tare_buf *to;
    enum tare_plot_format format;
    bool tex;
};

static void quote(const struct script *s, const char *text, bool percent)
{
    bool cairo = s->format == TARE_PLOT_PDF || s->format == TARE_PLOT_PNG;
    tare_plot_quote(s->to, text,
                    s->tex  ? TARE_LETTERS_TEX
                    : cairo ? TARE_LETTERS_CAIRO
                            : TARE_LETTERS_ALL,
                    percent);
}

/* Foreign text that must not be longer than so many characters. */
static void quote_short(const struct script *s, const char *text, size_t max_chars, bool percent)
{
    struct tare_buf cut;
    tare_buf_init(&cut, 1 << 16);
    tare_plot_clean(&cut, text, max_chars);
    quote(s, tare_buf_str(&cut), percent);
    tare_buf_fini(&cut);
}

/* TikZ takes a command of TeX where others take a size. */
static const char *font(const struct script *s, int size)
{
    if (s->tex) {
        return size >= 14   ? "\\normalsize"
               : size >= 12 ? "\\footnotesize"
               : size >= 11 ? "\\scriptsize"
                            : "\\tiny";
    }
    return size >= 14 ? ",14" : size >= 12 ? ",12" : size >= 11 ? ",11" : ",10";
}

static void put_terminal(const struct script *s)
{
    double w = s->layout->width, h = s->layout->height;
    switch (s->format) {
    case TARE_PLOT_PDF:
        tare_buf_printf(s->to,
                        "set terminal pdfcairo size %.4gin,%.4gin noenhanced font 'Sans,12' fontscale 0.415 "
                        "linewidth 1 dashlength 1 pointscale 1.1 background '#ffffff'\n",
                        w / 96, h / 96);
        break;
    case TARE_PLOT_PNG:
        tare_buf_printf(s->to,
                        "set terminal pngcairo size %.0f,%.0f noenhanced font 'Sans,12' fontscale 1.5 "
                        "linewidth 2 dashlength 1 pointscale 2 background '#ffffff'\n",
                        2 * w, 2 * h);
        break;
    case TARE_PLOT_TIKZ:
        tare_buf_printf(s->to, "set terminal tikz size %.4gcm,%.4gcm font '\\footnotesize'\n", w / 47.5,
                        h / 47.5);
        break;
    default:
        tare_buf_printf(s->to,
                        "set terminal svg size %.0f,%.0f noenhanced font 'sans-serif,12' linewidth 1 "
                        "background '#ffffff'\n",
                        w, h);
        break;
    }
}

static void put_number(struct tare_buf *to, double value)
{
    if (isfinite(value)) {
        tare_buf_printf(to, " %.17g", value);
    } else {
        tare_buf_add_str(to, " NaN");
    }
}

static void put_data(const struct script *s, size_t panel, size_t i)
{
    const struct tare_plot_series *series = &s->plot->panels[panel].series[i];
    tare_buf_printf(s->to, "$p%zus%zu << END_OF_DATA\n", panel, i);
    for (size_t j = 0; j < series->n_points; j++) {
        const struct tare_plot_point *p = &series->points[j];
        const double values[] = {p->x, p->y, p->x_low, p->x_high, p->y_low, p->y_high, p->base};
        for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
            put_number(s->to, values[k]);
        }
        tare_buf_add_str(s->to, "\n");
    }
    tare_buf_add_str(s->to, "END_OF_DATA\n");
}

static void put_common(const struct script *s)
{
    tare_buf_add_str(s->to, "set encoding utf8\n"
                            "set border 3 linecolor rgb '#000000' linewidth 0.8\n"
                            "set tics nomirror out scale 0.5\n"
                            "set grid xtics ytics linecolor rgb '#BBBBBB' linewidth 0.4 dashtype (2,3)\n"
                            "set style fill solid 0.5 border\n"
                            "# columns: x, y, x_low, x_high, y_low, y_high, base; NaN: no interval\n");
    for (size_t p = 0; p < s->plot->n_panels; p++) {
        for (size_t i = 0; i < s->plot->panels[p].n_series; i++) {
            put_data(s, p, i);
        }
    }
}

static void put_at(const struct script *s, double x, double y)
{
    tare_buf_printf(s->to, " at screen %.5f,%.5f", x / s->layout->width, y / s->layout->height);
}

/* Title and caption stand on the sheet, so the first panel draws them. TeX sets its own captions. */
static void put_sheet(const struct script *s, bool titled)
{
    const struct tare_layout *l = s->layout;
    if (titled) {
        tare_buf_add_str(s->to, "set label ");
        quote_short(s, s->plot->title, 90, false);
        put_at(s, 14, l->height - 22);
        tare_buf_printf(s->to, " left font '%s' textcolor rgb '#000000'\n", font(s, 14));
    }
    for (size_t i = 0; i < l->n_lines && !s->tex; i++) {
        tare_buf_add_str(s->to, "set label ");
        quote(s, l->lines[i], false);
        put_at(s, 14, l->caption_top - 14.0 * (double)i);
        tare_buf_printf(s->to, " left font '%s' textcolor rgb '#6A6A6A'\n", font(s, 10));
    }
}

/* From a label to its point. */
static void put_leader(const struct script *s, const struct tare_placed *label)
{
    double w = s->layout->width, h = s->layout->height;
    if (label->led) {
        tare_buf_printf(
            s->to,
            "set arrow from screen %.5f,%.5f to screen %.5f,%.5f nohead back linecolor rgb '#7A7A7A' "
            "linewidth 0.6\n",
            label->from_x / w, label->from_y / h, label->to_x / w, label->to_y / h);
    }
}

static void put_labels(const struct script *s, size_t panel)
{
    for (size_t i = 0; i < s->layout->n_labels; i++) {
        const struct tare_placed *label = &s->layout->labels[i];
        if (label->panel == panel) {
            tare_buf_add_str(s->to, "set label ");
            quote(s, label->text, false);
            put_at(s, label->x, label->y);
            tare_buf_printf(s->to, " left font '%s' textcolor rgb '%s'\n", font(s, 11),
                            label->muted ? "#6A6A6A" : "#000000");
            put_leader(s, label);
        }
    }
}

static void put_axis_label(const struct script *s, const char *which, const struct tare_plot_axis *axis,
                           const struct tare_axis_map *map)
{
    struct tare_buf text;
    tare_buf_init(&text, 1 << 16);
    tare_plot_clean(&text, axis->label, 60);
    if (map->unit[0]) {
        tare_buf_printf(&text, ", %s", map->unit);
    }
    if (axis->better) {
        tare_buf_add_str(&text,
                         axis->better == TARE_BETTER_HIGHER ? " (higher is better)" : " (lower is better)");
    }
    tare_buf_printf(s->to, "set %slabel ", which);
    quote(s, tare_buf_str(&text), false);
    tare_buf_printf(s->to, " font '%s'\n", font(s, 12));
    tare_buf_fini(&text);
}

/* Every how many names of places find room below the axis; beside it all do. */
static size_t stride_of(const struct script *s, const char *which, const struct tare_plot_axis *axis)
{
    const struct tare_frame *f = &s->layout->frames[0];
    double width = 0;
    for (size_t i = 0; axis->categories && i < axis->n_categories; i++) {
        width += tare_plot_width(axis->categories[i]) + 8;
    }
    return which[0] == 'y' ? 1 : (size_t)(width / (f->right - f->left)) + 1;
}

static void put_ticks(const struct script *s, const char *which, const struct tare_plot_axis *axis,
                      const struct tare_axis_map *map, bool named)
{
    size_t stride = stride_of(s, which, axis);
    tare_buf_printf(s->to, "set %stics (", which);
    for (size_t i = 0; axis->categories && i < axis->n_categories; i++) {
        tare_buf_add_str(s->to, i ? ", " : "");
        quote_short(s, named && i % stride == 0 ? axis->categories[i] : "", 34, true);
        tare_buf_printf(s->to, " %zu", i);
    }
    for (size_t i = 0; i < map->n_ticks; i++) {
        tare_buf_printf(s->to, "%s'%s' %.12g", i ? ", " : "", named ? map->texts[i] : "",
                        map->ticks[i] * map->scale);
    }
    tare_buf_printf(s->to, ") font '%s'\n", font(s, 12));
}

static void put_axis(const struct script *s, const char *which, const struct tare_plot_axis *axis,
                     const struct tare_axis_map *map, bool named)
{
    tare_buf_printf(s->to, "unset logscale %s\n", which);
    if (map->log) {
        tare_buf_printf(s->to, "set logscale %s 10\n", which);
    }
    /* places count downwards, so that the first name is on top */
    bool turned = axis->categories && which[0] == 'y';
    double low = map->low * map->scale, high = map->high * map->scale;
    tare_buf_printf(s->to, "set %srange [%.12g:%.12g] noextend\n", which, turned ? high : low,
                    turned ? low : high);
    put_ticks(s, which, axis, map, named);
    if (named) {
        put_axis_label(s, which, axis, map);
    } else {
        tare_buf_printf(s->to, "unset %slabel\n", which);
    }
}

static void put_marks(const struct script *s, size_t panel)
{
    const struct tare_frame *f = &s->layout->frames[panel];
    for (size_t i = 0; i < s->plot->panels[panel].n_series; i++) {
        const struct tare_plot_series *series = &s->plot->panels[panel].series[i];
        struct tare_look look = tare_look_of(series);
        for (size_t j = 0; series->style == TARE_PLOT_MARKS && j < series->n_points; j++) {
            double x = series->points[j].x * f->x.scale;
            tare_buf_printf(
                s->to,
                "set arrow from first %.12g, graph 0 to first %.12g, graph 1 nohead linecolor rgb '%s' "
                "linewidth 1.3 dashtype %s\n",
                x, x, look.colour, look.dash);
            if (series->points[j].label) {
                tare_buf_add_str(s->to, "set label ");
                quote_short(s, series->points[j].label, 36, false);
                tare_buf_printf(s->to,
                                " at first %.12g, graph 0.98 right rotate by 90 offset -1.1,0 font '%s' "
                                "textcolor rgb '#000000'\n",
                                x, font(s, 11));
            }
        }
    }
}

static void put_frame(const struct script *s, size_t panel)
{
    const struct tare_plot_panel *p = &s->plot->panels[panel];
    const struct tare_frame *f = &s->layout->frames[panel];
    double w = s->layout->width, h = s->layout->height;
    tare_buf_printf(s->to,
                    "set lmargin at screen %.5f\nset rmargin at screen %.5f\nset bmargin at screen %.5f\n"
                    "set tmargin at screen %.5f\n",
                    f->left / w, f->right / w, f->bottom / h, f->top / h);
    put_axis(s, "x", &p->x, &f->x, panel + 1 == s->plot->n_panels);
    put_axis(s, "y", &p->y, &f->y, true);
    if (s->layout->legend_left > 0) {
        tare_buf_printf(s->to,
                        "set key at screen %.5f,%.5f left top Left reverse vertical maxrows 60 samplen 2.6 "
                        "spacing 1.2 font '%s' noopaque\n",
                        s->layout->legend_left / w, f->top / h, font(s, 11));
    } else {
        tare_buf_add_str(s->to, "unset key\n");
    }
    put_marks(s, panel);
}

/* A clause of the plot command begins. */
static void begin_clause(const struct script *s, size_t panel, size_t i, bool *first, const char *columns)
{
    const struct tare_frame *f = &s->layout->frames[panel];
    tare_buf_printf(s->to, "%s$p%zus%zu using ", *first ? "plot " : ", \\\n     ", panel, i);
    *first = false;
    for (const char *c = columns; *c; c++) {
        bool is_x = *c == '1' || *c == '3' || *c == '4' || *c == '7';
        tare_buf_printf(s->to, "%s($%c*%.12g)", c == columns ? "" : ":", *c, is_x ? f->x.scale : f->y.scale);
    }
}

static void put_title(const struct script *s, size_t panel, size_t i)
{
    if (tare_in_legend(s->plot, panel, i)) {
        tare_buf_add_str(s->to, " title ");
        quote_short(s, s->plot->panels[panel].series[i].name, 32, false);
    } else {
        tare_buf_add_str(s->to, " notitle");
    }
}

static bool has_bars(const struct tare_plot_series *series, bool of_x)
{
    for (size_t j = 0; j < series->n_points; j++) {
        const struct tare_plot_point *p = &series->points[j];
        if (isfinite(of_x ? p->x_low : p->y_low)) {
            return true;
        }
    }
    return false;
}

/* As vectors: error bars of gnuplot leave a gap around the symbol. Columns 3 and 4, or 5 and 6, are the ends.
 */
static void put_bar_vectors(const struct script *s, size_t panel, size_t i, bool *first, bool of_x)
{
    const struct tare_frame *f = &s->layout->frames[panel];
    double x = f->x.scale, y = f->y.scale;
    tare_buf_printf(s->to, "%s$p%zus%zu using ", *first ? "plot " : ", \\\n     ", panel, i);
    *first = false;
    if (of_x) {
        tare_buf_printf(s->to, "($3*%.12g):($2*%.12g):(($4-$3)*%.12g):(0)", x, y, x);
    } else {
        tare_buf_printf(s->to, "($1*%.12g):($5*%.12g):(0):(($6-$5)*%.12g)", x, y, y);
    }
    tare_buf_printf(s->to, " with vectors nohead linecolor rgb '%s' linewidth 1 notitle",
                    tare_look_of(&s->plot->panels[panel].series[i]).colour);
}

/* Bars of intervals lie under all lines and symbols. */
static void put_bars(const struct script *s, size_t panel, size_t i, bool *first)
{
    const struct tare_plot_series *series = &s->plot->panels[panel].series[i];
    if (series->style == TARE_PLOT_BAND || series->style == TARE_PLOT_BARS ||
        series->style == TARE_PLOT_MARKS) {
        return;
    }
    if (has_bars(series, false)) {
        put_bar_vectors(s, panel, i, first, false);
    }
    if (has_bars(series, true)) {
        put_bar_vectors(s, panel, i, first, true);
    }
}

static void put_band(const struct script *s, size_t panel, size_t i, bool *first)
{
    const struct tare_plot_series *series = &s->plot->panels[panel].series[i];
    if (series->style == TARE_PLOT_BAND) {
        struct tare_look look = tare_look_of(series);
        begin_clause(s, panel, i, first, "156");
        tare_buf_printf(s->to,
                        " with filledcurves fillcolor rgb '%s' fillstyle transparent solid 0.2 noborder",
                        look.colour);
        put_title(s, panel, i);
    }
}

/* A lying bar: 0.36 above and below its place. */
static void put_bar_boxes(const struct script *s, size_t panel, size_t i, bool *first)
{
    const struct tare_plot_series *series = &s->plot->panels[panel].series[i];
    struct tare_look look = tare_look_of(series);
    double scale = s->layout->frames[panel].x.scale;
    tare_buf_printf(
        s->to,
        "%s$p%zus%zu using ($1*%.12g):2:($7*%.12g):($1*%.12g):($2-0.36):($2+0.36) with boxxyerror "
        "linecolor rgb '%s' fillstyle solid %.2f border",
        *first ? "plot " : ", \\\n     ", panel, i, scale, scale, scale, look.colour, look.fill);
    *first = false;
    put_title(s, panel, i);
}

static void put_line_style(const struct script *s, const struct tare_plot_series *series)
{
    struct tare_look look = tare_look_of(series);
    int symbol = series->hollow || series->muted ? look.symbol_open : look.symbol;
    const char *with = series->style == TARE_PLOT_POINTS        ? "points"
                       : series->style == TARE_PLOT_LINE_POINTS ? "linespoints"
                       : series->style == TARE_PLOT_STEPS       ? "steps"
                                                                : "lines";
    tare_buf_printf(s->to, " with %s linecolor rgb '%s' linewidth %s", with, look.colour,
                    series->thin || series->style == TARE_PLOT_POINTS ? "1.2" : "1.8");
    if (series->style != TARE_PLOT_POINTS) {
        tare_buf_printf(s->to, " dashtype %s", series->thin ? "(4,3)" : look.dash);
    }
    if (series->style == TARE_PLOT_POINTS || series->style == TARE_PLOT_LINE_POINTS) {
        tare_buf_printf(s->to, " pointtype %d pointsize %s", symbol,
                        s->tex          ? "1.6"
                        : series->muted ? "0.65"
                                        : "0.75");
    }
}

static void put_series(const struct script *s, size_t panel, size_t i, bool *first)
{
    const struct tare_plot_series *series = &s->plot->panels[panel].series[i];
    if (series->style == TARE_PLOT_MARKS) { /* drawn already: its entry in the legend */
        struct tare_look look = tare_look_of(series);
        tare_buf_printf(s->to, "%sNaN with lines linecolor rgb '%s' linewidth 1.3 dashtype %s",
                        *first ? "plot " : ", \\\n     ", look.colour, look.dash);
        *first = false;
        put_title(s, panel, i);
        return;
    }
    if (series->style == TARE_PLOT_BARS) {
        put_bar_boxes(s, panel, i, first);
        return;
    }
    begin_clause(s, panel, i, first, "12");
    put_line_style(s, series);
    put_title(s, panel, i);
}

static void put_series_of(const struct script *s, size_t panel, size_t i, enum tare_plot_style style,
                          bool *first)
{
    if (s->plot->panels[panel].series[i].style == style) {
        put_series(s, panel, i, first);
    }
}

/* From the ground up: bands, bars, bars of intervals, lines, symbols. */
static void put_panel(const struct script *s, size_t panel)
{
    static const enum tare_plot_style order[] = {TARE_PLOT_LINE, TARE_PLOT_STEPS, TARE_PLOT_LINE_POINTS,
                                                 TARE_PLOT_POINTS, TARE_PLOT_MARKS};
    size_t n = s->plot->panels[panel].n_series;
    bool first = true;
    put_frame(s, panel);
    put_labels(s, panel);
    for (size_t i = 0; i < n; i++) {
        put_band(s, panel, i, &first);
    }
    for (size_t i = 0; i < n; i++) {
        put_series_of(s, panel, i, TARE_PLOT_BARS, &first);
    }
    for (size_t i = n; i-- > 0;) {
        put_bars(s, panel, i, &first);
    }
    for (size_t k = 0; k < sizeof order / sizeof *order; k++) {
        for (size_t i = 0; i < n; i++) {
            put_series_of(s, panel, i, order[k], &first);
        }
    }
    tare_buf_add_str(s->to, "\n");
    if (panel + 1 < s->plot->n_panels) {
        tare_buf_add_str(s->to, "unset label\nunset arrow\n");
    }
}

static void put_head(const struct script *s)
{
    tare_buf_add_str(s->to, "# ");
    tare_plot_clean(s->to, s->plot->title, 200);
    tare_buf_add_str(s->to, "\n# Drawn by gnuplot 5.4 or later: gnuplot -d THIS > plot.svg\n");
    if (s->format == TARE_PLOT_SCRIPT) {
        tare_buf_add_str(s->to, "# Other terminals: pdfcairo, pngcairo, tikz. Data are in raw units.\n# ");
        tare_plot_clean(s->to, s->plot->caption ? s->plot->caption : "", 4000);
        tare_buf_add_str(s->to, "\n");
    }
}

int tare_plot_script(const struct tare_plot *plot, enum tare_plot_format format, enum tare_plot_form form,
                     struct tare_buf *to, struct tare_err *err)
{
    struct tare_layout layout;
    bool titled = form == TARE_FORM_FILE && format != TARE_PLOT_TIKZ;
    bool captioned = form != TARE_FORM_BARE && format != TARE_PLOT_TIKZ;
    int r = tare_layout_make(plot, titled, captioned, &layout, err);
    if (r < 0) {
        return r;
    }
    struct script s = {plot, &layout, to, format, format == TARE_PLOT_TIKZ};
    put_head(&s);
    put_terminal(&s);
    put_common(&s);
    put_sheet(&s, titled);
    if (plot->n_panels > 1) {
        tare_buf_add_str(to, "set multiplot\n");
    }
    for (size_t p = 0; p < plot->n_panels; p++) {
        put_panel(&s, p);
    }
    if (plot->n_panels > 1) {
        tare_buf_add_str(to, "unset multiplot\n");
    }
    tare_layout_fini(&layout);
    return tare_buf_check(to, "plot script", err);
}
