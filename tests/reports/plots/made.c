/* SPDX-License-Identifier: Apache-2.0 */
#include "made.h"

#include <stdio.h>
#include <string.h>

static const struct tare_metric metrics[] = {
    {.name = "acc", .unit = "1", .lower_is_better = false},
    {.name = NULL},
};

void made_begin(struct made *m)
{
    memset(m, 0, sizeof *m);
    m->in.title = "made";
    m->in.caption = "invented";
    m->in.cells = m->cells;
}

size_t made_cell(struct made *m, const char *model, const char *technique, const char *task)
{
    size_t i = m->in.n_cells++;
    m->cells[i] = (struct tare_report_cell){.id = (int64_t)i + 1,
                                            .run_id = 1,
                                            .model = model,
                                            .backend = "x",
                                            .technique = technique,
                                            .task = task,
                                            .scenario = "single",
                                            .metrics = metrics,
                                            .verdict = "VALID",
                                            .figures = m->figures[i]};
    return i;
}

struct tare_figure *made_figure(struct made *m, size_t cell, const char *name, const char *unit, double value,
                                double half)
{
    struct tare_figure *f = &m->figures[cell][m->cells[cell].n_figures++];
    double none = (double)NAN;
    *f = (struct tare_figure){.name = name,
                              .value = value,
                              .unit = unit,
                              .kind = TARE_KIND_MEASURED,
                              .source = "a clock",
                              .scope = "process",
                              .n = 6,
                              .n_what = "repeats",
                              .low = half < 0 ? none : value - half,
                              .high = half < 0 ? none : value + half,
                              .level = half > 0   ? 0.969
                                       : half < 0 ? none
                                                  : 1,
                              .method = half > 0 ? "order statistics" : "exact count"};
    return f;
}

struct tare_figure *made_absent(struct made *m, size_t cell, const char *name, const char *why)
{
    struct tare_figure *f = made_figure(m, cell, name, "1", (double)NAN, -1);
    f->absent = why;
    return f;
}

void made_lengths(struct made *m, size_t cell, int prompt_tok, int max_output)
{
    (void)snprintf(m->specs[cell], sizeof m->specs[cell],
                   "{\"task_options\":{\"prompt_tok\":%d,\"max_output\":%d}}", prompt_tok, max_output);
    m->cells[cell].spec = m->specs[cell];
}

const struct tare_plot_series *made_series(const struct tare_plot *plot, size_t panel, const char *name)
{
    for (size_t i = 0; i < plot->panels[panel].n_series; i++) {
        const char *own = plot->panels[panel].series[i].name;
        if (own && strcmp(own, name) == 0) {
            return &plot->panels[panel].series[i];
        }
    }
    return NULL;
}
