/* SPDX-License-Identifier: Apache-2.0 */
/* One figure as one table cell. An invalid cell of the run shows its mark, never its number. */
#include "survey.h"

#include <string.h>

static const char *mark_of(const struct tare_report_cell *cell)
{
    static const char *const marks[][2] = {{"CRASH", "CRASH"},
                                           {"TIMEOUT", "TIMEOUT"},
                                           {"OOM", "OOM"},
                                           {"ERROR", "FAIL"},
                                           {"FAILED_SAMPLES", "FAIL"}};
    for (size_t i = 0; cell->reasons && i < sizeof marks / sizeof *marks; i++) {
        if (strstr(cell->reasons, marks[i][0])) {
            return marks[i][1];
        }
    }
    return "-";
}

static struct tare_table_cell absent(const char *mark, const char *why)
{
    return (struct tare_table_cell){.type = TARE_CELL_ABSENT, .mark = mark, .text = why};
}

struct tare_table_cell tare_survey_cell_of(const struct tare_report_cell *cell,
                                           const struct tare_figure *figure, int decimals,
                                           double display_scale)
{
    if (cell->verdict && strcmp(cell->verdict, "VALID") != 0) {
        const char *why = cell->message ? cell->message : cell->reasons ? cell->reasons : "not measured";
        return absent(mark_of(cell), why);
    }
    if (!figure || figure->absent) {
        return absent("-", figure ? figure->absent : "not derived");
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
    return (struct tare_table_cell){.type = TARE_CELL_QUANTITY, .q = q};
}
