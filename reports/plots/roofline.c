/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The roofline (Williams, Waterman and Patterson 2009): counted FLOPs per counted byte against achieved
 * FLOP/s, below what this machine's peaks allow. Each cell gives a point for its prompt and one for decoding.
 * The peaks are found again in the figures that were made with them: P = achieved FLOP/s / MFU, and W = P /
 * ridge.
 */
#include "reports/plots/build.h"
#include "reports/plots/render.h"

#include <fnmatch.h>
#include <string.h>

struct roofline_options {
    char *task, *model;
};

static const struct tare_opt options[] = {
    {.name = "task",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct roofline_options, task),
     .help = "pattern; without it the task at which most systems decode"},
    {.name = "model",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct roofline_options, model),
     .help = "pattern"},
    TARE_OPT_END};

enum { most_labels = 40 }; /* of more cells than that labels would say nothing */

/* Of all cells drawn: they must agree. */
struct peaks {
    double flops, bytes;          /* a second */
    const struct tare_figure *of; /* ridge: its kind and source are the peaks' */
};

struct scene {
    const struct tare_report_input *in;
    const struct roofline_options *o;
    struct peaks peaks;
    struct tare_pick rates[2];
    const char *one_task; /* NULL: those of the pattern */
    const char *why;
    bool torn;
    double least, most; /* intensities */
};

static bool is_there(const struct tare_figure *f)
{
    return f && !f->absent && isfinite(f->value) && f->value > 0;
}

/* The peaks behind this cell's figures. */
static bool find_peaks(struct scene *s, const struct tare_report_cell *c, struct peaks *out)
{
    static const char *const pairs[][2] = {{"achieved_flops_prefill", "mfu_prefill"},
                                           {"achieved_flops_decode", "mfu_decode"}};
    const struct tare_figure *ridge = tare_report_figure(c, "ridge");
    if (!is_there(ridge)) {
        s->why = s->why ? s->why : ridge && ridge->absent ? ridge->absent : NULL;
        return false;
    }
    for (size_t i = 0; i < 2; i++) {
        const struct tare_figure *rate = tare_report_figure(c, pairs[i][0]),
                                 *share = tare_report_figure(c, pairs[i][1]);
        if (is_there(rate) && is_there(share)) {
            *out =
                (struct peaks){rate->value / share->value, rate->value / share->value / ridge->value, ridge};
            return true;
        }
    }
    return false;
}

static bool differs(double a, double b)
{
    return fabs(a - b) > 1e-6 * fabs(b);
}

static void take_peaks(struct scene *s, const struct tare_report_cell *c)
{
    struct peaks p;
    if (!find_peaks(s, c, &p)) {
        return;
    }
    if (!s->peaks.of) {
        s->peaks = p;
    } else if (differs(p.flops, s->peaks.flops) || differs(p.bytes, s->peaks.bytes)) {
        s->torn = true;
    }
}

static bool wanted(const struct scene *s, const struct tare_report_cell *c)
{
    return (s->one_task ? strcmp(s->one_task, c->task) == 0 : tare_cell_matches(c, s->o->task)) &&
           (!s->o->model || fnmatch(s->o->model, c->model ? c->model : "", 0) == 0);
}

static bool has_several_tasks(const struct scene *s)
{
    const char *first = NULL;
    for (size_t i = 0; i < s->in->n_cells; i++) {
        const struct tare_report_cell *c = &s->in->cells[i];
        if (wanted(s, c) && first && strcmp(first, c->task) != 0) {
            return true;
        }
        first = wanted(s, c) && !first ? c->task : first;
    }
    return false;
}

static const char *const intensities[] = {"intensity_prefill", "intensity_decode"};

/* The peaks, and how far the intensities reach: what the roof is drawn with. */
static void scan(struct scene *s)
{
    for (size_t i = 0; i < s->in->n_cells; i++) {
        const struct tare_report_cell *c = &s->in->cells[i];
        if (!wanted(s, c) || !tare_cell_is_valid(c)) {
            continue;
        }
        take_peaks(s, c);
        for (size_t which = 0; which < 2; which++) {
            const struct tare_figure *x = tare_report_figure(c, intensities[which]);
            s->least = is_there(x) ? fmin(s->least, x->value) : s->least;
            s->most = is_there(x) ? fmax(s->most, x->value) : s->most;
        }
    }
}

/* which: 0 the prompt, 1 decoding. */
static void add_points(struct tare_making *m, struct scene *s, size_t which)
{
    static const char *const series_names[] = {"prompt", "decoding"};
    struct tare_points points = {0};
    bool several = has_several_tasks(s), many = s->in->n_cells > most_labels && several;
    for (size_t i = 0; i < s->in->n_cells; i++) {
        const struct tare_report_cell *c = &s->in->cells[i];
        const struct tare_figure *x = tare_report_figure(c, intensities[which]);
        const struct tare_figure *y = wanted(s, c) && is_there(x) ? tare_pick(&s->rates[which], c) : NULL;
        if (!y || !(y->value > 0)) {
            continue;
        }
        struct tare_plot_point p = tare_point(x->value, 0);
        tare_point_set_y(&p, y);
        p.label =
            several ? tare_making_text(m, "%s, %s", tare_system_name(m, c), c->task) : tare_system_name(m, c);
        p.label = many ? NULL : p.label;
        tare_making_point(m, &points, p);
    }
    tare_making_series(
        m, 0,
        (struct tare_plot_series){
            .name = series_names[which], .style = TARE_PLOT_POINTS, .look = (int)which, .hollow = which == 1},
        &points);
}

static void add_roof(struct tare_making *m, const struct scene *s)
{
    struct tare_points roof = {0};
    double ridge = s->peaks.flops / s->peaks.bytes;
    double from = fmin(s->least, ridge) / 3, to = fmax(s->most, ridge) * 3;
    const double at[] = {from, sqrt(from * ridge), ridge, sqrt(ridge * to), to};
    char unit[48];
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        struct tare_plot_point p = tare_point(at[i], fmin(at[i] * s->peaks.bytes, s->peaks.flops));
        double peak = i == 1 ? s->peaks.bytes : s->peaks.flops;
        double scale = tare_unit_scale(i == 1 ? "B/s" : "FLOP/s", peak, unit, sizeof unit);
        p.label = i == 1 || i == 3 ? tare_making_text(m, "%.3g %s", peak * scale, unit) : NULL;
        tare_making_point(m, &roof, p);
    }
    tare_making_series(m, 0, (struct tare_plot_series){.name = "roof", .style = TARE_PLOT_LINE, .look = 7},
                       &roof);
}

static void describe(struct tare_making *m, const struct scene *s)
{
    struct tare_plot_panel *p = &m->out->panels[0];
    p->x = (struct tare_plot_axis){.label = "counted FLOPs per counted byte",
                                   .unit = "FLOP/B",
                                   .scale = TARE_PLOT_LOG,
                                   .low = (double)NAN,
                                   .high = (double)NAN};
    p->y = (struct tare_plot_axis){.label = s->one_task ? tare_making_text(m, "achieved (%s)", s->one_task)
                                                        : "achieved",
                                   .unit = "FLOP/s",
                                   .scale = TARE_PLOT_LOG,
                                   .low = (double)NAN,
                                   .high = (double)NAN,
                                   .better = TARE_BETTER_HIGHER};
    const char *source = s->peaks.of ? s->peaks.of->source : NULL,
               *peak = source ? strstr(source, "peak: ") : NULL;
    if (s->peaks.of) {
        tare_making_say(m, "Roof: min(peak FLOP/s, intensity x peak B/s), %s. Peaks: %s.",
                        tare_kind_name(s->peaks.of->kind),
                        peak     ? peak + 6
                        : source ? source
                                 : "source not recorded");
    } else {
        tare_making_say(m, "No roof: %s.", s->why ? s->why : "no peak is known");
    }
    for (size_t i = 0; i < 2; i++) {
        if (s->rates[i].first) {
            tare_pick_say(m, &s->rates[i], "Vertical bars");
        }
    }
    if (s->in->n_cells > most_labels && has_several_tasks(s)) {
        tare_making_say(m, "Too many points for labels: options task and model choose.");
    }
    tare_making_say(
        m,
        "Bytes are weights once a pass: a point above the roof says that they came out of a cache, or that "
        "less was done than is counted.");
}

/* Where no pattern is given: one task, so that points differ in their systems alone. */
static void choose_task(struct scene *s)
{
    struct tare_pick decode = s->rates[1];
    if (!s->o->task) {
        tare_pick_one_task(&decode, s->in);
        s->one_task = decode.one_task;
    }
    for (size_t i = 0; i < s->in->n_cells && !s->one_task && !has_several_tasks(s); i++) {
        s->one_task = wanted(s, &s->in->cells[i]) ? s->in->cells[i].task : NULL;
    }
}

static int build(const struct tare_report_input *in, const void *opts, struct tare_plot *out,
                 struct tare_err *err)
{
    struct scene s = {.in = in, .o = opts, .least = (double)INFINITY, .most = -(double)INFINITY};
    struct tare_making m;
    char title[160];
    s.rates[0] = (struct tare_pick){.figure = "achieved_flops_prefill", .task = s.o->task};
    s.rates[1] = (struct tare_pick){.figure = "achieved_flops_decode", .task = s.o->task};
    tare_making_begin(&m, out, tare_plot_title(in, "roofline", title, sizeof title), 1);
    choose_task(&s);
    scan(&s);
    if (s.peaks.of && isfinite(s.least)) { /* first, so that its labels find room */
        add_roof(&m, &s);
    }
    add_points(&m, &s, 0);
    add_points(&m, &s, 1);
    int r = 0;
    if (!s.rates[0].first && !s.rates[1].first) {
        r = tare_pick_nothing(&s.rates[0], "roofline", in, err);
    } else if (s.torn) {
        r = tare_err_set(err, TARE_E_UNSUPPORTED,
                         "plot roofline: the cells were held against different peaks: there is "
                         "no roof for all of them");
    }
    if (r == 0) {
        describe(&m, &s);
    }
    return tare_making_end(&m, r, err);
}

const struct tare_plot_kind tare_plot_kind_roofline = {
    .name = "roofline",
    .summary = "achieved FLOP/s against arithmetic intensity, below the peaks of the machine",
    .options = options,
    .options_size = sizeof(struct roofline_options),
    .build = build};
