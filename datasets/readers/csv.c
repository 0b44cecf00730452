/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV by RFC 4180, and TSV, which is the same with tabs. Rows end in CR LF or LF. Strict where other readers
 * guess: a quote stands at the begin and end of a field or doubled inside a quoted one, a carriage return
 * before a line feed or inside quotes, and every row has as many fields as there are columns. An empty line
 * is a row of one empty field.
 */
#include "format.h"

#include <stdlib.h>
#include <string.h>

#include "plain.h"

enum { max_columns = 1024 };

struct csv {
    char separator;
    char *names; /* the columns' names, each with a NUL behind it */
    const char *columns[max_columns];
    size_t n_columns;
    struct tare_gather row;         /* the fields, each with a NUL behind it */
    size_t begins[max_columns + 1]; /* of the fields in it, and the end of the last */
    size_t n_fields;
    unsigned long long line; /* of the row */
};

/* Takes n bytes of the block into the row. Returns 0 or an error. */
static int take(struct csv *csv, struct tare_input *input, size_t n, struct tare_err *err)
{
    int r = tare_gather_add(&csv->row, input->left.data, n, input, csv->line, err);
    input->left.data += n;
    input->left.n -= n;
    return r;
}

static int read_bare(struct csv *csv, struct tare_input *input, struct tare_err *err)
{
    const char ends[] = {csv->separator, '"', '\r', '\n'};
    int r;
    while ((r = tare_input_fill(input, err)) > 0) {
        size_t n = 0;
        while (n < input->left.n && !memchr(ends, input->left.data[n], sizeof ends)) {
            n++;
        }
        bool found = n < input->left.n;
        r = take(csv, input, n, err);
        if (r < 0 || found) {
            break;
        }
    }
    if (r == 0 && input->left.n > 0 && *input->left.data == '"') {
        return tare_input_fault(input, input->line, err,
                                "a quote inside a field that begins without one; quote the field, and write "
                                "two for each inside");
    }
    return r;
}

/* Up to the next quote, which is taken and not kept. 1, or 0 at the end of the file. */
static int read_to_quote(struct csv *csv, struct tare_input *input, struct tare_err *err)
{
    int r;
    while ((r = tare_input_fill(input, err)) > 0) {
        const char *quote = memchr(input->left.data, '"', input->left.n);
        size_t n = quote ? (size_t)(quote - input->left.data) : input->left.n;
        for (size_t i = 0; i < n; i++) {
            input->line += input->left.data[i] == '\n';
        }
        r = take(csv, input, n, err);
        if (r < 0) {
            return r;
        }
        if (quote) {
            tare_input_take(input);
            return 1;
        }
    }
    return r;
}

static int read_quoted(struct csv *csv, struct tare_input *input, struct tare_err *err)
{
    const unsigned long long line = input->line;
    tare_input_take(input);
    for (;;) {
        int r = read_to_quote(csv, input, err);
        if (r == 0) {
            return tare_input_fault(input, line, err, "the quoted field that begins here does not end");
        }
        int c = r < 0 ? r : tare_input_peek(input, err);
        if (c != '"') {
            return c < 0 && c != TARE_INPUT_END ? c : 0;
        }
        r = take(csv, input, 1, err);
        if (r < 0) {
            return r;
        }
    }
}

/* Behind a field. 1: another follows; 0: the row ends. */
static int read_end(struct csv *csv, struct tare_input *input, struct tare_err *err)
{
    int c = tare_input_peek(input, err);
    if (c < 0) {
        return c == TARE_INPUT_END ? 0 : c;
    }
    if (c != csv->separator && c != '\r' && c != '\n') {
        return tare_input_fault(input, input->line, err, "text behind the quote that ends a field");
    }
    tare_input_take(input);
    if (c == '\r') {
        c = tare_input_peek(input, err);
        if (c != '\n') {
            return c < 0 && c != TARE_INPUT_END
                       ? c
                       : tare_input_fault(input, input->line, err,
                                          "a carriage return without a line feed; quote the field");
        }
        tare_input_take(input);
    }
    return c == csv->separator;
}

static int read_field(struct csv *csv, struct tare_input *input, struct tare_err *err)
{
    const size_t begin = csv->row.n;
    int c = tare_input_peek(input, err);
    if (c < 0 && c != TARE_INPUT_END) {
        return c;
    }
    if (csv->n_fields == max_columns) {
        return tare_input_fault(input, csv->line, err, "a row of more than %d fields begins here",
                                max_columns);
    }
    int r = c == '"' ? read_quoted(csv, input, err) : read_bare(csv, input, err);
    if (r < 0) {
        return r;
    }
    r = tare_gather_add(&csv->row, "", 1, input, csv->line, err);
    csv->begins[csv->n_fields++] = begin;
    csv->begins[csv->n_fields] = csv->row.n;
    return r < 0 ? r : read_end(csv, input, err);
}

/* 1: there is a row, its fields in csv->row; 0: the file has ended. */
static int read_row(struct csv *csv, struct tare_input *input, struct tare_err *err)
{
    csv->line = input->line;
    csv->n_fields = 0;
    int r = tare_input_fill(input, err);
    if (r <= 0) {
        return r;
    }
    r = tare_gather_begin(&csv->row, err);
    if (r < 0) {
        return r;
    }
    do {
        r = read_field(csv, input, err);
    } while (r > 0);
    return r < 0 ? r : 1;
}

/* The names stand in csv->names, each with a NUL behind it. */
static int name_columns(struct csv *csv, size_t n, const struct tare_input *input, struct tare_err *err)
{
    const char *name = csv->names;
    for (size_t i = 0; i < n; i++, name += strlen(name) + 1) {
        char shown[TARE_READERS_SHOWN];
        for (size_t k = 0; k < i; k++) {
            if (strcmp(csv->columns[k], name) == 0) {
                return tare_input_fault(input, 1, err, "two columns are named \"%s\"",
                                        tare_readers_show(name, shown));
            }
        }
        csv->columns[i] = name;
    }
    csv->n_columns = n;
    return 0;
}

static int read_header(struct csv *csv, struct tare_input *input, struct tare_err *err)
{
    int r = read_row(csv, input, err);
    if (r <= 0) {
        return r < 0 ? r : tare_input_fault(input, 1, err, "the line with the columns' names is missing");
    }
    for (size_t i = 0; i < csv->n_fields; i++) {
        size_t n = csv->begins[i + 1] - csv->begins[i] - 1;
        if (tare_readers_valid(csv->row.data + csv->begins[i], n) < n) {
            return tare_input_fault(input, csv->line, err,
                                    "a column's name is not UTF-8, or holds a NUL byte");
        }
    }
    csv->names = csv->row.data;
    csv->row = (struct tare_gather){0};
    return name_columns(csv, csv->n_fields, input, err);
}

static int split_names(struct csv *csv, const char *columns, const struct tare_input *input,
                       struct tare_err *err)
{
    size_t n = 1, length = strlen(columns);
    csv->names = strdup(columns);
    if (!csv->names) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    for (char *comma = csv->names; (comma = strchr(comma, ',')) != NULL; comma++) {
        *comma = '\0';
        n++;
    }
    if (tare_readers_valid(columns, length) < length || n > max_columns) {
        return tare_err_set(err, TARE_E_USAGE, "columns: at most %d names in UTF-8 are needed", max_columns);
    }
    return name_columns(csv, n, input, err);
}

static int open_separated(char separator, const struct tare_reader_options *options, struct tare_input *input,
                          void **state, struct tare_err *err)
{
    struct csv *csv = calloc(1, sizeof *csv);
    *state = csv;
    if (!csv) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    csv->separator = separator;
    return options->columns ? split_names(csv, options->columns, input, err) : read_header(csv, input, err);
}

static int open_csv(const struct tare_reader_options *options, struct tare_input *input, void **state,
                    struct tare_err *err)
{
    return open_separated(',', options, input, state, err);
}

static int open_tsv(const struct tare_reader_options *options, struct tare_input *input, void **state,
                    struct tare_err *err)
{
    return open_separated('\t', options, input, state, err);
}

static int fill_record(const struct csv *csv, const struct tare_input *input, struct tare_json *record,
                       struct tare_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < csv->n_columns; i++) {
        r = tare_record_add_str(record, csv->columns[i], csv->row.data + csv->begins[i],
                                csv->begins[i + 1] - csv->begins[i] - 1, input, csv->line, err);
    }
    return r;
}

static int next_csv(void *state, struct tare_input *input, struct tare_json **out, unsigned long long *line,
                    struct tare_err *err)
{
    struct csv *csv = state;
    int r = read_row(csv, input, err);
    *line = csv->line;
    if (r <= 0) {
        return r;
    }
    if (csv->n_fields != csv->n_columns) {
        return tare_input_fault(input, csv->line, err, "%zu field%s where there are %zu columns",
                                csv->n_fields, csv->n_fields == 1 ? "" : "s", csv->n_columns);
    }
    struct tare_json *record = tare_json_new_object();
    r = fill_record(csv, input, record, err);
    if (r < 0) {
        tare_json_destroy(record);
        return r;
    }
    *out = record;
    return 1;
}

static void close_csv(void *state)
{
    struct csv *csv = state;
    if (csv) {
        free(csv->names);
        free(csv->row.data);
        free(csv);
    }
}

static const char *const csv_suffixes[] = {".csv", NULL};
static const char *const tsv_suffixes[] = {".tsv", NULL};

const struct tare_reader_format tare_reader_csv = {.name = "csv",
                                                   .suffixes = csv_suffixes,
                                                   .takes_columns = true,
                                                   .open = open_csv,
                                                   .next = next_csv,
                                                   .close = close_csv};
const struct tare_reader_format tare_reader_tsv = {.name = "tsv",
                                                   .suffixes = tsv_suffixes,
                                                   .takes_columns = true,
                                                   .open = open_tsv,
                                                   .next = next_csv,
                                                   .close = close_csv};
