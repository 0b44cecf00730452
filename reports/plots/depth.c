/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a longer context costs: memory of one request and time of a token against the length of the prompt, a
 * line a system, over tasks that differ in `prompt_tok` alone. Cells that generate other numbers of tokens
 * stay out.
 */
#include "reports/plots/build.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

struct depth_options {
    char *memory, *time, *task, *model;
};

static const struct tare_opt options[] = {
    {.name = "memory",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct depth_options, memory),
     .def = "state_bytes",
     .help = "figure of the upper panel"},
    {.name = "time",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct depth_options, time),
     .def = "tpot_p50",
     .help = "figure of the lower panel"},
    {.name = "task", .type = TARE_OPT_STR, .offset = offsetof(struct depth_options, task), .help = "pattern"},
    {.name = "model",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct depth_options, model),
     .help = "pattern"},
    TARE_OPT_END};

/* A cell with its length. */
struct deep {
    const struct tare_report_cell *cell;
    double prompt_tok, output_tok;
};

struct scene {
    struct deep *cells;
    size_t n;
    size_t n_other_output;
    const struct tare_report_cell *systems[TARE_PLOT_MAX_LOOKS]; /* the first cell of each */
    size_t n_systems, n_more;
};

static int by_depth(const void *a, const void *b)
{
    const struct deep *x = a, *y = b;
    return (x->prompt_tok > y->prompt_tok) - (x->prompt_tok < y->prompt_tok);
}

/* Cells that say how long their prompts are, have a time, and generate as much as the first of them. */
static void find_cells(struct scene *s, const struct tare_report_input *in, const struct depth_options *o)
{
    for (size_t i = 0; i < in->n_cells; i++) {
        const struct tare_report_cell *c = &in->cells[i];
        const struct tare_figure *time = tare_report_figure(c, o->time);
        struct deep d = {c, tare_cell_option(c, "prompt_tok"), tare_cell_option(c, "max_output")};
        bool wanted = tare_cell_matches(c, o->task) &&
                      (!o->model || fnmatch(o->model, c->model ? c->model : "", 0) == 0);
        if (!wanted || !isfinite(d.prompt_tok) || !tare_cell_is_valid(c) || !time || time->absent) {
            continue;
        }
        bool same = s->n == 0 || (isnan(d.output_tok) && isnan(s->cells[0].output_tok)) ||
                    fabs(d.output_tok - s->cells[0].output_tok) < 0.5;
        s->n_other_output += !same;
        if (same) {
            s->cells[s->n++] = d;
        }
    }
    qsort(s->cells, s->n, sizeof *s->cells, by_depth);
}

static bool has_two_depths(const struct scene *s, const struct tare_report_cell *system)
{
    double least = (double)INFINITY, most = -(double)INFINITY;
    for (size_t i = 0; i < s->n; i++) {
        if (tare_same_system(s->cells[i].cell, system)) {
            least = fmin(least, s->cells[i].prompt_tok);
            most = fmax(most, s->cells[i].prompt_tok);
        }
    }
    return most > least;
}

/* In the order of the cells, untreated ones first, so that looks do not depend on depths. */
static void find_systems(struct scene *s, const struct tare_report_input *in, bool untreated)
{
    for (size_t i = 0; i < in->n_cells; i++) {
        bool known = tare_is_untreated(&in->cells[i]) != untreated;
        for (size_t j = 0; j < i && !known; j++) {
            known = tare_same_system(&in->cells[j], &in->cells[i]);
        }
        if (known || !has_two_depths(s, &in->cells[i])) {
            continue;
        }
        if (s->n_systems < TARE_PLOT_MAX_LOOKS) {
            s->systems[s->n_systems++] = &in->cells[i];
        } else {
            s->n_more++;
        }
    }
}

static void add_panel(struct tare_making *m, const struct scene *s, size_t panel, struct tare_pick *pick)
{
    for (size_t k = 0; k < s->n_systems; k++) {
        struct tare_points points = {0};
        for (size_t i = 0; i < s->n; i++) {
            const struct tare_figure *f =
                tare_same_system(s->cells[i].cell, s->systems[k]) ? tare_pick(pick, s->cells[i].cell) : NULL;
            if (f) {
                struct tare_plot_point p = tare_point(s->cells[i].prompt_tok, 0);
                tare_point_set_y(&p, f);
                tare_making_point(m, &points, p);
            }
        }
        tare_making_series(m, panel,
                           (struct tare_plot_series){.name = tare_system_name(m, s->systems[k]),
                                                     .style = TARE_PLOT_LINE_POINTS,
                                                     .look = (int)k},
                           &points);
    }
}

static void describe(struct tare_making *m, const struct scene *s, size_t panel, const struct tare_pick *pick)
{
    struct tare_plot_panel *p = &m->out->panels[panel];
    p->x.label = "length of the prompt";
    p->x.unit = "tok";
    p->x.scale = s->cells[0].prompt_tok > 0 ? TARE_PLOT_AUTO : TARE_PLOT_LINEAR;
    p->y.label = tare_figure_label(m, pick->first->name);
    p->y.unit = tare_making_text(m, "%s", pick->first->unit ? pick->first->unit : "1");
    tare_pick_say(m, pick, "Vertical bars");
}

static void say(struct tare_making *m, const struct scene *s, const struct tare_report_input *in,
                const struct tare_pick *time)
{
    if (isfinite(s->cells[0].output_tok)) {
        tare_making_say(m, "All generate at most %.0f tokens.", s->cells[0].output_tok);
    }
    if (s->n_other_output > 0) {
        tare_making_say(m, "%zu cells that generate another number of tokens are left out.",
                        s->n_other_output);
    }
    if (s->n_more > 0) {
        tare_making_say(
            m, "%zu more systems are left out: eight can be told apart; option model=PATTERN chooses.",
            s->n_more);
    }
    tare_say_tokenizers(m, time, in);
}

static int draw(struct tare_making *m, const struct scene *s, const struct depth_options *o,
                const struct tare_report_input *in, struct tare_err *err)
{
    struct tare_pick memory = {.figure = o->memory}, time = {.figure = o->time};
    if (s->n_systems == 0) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "plot depth: nothing to draw: no system has %.60s for two lengths "
                            "of prompt (tasks that differ in prompt_tok)",
                            o->time);
    }
    add_panel(m, s, 0, &memory);
    add_panel(m, s, 1, &time);
    if (!memory.first || !time.first) {
        return tare_pick_nothing(memory.first ? &time : &memory, "depth", in, err);
    }
    describe(m, s, 0, &memory);
    describe(m, s, 1, &time);
    say(m, s, in, &time);
    return 0;
}

static int build(const struct tare_report_input *in, const void *opts, struct tare_plot *out,
                 struct tare_err *err)
{
    struct scene s = {.cells = calloc(in->n_cells + 1, sizeof *s.cells)};
    struct tare_making m;
    char title[160];
    tare_making_begin(&m, out, tare_plot_title(in, "what a longer context costs", title, sizeof title), 2);
    m.failed = !s.cells;
    if (s.cells) {
        find_cells(&s, in, opts);
        find_systems(&s, in, true);
        find_systems(&s, in, false);
    }
    int r = draw(&m, &s, opts, in, err);
    free(s.cells);
    return tare_making_end(&m, r, err);
}

const struct tare_plot_kind tare_plot_kind_depth = {
    .name = "depth",
    .summary = "memory and time per token against the length of the prompt",
    .options = options,
    .options_size = sizeof(struct depth_options),
    .build = build};
