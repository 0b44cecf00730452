/* SPDX-License-Identifier: Apache-2.0 */
/* Quality against size over untreated models, on a logarithmic axis, with the law that the score `scaling`
 * fits to them and its band, or one that is handed in. It fits nothing itself. */
#include "reports/plots/build.h"
#include "reports/scores/scaling_points.h"

#include <stdio.h>
#include <string.h>

struct scaling_options {
    char *x, *y;
};

static const struct tare_opt options[] = {{.name = "x",
                                           .type = TARE_OPT_STR,
                                           .offset = offsetof(struct scaling_options, x),
                                           .def = "params_non_embedding",
                                           .help = "figure of size"},
                                          {.name = "y",
                                           .type = TARE_OPT_STR,
                                           .offset = offsetof(struct scaling_options, y),
                                           .def = "bits_per_byte",
                                           .help = "figure of quality, as FIGURE or FIGURE@TASK"},
                                          TARE_OPT_END};

struct scene {
    struct tare_pick x, y;
    size_t n_treated;
};

static void add_points(struct tare_making *m, struct scene *s, const struct tare_report_input *in)
{
    struct tare_points points = {0};
    for (size_t i = 0; i < in->n_cells; i++) {
        const struct tare_report_cell *c = &in->cells[i];
        if (c->technique && strcmp(c->technique, "baseline") != 0) {
            s->n_treated +=
                tare_report_figure(c, s->y.figure) && s->y.one_task && strcmp(c->task, s->y.one_task) == 0;
            continue;
        }
        const struct tare_figure *y = tare_pick(&s->y, c), *x = y ? tare_pick(&s->x, c) : NULL;
        if (x && y) {
            struct tare_plot_point p = tare_point(0, 0);
            tare_point_set_x(&p, x);
            tare_point_set_y(&p, y);
            p.label = tare_system_name(m, c);
            tare_making_point(m, &points, p);
        }
    }
    tare_making_series(m, 0, (struct tare_plot_series){.name = "untreated models", .style = TARE_PLOT_POINTS},
                       &points);
}

static void add_fit(struct tare_making *m, const struct tare_plot_fit *fit)
{
    struct tare_points line = {0}, band = {0};
    for (size_t i = 0; i < fit->n; i++) {
        struct tare_plot_point p = tare_point(fit->x[i], fit->y[i]);
        tare_making_point(m, &line, p);
        if (fit->low && fit->high) {
            p.y_low = fit->low[i];
            p.y_high = fit->high[i];
            tare_making_point(m, &band, p);
        }
    }
    if (fit->low && fit->high) {
        tare_making_series(
            m, 0,
            (struct tare_plot_series){.name = tare_making_text(m, "%.3g %% band", 100 * fit->level),
                                      .style = TARE_PLOT_BAND,
                                      .look = 1},
            &band);
        tare_making_say(m, "Band: %.3g %%, %s.", 100 * fit->level,
                        fit->how ? fit->how : "its method was not recorded");
    }
    tare_making_series(
        m, 0,
        (struct tare_plot_series){.name = tare_making_text(m, "%s", fit->text ? fit->text : "fit"),
                                  .style = TARE_PLOT_LINE,
                                  .look = 1},
        &line);
}

static void describe(struct tare_making *m, const struct scene *s, enum tare_better better)
{
    struct tare_plot_panel *p = &m->out->panels[0];
    p->x.label = tare_figure_label(m, s->x.first->name);
    p->x.unit = tare_making_text(m, "%s", s->x.first->unit ? s->x.first->unit : "1");
    p->x.scale = TARE_PLOT_LOG;
    p->y.label = tare_making_text(m, "%s (%s)", tare_figure_label(m, s->y.first->name), s->y.one_task);
    p->y.unit = tare_making_text(m, "%s", s->y.first->unit ? s->y.first->unit : "1");
    p->y.better = better;
    tare_pick_say(m, &s->y, "Vertical bars");
    tare_pick_say(m, &s->x, "Horizontal bars");
    if (s->n_treated > 0) {
        tare_making_say(m, "%zu treated models are left out.", s->n_treated);
    }
}

static enum tare_better direction(const struct scene *s, const struct tare_report_input *in)
{
    for (size_t i = 0; i < in->n_cells; i++) {
        if (tare_report_figure(&in->cells[i], s->y.first->name) == s->y.first) {
            return tare_figure_better(&in->cells[i], s->y.first->name);
        }
    }
    return TARE_BETTER_NONE;
}

enum { curve_points = 65 };

/* The law between the smallest and the largest of its points, a step of the logarithm each. */
static int sample(struct tare_making *m, const struct tare_curve_fit *law,
                  const struct tare_scaling_points *points, struct tare_err *err)
{
    double x[curve_points], y[curve_points], low[curve_points], high[curve_points];
    double first = points->n[0], last = points->n[0];
    int r = 0;
    for (size_t i = 0; i < points->n_points; i++) {
        first = fmin(first, points->n[i]);
        last = fmax(last, points->n[i]);
    }
    for (size_t i = 0; r == 0 && i < curve_points; i++) {
        x[i] = first * pow(last / first, (double)i / (curve_points - 1));
        y[i] = tare_curve_fit_at(law, &x[i]);
        r = tare_curve_fit_band(law, &x[i], &low[i], &high[i], err);
    }
    if (r == 0) {
        bool band = isfinite(low[0]) && isfinite(high[0]);
        struct tare_plot_fit fit = {x,
                                    y,
                                    band ? low : NULL,
                                    band ? high : NULL,
                                    curve_points,
                                    0.95,
                                    NULL,
                                    "a bootstrap over the models"};
        fit.text = tare_making_text(m, "%.3g + %.3g / x^%.3g", law->parameters[0].value,
                                    law->parameters[1].value, law->parameters[2].value);
        tare_making_say(m, "The law %s through %zu models of %s%s.", law->law->formula, points->n_points,
                        points->arch ? points->arch : "one architecture",
                        band ? "" : ", too few to resample: without a band");
        add_fit(m, &fit);
    }
    return r;
}

/* The score's law through the models of one architecture; where it cannot be had, the caption says why. */
static int add_law(struct tare_making *m, const struct scene *s, const struct tare_report_input *in,
                   struct tare_err *err)
{
    struct tare_arena arena = {0};
    struct tare_scaling_points points = {0};
    struct tare_curve_fit law = {0};
    struct tare_err why = {0};
    char loss[160];
    (void)snprintf(loss, sizeof loss, "%s@%s", s->y.first->name, s->y.one_task);
    struct tare_scaling_from from = {.loss = loss, .size = s->x.first->name, .tokens = "train_tok"};
    int r = tare_scaling_curve(in, &from, &arena, &points, &law, &why);
    if (r == 0) {
        r = sample(m, &law, &points, err);
    } else if (r == TARE_E_NOMEM) {
        r = tare_err_set(err, r, "%s", why.msg);
    } else {
        tare_making_say(m, "No law is fitted: %s.", why.msg);
        r = 0;
    }
    tare_arena_fini(&arena);
    return r;
}

/* fit NULL: the score's, if `with_law`. */
static int make(const struct tare_report_input *in, const char *x, const char *y,
                const struct tare_plot_fit *fit, bool with_law, struct tare_plot *out, struct tare_err *err)
{
    struct tare_making m;
    char title[160];
    struct scene s = {0};
    tare_making_begin(&m, out, tare_plot_title(in, "quality against size", title, sizeof title), 1);
    tare_pick_parse(&m, &s.x, x);
    tare_pick_parse(&m, &s.y, y);
    tare_pick_one_task(&s.y, in);
    add_points(&m, &s, in);
    int r = !s.y.first   ? tare_pick_nothing(&s.y, "scaling", in, err)
            : !s.x.first ? tare_pick_nothing(&s.x, "scaling", in, err)
                         : 0;
    if (r == 0 && fit) {
        add_fit(&m, fit);
    } else if (r == 0 && with_law) {
        r = add_law(&m, &s, in, err);
    }
    if (r == 0) {
        describe(&m, &s, direction(&s, in));
    }
    return tare_making_end(&m, r, err);
}

int tare_plot_scaling(const struct tare_report_input *in, const char *x, const char *y,
                      const struct tare_plot_fit *fit, struct tare_plot *out, struct tare_err *err)
{
    return make(in, x, y, fit, false, out, err);
}

static int build(const struct tare_report_input *in, const void *opts, struct tare_plot *out,
                 struct tare_err *err)
{
    const struct scaling_options *o = opts;
    return make(in, o->x, o->y, NULL, true, out, err);
}

const struct tare_plot_kind tare_plot_kind_scaling = {
    .name = "scaling",
    .summary = "quality against size of untreated models, with a fitted law where the models carry one",
    .options = options,
    .options_size = sizeof(struct scaling_options),
    .build = build};
