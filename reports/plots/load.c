/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server does under load: completed requests and latency against the offered rate. A load is a figure
 * `offered_rate` of the cell; cells that were asked one request at a time have none, and say nothing of
 * queues.
 */
#include "reports/plots/build.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

struct load_options {
    char *task, *model;
};

static const struct tare_opt options[] = {
    {.name = "task", .type = TARE_OPT_STR, .offset = offsetof(struct load_options, task), .help = "pattern"},
    {.name = "model",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct load_options, model),
     .help = "pattern"},
    TARE_OPT_END};

static const struct {
    const char *figure, *suffix;
    size_t panel;
    bool hollow;
} lines[] = {{"request_throughput", "", 0, false},
             {"latency_p50", ", p50", 1, false},
             {"latency_p99", ", p99", 1, true}};
enum { n_lines = 3 };

/* A cell with its rate. */
struct loaded {
    const struct tare_report_cell *cell;
    double rate;
};

struct scene {
    struct loaded *cells;
    size_t n;
    struct tare_pick rate, picks[n_lines];
};

static int by_rate(const void *a, const void *b)
{
    const struct loaded *x = a, *y = b;
    return (x->rate > y->rate) - (x->rate < y->rate);
}

/* Cells of one system under several loads differ in their scenario, so that is not what tells systems apart.
 */
static bool same_server(const struct tare_report_cell *a, const struct tare_report_cell *b)
{
    struct tare_report_cell x = *a;
    x.scenario = b->scenario;
    return tare_same_system(&x, b) && strcmp(a->task, b->task) == 0;
}

static void find_cells(struct scene *s, const struct tare_report_input *in, const struct load_options *o)
{
    for (size_t i = 0; i < in->n_cells; i++) {
        const struct tare_report_cell *c = &in->cells[i];
        bool wanted = !o->model || fnmatch(o->model, c->model ? c->model : "", 0) == 0;
        const struct tare_figure *rate = wanted ? tare_pick(&s->rate, c) : NULL;
        if (rate) {
            s->cells[s->n++] = (struct loaded){c, rate->value};
        }
    }
    qsort(s->cells, s->n, sizeof *s->cells, by_rate);
}

static size_t count_rates(const struct scene *s, size_t first)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        bool same = same_server(s->cells[i].cell, s->cells[first].cell);
        bool new_rate = true;
        for (size_t j = 0; j < i && same; j++) {
            new_rate = new_rate && !(same_server(s->cells[j].cell, s->cells[first].cell) &&
                                     s->cells[j].rate >= s->cells[i].rate);
        }
        n += same && new_rate;
    }
    return n;
}

static bool is_first(const struct scene *s, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (same_server(s->cells[j].cell, s->cells[i].cell)) {
            return false;
        }
    }
    return true;
}

static void add_line(struct tare_making *m, struct scene *s, size_t line, size_t first, int look)
{
    struct tare_points points = {0};
    for (size_t i = 0; i < s->n; i++) {
        const struct tare_figure *f = same_server(s->cells[i].cell, s->cells[first].cell)
                                          ? tare_pick(&s->picks[line], s->cells[i].cell)
                                          : NULL;
        if (f) {
            struct tare_plot_point p = tare_point(s->cells[i].rate, 0);
            tare_point_set_y(&p, f);
            tare_making_point(m, &points, p);
        }
    }
    const char *name =
        tare_making_text(m, "%s%s", tare_system_name(m, s->cells[first].cell), lines[line].suffix);
    tare_making_series(
        m, lines[line].panel,
        (struct tare_plot_series){
            .name = name, .style = TARE_PLOT_LINE_POINTS, .look = look, .hollow = lines[line].hollow},
        &points);
}

static size_t add_systems(struct tare_making *m, struct scene *s)
{
    size_t n = 0, more = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (!is_first(s, i) || count_rates(s, i) < 2) {
            continue;
        }
        if (n == TARE_PLOT_MAX_LOOKS) {
            more++;
            continue;
        }
        for (size_t line = 0; line < n_lines; line++) {
            add_line(m, s, line, i, (int)n);
        }
        n++;
    }
    if (more > 0) {
        tare_making_say(m, "%zu more systems are left out; option model=PATTERN chooses.", more);
    }
    return n;
}

static void describe(struct tare_making *m, const struct scene *s)
{
    static const char *const labels[] = {"completed requests", "latency"};
    static const char *const units[] = {"request/s", "s"};
    for (size_t i = 0; i < 2; i++) {
        struct tare_plot_panel *p = &m->out->panels[i];
        p->x.label = "offered load";
        p->x.unit = "request/s";
        p->y.label = labels[i];
        p->y.unit = units[i];
    }
    for (size_t i = 0; i < n_lines; i++) {
        if (s->picks[i].first) {
            tare_pick_say(m, &s->picks[i], "Vertical bars");
        }
    }
}

static int draw(struct tare_making *m, struct scene *s, const struct tare_report_input *in,
                struct tare_err *err)
{
    if (s->n == 0 && s->rate.n_absent == 0 && s->rate.n_invalid == 0 && in->n_cells > 0) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "plot load: nothing to draw: no cell was measured under an offered "
                            "load; one request at a time (scenario single) has no queue");
    }
    if (s->n == 0) {
        return tare_pick_nothing(&s->rate, "load", in, err);
    }
    if (add_systems(m, s) == 0) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "plot load: nothing to draw: no system was measured at two rates");
    }
    if (!s->picks[0].first || !s->picks[1].first) {
        return tare_pick_nothing(&s->picks[s->picks[0].first ? 1 : 0], "load", in, err);
    }
    describe(m, s);
    return 0;
}

static int build(const struct tare_report_input *in, const void *opts, struct tare_plot *out,
                 struct tare_err *err)
{
    const struct load_options *o = opts;
    struct scene s = {.cells = calloc(in->n_cells + 1, sizeof *s.cells),
                      .rate = {.figure = "offered_rate", .task = o->task}};
    struct tare_making m;
    char title[160];
    tare_making_begin(&m, out, tare_plot_title(in, "throughput and latency under load", title, sizeof title),
                      2);
    for (size_t i = 0; i < n_lines; i++) {
        s.picks[i] = (struct tare_pick){.figure = lines[i].figure, .task = o->task};
    }
    m.failed = !s.cells;
    if (s.cells) {
        find_cells(&s, in, o);
    }
    int r = draw(&m, &s, in, err);
    free(s.cells);
    return tare_making_end(&m, r, err);
}

const struct tare_plot_kind tare_plot_kind_load = {.name = "load",
                                                   .summary =
                                                       "throughput and latency against the offered rate",
                                                   .options = options,
                                                   .options_size = sizeof(struct load_options),
                                                   .build = build};
