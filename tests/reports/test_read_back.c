/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What programs read back from csv and json is what the table held: every cell, in full precision, with
 * all that is known of it. The csv reader is the test's own, so that one fault cannot hide another.
 */
#include "fixed_table.h"
#include "render.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <tare/json.h>

#include <cmocka.h>

static const struct tare_table_cell *cell_at(size_t row, size_t column)
{
    return &fixed_table.cells[row * fixed_columns + column];
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

enum { csv_max_fields = 256, csv_max_rows = 16 };

struct csv {
    char *fields[csv_max_rows][csv_max_fields];
    size_t n_fields[csv_max_rows], n_rows;
};

/* Reads one field of RFC 4180 in place and ends it; returns the delimiter that stood behind it. */
static char csv_field(char **at, char **field)
{
    char *from = *at, *to = *at;
    *field = to;
    if (*from == '"') {
        for (from++; *from && (*from != '"' || from[1] == '"'); from++) {
            from += *from == '"';
            *to++ = *from;
        }
        assert_int_equal(*from, '"');
        from++;
    } else {
        from += strcspn(from, ",\n\"");
        to = from;
    }
    char delimiter = *from;
    assert_true(delimiter == ',' || delimiter == '\n');
    *to = '\0';
    *at = from + 1;
    return delimiter;
}

/* The fields point into text. */
static void csv_parse(char *text, struct csv *out)
{
    memset(out, 0, sizeof *out);
    while (*text) {
        assert_true(out->n_rows < csv_max_rows);
        size_t n = 0;
        char delimiter;
        do {
            assert_true(n < csv_max_fields);
            delimiter = csv_field(&text, &out->fields[out->n_rows][n++]);
        } while (delimiter == ',');
        out->n_fields[out->n_rows++] = n;
    }
}

/* The field of a row under the name key + suffix, which must be there once; NULL when it is not there. */
static const char *csv_get(const struct csv *csv, size_t row, const char *key, const char *suffix)
{
    char name[128];
    const char *found = NULL;
    (void)snprintf(name, sizeof name, "%s%s", key, suffix);
    for (size_t i = 0; i < csv->n_fields[0]; i++) {
        if (strcmp(csv->fields[0][i], name) == 0) {
            assert_null(found);
            found = csv->fields[row + 1][i];
        }
    }
    return found;
}

static void check_csv_number(const char *field, double expected)
{
    assert_non_null(field);
    if (!isfinite(expected)) {
        assert_string_equal(field, "");
        return;
    }
    char *end = NULL;
    double value = strtod(field, &end);
    assert_true(end > field && *end == '\0');
    assert_true(value >= expected && value <= expected);
}

static void check_csv_text(const char *field, const char *expected)
{
    assert_non_null(field);
    assert_string_equal(field, expected);
}

static void check_csv_quantity(const struct csv *csv, size_t row, const char *key,
                               const struct tare_quantity *q)
{
    double none = (double)NAN;
    check_csv_number(csv_get(csv, row, key, ""), q->value);
    check_csv_number(csv_get(csv, row, key, "_low"), q->has_interval ? q->low : none);
    check_csv_number(csv_get(csv, row, key, "_high"), q->has_interval ? q->high : none);
    check_csv_number(csv_get(csv, row, key, "_level"), q->has_interval ? q->level : none);
    check_csv_number(csv_get(csv, row, key, "_n"), q->n > 0 ? (double)q->n : none);
    check_csv_text(csv_get(csv, row, key, "_n_what"), q->n > 0 ? or_empty(q->n_what) : "");
    check_csv_text(csv_get(csv, row, key, "_kind"), tare_kind_name((int)q->kind));
    check_csv_text(csv_get(csv, row, key, "_unit"), q->unit);
    check_csv_text(csv_get(csv, row, key, "_method"), q->has_interval ? or_empty(q->method) : "");
    check_csv_text(csv_get(csv, row, key, "_flags"), or_empty(q->flags));
    check_csv_text(csv_get(csv, row, key, "_source"), or_empty(q->source));
    check_csv_text(csv_get(csv, row, key, "_scope"), or_empty(q->scope));
    check_csv_text(csv_get(csv, row, key, "_absent"), "");
    check_csv_text(csv_get(csv, row, key, "_best"), q->best ? "true" : "false");
    check_csv_text(csv_get(csv, row, key, "_second"), q->second ? "true" : "false");
    check_csv_text(csv_get(csv, row, key, "_exact"), q->exact ? "true" : "false");
    check_csv_number(csv_get(csv, row, key, "_ratio"), q->ratio > 0 ? q->ratio : none);
    check_csv_number(csv_get(csv, row, key, "_ratio_low"), q->ratio_high > 0 ? q->ratio_low : none);
    check_csv_number(csv_get(csv, row, key, "_ratio_high"), q->ratio_high > 0 ? q->ratio_high : none);
    check_csv_text(csv_get(csv, row, key, "_outcome"), "OK");
}

/* What the outcome of an absent cell of the fixed table is called, by what stands in it. */
static const char *outcome_word(const struct tare_table_cell *cell)
{
    static const char *const words[] = {"",     "MISSING", "SKIPPED", "INVALID",
                                        "FAIL", "CRASH",   "TIMEOUT", "OOM"};
    if (cell->type != TARE_CELL_ABSENT) {
        return "MISSING"; /* a number that is none */
    }
    if (cell->outcome != TARE_CELL_OK) {
        return words[cell->outcome];
    }
    return strlen(or_empty(cell->mark)) > 1 ? cell->mark : "MISSING";
}

/* Nothing but the reason, which is never empty. */
static void check_csv_absent(const struct csv *csv, size_t row, const char *key,
                             const struct tare_table_cell *cell)
{
    static const char *const others[] = {"", "_low", "_high", "_kind", "_n", "_unit", "_level"};
    const char *reason = csv_get(csv, row, key, "_absent");
    assert_non_null(reason);
    assert_true(*reason != '\0');
    if (cell->type == TARE_CELL_ABSENT && *or_empty(cell->text)) {
        assert_string_equal(reason, cell->text);
    }
    check_csv_text(csv_get(csv, row, key, "_outcome"), outcome_word(cell));
    check_csv_text(csv_get(csv, row, key, "_verdict"), or_empty(cell->verdict));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_string_equal(or_empty(csv_get(csv, row, key, others[i])), "");
    }
}

static const struct tare_table_group *group_of_row(size_t row)
{
    const struct tare_table_group *found = NULL;
    for (size_t i = 0; i < fixed_table.n_row_groups; i++) {
        const struct tare_table_group *g = &fixed_table.row_groups[i];
        found = row >= g->first && row < g->first + g->n ? g : found;
    }
    return found;
}

static void test_csv_reads_back(void **state)
{
    (void)state;
    char *text = render(format_named("csv"), &fixed_table);
    assert_null(strchr(text, '\r'));
    struct csv csv;
    csv_parse(text, &csv);
    assert_int_equal(csv.n_rows, fixed_rows + 1);
    for (size_t i = 0; i < fixed_rows * fixed_columns; i++) {
        size_t row = i / fixed_columns;
        const char *key = fixed_table.columns[i % fixed_columns].key;
        const struct tare_table_cell *cell = cell_at(row, i % fixed_columns);
        const struct tare_table_group *group = group_of_row(row);
        assert_int_equal(csv.n_fields[row + 1], csv.n_fields[0]);
        check_csv_text(csv_get(&csv, row, "row_group", ""), group ? group->label : "");
        check_csv_text(csv_get(&csv, row, "row_baseline", ""),
                       row < fixed_table.n_baseline_rows ? "true" : "false");
        if (cell->type == TARE_CELL_QUANTITY && isfinite(cell->q.value)) {
            check_csv_quantity(&csv, row, key, &cell->q);
        } else if (cell->type == TARE_CELL_QUANTITY || cell->type == TARE_CELL_ABSENT) {
            check_csv_absent(&csv, row, key, cell);
        } else {
            check_csv_text(csv_get(&csv, row, key, ""), or_empty(cell->text));
        }
    }
    free(text);
}

static void check_json_number(const struct tare_json *object, const char *key, double expected)
{
    const struct tare_json *value = tare_json_get(object, key);
    assert_non_null(value);
    if (!isfinite(expected)) {
        assert_int_equal(tare_json_type(value), TARE_JSON_NULL);
        return;
    }
    assert_int_equal(tare_json_type(value), TARE_JSON_NUMBER);
    assert_true(tare_json_num(value) >= expected && tare_json_num(value) <= expected);
}

static void check_json_text(const struct tare_json *object, const char *key, const char *expected)
{
    const struct tare_json *value = tare_json_get(object, key);
    assert_non_null(value);
    if (!expected) {
        assert_int_equal(tare_json_type(value), TARE_JSON_NULL);
        return;
    }
    assert_non_null(tare_json_str(value));
    assert_string_equal(tare_json_str(value), expected);
}

static void check_json_quantity(const struct tare_json *json, const struct tare_quantity *q)
{
    double none = (double)NAN;
    check_json_number(json, "value", q->value);
    check_json_number(json, "low", q->has_interval ? q->low : none);
    check_json_number(json, "high", q->has_interval ? q->high : none);
    check_json_number(json, "level", q->has_interval ? q->level : none);
    check_json_number(json, "n", q->n > 0 ? (double)q->n : none);
    check_json_text(json, "n_what", q->n > 0 ? q->n_what : NULL);
    check_json_text(json, "unit", q->unit);
    check_json_text(json, "kind", tare_kind_name((int)q->kind));
    check_json_text(json, "source", q->source);
    check_json_text(json, "scope", q->scope);
    check_json_text(json, "method", q->has_interval ? q->method : NULL);
    assert_int_equal(tare_json_type(tare_json_get(json, "flags")), TARE_JSON_ARRAY);
    assert_int_equal(tare_json_true(tare_json_get(json, "best")), q->best);
    assert_int_equal(tare_json_true(tare_json_get(json, "second")), q->second);
    assert_int_equal(tare_json_true(tare_json_get(json, "exact")), q->exact);
    check_json_number(json, "ratio", q->ratio > 0 ? q->ratio : none);
    check_json_number(json, "ratio_low", q->ratio_high > 0 ? q->ratio_low : none);
    check_json_number(json, "ratio_high", q->ratio_high > 0 ? q->ratio_high : none);
    check_json_text(json, "outcome", "OK");
    assert_null(tare_json_get(json, "absent"));
}

static void check_json_cell(const struct tare_json *json, const struct tare_table_cell *cell)
{
    assert_non_null(json);
    if (cell->type == TARE_CELL_EMPTY) {
        assert_int_equal(tare_json_type(json), TARE_JSON_NULL);
    } else if (cell->type == TARE_CELL_TEXT) {
        assert_non_null(tare_json_str(json));
        if (!strchr(or_empty(cell->text), '\xff')) {
            assert_string_equal(tare_json_str(json), or_empty(cell->text));
        }
    } else if (cell->type == TARE_CELL_QUANTITY && isfinite(cell->q.value)) {
        check_json_quantity(json, &cell->q);
    } else {
        bool given = cell->type == TARE_CELL_ABSENT;
        const char *reason = tare_json_str(tare_json_get(json, "absent"));
        check_json_number(json, "value", (double)NAN);
        assert_true(reason && *reason);
        const char *mark = given ? outcome_word(cell) : "-";
        check_json_text(json, "mark", strcmp(mark, "MISSING") == 0 ? "-" : mark);
        check_json_text(json, "outcome", outcome_word(cell));
        check_json_text(json, "verdict", given ? cell->verdict : NULL);
        assert_string_equal(reason, given && *or_empty(cell->text) ? cell->text : reason);
    }
}

static struct tare_json *render_json(const struct tare_table *table)
{
    struct tare_json *json = NULL;
    struct tare_err err = {0};
    char *text = render(format_named("json"), table);
    if (tare_json_parse(text, strlen(text), "the table", &json, &err) != 0) {
        fail_msg("%s", err.msg);
    }
    free(text);
    return json;
}

static void check_json_groups(const struct tare_json *array, const struct tare_table_group *groups, size_t n)
{
    assert_int_equal(tare_json_size(array), n);
    const struct tare_json *group = tare_json_first(array);
    for (size_t i = 0; i < n; i++, group = tare_json_next(group)) {
        check_json_number(group, "first", (double)groups[i].first);
        check_json_number(group, "n", (double)groups[i].n);
        check_json_text(group, "label", groups[i].label);
    }
}

static void test_json_reads_back(void **state)
{
    (void)state;
    struct tare_json *json = render_json(&fixed_table);
    check_json_text(json, "title", fixed_table.title);
    check_json_text(json, "caption", fixed_table.caption);
    const struct tare_json *rows = tare_json_get(json, "rows"), *columns = tare_json_get(json, "columns");
    assert_int_equal(tare_json_size(rows), fixed_rows);
    assert_int_equal(tare_json_size(columns), fixed_columns);
    assert_int_equal(tare_json_size(tare_json_get(json, "notes")), fixed_table.n_notes);
    const struct tare_json *column = tare_json_first(columns);
    for (size_t i = 0; i < fixed_columns; i++, column = tare_json_next(column)) {
        static const char *const better[] = {"none", "higher", "lower"};
        check_json_text(column, "key", fixed_table.columns[i].key);
        check_json_text(column, "header", fixed_table.columns[i].header);
        check_json_text(column, "unit", fixed_table.columns[i].unit);
        check_json_text(column, "help", fixed_table.columns[i].help);
        check_json_text(column, "better", better[fixed_table.columns[i].better]);
    }
    check_json_groups(tare_json_get(json, "row_groups"), fixed_table.row_groups, fixed_table.n_row_groups);
    check_json_groups(tare_json_get(json, "column_groups"), fixed_table.column_groups,
                      fixed_table.n_column_groups);
    check_json_number(json, "baseline_rows", (double)fixed_table.n_baseline_rows);
    const struct tare_json *row = tare_json_first(rows);
    for (size_t r = 0; r < fixed_rows; r++, row = tare_json_next(row)) {
        assert_int_equal(tare_json_size(row), fixed_columns);
        for (size_t i = 0; i < fixed_columns; i++) {
            check_json_cell(tare_json_get(row, fixed_table.columns[i].key), cell_at(r, i));
        }
    }
    tare_json_destroy(json);
}

static void test_json_splits_flags(void **state)
{
    (void)state;
    struct tare_json *json = render_json(&fixed_table);
    const struct tare_json *row = tare_json_next(tare_json_first(tare_json_get(json, "rows")));
    const struct tare_json *flags = tare_json_get(tare_json_get(row, "ttft_p50"), "flags");
    assert_int_equal(tare_json_size(flags), 2);
    assert_string_equal(tare_json_str(tare_json_first(flags)), "thermal_throttle");
    assert_string_equal(tare_json_str(tare_json_next(tare_json_first(flags))), "few_items");
    tare_json_destroy(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv_reads_back),
        cmocka_unit_test(test_json_reads_back),
        cmocka_unit_test(test_json_splits_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
