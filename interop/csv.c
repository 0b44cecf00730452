/* SPDX-License-Identifier: Apache-2.0 */
/* CSV in and out. The file is read whole: a quoted cell may hold line ends. */
#include "csv.h"

#include "values.h"

#include <stdlib.h>
#include <string.h>

enum { max_columns = 2000 };

struct scan {
    const struct tare_interop_in *in;
    const char *text;
    size_t n, at;
    struct tare_buf cells; /* of the row, each with a NUL behind it */
    size_t n_cells;
    int64_t line;
};

static int cell_fault(struct scan *s, const char *what, struct tare_err *err)
{
    s->in->reader->line = s->line;
    return tare_interop_fault(s->in, err, "%s", what);
}

static void take(struct scan *s)
{
    s->line += s->text[s->at] == '\n';
    s->at++;
}

/* Behind the opening quote, to behind the closing one. */
static int take_quoted(struct scan *s, struct tare_err *err)
{
    for (;;) {
        if (s->at == s->n) {
            return cell_fault(s, "a quote does not end", err);
        }
        if (s->text[s->at] == '"') {
            s->at++;
            if (s->at == s->n || s->text[s->at] != '"') {
                return 0;
            }
        }
        tare_buf_add(&s->cells, s->text + s->at, 1);
        take(s);
    }
}

static bool ends_cell(const struct scan *s)
{
    return s->at == s->n || s->text[s->at] == ',' || s->text[s->at] == '\n' ||
           (s->text[s->at] == '\r' && (s->at + 1 == s->n || s->text[s->at + 1] == '\n'));
}

static int take_cell(struct scan *s, struct tare_err *err)
{
    int r = 0;
    if (s->n_cells == max_columns) {
        return cell_fault(s, "there are over 2000 columns", err);
    }
    if (s->at < s->n && s->text[s->at] == '"') {
        s->at++;
        r = take_quoted(s, err);
        if (r == 0 && !ends_cell(s)) {
            r = cell_fault(s, "text behind a closing quote", err);
        }
    } else {
        for (; !ends_cell(s); take(s)) {
            tare_buf_add(&s->cells, s->text + s->at, 1);
        }
    }
    tare_buf_add(&s->cells, "", 1);
    s->n_cells++;
    return r;
}

/* 1: a row; 0: the end. An empty line is passed over. */
static int take_row(struct scan *s, struct tare_err *err)
{
    while (s->at < s->n && strchr("\r\n", s->text[s->at])) {
        take(s);
    }
    if (s->at == s->n) {
        return 0;
    }
    tare_buf_clear(&s->cells);
    s->n_cells = 0;
    s->in->reader->line = s->line;
    int r = take_cell(s, err);
    while (r == 0 && s->at < s->n && s->text[s->at] == ',') {
        s->at++;
        r = take_cell(s, err);
    }
    r = r == 0 ? tare_buf_check(&s->cells, s->in->reader->name, err) : r;
    return r == 0 ? 1 : r;
}

/* The row as an object with the header's names. */
static int read_row(struct scan *s, const char *header, size_t n_columns, tare_interop_object_fn fn,
                    struct tare_err *err)
{
    const char *cell = tare_buf_str(&s->cells);
    int64_t next = s->line, begin = s->in->reader->line;
    if (s->n_cells != n_columns) {
        return tare_interop_fault(s->in, err, "%zu cells under a header of %zu", s->n_cells, n_columns);
    }
    struct tare_json *record = tare_json_new_object();
    for (size_t i = 0; i < n_columns; i++) {
        tare_json_add_str(record, header, cell);
        header += strlen(header) + 1;
        cell += strlen(cell) + 1;
    }
    int r = tare_interop_record(s->in, record, err);
    r = r == 0 ? fn(s->in, record, err) : r;
    tare_json_destroy(record);
    s->line = next;
    s->in->reader->line = begin;
    return r;
}

static int check_header(struct scan *s, const char *header, size_t n_columns, struct tare_err *err)
{
    for (const char *x = header, *end = header + s->cells.used; x < end; x += strlen(x) + 1) {
        for (const char *y = x + strlen(x) + 1; y < end; y += strlen(y) + 1) {
            if (strcmp(x, y) == 0) {
                return tare_interop_fault(s->in, err, "column \"%.40s\" stands twice in the header", x);
            }
        }
    }
    return n_columns > 1 ? 0 : tare_interop_fault(s->in, err, "the header has one column only");
}

static int read_rows(struct scan *s, struct tare_buf *header, tare_interop_object_fn fn, struct tare_err *err)
{
    size_t rows = 0, n_columns = s->n_cells;
    tare_buf_add(header, s->cells.data, s->cells.used);
    int r = tare_buf_check(header, s->in->reader->name, err);
    r = r == 0 ? check_header(s, tare_buf_str(header), n_columns, err) : r;
    while (r == 0 && (r = take_row(s, err)) == 1) {
        r = read_row(s, tare_buf_str(header), n_columns, fn, err);
        rows++;
    }
    return r == 0 && rows == 0 ? tare_interop_fault(s->in, err, "there is no row under the header") : r;
}

int tare_csv_read_part(const struct tare_interop_in *in, const char *text, size_t n, int64_t line,
                       tare_interop_object_fn fn, struct tare_err *err)
{
    struct scan s = {.in = in, .text = text, .n = n, .line = line};
    struct tare_buf header;
    tare_buf_init(&header, tare_interop_max_text);
    tare_buf_init(&s.cells, tare_interop_max_text);
    int r = take_row(&s, err);
    if (r == 0) {
        r = tare_interop_fault(in, err, "there is no header in it");
    } else if (r == 1) {
        r = read_rows(&s, &header, fn, err);
    }
    tare_buf_fini(&s.cells);
    tare_buf_fini(&header);
    return r;
}

int tare_csv_read(const struct tare_interop_in *in, tare_interop_object_fn fn, struct tare_err *err)
{
    const char *text = NULL;
    size_t n = 0;
    int r = tare_interop_text_all(in, &text, &n, err);
    return r == 0 ? tare_csv_read_part(in, text, n, 1, fn, err) : r;
}

void tare_csv_put(const char *text, bool quote, FILE *to)
{
    bool needed = quote || strpbrk(text, ",\"\r\n");
    (void)fputs(needed ? "\"" : "", to);
    for (; *text; text++) {
        (void)fputs(*text == '"' ? "\"" : "", to);
        (void)fputc(*text, to);
    }
    (void)fputs(needed ? "\"" : "", to);
}

struct table {
    struct tare_json *header; /* its keys are the columns */
    const struct tare_interop_stored *stored;
    FILE *to;
    bool quote;
    size_t no_place;
};

/* Calls `each` with every field that a cell can hold. */
static int add_columns(void *ctx, const char *json, struct tare_err *err)
{
    struct table *t = ctx;
    struct tare_json *record = NULL;
    int r = tare_json_parse_exact(json, strlen(json), "stored record", &record, err);
    for (const struct tare_json *v = tare_json_first(record); v; v = tare_json_next(v)) {
        bool holds = tare_interop_scalar(v) || tare_json_type(v) == TARE_JSON_NULL;
        t->no_place += !holds;
        if (holds && !tare_json_get(t->header, tare_json_key(v))) {
            tare_json_add_null(t->header, tare_json_key(v));
        }
    }
    tare_json_destroy(record);
    return r;
}

static int put_row(void *ctx, const char *json, struct tare_err *err)
{
    const struct table *t = ctx;
    struct tare_json *record = NULL;
    int r = tare_json_parse_exact(json, strlen(json), "stored record", &record, err);
    const struct tare_json *column = r == 0 ? tare_json_first(t->header) : NULL;
    for (; column; column = tare_json_next(column)) {
        const char *text = tare_interop_scalar(tare_json_get(record, tare_json_key(column)));
        tare_csv_put(text ? text : "", t->quote, t->to);
        (void)fputs(tare_json_next(column) ? "," : "\n", t->to);
    }
    tare_json_destroy(record);
    return r;
}

int tare_csv_give_back(const struct tare_interop_stored *stored, bool quote_all, FILE *to,
                       struct tare_err *err)
{
    struct table t = {.header = tare_json_new_object(), .stored = stored, .to = to, .quote = quote_all};
    int r = stored->each(stored->ctx, add_columns, &t, err);
    for (const struct tare_json *v = tare_json_first(t.header); r == 0 && v; v = tare_json_next(v)) {
        tare_csv_put(tare_json_key(v), false, to);
        (void)fputs(tare_json_next(v) ? "," : "\n", to);
    }
    r = r == 0 ? stored->each(stored->ctx, put_row, &t, err) : r;
    if (r == 0 && t.no_place > 0) {
        tare_buf_printf(stored->notes, "%zu lists or objects have no place in a table and were left out\n",
                        t.no_place);
    }
    tare_json_destroy(t.header);
    return r;
}
