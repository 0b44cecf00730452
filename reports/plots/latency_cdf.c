/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The distribution of raw times: for each system the share of its requests that took at most so long, all
 * complete repeats pooled; on it the percentiles as they were derived, each with its interval over repeats.
 */
#include "reports/plots/build.h"
#include "stats/interval.h"

#include <stdlib.h>
#include <string.h>

enum { most_points = 400 };

struct cdf_options {
    int64_t of;
    char *task, *model;
    bool tail;
};

static const char *const times[] = {"latency", "ttft", "tpot", "itl", NULL};

static const struct tare_opt options[] = {
    {.name = "of",
     .type = TARE_OPT_CHOICE,
     .offset = offsetof(struct cdf_options, of),
     .def = "latency",
     .choices = times,
     .help = "whose distribution"},
    {.name = "task",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct cdf_options, task),
     .help = "pattern; of what matches, the task that most systems have"},
    {.name = "model", .type = TARE_OPT_STR, .offset = offsetof(struct cdf_options, model), .help = "pattern"},
    {.name = "tail",
     .type = TARE_OPT_BOOL,
     .offset = offsetof(struct cdf_options, tail),
     .def = "false",
     .help = "the share that took longer, on a logarithmic axis"},
    TARE_OPT_END};

static enum tare_column column_of(int64_t of)
{
    static const enum tare_column columns[] = {TARE_COLUMN_LATENCY_NS, TARE_COLUMN_TTFT_NS,
                                               TARE_COLUMN_TPOT_NS, TARE_COLUMN_ITL_NS};
    return columns[of];
}

/* Rank k of `count` over n values: dense at the upper end, where the tail is. The last is n - 1. */
static size_t rank_of(size_t k, size_t count, size_t n)
{
    if (n <= count) {
        return k;
    }
    size_t half = count / 2;
    if (k < half) {
        return k * (n - 1) / half;
    }
    double share = pow(1.0 / (double)n, (double)(k - half + 1) / (double)(count - half));
    return n - 1 - (size_t)floor(share * (double)n - 1 + 1e-9);
}

static int by_value(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static void add_steps(struct tare_making *m, const double *sorted_ns, size_t n, bool tail,
                      struct tare_points *to)
{
    size_t ranks[most_points], count = n < most_points ? n : most_points;
    for (size_t k = 0; k < count; k++) {
        ranks[k] = rank_of(k, count, n);
    }
    qsort(ranks, count, sizeof *ranks, by_value);
    for (size_t k = 0; k < count; k++) {
        double share = (double)(ranks[k] + 1) / (double)n;
        if ((k > 0 && ranks[k] == ranks[k - 1]) || (tail && share >= 1)) {
            continue;
        }
        tare_making_point(m, to, tare_point(sorted_ns[ranks[k]] / 1e9, tail ? 1 - share : share));
    }
}

/* The derived percentiles of this system. */
static void add_percentiles(struct tare_making *m, const struct tare_report_cell *cell, const char *of,
                            bool tail, struct tare_pick *pick, struct tare_points *to)
{
    static const struct {
        const char *suffix;
        double share;
    } percentiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p999", 0.999}};
    for (size_t i = 0; i < sizeof percentiles / sizeof *percentiles; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%s_%s", of, percentiles[i].suffix);
        struct tare_pick one = {.figure = name};
        const struct tare_figure *f = tare_pick(&one, cell);
        if (!f || strcmp(f->unit ? f->unit : "", "s") != 0) {
            continue;
        }
        struct tare_plot_point p = tare_point(0, 0);
        tare_point_set_x(&p, f);
        p.y = tail ? 1 - percentiles[i].share : percentiles[i].share;
        tare_making_point(m, to, p);
        pick->first = pick->first ? pick->first : f;
        if (one.method && !pick->method) {
            pick->method = one.method;
            pick->level_low = pick->level_high = one.level_high;
        } else if (one.method) {
            pick->level_low = one.level_low < pick->level_low ? one.level_low : pick->level_low;
            pick->level_high = one.level_high > pick->level_high ? one.level_high : pick->level_high;
        }
        pick->n_bare += one.n_bare;
        pick->n += one.n;
    }
}

struct scene {
    const struct tare_report_input *in;
    const struct cdf_options *o;
    struct tare_pick marks;
    size_t n_values, n_drawn;
};

static int add_system(struct tare_making *m, struct scene *s, const struct tare_report_cell *cell, int look,
                      struct tare_err *err)
{
    double *values = NULL;
    size_t n = 0;
    struct tare_points steps = {0}, marks = {0};
    int r = s->in->column(s->in->ctx, cell->id, column_of(s->o->of), &values, &n, err);
    if (r < 0) {
        return r;
    }
    tare_sort(values, n);
    add_steps(m, values, n, s->o->tail, &steps);
    free(values);
    s->n_values += n;
    s->n_drawn += steps.n;
    if (steps.n > 0) {
        add_percentiles(m, cell, times[s->o->of], s->o->tail, &s->marks, &marks);
    }
    tare_making_series(
        m, 0,
        (struct tare_plot_series){.name = tare_system_name(m, cell), .style = TARE_PLOT_STEPS, .look = look},
        &steps);
    tare_making_series(m, 0, (struct tare_plot_series){.style = TARE_PLOT_POINTS, .look = look}, &marks);
    return 0;
}

static void describe(struct tare_making *m, const struct scene *s, const struct tare_report_cell *cell)
{
    static const char *const labels[] = {"latency of a request", "time to the first token",
                                         "time per output token of a request", "gap between two tokens"};
    struct tare_plot_panel *p = &m->out->panels[0];
    p->x.label = tare_making_text(m, "%s (%s)", labels[s->o->of], cell->task);
    p->x.unit = "s";
    p->y.label = s->o->tail ? "share that took longer" : "share that took at most so long";
    p->y.unit = "1";
    p->y.scale = s->o->tail ? TARE_PLOT_LOG : TARE_PLOT_LINEAR;
    if (!s->o->tail) {
        p->y.low = 0;
        p->y.high = 1.02;
    }
    tare_making_say(m, "Lines: %zu measured values of all complete repeats, pooled.", s->n_values);
    if (s->n_drawn + TARE_PLOT_MAX_LOOKS < s->n_values) {
        tare_making_say(m, "%zu of them are drawn, the extremes among them.", s->n_drawn);
    }
    tare_say_closed(m, cell);
    if (s->marks.n > 0) {
        tare_making_say(
            m, "Symbols: p50, p90, p95, p99, p99.9, as far as a repeat has values enough; each the median "
               "over repeats.");
        tare_pick_say_intervals(m, &s->marks, "Horizontal bars");
    }
}

static int build(const struct tare_report_input *in, const void *opts, struct tare_plot *out,
                 struct tare_err *err)
{
    struct scene s = {.in = in, .o = opts};
    const struct tare_report_cell *cells[TARE_PLOT_MAX_LOOKS];
    struct tare_making m;
    char title[160];
    char figure[32];
    (void)snprintf(figure, sizeof figure, "%s_p50", times[s.o->of]);
    struct tare_pick pick = {.figure = figure, .task = s.o->task};
    tare_making_begin(&m, out, tare_plot_title(in, "distribution of request times", title, sizeof title), 1);
    size_t n = tare_choose(&m, in, &pick, s.o->model, cells);
    int r = n == 0 ? tare_pick_nothing(&pick, "latency-cdf", in, err) : 0;
    if (r == 0 && !in->column) {
        r = tare_err_set(err, TARE_E_UNSUPPORTED,
                         "plot latency-cdf: nothing to draw: there are no raw samples here");
    }
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = add_system(&m, &s, cells[i], (int)i, err);
    }
    if (r == 0 && s.n_drawn == 0) {
        r = tare_err_set(err, TARE_E_UNSUPPORTED,
                         "plot latency-cdf: nothing to draw: no sample has such a time");
    }
    if (r == 0) {
        describe(&m, &s, cells[0]);
        tare_say_tokenizers(&m, &pick, in);
    }
    return tare_making_end(&m, r, err);
}

const struct tare_plot_kind tare_plot_kind_latency_cdf = {
    .name = "latency-cdf",
    .summary = "distribution of raw request times, with percentiles and their intervals",
    .options = options,
    .options_size = sizeof(struct cdf_options),
    .build = build};
