/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loss while training. tare trains nothing, so the points are told: by the model's facts ("training_curve":
 * {"points": [[tokens, loss], ...], "unit": "bit/B"}), or by a file of lines "name,x,y" whose first line
 * names the axes. They are declared, and the caption says so.
 */
#include "base/buf.h"
#include "reports/plots/build.h"

#include <stdlib.h>
#include <string.h>
#include <tare/json.h>

struct curves_options {
    char *file;
};

static const struct tare_opt options[] = {{.name = "file",
                                           .type = TARE_OPT_STR,
                                           .offset = offsetof(struct curves_options, file),
                                           .help = "lines \"name,x,y\" instead of the models' facts; the "
                                                   "first has the labels, as \"model,tokens [tok],loss "
                                                   "[bit/B]\""},
                                          TARE_OPT_END};

enum { max_file_bytes = 1 << 26 };

int tare_plot_of_curves(const struct tare_plot_curve *curves, size_t n, const char *x_label,
                        const char *x_unit, const char *y_label, const char *y_unit, struct tare_plot *out,
                        struct tare_err *err)
{
    struct tare_making m;
    tare_making_begin(&m, out, "learning curves", 1);
    for (size_t i = 0; i < n && i < TARE_PLOT_MAX_LOOKS; i++) {
        struct tare_points points = {0};
        for (size_t j = 0; j < curves[i].n; j++) {
            if (isfinite(curves[i].x[j]) && isfinite(curves[i].y[j])) {
                tare_making_point(&m, &points, tare_point(curves[i].x[j], curves[i].y[j]));
            }
        }
        tare_making_series(&m, 0,
                           (struct tare_plot_series){.name = tare_making_text(&m, "%s", curves[i].name),
                                                     .style = TARE_PLOT_LINE,
                                                     .look = (int)i},
                           &points);
    }
    struct tare_plot_panel *p = &out->panels[0];
    p->x.label = tare_making_text(&m, "%s", x_label);
    p->x.unit = tare_making_text(&m, "%s", x_unit);
    p->y.label = tare_making_text(&m, "%s", y_label);
    p->y.unit = tare_making_text(&m, "%s", y_unit);
    tare_making_say(
        &m, "Declared by whoever trained the models; tare measured none of it. Single runs: no intervals.");
    if (n > TARE_PLOT_MAX_LOOKS) {
        tare_making_say(&m, "%zu more curves are left out: eight can be told apart.",
                        n - TARE_PLOT_MAX_LOOKS);
    }
    int r = p->n_series
                ? 0
                : tare_err_set(err, TARE_E_UNSUPPORTED, "plot learning-curves: nothing to draw: no points");
    return tare_making_end(&m, r, err);
}

/* Curves that grow. */
struct growing {
    struct tare_plot_curve *curves;
    double **xs, **ys;
    size_t n, cap;
    const char *y_unit;
};

static void growing_fini(struct growing *g)
{
    for (size_t i = 0; i < g->n; i++) {
        free(g->xs[i]);
        free(g->ys[i]);
    }
    free(g->curves);
    free(g->xs);
    free(g->ys);
}

/* All growing arrays have a power of two of room. */
static bool append(double **values, size_t n, double value)
{
    if ((n & (n - 1)) == 0) {
        double *more = realloc(*values, (n ? 2 * n : 1) * sizeof *more);
        if (!more) {
            return false;
        }
        *values = more;
    }
    (*values)[n] = value;
    return true;
}

static bool find_curve(struct growing *g, struct tare_arena *arena, const char *name, size_t *out)
{
    for (size_t i = 0; i < g->n; i++) {
        if (strcmp(g->curves[i].name, name) == 0) {
            *out = i;
            return true;
        }
    }
    char *kept = tare_arena_copy(arena, name, strlen(name) + 1);
    if (!kept || g->n == g->cap) {
        return false;
    }
    g->curves[g->n] = (struct tare_plot_curve){.name = kept};
    *out = g->n++;
    return true;
}

static bool add_point(struct growing *g, size_t i, double x, double y)
{
    struct tare_plot_curve *c = &g->curves[i];
    bool ok = append(&g->xs[i], c->n, x) && append(&g->ys[i], c->n, y);
    c->x = g->xs[i];
    c->y = g->ys[i];
    c->n += ok;
    return ok;
}

static bool growing_init(struct growing *g, size_t cap)
{
    *g = (struct growing){.cap = cap};
    g->curves = calloc(cap + 1, sizeof *g->curves);
    g->xs = calloc(cap + 1, sizeof *g->xs);
    g->ys = calloc(cap + 1, sizeof *g->ys);
    return g->curves && g->xs && g->ys;
}

/* [[x, y], ...]; what is no pair of numbers is passed over. False: no memory. */
static bool take_points(struct growing *g, size_t at, const struct tare_json *list)
{
    bool ok = true;
    for (const struct tare_json *p = tare_json_first(list); p && ok; p = tare_json_next(p)) {
        const struct tare_json *x = tare_json_first(p), *y = x ? tare_json_next(x) : NULL;
        if (tare_json_type(x) == TARE_JSON_NUMBER && y && tare_json_type(y) == TARE_JSON_NUMBER) {
            ok = add_point(g, at, tare_json_num(x), tare_json_num(y));
        }
    }
    return ok;
}

/* False: no memory. A model that was met on another task already has its curve. */
static bool take_curve(struct growing *g, struct tare_arena *arena, const char *model,
                       const struct tare_json *curve)
{
    const struct tare_json *list = tare_json_get(curve, "points");
    const char *unit = tare_json_str(tare_json_get(curve, "unit"));
    size_t at = 0;
    if (tare_json_size(list) == 0) {
        return true;
    }
    if (unit && !g->y_unit) {
        g->y_unit = tare_arena_copy(arena, unit, strlen(unit) + 1);
    }
    return find_curve(g, arena, model, &at) && (g->curves[at].n > 0 || take_points(g, at, list));
}

/* The curve of one cell's facts, if it has one. Facts that cannot be read say nothing. */
static int take_facts(struct growing *g, struct tare_arena *arena, const struct tare_report_cell *cell,
                      struct tare_err *err)
{
    struct tare_json *facts = NULL;
    struct tare_err ignored = {0};
    if (!cell->facts ||
        tare_json_parse(cell->facts, strlen(cell->facts), "model facts", &facts, &ignored) < 0) {
        return 0;
    }
    bool ok = take_curve(g, arena, cell->model ? cell->model : "?", tare_json_get(facts, "training_curve"));
    tare_json_destroy(facts);
    return ok ? 0 : tare_err_set(err, TARE_E_NOMEM, "plot: out of memory");
}

static int from_facts(const struct tare_report_input *in, struct tare_plot *out, struct tare_err *err)
{
    struct growing g;
    int r = growing_init(&g, in->n_cells) ? 0 : tare_err_set(err, TARE_E_NOMEM, "plot: out of memory");
    for (size_t i = 0; r == 0 && i < in->n_cells; i++) {
        r = take_facts(&g, &out->arena, &in->cells[i], err);
    }
    if (r == 0 && g.n == 0) {
        r = tare_err_set(err, TARE_E_UNSUPPORTED,
                         "plot learning-curves: nothing to draw: the facts of no model have a "
                         "training_curve; tare trains nothing. Give the points with file=CSV");
    }
    r = r == 0 ? tare_plot_of_curves(g.curves, g.n, "tokens seen", "tok", "loss", g.y_unit ? g.y_unit : "1",
                                     out, err)
               : r;
    growing_fini(&g);
    return r;
}

/* Cuts "label [unit]" in place, and returns the unit. */
static const char *cut_unit(char *text)
{
    char *open = strrchr(text, '['), *close = open ? strchr(open, ']') : NULL;
    if (!close) {
        return "1";
    }
    *close = '\0';
    const char *unit = open + 1;
    *open = '\0';
    while (open > text && open[-1] == ' ') {
        *--open = '\0';
    }
    return unit;
}

/* Three fields; false if the line has others. */
static bool cut_fields(char *line, char *fields[3])
{
    line[strcspn(line, "\r")] = '\0';
    for (size_t i = 0; i < 3; i++) {
        char *comma = strchr(line, ',');
        fields[i] = line;
        if ((i < 2) != (comma != NULL)) {
            return false;
        }
        if (comma) {
            *comma = '\0';
            line = comma + 1;
        }
    }
    return true;
}

static bool number(const char *text, double *out)
{
    char *end = NULL;
    *out = strtod(text, &end);
    return end != text && end[strspn(end, " ")] == '\0' && isfinite(*out);
}

static int take_line(struct growing *g, struct tare_arena *arena, char *line, const char *path, size_t row,
                     struct tare_err *err)
{
    char *fields[3];
    double x = 0, y = 0;
    size_t at = 0;
    if (line[strspn(line, " \r")] == '\0') {
        return 0;
    }
    if (!cut_fields(line, fields) || !number(fields[1], &x) || !number(fields[2], &y)) {
        return tare_err_set(err, TARE_E_FORMAT, "%.200s: line %zu is not \"name,x,y\" with two numbers", path,
                            row);
    }
    return find_curve(g, arena, fields[0], &at) && add_point(g, at, x, y)
               ? 0
               : tare_err_set(err, TARE_E_LIMIT, "%.200s: line %zu: more curves than %zu, or no memory", path,
                              row, g->cap);
}

static int from_file(const char *path, struct tare_plot *out, struct tare_err *err)
{
    struct tare_buf text;
    struct growing g;
    char *labels[3], *next = NULL;
    size_t row = 1;
    tare_buf_init(&text, max_file_bytes);
    int r = growing_init(&g, 100) ? 0 : tare_err_set(err, TARE_E_NOMEM, "plot: out of memory");
    r = r == 0 ? tare_buf_read_file(&text, path, err) : r;
    tare_buf_add(&text, "", 1);
    char *line = r == 0 && text.data ? text.data : NULL;
    next = line ? strchr(line, '\n') : NULL;
    if (r == 0 && (!next || (*next = '\0', !cut_fields(line, labels)))) {
        r = tare_err_set(err, TARE_E_FORMAT,
                         "%.200s: the first line is not \"name,x label [unit],y label [unit]\"", path);
    }
    while (r == 0 && next && next[1]) {
        line = next + 1;
        next = strchr(line, '\n');
        if (next) {
            *next = '\0';
        }
        r = take_line(&g, &out->arena, line, path, ++row, err);
    }
    if (r == 0) {
        const char *x_unit = cut_unit(labels[1]), *y_unit = cut_unit(labels[2]);
        r = tare_plot_of_curves(g.curves, g.n, labels[1], x_unit, labels[2], y_unit, out, err);
    }
    growing_fini(&g);
    tare_buf_fini(&text);
    return r;
}

static int build(const struct tare_report_input *in, const void *opts, struct tare_plot *out,
                 struct tare_err *err)
{
    const struct curves_options *o = opts;
    return o->file ? from_file(o->file, out, err) : from_facts(in, out, err);
}

const struct tare_plot_kind tare_plot_kind_learning_curves = {
    .name = "learning-curves",
    .summary = "loss against tokens seen, as declared by the models' facts or by a file",
    .options = options,
    .options_size = sizeof(struct curves_options),
    .build = build};
