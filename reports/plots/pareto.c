/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quality against cost: one point a system, with the interval of each. The line joins the systems that no
 * other beats in both by their estimates. Grey is what another system clearly beats: no worse in either by
 * the estimates, and better beyond both intervals in one. What is beaten by the estimates alone is not
 * decided, as is all where a figure has no interval. The rule is that of the score `pareto`. It ranks nothing
 * by modelled or declared figures.
 */
#include "reports/plots/build.h"
#include "reports/scores/front.h"

#include <stdlib.h>
#include <string.h>

struct pareto_options {
    char *x, *y;
};

static const struct tare_opt options[] = {
    {.name = "x",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct pareto_options, x),
     .help = "figure of cost, as FIGURE or FIGURE@TASK; without it the first of decode_throughput, "
             "request_throughput, peak_rss and stored_bytes that there is"},
    {.name = "y",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct pareto_options, y),
     .def = "quality",
     .help = "figure of quality; quality: the headline metric of the task"},
    TARE_OPT_END};

enum standing { ON_FRONT, UNDECIDED, DOMINATED };

struct system {
    const struct tare_report_cell *cell; /* the first of it */
    const struct tare_figure *x, *y;
    enum standing standing;
};

struct scene {
    struct system *systems;
    size_t n;
    struct tare_pick x, y;
    enum tare_better better_x, better_y;
};

/* The figure of the system's cells that the pick takes. */
static const struct tare_figure *figure_of(struct tare_pick *pick, const struct tare_report_input *in,
                                           size_t first)
{
    for (size_t i = first; i < in->n_cells; i++) {
        if (tare_same_system(&in->cells[i], &in->cells[first])) {
            const struct tare_figure *f = tare_pick(pick, &in->cells[i]);
            if (f) {
                return f;
            }
        }
    }
    return NULL;
}

static bool seen_before(const struct tare_report_input *in, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (tare_same_system(&in->cells[j], &in->cells[i])) {
            return true;
        }
    }
    return false;
}

static void find_systems(struct scene *s, const struct tare_report_input *in)
{
    for (size_t i = 0; i < in->n_cells; i++) {
        if (seen_before(in, i)) {
            continue;
        }
        const struct tare_figure *x = figure_of(&s->x, in, i), *y = figure_of(&s->y, in, i);
        if (x && y) {
            s->systems[s->n++] = (struct system){.cell = &in->cells[i], .x = x, .y = y};
        }
    }
}

/* Without an interval nothing is clear; that of an exact figure has no width. */
static struct tare_score_value value_of(const struct tare_figure *f)
{
    bool known = tare_figure_has_interval(f);
    double none = (double)NAN;
    return (struct tare_score_value){
        .value = f->value, .low = known ? f->low : none, .high = known ? f->high : none};
}

static struct tare_dominance_count compare(const struct scene *s, const struct system *a,
                                           const struct system *b)
{
    struct tare_dominance_count c = {0};
    struct tare_score_value x = value_of(a->x), y = value_of(b->x);
    tare_dominance_add(&c, &x, &y, s->better_x);
    x = value_of(a->y);
    y = value_of(b->y);
    tare_dominance_add(&c, &x, &y, s->better_y);
    return c;
}

static void judge(struct scene *s)
{
    for (size_t i = 0; i < s->n; i++) {
        struct system *a = &s->systems[i];
        for (size_t j = 0; j < s->n; j++) {
            struct tare_dominance_count c = compare(s, &s->systems[j], a);
            if (tare_dominance_by_value(&c)) {
                bool clear = tare_dominance_of(&c) == TARE_DOMINANCE_CLEAR;
                a->standing = clear ? DOMINATED : a->standing == ON_FRONT ? UNDECIDED : a->standing;
            }
        }
    }
}

static int by_x(const void *a, const void *b)
{
    const struct system *x = a, *y = b;
    return (x->x->value > y->x->value) - (x->x->value < y->x->value);
}

/* The staircase: what is reached at a cost is the quality of the best system that costs no more. */
static void add_front(struct tare_making *m, const struct scene *s)
{
    struct tare_points line = {0};
    const struct system *last = NULL;
    for (size_t i = 0; i < s->n; i++) {
        const struct system *a = &s->systems[i];
        if (a->standing != ON_FRONT) {
            continue;
        }
        if (last && s->better_x == TARE_BETTER_LOWER) {
            tare_making_point(m, &line, tare_point(a->x->value, last->y->value));
        } else if (last) {
            tare_making_point(m, &line, tare_point(last->x->value, a->y->value));
        }
        tare_making_point(m, &line, tare_point(a->x->value, a->y->value));
        last = a;
    }
    if (line.n > 1) {
        tare_making_series(m, 0, (struct tare_plot_series){.style = TARE_PLOT_LINE, .look = 0, .thin = true},
                           &line);
    }
}

static void add_points(struct tare_making *m, const struct scene *s, enum standing standing,
                       struct tare_plot_series series)
{
    struct tare_points points = {0};
    for (size_t i = 0; i < s->n; i++) {
        if (s->systems[i].standing == standing) {
            struct tare_plot_point p = tare_point(0, 0);
            tare_point_set_x(&p, s->systems[i].x);
            tare_point_set_y(&p, s->systems[i].y);
            p.label = tare_system_name(m, s->systems[i].cell);
            tare_making_point(m, &points, p);
        }
    }
    series.style = TARE_PLOT_POINTS;
    tare_making_series(m, 0, series, &points);
}

static void set_axis(struct tare_making *m, struct tare_plot_axis *axis, const struct tare_pick *pick,
                     enum tare_better better)
{
    const char *task = pick->one_task;
    axis->label = tare_making_text(m, "%s%s%s%s", tare_figure_label(m, pick->first->name), task ? " (" : "",
                                   task ? task : "", task ? ")" : "");
    axis->unit = tare_making_text(m, "%s", pick->first->unit ? pick->first->unit : "1");
    axis->better = better;
}

static void draw(struct tare_making *m, const struct scene *s, const struct tare_report_input *in)
{
    struct tare_plot_panel *panel = &m->out->panels[0];
    add_front(m, s);
    /* What is not grey comes last, on top, and finds room for its labels first. */
    add_points(m, s, ON_FRONT, (struct tare_plot_series){.name = "on the front", .look = 0});
    add_points(m, s, UNDECIDED, (struct tare_plot_series){.name = "not decided", .look = 1, .hollow = true});
    add_points(m, s, DOMINATED, (struct tare_plot_series){.name = "dominated", .look = 2, .muted = true});
    set_axis(m, &panel->x, &s->x, s->better_x);
    set_axis(m, &panel->y, &s->y, s->better_y);
    tare_making_say(
        m, "On the front: no other is as good in both by the estimates. Dominated: another is no worse in "
           "either by the estimates, and better beyond both intervals in one. Not decided: another is "
           "better by the estimates alone.");
    tare_pick_say(m, &s->x, "Horizontal bars");
    tare_pick_say(m, &s->y, "Vertical bars");
    tare_say_tokenizers(m, &s->x, in);
}

static bool is_ranked(const struct tare_figure *f)
{
    return f->kind <= TARE_KIND_REPORTED && !strstr(f->flags, "NEVER_RANKED");
}

/* Can a front be drawn with this pick at all? */
static int check_pick(const struct tare_pick *pick, enum tare_better better,
                      const struct tare_report_input *in, struct tare_err *err)
{
    if (!pick->first) {
        return tare_pick_nothing(pick, "pareto", in, err);
    }
    if (!is_ranked(pick->first)) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "plot pareto: %.80s is %s and never ranked: a front needs "
                            "measured, counted or reported figures",
                            pick->figure, tare_kind_name(pick->first->kind));
    }
    return better ? 0
                  : tare_err_set(err, TARE_E_UNSUPPORTED,
                                 "plot pareto: neither more nor less of %.80s is better", pick->figure);
}

static const char *default_x(const struct tare_report_input *in)
{
    static const char *const names[] = {"decode_throughput", "request_throughput", "peak_rss",
                                        "stored_bytes"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct tare_pick pick = {.figure = names[i]};
        tare_pick_one_task(&pick, in);
        if (pick.one_task) {
            return names[i];
        }
    }
    return names[0];
}

/* Which cell has the figure is the one whose task says what is better. */
static enum tare_better direction(const struct tare_pick *pick, const struct tare_report_input *in)
{
    for (size_t i = 0; pick->first && i < in->n_cells; i++) {
        if (tare_report_figure(&in->cells[i], pick->first->name) == pick->first) {
            return tare_figure_better(&in->cells[i], pick->first->name);
        }
    }
    return TARE_BETTER_NONE;
}

static int build(const struct tare_report_input *in, const void *opts, struct tare_plot *out,
                 struct tare_err *err)
{
    const struct pareto_options *o = opts;
    struct tare_making m;
    char title[160];
    struct scene s = {.systems = calloc(in->n_cells + 1, sizeof *s.systems)};
    tare_making_begin(&m, out, tare_plot_title(in, "quality against cost", title, sizeof title), 1);
    m.failed = !s.systems;
    tare_pick_parse(&m, &s.x, o->x ? o->x : default_x(in));
    tare_pick_parse(&m, &s.y, o->y);
    tare_pick_one_task(&s.x, in);
    tare_pick_one_task(&s.y, in);
    if (s.systems) {
        find_systems(&s, in);
    }
    s.better_x = direction(&s.x, in);
    s.better_y = direction(&s.y, in);
    int r = check_pick(&s.x, s.better_x, in, err);
    r = r == 0 ? check_pick(&s.y, s.better_y, in, err) : r;
    if (r == 0 && s.n == 0) {
        r = tare_err_set(err, TARE_E_UNSUPPORTED,
                         "plot pareto: nothing to draw: no system has both %.80s and %.80s", s.x.figure,
                         s.y.figure);
    }
    if (r == 0) {
        judge(&s);
        qsort(s.systems, s.n, sizeof *s.systems, by_x);
        draw(&m, &s, in);
    }
    free(s.systems);
    return tare_making_end(&m, r, err);
}

const struct tare_plot_kind tare_plot_kind_pareto = {
    .name = "pareto",
    .summary = "quality against cost, with the front and what is dominated",
    .options = options,
    .options_size = sizeof(struct pareto_options),
    .build = build};
