/* SPDX-License-Identifier: Apache-2.0 */
/* Percentiles of times, one beside the other: a line a system, each percentile with its interval over
 * repeats. */
#include "reports/plots/build.h"

#include <string.h>

struct percentiles_options {
    int64_t of;
    char *task, *model;
};

static const char *const times[] = {"latency", "ttft", "tpot", "itl", NULL};
static const char *const suffixes[] = {"p50", "p90", "p95", "p99", "p999"};
static const char *const names[] = {"p50", "p90", "p95", "p99", "p99.9"};
enum { n_percentiles = 5 };

static const struct tare_opt options[] = {
    {.name = "of",
     .type = TARE_OPT_CHOICE,
     .offset = offsetof(struct percentiles_options, of),
     .def = "latency",
     .choices = times,
     .help = "whose percentiles"},
    {.name = "task",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct percentiles_options, task),
     .help = "pattern; of what matches, the task that most systems have"},
    {.name = "model",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct percentiles_options, model),
     .help = "pattern"},
    TARE_OPT_END};

/* The picks of the five; the first chooses the cells. */
struct scene {
    struct tare_pick picks[n_percentiles];
    char figures[n_percentiles][32];
};

/* Beside each other, so that bars do not lie on each other. */
static double place(size_t percentile, size_t system, size_t n)
{
    return (double)percentile + (n > 1 ? 0.5 * ((double)system / (double)(n - 1) - 0.5) : 0);
}

static void add_system(struct tare_making *m, struct scene *s, const struct tare_report_cell *cell, size_t i,
                       size_t n)
{
    struct tare_points points = {0};
    for (size_t k = 0; k < n_percentiles; k++) {
        struct tare_pick again = s->picks[k];
        /* the first was counted when the cells were chosen */
        const struct tare_figure *f = tare_pick(k ? &s->picks[k] : &again, cell);
        if (f) {
            struct tare_plot_point p = tare_point(place(k, i, n), 0);
            tare_point_set_y(&p, f);
            tare_making_point(m, &points, p);
        }
    }
    tare_making_series(m, 0,
                       (struct tare_plot_series){
                           .name = tare_system_name(m, cell), .style = TARE_PLOT_LINE_POINTS, .look = (int)i},
                       &points);
}

/* How far the percentiles reach, and why no further. */
static size_t say_reach(struct tare_making *m, const struct scene *s)
{
    size_t reach = 0;
    for (size_t k = 0; k < n_percentiles; k++) {
        const struct tare_pick *pick = &s->picks[k];
        reach = pick->n > 0 ? k + 1 : reach;
        if (pick->n_absent > 0) {
            tare_making_say(m, "%s is absent for %zu systems: %s.", names[k], pick->n_absent,
                            pick->why_absent);
        }
    }
    return reach;
}

/* The levels over all five. */
static void join(struct tare_pick *all, const struct tare_pick *other)
{
    if (other->method) {
        all->level_low = other->level_low < all->level_low ? other->level_low : all->level_low;
        all->level_high = other->level_high > all->level_high ? other->level_high : all->level_high;
    }
    all->n += other->n;
    all->n_bare += other->n_bare;
}

static void describe(struct tare_making *m, struct scene *s, const char *of,
                     const struct tare_report_cell *cell)
{
    struct tare_plot_panel *p = &m->out->panels[0];
    struct tare_pick all = s->picks[0];
    all.n_absent = 0;
    for (size_t k = 1; k < n_percentiles; k++) {
        join(&all, &s->picks[k]);
    }
    p->x.label = tare_making_text(m, "percentile of %s within a repeat (%s)", of, cell->task);
    p->x.unit = "1";
    p->x.categories = names;
    p->y.label = tare_making_text(m, "%s",
                                  strcmp(of, "latency") == 0 ? "latency of a request"
                                  : strcmp(of, "ttft") == 0  ? "time to the first token"
                                  : strcmp(of, "tpot") == 0  ? "time per output token"
                                                             : "gap between two tokens");
    p->y.unit = "s";
    p->y.better = TARE_BETTER_LOWER;
    tare_pick_say_as(m, &all, "percentiles", "Vertical bars");
    p->x.n_categories = say_reach(m, s);
    tare_say_closed(m, cell);
}

static int build(const struct tare_report_input *in, const void *opts, struct tare_plot *out,
                 struct tare_err *err)
{
    const struct percentiles_options *o = opts;
    const struct tare_report_cell *cells[TARE_PLOT_MAX_LOOKS];
    struct scene s = {0};
    struct tare_making m;
    char title[160];
    tare_making_begin(&m, out, tare_plot_title(in, "percentiles of request times", title, sizeof title), 1);
    for (size_t k = 0; k < n_percentiles; k++) {
        (void)snprintf(s.figures[k], sizeof s.figures[k], "%s_%s", times[o->of], suffixes[k]);
        s.picks[k] = (struct tare_pick){.figure = s.figures[k], .task = o->task};
    }
    size_t n = tare_choose(&m, in, &s.picks[0], o->model, cells);
    int r = n == 0 ? tare_pick_nothing(&s.picks[0], "percentiles", in, err) : 0;
    for (size_t i = 0; r == 0 && i < n; i++) {
        add_system(&m, &s, cells[i], i, n);
    }
    if (r == 0) {
        describe(&m, &s, times[o->of], cells[0]);
        tare_say_tokenizers(&m, &s.picks[0], in);
    }
    return tare_making_end(&m, r, err);
}

const struct tare_plot_kind tare_plot_kind_percentiles = {
    .name = "percentiles",
    .summary = "p50 to p99.9 of request times, a line a system",
    .options = options,
    .options_size = sizeof(struct percentiles_options),
    .build = build};
