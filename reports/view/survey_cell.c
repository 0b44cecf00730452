/* SPDX-License-Identifier: Apache-2.0 */
/* One figure as one table cell. An invalid cell of the run shows its mark, never its number. */
#include "survey.h"

#include <string.h>

static const struct {
    const char *code; /* in the reasons of the verdict */
    const char *mark;
    enum tare_cell_outcome outcome;
} marks[] = {{"CRASH", "CRASH", TARE_CELL_CRASH},
             {"TIMEOUT", "TIMEOUT", TARE_CELL_TIMEOUT},
             {"OOM", "OOM", TARE_CELL_OOM},
             {"ERROR", "FAIL", TARE_CELL_FAIL},
             {"FAILED_SAMPLES", "FAIL", TARE_CELL_FAIL}};

/* Why a cell of the run that is not valid has no number. */
static struct tare_table_cell void_cell(const struct tare_report_cell *cell)
{
    bool skipped = strcmp(cell->verdict, "SKIPPED") == 0;
    struct tare_table_cell to = {.type = TARE_CELL_ABSENT,
                                 .mark = skipped ? "SKIP" : "INVALID",
                                 .outcome = skipped ? TARE_CELL_SKIPPED : TARE_CELL_INVALID};
    for (size_t i = 0; cell->reasons && i < sizeof marks / sizeof *marks; i++) {
        if (strstr(cell->reasons, marks[i].code)) {
            to.mark = marks[i].mark;
            to.outcome = marks[i].outcome;
            break;
        }
    }
    to.text = cell->message ? cell->message : cell->reasons ? cell->reasons : "not measured";
    return to;
}

static struct tare_table_cell absent(const char *mark, const char *why)
{
    return (struct tare_table_cell){
        .type = TARE_CELL_ABSENT, .mark = mark, .text = why, .outcome = TARE_CELL_MISSING};
}

struct tare_table_cell tare_survey_cell_of(const struct tare_report_cell *cell,
                                           const struct tare_figure *figure, int decimals,
                                           double display_scale)
{
    if (cell->verdict && strcmp(cell->verdict, "VALID") != 0) {
        struct tare_table_cell to = void_cell(cell);
        to.verdict = cell->verdict;
        return to;
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
    return (struct tare_table_cell){.type = TARE_CELL_QUANTITY, .verdict = cell->verdict, .q = q};
}
