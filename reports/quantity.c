/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules that all formats obey: which tables may be printed, and what counts as absent. Nothing
 * here writes a cell; text.c does that for the formats that people read.
 */
#include "quantity.h"
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

static int check_cell(const struct tare_table *table, size_t row, size_t column, struct tare_err *err)
{
    const struct tare_table_cell *cell = tare_table_at(table, row, column);
    const char *key = table->columns[column].key;
    if ((unsigned)cell->type > TARE_CELL_ABSENT) {
        return tare_err_set(err, TARE_E_FORMAT, "row %zu, column %.80s: %d is no type of cell", row + 1, key,
                            (int)cell->type);
    }
    if (cell->type != TARE_CELL_QUANTITY) {
        return 0;
    }
    if (cell->q.kind < TARE_KIND_MEASURED || cell->q.kind > TARE_KIND_DECLARED) {
        return tare_err_set(err, TARE_E_FORMAT, "row %zu, column %.80s: a quantity without a kind", row + 1,
                            key);
    }
    if (!*tare_text_or_empty(cell->q.unit)) {
        return tare_err_set(err, TARE_E_FORMAT,
                            "row %zu, column %.80s: a quantity without a unit (\"1\" for none)", row + 1,
                            key);
    }
    return 0;
}

int tare_table_check(const struct tare_table *table, struct tare_err *err)
{
    int r = check_columns(table, err);
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
    } else if (out.type == TARE_CELL_ABSENT) {
        out.text = reason_of(cell);
        out.mark = *tare_text_or_empty(cell->mark) ? cell->mark : "-";
    }
    return out;
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
