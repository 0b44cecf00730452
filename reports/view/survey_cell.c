/* SPDX-License-Identifier: Apache-2.0 */
/* One figure as one table cell. An invalid cell of the run shows its mark, never its number. */
#include "survey.h"

#include <string.h>

/* How the cell's work ended, out of its verdict and reasons. */
static enum tare_cell_outcome outcome_of(const struct tare_report_cell *cell)
{
    static const struct {
        const char *reason;
        enum tare_cell_outcome outcome;
    } ends[] = {{"CRASH", TARE_CELL_CRASH},
                {"TIMEOUT", TARE_CELL_TIMEOUT},
                {"OOM", TARE_CELL_OOM},
                {"ERROR", TARE_CELL_FAIL},
                {"FAILED_SAMPLES", TARE_CELL_FAIL}};
    for (size_t i = 0; cell->reasons && i < sizeof ends / sizeof *ends; i++) {
        if (strstr(cell->reasons, ends[i].reason)) {
            return ends[i].outcome;
        }
    }
    return strcmp(cell->verdict, "SKIPPED") == 0 ? TARE_CELL_SKIPPED : TARE_CELL_INVALID;
}

static struct tare_table_cell absent(const struct tare_report_cell *cell, enum tare_cell_outcome outcome,
                                     const char *why)
{
    return (struct tare_table_cell){
        .type = TARE_CELL_ABSENT, .outcome = outcome, .verdict = cell->verdict, .mark = "-", .text = why};
}

struct tare_table_cell tare_survey_cell_of(const struct tare_report_cell *cell,
                                           const struct tare_figure *figure, int decimals,
                                           double display_scale)
{
    if (cell->verdict && strcmp(cell->verdict, "VALID") != 0) {
        const char *why = cell->message ? cell->message : cell->reasons ? cell->reasons : "not measured";
        return absent(cell, outcome_of(cell), why);
    }
    if (!figure || figure->absent) {
        return absent(cell, TARE_CELL_MISSING, figure ? figure->absent : "not derived");
    }
    struct tare_quantity q = {.value = figure->value,
                              .unit = figure->unit,
                              .kind = (enum tare_kind)figure->kind,
                              .source = figure->source,
                              .scope = figure->scope,
                              .n = figure->n,
                              .n_what = figure->n_what,
                              .has_interval = isfinite(figure->low) && isfinite(figure->high),
                              .low = figure->low,
                              .high = figure->high,
                              .level = isfinite(figure->level) ? figure->level : 0,
                              .method = figure->method,
                              .flags = figure->flags,
                              .decimals = decimals,
                              .display_scale = display_scale};
    q.exact = q.has_interval && q.low == q.value && q.high == q.value && q.level >= 1;
    return (struct tare_table_cell){.type = TARE_CELL_QUANTITY, .verdict = cell->verdict, .q = q};
}
