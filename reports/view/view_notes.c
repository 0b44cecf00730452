/* SPDX-License-Identifier: Apache-2.0 */
/* Notes of a view. A column that a view asks for and no cell can fill is not in the table; its note is, with
 * the reason that the derivation gave. */
#include "reports/view/view_notes.h"

#include "reports/view/averages.h"

#include <stdio.h>
#include <string.h>

static bool is_there(const struct tare_survey_columns *columns, size_t asked)
{
    for (size_t i = 0; i < columns->n; i++) {
        if (columns->list[i].asked == asked) {
            return true;
        }
    }
    return false;
}

/* Why the first cell that was asked for the figure has none; NULL: no cell was. */
static const char *reason_of(const struct tare_report_input *input, const char *pattern)
{
    char figure[64];
    (void)snprintf(figure, sizeof figure, "%.*s", (int)strcspn(pattern, "@"), pattern);
    for (size_t i = 0; i < input->n_cells; i++) {
        const struct tare_figure *f = tare_report_figure(&input->cells[i], figure);
        if (f && f->absent) {
            return f->absent;
        }
    }
    return NULL;
}

/* "Not shown: energy: no meter works here"; NULL when memory is refused. */
static const char *missing_note(const struct tare_report_input *input, const char *pattern,
                                struct tare_arena *arena)
{
    const char *why = reason_of(input, pattern);
    why = why ? why : "no cell of this table has such a figure";
    size_t most = strlen(pattern) + strlen(why) + 16;
    char *text = tare_arena_take(arena, most);
    if (text) {
        (void)snprintf(text, most, "Not shown: %s: %s", pattern, why);
    }
    return text;
}

int tare_view_explain(const struct tare_view *view, const struct tare_report_input *input,
                      const struct tare_survey_columns *columns, size_t n_text, struct tare_survey *survey)
{
    struct tare_table *table = &survey->table;
    if (!view) {
        return 0;
    }
    size_t n = 0, most = view->n_notes + view->n_averages + view->n_columns + table->n_notes;
    const char **notes = tare_arena_array(&survey->arena, most + 1, sizeof *notes);
    if (!notes) {
        return -1;
    }
    for (size_t i = 0; i < view->n_notes; i++) {
        notes[n++] = view->notes[i];
    }
    if (tare_view_average_notes(view, columns, n_text, table, notes + n, &survey->arena) < 0) {
        return -1;
    }
    n += view->n_averages;
    for (size_t i = 0; i < view->n_columns; i++) {
        if (!is_there(columns, i)) {
            notes[n] = missing_note(input, view->columns[i].pattern, &survey->arena);
            if (!notes[n++]) {
                return -1;
            }
        }
    }
    for (size_t i = 0; i < table->n_notes; i++) {
        notes[n++] = table->notes[i];
    }
    table->notes = notes;
    table->n_notes = n;
    return 0;
}
