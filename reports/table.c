/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules that all formats obey: which tables may be printed, and what counts as absent. Nothing
 * here writes a cell; text.c does that for the formats that people read.
 */
#include "table.h"
#include "utf8.h"

#include <errno.h>
#include <math.h>
#include <string.h>

const char *tare_text_or_empty(const char *text)
{
    return text ? text : "";
}

const struct tare_table_cell *tare_table_at(const struct tare_table *table, size_t row, size_t column)
{
    return &table->cells[row * table->n_columns + column];
}

static int check_columns(const struct tare_table *table, struct tare_err *err)
{
    if (table->n_columns == 0 || !table->columns || (table->n_rows > 0 && !table->cells)) {
        return tare_err_set(err, TARE_E_FORMAT, "table \"%.80s\" has no columns or no cells: build it first",
                            tare_text_or_empty(table->title));
    }
    for (size_t i = 0; i < table->n_columns; i++) {
        const char *key = tare_text_or_empty(table->columns[i].key);
        if (!*key) {
            return tare_err_set(err, TARE_E_FORMAT, "column %zu of the table has no key: give it one", i + 1);
        }
        if (!tare_utf8_valid(key)) {
            return tare_err_set(err, TARE_E_FORMAT, "the key of column %zu is not UTF-8: rename it", i + 1);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(key, table->columns[j].key) == 0) {
                return tare_err_set(err, TARE_E_FORMAT,
                                    "columns %zu and %zu have the same key %.80s: rename one", j + 1, i + 1,
                                    key);
            }
        }
    }
    return 0;
}

/* Of an absent cell, whether or not whoever built it said how its work ended. */
static enum tare_cell_outcome outcome_of(const struct tare_table_cell *cell)
{
    if (cell->outcome != TARE_CELL_OK) {
        return cell->outcome;
    }
    for (int outcome = TARE_CELL_SKIPPED; outcome <= TARE_CELL_OOM; outcome++) {
        if (strcmp(tare_text_or_empty(cell->mark), tare_outcome_name((enum tare_cell_outcome)outcome)) == 0) {
            return (enum tare_cell_outcome)outcome;
        }
    }
    return TARE_CELL_MISSING;
}

static int check_quantity(const struct tare_table_cell *cell, size_t row, const char *key,
                          struct tare_err *err)
{
    const char *fault = NULL;
    if (cell->q.kind < TARE_KIND_MEASURED || cell->q.kind > TARE_KIND_DECLARED) {
        fault = "a quantity without a kind";
    } else if (!*tare_text_or_empty(cell->q.unit)) {
        fault = "a quantity without a unit (\"1\" for none)";
    } else if (cell->outcome != TARE_CELL_OK) {
        fault = "a quantity of what did not end well: make it absent";
    } else if (cell->q.best && cell->q.second) {
        fault = "a quantity that is both best and second";
    }
    return fault ? tare_err_set(err, TARE_E_FORMAT, "row %zu, column %.80s: %s", row + 1, key, fault) : 0;
}

static int check_cell(const struct tare_table *table, size_t row, size_t column, struct tare_err *err)
{
    const struct tare_table_cell *cell = tare_table_at(table, row, column);
    const char *key = table->columns[column].key;
    if ((unsigned)cell->type > TARE_CELL_ABSENT) {
        return tare_err_set(err, TARE_E_FORMAT, "row %zu, column %.80s: %d is no type of cell", row + 1, key,
                            (int)cell->type);
    }
    if ((unsigned)cell->outcome > TARE_CELL_OOM) {
        return tare_err_set(err, TARE_E_FORMAT, "row %zu, column %.80s: %d is no outcome", row + 1, key,
                            (int)cell->outcome);
    }
    return cell->type == TARE_CELL_QUANTITY ? check_quantity(cell, row, key, err) : 0;
}

/* In order, apart, labelled, and within n rows or columns. */
static int check_groups(const struct tare_table_group *groups, size_t n_groups, size_t n, const char *what,
                        struct tare_err *err)
{
    size_t end = 0;
    for (size_t i = 0; i < n_groups; i++) {
        const struct tare_table_group *g = &groups[i];
        if (!g->label || g->n == 0 || g->first < end || g->first >= n || g->n > n - g->first) {
            return tare_err_set(err, TARE_E_FORMAT,
                                "group %zu of the %s is nameless, empty, out of order or beyond the table",
                                i + 1, what);
        }
        end = g->first + g->n;
    }
    return 0;
}

static int check_pictures(const struct tare_table *table, struct tare_err *err)
{
    for (size_t i = 0; i < table->n_pictures; i++) {
        const struct tare_table_picture *p = &table->pictures[i];
        if (!p->title || !p->text || strncmp(tare_text_or_empty(p->svg), "<svg", 4) != 0) {
            return tare_err_set(err, TARE_E_FORMAT,
                                "picture %zu of the table has no title, no text or no <svg> element", i + 1);
        }
    }
    return 0;
}

static int check_frame(const struct tare_table *table, struct tare_err *err)
{
    int r = check_groups(table->row_groups, table->n_row_groups, table->n_rows, "rows", err);
    r = r == 0 ? check_groups(table->column_groups, table->n_column_groups, table->n_columns, "columns", err)
               : r;
    if (r == 0 && table->n_baseline_rows > table->n_rows) {
        r = tare_err_set(err, TARE_E_FORMAT, "the table has %zu baseline rows of %zu rows",
                         table->n_baseline_rows, table->n_rows);
    }
    return r == 0 ? check_pictures(table, err) : r;
}

int tare_table_check(const struct tare_table *table, struct tare_err *err)
{
    int r = check_columns(table, err);
    r = r == 0 ? check_frame(table, err) : r;
    for (size_t row = 0; r == 0 && row < table->n_rows; row++) {
        for (size_t column = 0; r == 0 && column < table->n_columns; column++) {
            r = check_cell(table, row, column, err);
        }
    }
    return r;
}

int tare_table_flush(FILE *to, const char *format, struct tare_err *err)
{
    errno = 0;
    if (fflush(to) != 0 || ferror(to)) {
        return tare_err_set(err, TARE_E_IO,
                            "the %s table could not be written whole: %s; free space or write elsewhere",
                            format, errno ? strerror(errno) : "an earlier write failed");
    }
    return 0;
}

bool tare_stream_close(FILE *stream, char *const *text)
{
    bool failed = ferror(stream) != 0;
    return fclose(stream) == 0 && !failed && *text;
}

/* A mark such as OOM says something; "-" does not. */
static const char *reason_of(const struct tare_table_cell *cell)
{
    if (*tare_text_or_empty(cell->text)) {
        return cell->text;
    }
    const char *mark = tare_text_or_empty(cell->mark);
    return *mark && strcmp(mark, "-") != 0 ? mark : "reason not recorded";
}

struct tare_table_cell tare_cell_settled(const struct tare_table_cell *cell)
{
    struct tare_table_cell out = *cell;
    if (out.type == TARE_CELL_QUANTITY && !isfinite(out.q.value)) {
        out.type = TARE_CELL_ABSENT;
        out.text = "the value is not a finite number";
        out.mark = "-";
        out.outcome = TARE_CELL_MISSING;
    } else if (out.type == TARE_CELL_ABSENT) {
        const char *mark = tare_text_or_empty(cell->mark);
        out.text = reason_of(cell);
        out.outcome = outcome_of(cell);
        if (!*mark || strcmp(mark, "-") == 0) {
            mark = out.outcome == TARE_CELL_MISSING ? "-" : tare_outcome_name(out.outcome);
        }
        out.mark = mark;
    }
    return out;
}

const char *tare_outcome_name(enum tare_cell_outcome outcome)
{
    static const char *const names[] = {"OK",   "MISSING", "SKIPPED", "INVALID",
                                        "FAIL", "CRASH",   "TIMEOUT", "OOM"};
    return names[outcome];
}

double tare_quantity_scale(const struct tare_quantity *q)
{
    return q->display_scale < 0 || q->display_scale > 0 ? q->display_scale : 1;
}

bool tare_quantity_has_ratio(const struct tare_quantity *q)
{
    return isfinite(q->ratio) && q->ratio > 0;
}

bool tare_quantity_has_ratio_interval(const struct tare_quantity *q)
{
    return tare_quantity_has_ratio(q) && isfinite(q->ratio_low) && isfinite(q->ratio_high) &&
           (q->ratio_low > 0 || q->ratio_high > 0);
}

const struct tare_table_group *tare_table_group_of(const struct tare_table_group *groups, size_t n,
                                                   size_t index)
{
    for (size_t i = 0; i < n; i++) {
        if (index >= groups[i].first && index - groups[i].first < groups[i].n) {
            return &groups[i];
        }
    }
    return NULL;
}

bool tare_table_is_numeric(const struct tare_table *table, size_t column)
{
    bool text = false, absent = false;
    for (size_t row = 0; row < table->n_rows; row++) {
        enum tare_cell_type type = tare_table_at(table, row, column)->type;
        if (type == TARE_CELL_QUANTITY) {
            return true;
        }
        text = text || type == TARE_CELL_TEXT;
        absent = absent || type == TARE_CELL_ABSENT;
    }
    return absent && !text;
}

size_t tare_flags_next(const char **flags, const char **code)
{
    const char *at = tare_text_or_empty(*flags);
    at += strspn(at, ", ");
    size_t n = strcspn(at, ",");
    *code = at;
    *flags = at + n;
    while (n > 0 && at[n - 1] == ' ') {
        n--;
    }
    return n;
}

bool tare_table_quantity(const struct tare_table *table, size_t row, size_t column, struct tare_quantity *out)
{
    struct tare_table_cell cell = tare_cell_settled(tare_table_at(table, row, column));
    if (cell.type != TARE_CELL_QUANTITY) {
        return false;
    }
    *out = cell.q;
    return true;
}

unsigned tare_table_kinds(const struct tare_table *table, size_t column)
{
    unsigned kinds = 0;
    struct tare_quantity q;
    for (size_t row = 0; row < table->n_rows; row++) {
        if (tare_table_quantity(table, row, column, &q)) {
            kinds |= 1u << q.kind;
        }
    }
    return kinds;
}

/* Do two rows have the same texts in their first n columns? */
static bool rows_alike(const struct tare_table *table, size_t n)
{
    for (size_t i = 0; i < table->n_rows; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct tare_table_cell *x = table->cells + i * table->n_columns;
            const struct tare_table_cell *y = table->cells + j * table->n_columns;
            size_t same = 0;
            while (same < n &&
                   strcmp(tare_text_or_empty(x[same].text), tare_text_or_empty(y[same].text)) == 0) {
                same++;
            }
            if (same == n) {
                return true;
            }
        }
    }
    return false;
}

static bool is_text(const struct tare_table *table, size_t column)
{
    for (size_t i = 0; i < table->n_rows; i++) {
        if (table->cells[i * table->n_columns + column].type != TARE_CELL_TEXT) {
            return false;
        }
    }
    return true;
}

size_t tare_table_count_keys(const struct tare_table *table)
{
    size_t n = 1;
    while (n + 1 < table->n_columns && is_text(table, n - 1) && is_text(table, n) && rows_alike(table, n)) {
        n++;
    }
    return rows_alike(table, n) ? 1 : n;
}
