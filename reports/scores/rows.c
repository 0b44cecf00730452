/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers with commas between. */
#include "rows.h"

#include "base/buf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t count_cells(const char *line)
{
    size_t n = 1;
    for (; *line; line++) {
        n += *line == ',';
    }
    return n;
}

static char *trim(char *text)
{
    text += strspn(text, " \t\r");
    size_t n = strlen(text);
    while (n > 0 && strchr(" \t\r", text[n - 1])) {
        text[--n] = '\0';
    }
    return text;
}

/* Cuts a line into n cells; false if it has another number. */
static bool cut(char *line, size_t n, const char **cells)
{
    if (count_cells(line) != n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        char *comma = strchr(line, ',');
        if (comma) {
            *comma = '\0';
        }
        cells[i] = trim(line);
        line = comma ? comma + 1 : line;
    }
    return true;
}

static int parse(char *text, size_t n_lines, const char *path, struct tare_arena *arena,
                 struct tare_rows *rows, struct tare_err *err)
{
    size_t number = 0;
    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next) {
            *next++ = '\0';
        }
        number++;
        line = trim(line);
        if (*line == '\0' || *line == '#') {
            continue;
        }
        bool head = rows->n_columns == 0;
        if (head) {
            rows->n_columns = count_cells(line);
            rows->columns = tare_arena_array(arena, rows->n_columns, sizeof *rows->columns);
            rows->cells = tare_arena_array(arena, n_lines * rows->n_columns, sizeof *rows->cells);
        }
        if (!rows->columns || !rows->cells) {
            return tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", path);
        }
        if (!cut(line, rows->n_columns,
                 head ? rows->columns : rows->cells + rows->n_rows * rows->n_columns)) {
            return tare_err_set(err, TARE_E_FORMAT,
                                "%s: line %zu has not the %zu values that the first line names", path, number,
                                rows->n_columns);
        }
        rows->n_rows += !head;
    }
    return 0;
}

int tare_rows_load(const char *path, struct tare_arena *arena, struct tare_rows *out, struct tare_err *err)
{
    struct tare_buf buf;
    struct tare_rows rows = {0};
    tare_buf_init(&buf, 64u << 20);
    int r = tare_buf_read_file(&buf, path, err);
    size_t n_lines = 2;
    for (const char *c = tare_buf_str(&buf); r == 0 && *c; c++) {
        n_lines += *c == '\n';
    }
    char *text = r == 0 ? tare_arena_copy(arena, tare_buf_str(&buf), buf.used + 1) : NULL;
    if (r == 0 && !text) {
        r = tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", path);
    }
    r = r == 0 ? parse(text, n_lines, path, arena, &rows, err) : r;
    if (r == 0 && rows.n_rows == 0) {
        r = tare_err_set(err, TARE_E_FORMAT, "%s: no rows below a line of column names", path);
    }
    tare_buf_fini(&buf);
    if (r == 0) {
        *out = rows;
    }
    return r;
}

size_t tare_rows_column(const struct tare_rows *rows, const char *name)
{
    size_t i = 0;
    while (i < rows->n_columns && strcmp(rows->columns[i], name) != 0) {
        i++;
    }
    return i;
}

int tare_rows_number(const struct tare_rows *rows, size_t row, size_t column, const char *path, double *out,
                     struct tare_err *err)
{
    const char *text = rows->cells[row * rows->n_columns + column];
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end || !isfinite(value)) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: row %zu, column %.40s: \"%.40s\" is no finite number",
                            path, row + 1, rows->columns[column], text);
    }
    *out = value;
    return 0;
}
