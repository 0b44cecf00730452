/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where everything stands: frames, legend, caption, and the labels of points. A label takes the first free
 * place around its point; one that finds none is left out and counted, since labels over each other say
 * nothing.
 */
#include "reports/plots/render.h"
#include "reports/utf8.h"

#include <stdlib.h>
#include <string.h>

enum {
    sheet_width = 760,
    margin = 12,
    title_height = 26,
    panel_height = 350,
    half_height = 215,
    gap = 16,
    axis_height = 52,
    row_height = 24, /* of a category */
    line_height = 14,
    legend_max = 240,
    category_max = 230,
    label_height = 13,
    reach = 6 /* half the size of a symbol, with some air */
};

static const double label_scale = 11.0 / 12, caption_scale = 10.0 / 12;

struct box {
    double left, right, bottom, top;
};

struct boxes {
    struct box *at;
    size_t n, cap;
};

/* What a label must not cover, and what it had better not. */
struct obstacles {
    struct boxes hard, soft;
};

enum { n_places = 24, pieces = 12 /* of a line */ };

bool tare_in_legend(const struct tare_plot *plot, size_t panel, size_t i)
{
    const char *name = plot->panels[panel].series[i].name;
    for (size_t p = 0; name && p <= panel; p++) {
        const struct tare_plot_panel *other = &plot->panels[p];
        for (size_t j = 0; j < (p == panel ? i : other->n_series); j++) {
            if (other->series[j].name && strcmp(other->series[j].name, name) == 0) {
                return false;
            }
        }
    }
    return name != NULL;
}

static double legend_width(const struct tare_plot *plot)
{
    double width = 0;
    for (size_t p = 0; p < plot->n_panels; p++) {
        for (size_t i = 0; i < plot->panels[p].n_series; i++) {
            const char *name = plot->panels[p].series[i].name;
            double w = name ? tare_plot_width(name) * label_scale + 52 : 0;
            width = w > width ? w : width;
        }
    }
    return width > legend_max ? legend_max : width;
}

static double left_of(const struct tare_plot *plot, const struct tare_layout *l)
{
    double widest = 0;
    for (size_t p = 0; p < plot->n_panels; p++) {
        const struct tare_plot_axis *axis = &plot->panels[p].y;
        for (size_t i = 0; i < l->frames[p].y.n_ticks; i++) {
            double w = tare_plot_width(l->frames[p].y.texts[i]);
            widest = w > widest ? w : widest;
        }
        for (size_t i = 0; axis->categories && i < axis->n_categories; i++) {
            double w = tare_plot_width(axis->categories[i]);
            w = w > category_max ? category_max : w;
            widest = w > widest ? w : widest;
        }
    }
    return margin + 30 + widest + 8;
}

static double height_of(const struct tare_plot *plot, size_t panel)
{
    size_t rows = plot->panels[panel].y.n_categories;
    if (plot->panels[panel].y.categories) {
        return rows < 3 ? 80 : (double)rows * row_height + 12;
    }
    return plot->n_panels > 1 ? half_height : panel_height;
}

/* From the top downwards; heights are turned around when the sheet's is known. */
static void place_frames(const struct tare_plot *plot, bool titled, struct tare_layout *l)
{
    double legend = legend_width(plot), y = margin + (titled ? title_height : 0);
    double right = sheet_width - margin - 8 - (legend > 0 ? legend + 8 : 0);
    double left = left_of(plot, l);
    for (size_t i = 0; i < plot->n_panels; i++) {
        struct tare_frame *f = &l->frames[i];
        f->left = left;
        f->right = right;
        f->top = y;
        f->bottom = y + height_of(plot, i);
        y = f->bottom + gap;
    }
    y += axis_height - gap;
    l->caption_top = y + line_height;
    l->width = sheet_width;
    l->height = y + line_height * (double)l->n_lines + margin;
    l->legend_left = legend > 0 ? right + 10 : 0;
    for (size_t i = 0; i < plot->n_panels; i++) {
        l->frames[i].top = l->height - l->frames[i].top;
        l->frames[i].bottom = l->height - l->frames[i].bottom;
    }
    l->caption_top = l->height - l->caption_top;
}

/* The length of the longest beginning of text that fits, cut at a blank if there is one. */
static size_t fitting(const char *text, double width)
{
    size_t blank = 0, at = 0;
    double used = 0;
    uint32_t code = 0;
    for (size_t n; (n = tare_utf8_next(text + at, &code)) > 0; at += n) {
        char one[8] = {0};
        memcpy(one, text + at, n < 7 ? n : 7);
        used += tare_plot_width(one) * caption_scale;
        if (used > width && at > 0) {
            return blank ? blank : at;
        }
        blank = text[at] == ' ' ? at : blank;
    }
    return at;
}

static int wrap_caption(const struct tare_plot *plot, struct tare_layout *l)
{
    struct tare_buf clean;
    tare_buf_init(&clean, 1 << 17);
    tare_plot_clean(&clean, plot->caption ? plot->caption : "", 4000);
    const char *text = tare_buf_str(&clean);
    l->lines = tare_arena_array(&l->arena, strlen(text) + 1, sizeof *l->lines);
    bool failed = !l->lines || clean.failed;
    while (!failed && *text) {
        size_t n = fitting(text, sheet_width - 2 * margin - 8);
        char *line = tare_arena_copy(&l->arena, text, n + 1);
        failed = !line;
        if (line) {
            line[n] = '\0';
            l->lines[l->n_lines++] = line;
        }
        text += n;
        text += strspn(text, " ");
    }
    tare_buf_fini(&clean);
    return failed ? -1 : 0;
}

static bool overlaps(const struct boxes *taken, const struct box *b)
{
    for (size_t i = 0; i < taken->n; i++) {
        const struct box *t = &taken->at[i];
        if (b->left < t->right && t->left < b->right && b->bottom < t->top && t->bottom < b->top) {
            return true;
        }
    }
    return false;
}

static void take(struct boxes *taken, struct box b)
{
    if (taken->n < taken->cap) {
        taken->at[taken->n++] = b;
    }
}

static double px(const struct tare_frame *f, double raw)
{
    return f->left + tare_axis_map_at(&f->x, raw) * (f->right - f->left);
}

static double py(const struct tare_frame *f, double raw)
{
    return f->bottom + tare_axis_map_at(&f->y, raw) * (f->top - f->bottom);
}

/* Place k around a point: right, left, above, below, the corners; then the same farther away, twice. */
static struct box candidate(double x, double y, double width, int k)
{
    static const double across[8] = {1, -1, 0, 0, 1, 1, -1, -1}, up[8] = {0, 0, 1, -1, 1, -1, 1, -1};
    double r = reach * (k < 8 ? 1 : k < 16 ? 3 : 5.5);
    double a = across[k % 8], u = up[k % 8];
    double corner = a != 0 && u != 0 ? 0.6 : 1;
    double left = a > 0 ? x + r * corner : a < 0 ? x - r * corner - width : x - width / 2;
    double middle = y + u * (r * corner + label_height / 2.0);
    return (struct box){left, left + width, middle - label_height / 2.0, middle + label_height / 2.0};
}

static bool inside(const struct tare_frame *f, const struct box *b)
{
    return b->left > f->left + 2 && b->right < f->right - 2 && b->bottom > f->bottom + 2 &&
           b->top < f->top - 2;
}

/* The first place that is free of symbols and labels, and (`strict`) of bars and lines; -1: none. */
static int find_place(const struct tare_frame *f, double x, double y, double width, const struct obstacles *o,
                      bool strict, struct box *out)
{
    for (int k = 0; k < n_places; k++) {
        *out = candidate(x, y, width, k);
        if (inside(f, out) && !overlaps(&o->hard, out) && (!strict || !overlaps(&o->soft, out))) {
            return k;
        }
    }
    return -1;
}

/* The point of the box that is nearest. */
static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

static void place_label(struct tare_layout *l, size_t panel, const struct tare_plot_series *s,
                        const struct tare_plot_point *p, struct obstacles *o)
{
    const struct tare_frame *f = &l->frames[panel];
    double x = px(f, p->x), y = py(f, p->y);
    struct tare_buf text;
    struct box b;
    tare_buf_init(&text, 1 << 12);
    tare_plot_clean(&text, p->label, 36);
    double width = tare_plot_width(tare_buf_str(&text)) * label_scale;
    int k = find_place(f, x, y, width, o, true, &b);
    k = k >= 0 ? k : find_place(f, x, y, width, o, false, &b);
    char *copy = k >= 0 ? tare_arena_copy(&l->arena, tare_buf_str(&text), text.used + 1) : NULL;
    if (copy) {
        copy[text.used] = '\0';
        l->labels[l->n_labels++] = (struct tare_placed){.x = b.left,
                                                        .y = (b.bottom + b.top) / 2,
                                                        .text = copy,
                                                        .panel = panel,
                                                        .muted = s->muted,
                                                        .led = k >= 8,
                                                        .from_x = clamp(x, b.left, b.right),
                                                        .from_y = clamp(y, b.bottom, b.top),
                                                        .to_x = x,
                                                        .to_y = y};
        take(&o->hard, b);
    }
    l->n_unplaced += !copy;
    tare_buf_fini(&text);
}

/* Bars of a point's intervals, as thin boxes. */
static void take_bars(const struct tare_plot_point *p, const struct tare_frame *f, struct boxes *taken)
{
    double x = px(f, p->x), y = py(f, p->y);
    if (isfinite(p->y_low)) {
        take(taken, (struct box){x - 1, x + 1, py(f, p->y_low), py(f, p->y_high)});
    }
    if (isfinite(p->x_low)) {
        take(taken, (struct box){px(f, p->x_low), px(f, p->x_high), y - 1, y + 1});
    }
}

/* The line to the next point, in a few boxes along it. */
static void take_line(const struct tare_plot_point *p, const struct tare_frame *f, struct boxes *taken)
{
    double x = px(f, p[0].x), y = py(f, p[0].y), dx = px(f, p[1].x) - x, dy = py(f, p[1].y) - y;
    for (int i = 0; i < pieces; i++) {
        double a = x + dx * i / pieces, b = y + dy * i / pieces, c = a + dx / pieces, d = b + dy / pieces;
        take(taken, (struct box){fmin(a, c) - 1, fmax(a, c) + 1, fmin(b, d) - 1, fmax(b, d) + 1});
    }
}

static void take_points(const struct tare_plot_panel *panel, const struct tare_frame *f, struct obstacles *o)
{
    for (size_t i = 0; i < panel->n_series; i++) {
        const struct tare_plot_series *s = &panel->series[i];
        bool symbols = s->style == TARE_PLOT_POINTS || s->style == TARE_PLOT_LINE_POINTS;
        bool line = s->style == TARE_PLOT_LINE || s->style == TARE_PLOT_LINE_POINTS;
        for (size_t j = 0; j < s->n_points; j++) {
            double x = px(f, s->points[j].x), y = py(f, s->points[j].y), r = reach - 1;
            if (symbols) {
                take(&o->hard, (struct box){x - r, x + r, y - r, y + r});
                take_bars(&s->points[j], f, &o->soft);
            }
            if (line && j + 1 < s->n_points) {
                take_line(&s->points[j], f, &o->soft);
            }
        }
    }
}

static size_t count_points(const struct tare_plot *plot, bool labelled)
{
    size_t n = 0;
    for (size_t p = 0; p < plot->n_panels; p++) {
        for (size_t i = 0; i < plot->panels[p].n_series; i++) {
            const struct tare_plot_series *s = &plot->panels[p].series[i];
            for (size_t j = 0; j < s->n_points; j++) {
                n += !labelled || (s->points[j].label && s->style != TARE_PLOT_MARKS);
            }
        }
    }
    return n;
}

static void place_all(const struct tare_plot *plot, struct tare_layout *l, struct obstacles *o)
{
    for (size_t p = 0; p < plot->n_panels; p++) {
        const struct tare_plot_panel *panel = &plot->panels[p];
        o->hard.n = o->soft.n = 0;
        take_points(panel, &l->frames[p], o);
        for (size_t i = 0; i < panel->n_series; i++) {
            const struct tare_plot_series *s = &panel->series[i];
            for (size_t j = 0; j < s->n_points && s->style != TARE_PLOT_MARKS; j++) {
                if (s->points[j].label) {
                    place_label(l, p, s, &s->points[j], o);
                }
            }
        }
    }
}

static int place_labels(const struct tare_plot *plot, struct tare_layout *l)
{
    size_t n = count_points(plot, true), all = count_points(plot, false);
    struct obstacles o = {.hard = {.cap = all + n + 1}, .soft = {.cap = all * (pieces + 2) + 1}};
    if (n == 0) {
        return 0;
    }
    o.hard.at = malloc(o.hard.cap * sizeof *o.hard.at);
    o.soft.at = malloc(o.soft.cap * sizeof *o.soft.at);
    l->labels = tare_arena_array(&l->arena, n + 1, sizeof *l->labels);
    int r = o.hard.at && o.soft.at && l->labels ? 0 : -1;
    if (r == 0) {
        place_all(plot, l, &o);
    }
    free(o.hard.at);
    free(o.soft.at);
    return r;
}

/* A last line for what found no room. */
static void add_unplaced(struct tare_layout *l)
{
    char text[120];
    (void)snprintf(text, sizeof text, "%zu points have no label, for want of room: the table has them all.",
                   l->n_unplaced);
    char *line = tare_arena_copy(&l->arena, text, strlen(text) + 1);
    char **lines = tare_arena_array(&l->arena, l->n_lines + 1, sizeof *lines);
    if (line && lines) {
        if (l->n_lines) {
            memcpy(lines, l->lines, l->n_lines * sizeof *lines);
        }
        lines[l->n_lines++] = line;
        l->lines = lines;
    }
}

int tare_layout_make(const struct tare_plot *plot, bool titled, bool captioned, struct tare_layout *out,
                     struct tare_err *err)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < plot->n_panels; i++) {
        tare_axis_map_make(plot, i, true, &out->frames[i].x);
        tare_axis_map_make(plot, i, false, &out->frames[i].y);
    }
    int r = captioned ? wrap_caption(plot, out) : 0;
    if (r == 0) {
        place_frames(plot, titled, out);
        r = place_labels(plot, out);
    }
    if (r == 0 && captioned &&
        out->n_unplaced > 0) { /* the frames move up by a line, and the labels with them */
        add_unplaced(out);
        out->n_labels = out->n_unplaced = 0;
        place_frames(plot, titled, out);
        r = place_labels(plot, out);
    }
    if (r < 0) {
        tare_layout_fini(out);
        return tare_err_set(err, TARE_E_NOMEM, "plot: out of memory");
    }
    return 0;
}

void tare_layout_fini(struct tare_layout *layout)
{
    tare_arena_fini(&layout->arena);
    memset(layout, 0, sizeof *layout);
}
