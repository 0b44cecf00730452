/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Means over columns. A column in which no row has a value is left out of the mean of all rows, and a note
 * says so. Of the others all must be there: a mean over other columns than the neighbour's compares nothing.
 */
#include "reports/view/averages.h"

#include "base/buf.h"

#include <fnmatch.h>
#include <math.h>
#include <string.h>

/* Is the column one that the average is over? "figure", "quality" or either with "@task pattern". */
static bool is_averaged(const struct tare_survey_column *c, const char *pattern)
{
    const char *at = strchr(pattern, '@');
    size_t n = at ? (size_t)(at - pattern) : strlen(pattern);
    bool figure = strncmp(c->figure, pattern, n) == 0 && c->figure[n] == '\0';
    bool quality = n == strlen(TARE_FIGURE_QUALITY) && strncmp(pattern, TARE_FIGURE_QUALITY, n) == 0 &&
                   strcmp(c->spec->figure, TARE_FIGURE_QUALITY) == 0;
    return (figure || quality) && (!at || (c->task && fnmatch(at + 1, c->task, 0) == 0));
}

static struct tare_table_cell no_mean(const char *why)
{
    return (struct tare_table_cell){
        .type = TARE_CELL_ABSENT, .mark = "-", .text = why, .outcome = TARE_CELL_MISSING};
}

/* The rows of a table, behind their columns of text. */
struct body {
    const struct tare_survey_columns *columns;
    const struct tare_table_cell *cells;
    size_t n_text, n_rows, width;
};

static const struct tare_table_cell *cell_of(const struct body *b, size_t row, size_t column)
{
    return &b->cells[row * b->width + b->n_text + column];
}

static bool is_empty(const struct body *b, size_t column)
{
    for (size_t row = 0; row < b->n_rows; row++) {
        if (cell_of(b, row, column)->type == TARE_CELL_QUANTITY) {
            return false;
        }
    }
    return true;
}

static bool is_in(const struct body *b, size_t column, const struct tare_view_average *average)
{
    return is_averaged(&b->columns->list[column], average->pattern) && !is_empty(b, column);
}

/* Adds a column's value to a sum of them; false when memory is refused. */
static bool take(struct tare_quantity *to, double *squares, const struct tare_quantity *q,
                 struct tare_arena *arena)
{
    to->unit = q->unit;
    to->kind = to->n == 0 || q->kind > to->kind ? q->kind : to->kind;
    to->has_interval = to->has_interval && q->has_interval;
    to->level = fmin(to->level, q->level);
    to->value += q->value;
    *squares += pow((q->high - q->low) / 2, 2);
    to->n++;
    to->flags = tare_view_join_flags(arena, to->flags, q->flags);
    return to->flags != NULL;
}

/* Columns are of different items, so their errors are independent: the half-widths add in squares. Sets *to;
 * returns -1 when memory is refused. */
static int mean_of(const struct body *b, size_t row, const struct tare_view_average *average,
                   struct tare_table_cell *to, struct tare_arena *arena)
{
    struct tare_quantity q = {.has_interval = true,
                              .level = 1,
                              .source = "mean of columns",
                              .scope = "task",
                              .n_what = "columns",
                              .flags = "",
                              .decimals = 4,
                              .method = "half-widths of the columns added in squares"};
    double squares = 0;
    for (size_t i = 0; i < b->columns->n; i++) {
        const struct tare_table_cell *c = cell_of(b, row, i);
        if (!is_in(b, i, average)) {
            continue;
        }
        if (c->type != TARE_CELL_QUANTITY) {
            *to = no_mean("a column that belongs to the mean has no value");
            return 0;
        }
        if (q.n > 0 && strcmp(q.unit, c->q.unit) != 0) {
            *to = no_mean("columns of different units have no mean");
            return 0;
        }
        if (!take(&q, &squares, &c->q, arena)) {
            return -1;
        }
    }
    if (q.n == 0) {
        *to = no_mean("no column with a value belongs to the mean");
        return 0;
    }
    double n = (double)q.n;
    q.value /= n;
    q.low = q.has_interval ? q.value - sqrt(squares) / n : (double)NAN;
    q.high = q.has_interval ? q.value + sqrt(squares) / n : (double)NAN;
    *to = (struct tare_table_cell){.type = TARE_CELL_QUANTITY, .q = q};
    return 0;
}

int tare_view_average(const struct tare_view *view, const struct tare_survey_columns *columns, size_t n_text,
                      size_t n_rows, struct tare_table_column *to, struct tare_table_cell *cells,
                      struct tare_arena *arena)
{
    size_t first = n_text + columns->n, width = first + view->n_averages;
    const struct body b = {columns, cells, n_text, n_rows, width};
    for (size_t a = 0; a < view->n_averages; a++) {
        const char *header = view->averages[a].header;
        const char *key = tare_arena_copy(arena, header, strlen(header) + 1);
        if (!key) {
            return -1;
        }
        to[first + a] = (struct tare_table_column){
            .key = key,
            .header = header,
            .unit = "1",
            .help = "mean of columns; absent where one of them is; a note says which"};
        for (size_t row = 0; row < n_rows; row++) {
            if (mean_of(&b, row, &view->averages[a], &cells[row * width + first + a], arena) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* Adds the headers of the columns of the mean that are empty, or of those that are not. */
static size_t list(struct tare_buf *to, const struct body *b, const struct tare_table *table,
                   const struct tare_view_average *average, bool empty)
{
    size_t n = 0;
    for (size_t i = 0; i < b->columns->n; i++) {
        if (is_averaged(&b->columns->list[i], average->pattern) && is_empty(b, i) == empty) {
            tare_buf_add_str(to, n++ ? ", " : "");
            tare_buf_add_str(to, table->columns[b->n_text + i].header);
        }
    }
    return n;
}

int tare_view_average_notes(const struct tare_view *view, const struct tare_survey_columns *columns,
                            size_t n_text, const struct tare_table *table, const char **to,
                            struct tare_arena *arena)
{
    const struct body b = {columns, table->cells, n_text, table->n_rows, table->n_columns};
    for (size_t a = 0; a < view->n_averages; a++) {
        struct tare_buf over, out, text;
        struct tare_err ignored = {0};
        tare_buf_init(&over, 1 << 20);
        tare_buf_init(&out, 1 << 20);
        tare_buf_init(&text, 1 << 21);
        size_t n_over = list(&over, &b, table, &view->averages[a], false);
        size_t n_out = list(&out, &b, table, &view->averages[a], true);
        tare_buf_printf(&text, "%s: mean over %s", view->averages[a].header,
                        n_over ? tare_buf_str(&over) : "no column");
        if (n_out) {
            tare_buf_printf(&text, "; left out, since no row has a value: %s", tare_buf_str(&out));
        }
        tare_buf_add_str(&text, ".");
        const char *whole = tare_buf_check(&text, "note", &ignored) == 0 ? tare_buf_str(&text) : NULL;
        to[a] = whole ? tare_arena_copy(arena, whole, strlen(whole) + 1) : NULL;
        tare_buf_fini(&over);
        tare_buf_fini(&out);
        tare_buf_fini(&text);
        if (!to[a]) {
            return -1;
        }
    }
    return 0;
}
