/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

enum { CELLS = 64, FIGURES = 24 };

static struct tare_report_cell cells[CELLS];
static struct tare_figure figures[CELLS][FIGURES];
static struct tare_report_input input;

static const struct tare_metric metrics[] = {
    {.name = "acc", .unit = "1", .help = "share of right answers"},
    {.name = NULL},
};

void fixture_begin(const char *baseline)
{
    input = (struct tare_report_input){
        .title = "fixture", .caption = "made by hand", .baseline = baseline, .cells = cells};
}

struct tare_report_cell *fixture_cell(const char *model, const char *technique, const char *task)
{
    struct tare_report_cell *c = &cells[input.n_cells];
    *c = (struct tare_report_cell){.id = (int64_t)input.n_cells,
                                   .model = model,
                                   .backend = "none",
                                   .technique = technique,
                                   .tag = technique,
                                   .task = task,
                                   .scenario = "single",
                                   .verdict = "VALID",
                                   .metrics = metrics,
                                   .figures = figures[input.n_cells]};
    input.n_cells++;
    return c;
}

struct tare_figure *fixture_last(void)
{
    struct tare_report_cell *c = &cells[input.n_cells - 1];
    return &figures[input.n_cells - 1][c->n_figures - 1];
}

void fixture_figure(const char *name, double value, const char *unit, double half)
{
    struct tare_report_cell *c = &cells[input.n_cells - 1];
    figures[input.n_cells - 1][c->n_figures++] =
        (struct tare_figure){.name = name,
                             .value = value,
                             .unit = unit,
                             .kind = TARE_KIND_MEASURED,
                             .source = "fixture",
                             .scope = "process",
                             .n = 6,
                             .n_what = "repeats",
                             .low = half < 0 ? (double)NAN : value - half,
                             .high = half < 0 ? (double)NAN : value + half,
                             .level = half == 0 ? 1 : 0.95,
                             .method = "made by hand"};
}

const struct tare_report_input *fixture_input(void)
{
    return &input;
}
