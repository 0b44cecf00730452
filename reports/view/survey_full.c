/* SPDX-License-Identifier: Apache-2.0 */
/* The long form: one row a figure, for machines and for whoever asks where a number comes from. */
#include "survey.h"

#include <string.h>

static const struct tare_table_column columns[] = {
    {.key = "model", .header = "Model"},   {.key = "technique", .header = "Technique"},
    {.key = "task", .header = "Task"},     {.key = "scenario", .header = "Scenario"},
    {.key = "figure", .header = "Figure"}, {.key = "verdict", .header = "Verdict"},
    {.key = "value", .header = "Value"},
};

enum { n_columns = sizeof columns / sizeof *columns };

static struct tare_table_cell text(const char *value)
{
    return value ? (struct tare_table_cell){.type = TARE_CELL_TEXT, .text = value}
                 : (struct tare_table_cell){.type = TARE_CELL_EMPTY};
}

static void fill(const struct tare_report_cell *c, const struct tare_figure *f, struct tare_table_cell *to)
{
    to[0] = text(c->model);
    to[1] = text(c->technique);
    to[2] = text(c->task);
    to[3] = text(c->scenario);
    to[4] = text(f->name);
    to[5] = text(c->verdict);
    to[6] = tare_survey_cell_of(c, f, 6, 0);
}

int tare_survey_build_full(const struct tare_report_input *input, struct tare_survey *out,
                           struct tare_err *err)
{
    memset(out, 0, sizeof *out);
    size_t n_rows = 0, row = 0;
    for (size_t i = 0; i < input->n_cells; i++) {
        n_rows += input->cells[i].n_figures;
    }
    struct tare_table_cell *cells = tare_arena_array(&out->arena, (n_rows + 1) * n_columns, sizeof *cells);
    if (!cells) {
        return tare_err_set(err, TARE_E_NOMEM, "table: out of memory");
    }
    for (size_t i = 0; i < input->n_cells; i++) {
        for (size_t j = 0; j < input->cells[i].n_figures; j++) {
            fill(&input->cells[i], &input->cells[i].figures[j], cells + row++ * n_columns);
        }
    }
    out->table = (struct tare_table){.title = input->title,
                                     .caption = input->caption,
                                     .n_columns = n_columns,
                                     .n_rows = n_rows,
                                     .columns = columns,
                                     .cells = cells};
    return 0;
}
