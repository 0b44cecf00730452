/* SPDX-License-Identifier: Apache-2.0 */
/* Quality against size over untreated models, on a logarithmic axis, with a fitted law and its band where one
 * is handed in. It fits nothing itself. */
#include "reports/plots/build.h"

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

int tare_plot_scaling(const struct tare_report_input *in, const char *x, const char *y,
                      const struct tare_plot_fit *fit, struct tare_plot *out, struct tare_err *err)
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
    if (r == 0) {
        if (fit) {
            add_fit(&m, fit);
        }
        describe(&m, &s, direction(&s, in));
    }
    return tare_making_end(&m, r, err);
}

static int build(const struct tare_report_input *in, const void *opts, struct tare_plot *out,
                 struct tare_err *err)
{
    const struct scaling_options *o = opts;
    return tare_plot_scaling(in, o->x, o->y, NULL, out, err);
}

const struct tare_plot_kind tare_plot_kind_scaling = {
    .name = "scaling",
    .summary = "quality against size of untreated models, with a fitted law where there is one",
    .options = options,
    .options_size = sizeof(struct scaling_options),
    .build = build};
