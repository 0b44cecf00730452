/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the joules went: a bar a system, stacked of the scopes that add up (package, dram, devices), with the
 * interval of the total. Under a wall meter what the parts leave is a part of its own. Modelled energy is not
 * drawn: it has no parts and is never compared.
 */
#include "reports/plots/build.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

struct energy_options {
    char *task, *model;
};

static const struct tare_opt options[] = {
    {.name = "task",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct energy_options, task),
     .help = "pattern; of what matches, the task that most systems have"},
    {.name = "model",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct energy_options, model),
     .help = "pattern"},
    TARE_OPT_END};

/* Look numbers that differ in the density of their fill. */
static const struct {
    const char *figure, *name;
    int look;
} parts[] = {
    {"energy_package", "processor packages", 0}, {"energy_dram", "memory", 1}, {"energy_gpu", "GPUs", 2}};
enum { n_parts = 3, rest = n_parts, max_systems = 40 };

struct bar {
    const struct tare_report_cell *cell;
    const struct tare_figure *total;
    double parts[n_parts + 1]; /* J; 0: no such meter */
};

struct scene {
    struct bar bars[max_systems];
    size_t n, n_more, n_torn;
    struct tare_pick total;
};

/* Fills the parts; false if they and the total do not agree. */
static bool take_parts(struct bar *bar)
{
    double sum = 0, total = bar->total->value;
    for (size_t i = 0; i < n_parts; i++) {
        const struct tare_figure *f = tare_report_figure(bar->cell, parts[i].figure);
        if (f && !f->absent && isfinite(f->value) && f->value > 0) {
            bar->parts[i] = f->value;
            sum += f->value;
        }
    }
    bool wall = bar->total->scope && strstr(bar->total->scope, "wall");
    bar->parts[rest] = wall && total > sum ? total - sum : 0;
    /* each is a median of its own, so they add up nearly, not exactly */
    return wall ? sum <= total * 1.02 : fabs(sum - total) <= 0.02 * total;
}

static void find_bars(struct scene *s, const struct tare_report_input *in, const struct energy_options *o)
{
    tare_pick_one_task(&s->total, in);
    for (size_t i = 0; i < in->n_cells; i++) {
        const struct tare_report_cell *c = &in->cells[i];
        if (o->model && fnmatch(o->model, c->model ? c->model : "", 0) != 0) {
            continue;
        }
        struct bar bar = {.cell = c, .total = tare_pick(&s->total, c)};
        if (!bar.total) {
            continue;
        }
        if (!take_parts(&bar)) {
            s->n_torn++;
        } else if (s->n == max_systems) {
            s->n_more++;
        } else {
            s->bars[s->n++] = bar;
        }
    }
}

static void add_part(struct tare_making *m, const struct scene *s, size_t part, double *bases)
{
    struct tare_points points = {0};
    for (size_t i = 0; i < s->n; i++) {
        double joules = s->bars[i].parts[part];
        if (joules > 0) {
            struct tare_plot_point p = tare_point(bases[i] + joules, (double)i);
            p.base = bases[i];
            bases[i] += joules;
            tare_making_point(m, &points, p);
        }
    }
    const char *name = part == rest ? "the rest, to the wall" : parts[part].name;
    tare_making_series(
        m, 0,
        (struct tare_plot_series){.name = name,
                                  .style = TARE_PLOT_BARS,
                                  .look = part == rest ? TARE_PLOT_MAX_LOOKS - 1 : parts[part].look},
        &points);
}

static void draw(struct tare_making *m, const struct scene *s)
{
    struct tare_plot_panel *p = &m->out->panels[0];
    double bases[max_systems] = {0};
    struct tare_points totals = {0};
    const char **names = tare_arena_array(&m->out->arena, s->n, sizeof *names);
    for (size_t part = 0; part <= rest; part++) {
        add_part(m, s, part, bases);
    }
    m->failed = m->failed || !names;
    for (size_t i = 0; i < s->n && names; i++) {
        struct tare_plot_point total = tare_point(0, (double)i);
        tare_point_set_x(&total, s->bars[i].total);
        tare_making_point(m, &totals, total);
        names[i] = tare_system_name(m, s->bars[i].cell);
    }
    tare_making_series(m, 0, (struct tare_plot_series){.name = "total", .style = TARE_PLOT_POINTS, .look = 6},
                       &totals);
    p->x.label = tare_making_text(m, "energy of one pass over the items (%s)", s->bars[0].cell->task);
    p->x.unit = tare_making_text(m, "%s", s->total.first->unit);
    p->x.from_zero = true;
    p->x.better = TARE_BETTER_LOWER;
    p->y.label = "system";
    p->y.categories = names;
    p->y.n_categories = s->n;
}

static int build(const struct tare_report_input *in, const void *opts, struct tare_plot *out,
                 struct tare_err *err)
{
    const struct energy_options *o = opts;
    struct scene s = {.total = {.figure = "energy", .task = o->task}};
    struct tare_making m;
    char title[160];
    tare_making_begin(&m, out, tare_plot_title(in, "where the energy went", title, sizeof title), 1);
    find_bars(&s, in, o);
    int r = s.total.first ? 0 : tare_pick_nothing(&s.total, "energy", in, err);
    if (r == 0 && s.n == 0) {
        r = tare_err_set(err, TARE_E_UNSUPPORTED,
                         "plot energy: nothing to draw: the parts of no system add up to its "
                         "total within 2 %%");
    }
    if (r == 0) {
        draw(&m, &s);
        tare_making_say(&m, "Bars: gross, idle included; the median over repeats of each part.");
        tare_pick_say(&m, &s.total, "Bars of the total");
        if (s.n_torn > 0) {
            tare_making_say(
                &m, "%zu systems whose parts do not add up to the total within 2 %% are left out.", s.n_torn);
        }
        if (s.n_more > 0) {
            tare_making_say(&m, "%zu more systems are left out.", s.n_more);
        }
    }
    return tare_making_end(&m, r, err);
}

const struct tare_plot_kind tare_plot_kind_energy = {
    .name = "energy",
    .summary = "energy by scope, stacked, with the interval of the total",
    .options = options,
    .options_size = sizeof(struct energy_options),
    .build = build};
