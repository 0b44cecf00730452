/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table as comma-separated values for programs: RFC 4180, except that lines end in \n alone. A
 * column of quantities becomes one field for each thing known of it, in full precision and in the raw
 * unit; what is not known is an empty field. Title, caption and notes have no place in it. Text is
 * passed on as it is: a spreadsheet that runs cells beginning with "=" must be told not to.
 */
#include "table.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum field {
    FIELD_VALUE,
    FIELD_LOW,
    FIELD_HIGH,
    FIELD_KIND,
    FIELD_N,
    FIELD_UNIT,
    FIELD_METHOD,
    FIELD_FLAGS,
    FIELD_ABSENT,
    FIELD_LEVEL,
    FIELD_SOURCE,
    FIELD_SCOPE,
    FIELD_N_WHAT,
    FIELD_BEST,
    FIELD_SECOND,
    FIELD_EXACT,
    FIELD_RATIO,
    FIELD_RATIO_LOW,
    FIELD_RATIO_HIGH,
    FIELD_OUTCOME,
    FIELD_VERDICT,
    N_FIELDS
};

static const char *const suffixes[N_FIELDS] = {
    "",        "_low",    "_high",  "_kind",      "_n",          "_unit",    "_method",
    "_flags",  "_absent", "_level", "_source",    "_scope",      "_n_what",  "_best",
    "_second", "_exact",  "_ratio", "_ratio_low", "_ratio_high", "_outcome", "_verdict"};

/* The group of a row and whether it is of the baseline: columns of their own, before all others. */
static const char group_key[] = "row_group", baseline_key[] = "row_baseline";

static bool needs_quotes(const char *text)
{
    size_t n = strlen(text);
    return n == 0 || strpbrk(text, ",\"\r\n") || text[0] == ' ' || text[n - 1] == ' ';
}

/* One field: text and suffix. An empty text is quoted, to tell it from a cell that is empty. */
static void put_name(FILE *to, const char *text, const char *suffix)
{
    const char *quote = needs_quotes(text) ? "\"" : "";
    (void)fputs(quote, to);
    for (; *text; text++) {
        (void)fputs(*text == '"' ? "\"" : "", to);
        (void)fputc(*text, to);
    }
    (void)fputs(suffix, to);
    (void)fputs(quote, to);
}

static void put_text(FILE *to, const char *text)
{
    if (text) {
        put_name(to, text, "");
    }
}

static void put_double(FILE *to, double value)
{
    if (isfinite(value)) {
        (void)fprintf(to, "%.17g", value);
    }
}

static const char *or_null(const char *text)
{
    return *tare_text_or_empty(text) ? text : NULL;
}

static void put_bounds(FILE *to, const struct tare_quantity *q, enum field field)
{
    if (!q->has_interval) {
        return;
    }
    if (field == FIELD_METHOD) {
        put_text(to, or_null(q->method));
    } else {
        put_double(to, field == FIELD_LOW ? q->low : field == FIELD_HIGH ? q->high : q->level);
    }
}

static void put_ratio(FILE *to, const struct tare_quantity *q, enum field field)
{
    if (field == FIELD_RATIO && tare_quantity_has_ratio(q)) {
        put_double(to, q->ratio);
    } else if (field != FIELD_RATIO && tare_quantity_has_ratio_interval(q)) {
        put_double(to, field == FIELD_RATIO_LOW ? q->ratio_low : q->ratio_high);
    }
}

static void put_bool(FILE *to, bool value)
{
    (void)fputs(value ? "true" : "false", to);
}

static void put_quantity(FILE *to, const struct tare_quantity *q, enum field field)
{
    const char *const texts[N_FIELDS] = {
        [FIELD_KIND] = tare_kind_name((int)q->kind), [FIELD_UNIT] = q->unit,
        [FIELD_FLAGS] = or_null(q->flags),           [FIELD_SOURCE] = or_null(q->source),
        [FIELD_SCOPE] = or_null(q->scope),           [FIELD_N_WHAT] = q->n > 0 ? or_null(q->n_what) : NULL,
    };
    if (field == FIELD_VALUE) {
        put_double(to, q->value);
    } else if (field == FIELD_LOW || field == FIELD_HIGH || field == FIELD_LEVEL || field == FIELD_METHOD) {
        put_bounds(to, q, field);
    } else if (field == FIELD_N && q->n > 0) {
        (void)fprintf(to, "%" PRId64, q->n);
    } else if (field >= FIELD_BEST && field <= FIELD_EXACT) {
        put_bool(to, field == FIELD_BEST ? q->best : field == FIELD_SECOND ? q->second : q->exact);
    } else if (field >= FIELD_RATIO && field <= FIELD_RATIO_HIGH) {
        put_ratio(to, q, field);
    } else {
        put_text(to, texts[field]);
    }
}

static void put_field(FILE *to, const struct tare_table_cell *cell, enum field field)
{
    struct tare_table_cell settled = tare_cell_settled(cell);
    bool worked = settled.type == TARE_CELL_QUANTITY || settled.type == TARE_CELL_ABSENT;
    if (field == FIELD_OUTCOME || field == FIELD_VERDICT) {
        put_text(to, !worked                  ? NULL
                     : field == FIELD_OUTCOME ? tare_outcome_name(settled.outcome)
                                              : or_null(settled.verdict));
    } else if (settled.type == TARE_CELL_QUANTITY) {
        put_quantity(to, &settled.q, field);
    } else if (settled.type == TARE_CELL_ABSENT && field == FIELD_ABSENT) {
        put_text(to, settled.text);
    } else if (settled.type == TARE_CELL_TEXT && field == FIELD_VALUE) {
        put_text(to, tare_text_or_empty(settled.text));
    }
}

/* The fields of a column, as bits. Text needs its own alone, and one for reasons where some is absent. */
static unsigned fields_of(const struct tare_table *table, size_t column)
{
    if (tare_table_is_numeric(table, column)) {
        return (1u << N_FIELDS) - 1;
    }
    for (size_t row = 0; row < table->n_rows; row++) {
        if (tare_table_at(table, row, column)->type == TARE_CELL_ABSENT) {
            return 1u << FIELD_VALUE | 1u << FIELD_ABSENT | 1u << FIELD_OUTCOME | 1u << FIELD_VERDICT;
        }
    }
    return 1u << FIELD_VALUE;
}

static bool is_suffixed(const char *key, const char *stem, const char *suffix)
{
    size_t n = strlen(stem);
    return *suffix && strncmp(key, stem, n) == 0 && strcmp(key + n, suffix) == 0;
}

/* Two columns of the file must not bear one name. */
static int check_names(const struct tare_table *table, const unsigned *fields, struct tare_err *err)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        const char *own = table->n_row_groups > 0 ? group_key : "",
                   *base = table->n_baseline_rows > 0 ? baseline_key : "";
        if (strcmp(table->columns[i].key, own) == 0 || strcmp(table->columns[i].key, base) == 0) {
            return tare_err_set(err, TARE_E_FORMAT, "column %s would stand twice in the csv: rename it",
                                table->columns[i].key);
        }
        for (size_t j = 0; j < table->n_columns * N_FIELDS; j++) {
            const char *key = table->columns[i].key, *stem = table->columns[j / N_FIELDS].key;
            size_t field = j % N_FIELDS;
            if ((fields[j / N_FIELDS] >> field & 1u) && is_suffixed(key, stem, suffixes[field])) {
                return tare_err_set(err, TARE_E_FORMAT,
                                    "column %.80s would stand twice in the csv: rename it", key);
            }
        }
    }
    return 0;
}

/* row -1 is the line of names. Returns what stands before the next field. */
static const char *put_place(const struct tare_table *table, FILE *to, long row)
{
    const char *lead = "";
    if (table->n_row_groups > 0) {
        const struct tare_table_group *group =
            row < 0 ? NULL : tare_table_group_of(table->row_groups, table->n_row_groups, (size_t)row);
        put_text(to, row < 0 ? group_key : group ? group->label : NULL);
        lead = ",";
    }
    if (table->n_baseline_rows > 0) {
        (void)fputs(lead, to);
        if (row < 0) {
            put_text(to, baseline_key);
        } else {
            put_bool(to, (size_t)row < table->n_baseline_rows);
        }
        lead = ",";
    }
    return lead;
}

/* row -1 is the line of names */
static void put_line(const struct tare_table *table, const unsigned *fields, FILE *to, long row)
{
    const char *lead = put_place(table, to, row);
    for (size_t column = 0; column < table->n_columns; column++) {
        for (size_t field = 0; field < N_FIELDS; field++) {
            if (!(fields[column] >> field & 1u)) {
                continue;
            }
            (void)fputs(lead, to);
            lead = ",";
            if (row < 0) {
                put_name(to, table->columns[column].key, suffixes[field]);
            } else {
                put_field(to, tare_table_at(table, (size_t)row, column), (enum field)field);
            }
        }
    }
    (void)fputs("\n", to);
}

static int write_csv(const struct tare_table *table, FILE *to, struct tare_err *err)
{
    int r = tare_table_check(table, err);
    if (r < 0) {
        return r;
    }
    unsigned *fields = calloc(table->n_columns, sizeof *fields);
    if (!fields) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for a table of %zu columns", table->n_columns);
    }
    for (size_t i = 0; i < table->n_columns; i++) {
        fields[i] = fields_of(table, i);
    }
    r = check_names(table, fields, err);
    for (long row = -1; r == 0 && row < (long)table->n_rows; row++) {
        put_line(table, fields, to, row);
    }
    free(fields);
    return r < 0 ? r : tare_table_flush(to, "csv", err);
}

const struct tare_format tare_format_csv = {
    .header = TARE_FORMAT_HEADER,
    .name = "csv",
    .summary = "comma-separated values in full precision, for spreadsheets and scripts",
    .media_type = "text/csv; charset=utf-8; header=present",
    .write = write_csv,
};
