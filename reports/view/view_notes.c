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

enum { most_reasons = 3 };

/* Adds the reason to those that are known; false where there is no more room. */
static bool collect(const char **reasons, size_t *n, const char *why)
{
    for (size_t i = 0; i < *n; i++) {
        if (strcmp(reasons[i], why) == 0) {
            return true;
        }
    }
    if (*n == most_reasons) {
        return false;
    }
    reasons[(*n)++] = why;
    return true;
}

/* Why valid cells have no such figure, in the plan's order: different tasks may have different reasons. NULL
 * when memory is refused. */
static const char *reason_of(const struct tare_report_input *input, const char *pattern,
                             struct tare_arena *arena)
{
    const char *reasons[most_reasons] = {NULL}, *between = "; ";
    char figure[64];
    size_t n = 0, bytes = 1;
    bool room = true;
    (void)snprintf(figure, sizeof figure, "%.*s", (int)strcspn(pattern, "@"), pattern);
    for (size_t i = 0; i < input->n_cells && room; i++) {
        const struct tare_report_cell *c = &input->cells[i];
        const struct tare_figure *f = tare_survey_is_valid(c) ? tare_report_figure(c, figure) : NULL;
        room = !f || !f->absent || collect(reasons, &n, f->absent);
    }
    if (n == 0) {
        reasons[n++] = "no valid cell of this table has such a figure";
    }
    for (size_t i = 0; i < n; i++) {
        bytes += strlen(reasons[i]) + strlen(between);
    }
    char *text = tare_arena_take(arena, bytes);
    for (size_t i = 0, used = 0; text && i < n; i++) {
        used += (size_t)snprintf(text + used, bytes - used, "%s%s", i ? between : "", reasons[i]);
    }
    return text;
}

/* "Not shown: energy, energy_net: no meter works here", for all columns that are missing for the same reason
 * as this one. NULL when memory is refused. */
static const char *missing_note(const struct tare_view *view, const char *const *reasons, size_t column,
                                struct tare_arena *arena)
{
    size_t bytes = strlen(reasons[column]) + 16;
    for (size_t i = column; i < view->n_columns; i++) {
        bytes += strlen(view->columns[i].pattern) + 2;
    }
    char *text = tare_arena_take(arena, bytes);
    size_t used = text ? (size_t)snprintf(text, bytes, "Not shown: ") : 0;
    for (size_t i = column; text && i < view->n_columns; i++) {
        if (reasons[i] && strcmp(reasons[i], reasons[column]) == 0) {
            used += (size_t)snprintf(text + used, bytes - used, "%s%s", i > column ? ", " : "",
                                     view->columns[i].pattern);
        }
    }
    if (text) {
        (void)snprintf(text + used, bytes - used, ": %s", reasons[column]);
    }
    return text;
}

static bool is_told(const char *const *reasons, size_t column)
{
    for (size_t i = 0; i < column; i++) {
        if (reasons[i] && strcmp(reasons[i], reasons[column]) == 0) {
            return true;
        }
    }
    return false;
}

/* Adds a note a reason. Returns how many, or -1 when memory is refused. */
static int add_missing(const struct tare_view *view, const struct tare_report_input *input,
                       const struct tare_survey_columns *columns, const char **to, struct tare_arena *arena)
{
    const char **reasons = tare_arena_array(arena, view->n_columns + 1, sizeof *reasons);
    int n = 0;
    for (size_t i = 0; reasons && i < view->n_columns; i++) {
        reasons[i] = is_there(columns, i) ? NULL : reason_of(input, view->columns[i].pattern, arena);
        if (!reasons[i] && !is_there(columns, i)) {
            return -1;
        }
    }
    for (size_t i = 0; reasons && i < view->n_columns; i++) {
        if (!reasons[i] || is_told(reasons, i)) {
            continue;
        }
        to[n] = missing_note(view, reasons, i, arena);
        if (!to[n++]) {
            return -1;
        }
    }
    return reasons ? n : -1;
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
    int missing = add_missing(view, input, columns, notes + n, &survey->arena);
    if (missing < 0) {
        return -1;
    }
    n += (size_t)missing;
    for (size_t i = 0; i < table->n_notes; i++) {
        notes[n++] = table->notes[i];
    }
    table->notes = notes;
    table->n_notes = n;
    return 0;
}
