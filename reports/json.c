/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table as one JSON object: everything that the table holds, in raw units and full precision. A
 * quantity is never a bare number, and what is absent is a null with its reason. An unknown string is
 * null too. How a value is to be displayed (decimals, scale) is left out: that is the reader's choice.
 */
#include "table.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>
#include <tare/json.h>

/* JSON must be UTF-8, whatever a model's name is. */
static int add_text(struct tare_json *to, const char *key, const char *text, struct tare_err *err)
{
    if (!text || tare_utf8_valid(text)) {
        tare_json_add_str(to, key, text);
        return 0;
    }
    char *clean = NULL;
    size_t n = 0;
    FILE *stream = open_memstream(&clean, &n);
    if (stream) {
        tare_utf8_put(stream, text);
    }
    if (!stream || !tare_stream_close(stream, &clean)) {
        free(clean);
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the text of a table cell");
    }
    tare_json_add_str(to, key, clean);
    free(clean);
    return 0;
}

struct pair {
    const char *key, *text;
};

static int add_texts(struct tare_json *to, const struct pair *pairs, size_t n, struct tare_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = add_text(to, pairs[i].key, pairs[i].text, err);
    }
    return r;
}

static int add_flags(struct tare_json *to, const char *flags, struct tare_err *err)
{
    struct tare_json *array = tare_json_add_array(to, "flags");
    const char *code;
    int r = 0;
    for (size_t n; r == 0 && (n = tare_flags_next(&flags, &code)) > 0;) {
        char *copy = strndup(code, n);
        if (!copy) {
            return tare_err_set(err, TARE_E_NOMEM, "no memory for the flags of a table cell");
        }
        r = add_text(array, NULL, copy, err);
        free(copy);
    }
    return r;
}

static void add_interval(struct tare_json *to, const struct tare_quantity *q)
{
    static const char *const keys[] = {"low", "high", "level"};
    const double values[] = {q->low, q->high, q->level};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (q->has_interval) {
            tare_json_add_f64(to, keys[i], values[i]);
        } else {
            tare_json_add_null(to, keys[i]);
        }
    }
}

/* Against the baseline; nulls where there is none, or no interval of it. */
static void add_ratio(struct tare_json *to, const struct tare_quantity *q)
{
    static const char *const keys[] = {"ratio", "ratio_low", "ratio_high"};
    const double values[] = {q->ratio, q->ratio_low, q->ratio_high};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (i == 0 ? tare_quantity_has_ratio(q) : tare_quantity_has_ratio_interval(q)) {
            tare_json_add_f64(to, keys[i], values[i]);
        } else {
            tare_json_add_null(to, keys[i]);
        }
    }
}

static int add_quantity(struct tare_json *to, const struct tare_quantity *q, struct tare_err *err)
{
    const struct pair origin[] = {{"unit", q->unit},
                                  {"kind", tare_kind_name((int)q->kind)},
                                  {"source", q->source},
                                  {"scope", q->scope}};
    tare_json_add_f64(to, "value", q->value);
    int r = add_texts(to, origin, sizeof origin / sizeof *origin, err);
    if (r < 0) {
        return r;
    }
    if (q->n > 0) {
        tare_json_add_i64(to, "n", q->n);
    } else {
        tare_json_add_null(to, "n");
    }
    r = add_text(to, "n_what", q->n > 0 ? q->n_what : NULL, err);
    add_interval(to, q);
    if (r == 0) {
        r = add_text(to, "method", q->has_interval ? q->method : NULL, err);
    }
    if (r == 0) {
        r = add_flags(to, q->flags, err);
    }
    tare_json_add_bool(to, "best", q->best);
    tare_json_add_bool(to, "second", q->second);
    tare_json_add_bool(to, "exact", q->exact);
    add_ratio(to, q);
    return r;
}

static int add_cell(struct tare_json *row, const char *key, const struct tare_table_cell *cell,
                    struct tare_err *err)
{
    struct tare_table_cell settled = tare_cell_settled(cell);
    if (settled.type == TARE_CELL_TEXT) {
        return add_text(row, key, tare_text_or_empty(settled.text), err);
    }
    if (settled.type == TARE_CELL_EMPTY) {
        tare_json_add_null(row, key);
        return 0;
    }
    struct tare_json *to = tare_json_add_object(row, key);
    const struct pair end[] = {{"outcome", tare_outcome_name(settled.outcome)}, {"verdict", settled.verdict}};
    int r;
    if (settled.type == TARE_CELL_QUANTITY) {
        r = add_quantity(to, &settled.q, err);
    } else {
        const struct pair why[] = {{"absent", settled.text}, {"mark", settled.mark}};
        tare_json_add_null(to, "value");
        r = add_texts(to, why, sizeof why / sizeof *why, err);
    }
    return r == 0 ? add_texts(to, end, sizeof end / sizeof *end, err) : r;
}

/* Which rows or columns, from 0, stand under which heading. */
static int add_groups(struct tare_json *to, const struct tare_table_group *groups, size_t n,
                      struct tare_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < n; i++) {
        struct tare_json *group = tare_json_add_object(to, NULL);
        tare_json_add_i64(group, "first", (int64_t)groups[i].first);
        tare_json_add_i64(group, "n", (int64_t)groups[i].n);
        r = add_text(group, "label", groups[i].label, err);
    }
    return r;
}

static const char *better_name(enum tare_better better)
{
    return better == TARE_BETTER_HIGHER ? "higher" : better == TARE_BETTER_LOWER ? "lower" : "none";
}

static int add_columns(struct tare_json *to, const struct tare_table *table, struct tare_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < table->n_columns; i++) {
        const struct tare_table_column *c = &table->columns[i];
        const struct pair pairs[] = {{"key", c->key},
                                     {"header", c->header},
                                     {"unit", c->unit},
                                     {"better", better_name(c->better)},
                                     {"help", c->help}};
        r = add_texts(tare_json_add_object(to, NULL), pairs, sizeof pairs / sizeof *pairs, err);
    }
    return r;
}

static int add_rows(struct tare_json *to, const struct tare_table *table, struct tare_err *err)
{
    int r = 0;
    for (size_t row = 0; r == 0 && row < table->n_rows; row++) {
        struct tare_json *object = tare_json_add_object(to, NULL);
        for (size_t i = 0; r == 0 && i < table->n_columns; i++) {
            r = add_cell(object, table->columns[i].key, tare_table_at(table, row, i), err);
        }
    }
    return r;
}

static int build(struct tare_json *root, const struct tare_table *table, struct tare_err *err)
{
    const struct pair head[] = {{"title", table->title}, {"caption", table->caption}};
    int r = add_texts(root, head, sizeof head / sizeof *head, err);
    if (r == 0) {
        r = add_columns(tare_json_add_array(root, "columns"), table, err);
    }
    if (r == 0) {
        r = add_rows(tare_json_add_array(root, "rows"), table, err);
    }
    if (r < 0) {
        return r;
    }
    r = add_groups(tare_json_add_array(root, "row_groups"), table->row_groups, table->n_row_groups, err);
    if (r == 0) {
        r = add_groups(tare_json_add_array(root, "column_groups"), table->column_groups,
                       table->n_column_groups, err);
    }
    tare_json_add_i64(root, "baseline_rows", (int64_t)table->n_baseline_rows);
    struct tare_json *notes = tare_json_add_array(root, "notes");
    for (size_t i = 0; r == 0 && i < table->n_notes; i++) {
        r = add_text(notes, NULL, table->notes[i], err);
    }
    return r;
}

static int write_json(const struct tare_table *table, FILE *to, struct tare_err *err)
{
    char *text = NULL;
    int r = tare_table_check(table, err);
    if (r < 0) {
        return r;
    }
    struct tare_json *root = tare_json_new_object();
    r = build(root, table, err);
    if (r == 0) {
        r = tare_json_print(root, true, &text, err);
    }
    tare_json_destroy(root);
    if (r < 0) {
        return r;
    }
    (void)fprintf(to, "%s\n", text);
    free(text);
    return tare_table_flush(to, "json", err);
}

const struct tare_format tare_format_json = {
    .header = TARE_FORMAT_HEADER,
    .name = "json",
    .summary = "one JSON object with every quantity's unit, kind, source and interval",
    .media_type = "application/json",
    .write = write_json,
};
