/* SPDX-License-Identifier: Apache-2.0 */
/* Tables out of columns, rows and notes, in an arena. */
#include "sheet.h"

#include <stdarg.h>
#include <stdio.h>

void tare_sheet_begin(struct tare_sheet *sheet, struct tare_score_out *out,
                      const struct tare_report_input *input)
{
    memset(sheet, 0, sizeof *sheet);
    sheet->out = out;
    sheet->caption = input->caption;
}

TARE_PRINTF(2, 0)
static const char *keep_args(struct tare_sheet *sheet, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    char *text = n >= 0 ? tare_arena_take(&sheet->out->arena, (size_t)n + 1) : NULL;
    if (text) {
        (void)vsnprintf(text, (size_t)n + 1, fmt, again);
    }
    va_end(again);
    sheet->failed = sheet->failed || !text;
    return text;
}

const char *tare_sheet_keep(struct tare_sheet *sheet, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const char *text = keep_args(sheet, fmt, args);
    va_end(args);
    return text;
}

void tare_sheet_column(struct tare_sheet *sheet, const char *key, const char *header, const char *unit,
                       enum tare_better better)
{
    if (sheet->n_columns == TARE_SHEET_COLUMNS) {
        sheet->crooked = true;
        return;
    }
    sheet->columns[sheet->n_columns++] =
        (struct tare_table_column){.key = key, .header = header, .unit = unit, .better = better};
}

void tare_sheet_metric_columns(struct tare_sheet *sheet, const struct tare_score_matrix *matrix)
{
    for (size_t j = 0; j < matrix->n_metrics; j++) {
        const struct tare_score_metric *m = &matrix->metrics[j];
        const char *key = tare_sheet_keep(sheet, "%s@%s", m->figure, matrix->tasks[j]);
        for (size_t i = 0; key && i < sheet->n_columns; i++) {
            if (strcmp(sheet->columns[i].key, key) == 0) { /* the same figure twice */
                key = tare_sheet_keep(sheet, "%s#%zu", key, j);
            }
        }
        tare_sheet_column(sheet, key ? key : "", m->header, m->unit, m->better);
    }
}

static void put(struct tare_sheet *sheet, const struct tare_table_cell *cell)
{
    if (sheet->n_cells == sheet->cap_cells) {
        size_t cap = sheet->cap_cells ? 2 * sheet->cap_cells : 64;
        struct tare_table_cell *cells = tare_arena_array(&sheet->out->arena, cap, sizeof *cells);
        sheet->failed = sheet->failed || !cells;
        if (!cells) {
            return;
        }
        if (sheet->n_cells) {
            memcpy(cells, sheet->cells, sheet->n_cells * sizeof *cells);
        }
        sheet->cells = cells;
        sheet->cap_cells = cap;
    }
    sheet->cells[sheet->n_cells++] = *cell;
}

void tare_sheet_text(struct tare_sheet *sheet, const char *text)
{
    struct tare_table_cell cell = {.type = text ? TARE_CELL_TEXT : TARE_CELL_EMPTY, .text = text};
    put(sheet, &cell);
}

void tare_sheet_textf(struct tare_sheet *sheet, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    tare_sheet_text(sheet, keep_args(sheet, fmt, args));
    va_end(args);
}

void tare_sheet_absent(struct tare_sheet *sheet, const char *why)
{
    struct tare_table_cell cell = {
        .type = TARE_CELL_ABSENT, .text = why, .mark = "-", .outcome = TARE_CELL_MISSING};
    put(sheet, &cell);
}

/* Four digits, 6 decimals at most. */
static int decimals_of(double value)
{
    double size = fabs(value);
    int whole = size >= 1 ? (int)floor(log10(size)) : size > 0 ? -(int)ceil(-log10(size)) : 0;
    int decimals = 3 - whole;
    return decimals < 0 ? 0 : decimals > 6 ? 6 : decimals;
}

void tare_sheet_value(struct tare_sheet *sheet, const struct tare_score_value *v)
{
    if (!isfinite(v->value)) {
        struct tare_table_cell cell = {.type = TARE_CELL_ABSENT,
                                       .text = v->why ? v->why : "no finite number",
                                       .mark = v->mark ? v->mark : "-",
                                       .outcome =
                                           v->outcome == TARE_CELL_OK ? TARE_CELL_MISSING : v->outcome};
        put(sheet, &cell);
        return;
    }
    struct tare_quantity q = {.value = v->value,
                              .unit = v->unit ? v->unit : "1",
                              .kind = v->kind,
                              .source = v->source,
                              .scope = v->scope,
                              .n = v->n,
                              .n_what = v->n_what ? v->n_what : "",
                              .has_interval = isfinite(v->low) && isfinite(v->high),
                              .low = v->low,
                              .high = v->high,
                              .level = isfinite(v->level) ? v->level : 0,
                              .method = v->method,
                              .flags = v->flags ? v->flags : "",
                              .decimals = decimals_of(v->value)};
    q.exact = q.has_interval && q.low == q.value && q.high == q.value && q.level >= 1;
    struct tare_table_cell cell = {.type = TARE_CELL_QUANTITY, .q = q};
    put(sheet, &cell);
}

void tare_sheet_or_why(struct tare_sheet *sheet, const char *why)
{
    if (sheet->n_cells > 0) {
        return;
    }
    tare_sheet_text(sheet, "all");
    for (size_t j = 1; j < sheet->n_columns; j++) {
        tare_sheet_absent(sheet, why);
    }
}

void tare_sheet_values(struct tare_sheet *sheet, const struct tare_score_matrix *matrix, size_t system)
{
    for (size_t j = 0; j < matrix->n_metrics; j++) {
        tare_sheet_value(sheet, tare_score_at(matrix, system, j));
    }
}

void tare_sheet_note(struct tare_sheet *sheet, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const char *text = keep_args(sheet, fmt, args);
    va_end(args);
    if (sheet->n_notes == TARE_SHEET_NOTES) {
        sheet->crooked = true;
    } else if (text) {
        sheet->notes[sheet->n_notes++] = text;
    }
}

void tare_sheet_note_set(struct tare_sheet *sheet, const struct tare_score_matrix *matrix, const char *what)
{
    const char *list = "";
    for (size_t i = 0; i < matrix->n_systems && list; i++) {
        list = tare_sheet_keep(sheet, "%s%s%s", list, i ? "; " : "", matrix->systems[i].name);
    }
    tare_sheet_note(sheet, "%s depends on the set of systems, which was: %s", what, list ? list : "?");
}

void tare_sheet_systems(struct tare_sheet *sheet, struct tare_score_out *out,
                        const struct tare_report_input *input)
{
    tare_sheet_begin(sheet, out, input);
    tare_sheet_column(sheet, "system", "System", NULL, TARE_BETTER_NONE);
}

int tare_sheet_matrix(const struct tare_report_input *input, const char *metrics, struct tare_score_out *out,
                      struct tare_score_matrix *matrix, struct tare_err *err)
{
    struct tare_score_metric *list = NULL;
    size_t n = 0;
    int r = tare_score_metrics_parse(metrics, &out->arena, &list, &n, err);
    return r == 0 ? tare_score_matrix(input, list, n, &out->arena, matrix, err) : r;
}

int tare_sheet_end(struct tare_sheet *sheet, const char *title, struct tare_err *err)
{
    struct tare_arena *arena = &sheet->out->arena;
    struct tare_table_column *columns = tare_arena_array(arena, sheet->n_columns + 1, sizeof *columns);
    const char **notes = tare_arena_array(arena, sheet->n_notes + 1, sizeof *notes);
    if (sheet->failed || !columns || !notes) {
        return tare_err_set(err, TARE_E_NOMEM, "score %s: out of memory", title);
    }
    if (sheet->crooked || sheet->n_columns == 0 || sheet->n_cells % sheet->n_columns != 0) {
        return tare_err_set(
            err, TARE_E_LIMIT,
            "score %s: %zu cells in %zu columns; at most %d columns and %d notes fit: name fewer "
            "metrics",
            title, sheet->n_cells, sheet->n_columns, TARE_SHEET_COLUMNS, TARE_SHEET_NOTES);
    }
    memcpy(columns, sheet->columns, sheet->n_columns * sizeof *columns);
    if (sheet->n_notes) {
        memcpy(notes, sheet->notes, sheet->n_notes * sizeof *notes);
    }
    sheet->out->table = (struct tare_table){.title = title,
                                            .caption = sheet->caption,
                                            .n_columns = sheet->n_columns,
                                            .n_rows = sheet->n_cells / sheet->n_columns,
                                            .columns = columns,
                                            .cells = sheet->cells,
                                            .n_notes = sheet->n_notes,
                                            .notes = notes};
    return 0;
}
