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
    axis_height = 44,
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
        for (size_t i = 0; i < axis->n_categories; i++) {
            double w = tare_plot_width(axis->categories[i]);
            w = w > category_max ? category_max : w;
            widest = w > widest ? w : widest;
        }
    }
    return margin + 22 + widest + 8;
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

/* Place k of 16 around a point: right, left, above, below, the corners; then the same farther away. */
static struct box candidate(double x, double y, double width, int k)
{
    static const double across[8] = {1, -1, 0, 0, 1, 1, -1, -1}, up[8] = {0, 0, 1, -1, 1, -1, 1, -1};
    double r = k < 8 ? reach : 2.6 * reach;
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

static void place_label(struct tare_layout *l, size_t panel, const struct tare_plot_series *s,
                        const struct tare_plot_point *p, struct boxes *taken)
{
    const struct tare_frame *f = &l->frames[panel];
    struct tare_buf text;
    tare_buf_init(&text, 1 << 12);
    tare_plot_clean(&text, p->label, 36);
    double width = tare_plot_width(tare_buf_str(&text)) * label_scale;
    bool found = false;
    for (int k = 0; k < 16 && !found; k++) {
        struct box b = candidate(px(f, p->x), py(f, p->y), width, k);
        char *copy = NULL;
        if (inside(f, &b) && !overlaps(taken, &b)) {
            copy = tare_arena_copy(&l->arena, tare_buf_str(&text), text.used + 1);
        }
        if (copy) {
            copy[text.used] = '\0';
            l->labels[l->n_labels++] =
                (struct tare_placed){b.left, (b.bottom + b.top) / 2, copy, panel, s->muted};
            take(taken, b);
            found = true;
        }
    }
    l->n_unplaced += !found;
    tare_buf_fini(&text);
}

static void take_points(const struct tare_plot_panel *panel, const struct tare_frame *f, struct boxes *taken)
{
    for (size_t i = 0; i < panel->n_series; i++) {
        const struct tare_plot_series *s = &panel->series[i];
        bool symbols = s->style == TARE_PLOT_POINTS || s->style == TARE_PLOT_LINE_POINTS;
        for (size_t j = 0; symbols && j < s->n_points; j++) {
            double x = px(f, s->points[j].x), y = py(f, s->points[j].y), r = reach - 1;
            take(taken, (struct box){x - r, x + r, y - r, y + r});
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

static int place_labels(const struct tare_plot *plot, struct tare_layout *l)
{
    size_t n = count_points(plot, true);
    struct boxes taken = {.cap = count_points(plot, false) + n + 1};
    taken.at = malloc(taken.cap * sizeof *taken.at);
    l->labels = tare_arena_array(&l->arena, n + 1, sizeof *l->labels);
    if (!taken.at || !l->labels) {
        free(taken.at);
        return -1;
    }
    for (size_t p = 0; p < plot->n_panels; p++) {
        const struct tare_plot_panel *panel = &plot->panels[p];
        taken.n = 0;
        take_points(panel, &l->frames[p], &taken);
        for (size_t i = 0; i < panel->n_series; i++) {
            const struct tare_plot_series *s = &panel->series[i];
            for (size_t j = 0; j < s->n_points && s->style != TARE_PLOT_MARKS; j++) {
                if (s->points[j].label) {
                    place_label(l, p, s, &s->points[j], &taken);
                }
            }
        }
    }
    free(taken.at);
    return 0;
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

int tare_layout_make(const struct tare_plot *plot, bool titled, struct tare_layout *out, struct tare_err *err)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < plot->n_panels; i++) {
        tare_axis_map_make(plot, i, true, &out->frames[i].x);
        tare_axis_map_make(plot, i, false, &out->frames[i].y);
    }
    int r = wrap_caption(plot, out);
    if (r == 0) {
        place_frames(plot, titled, out);
        r = place_labels(plot, out);
    }
    if (r == 0 && out->n_unplaced > 0) { /* the frames move up by a line, and the labels with them */
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
