/* SPDX-License-Identifier: Apache-2.0 */
/* llama-bench -o sql: CREATE TABLE and an INSERT a row, every value in quotes, no samples. */
#include "llama_rows.h"
#include "sql.h"

#include "values.h"

#include <stdlib.h>
#include <string.h>

static const char table_name[] = "llama_bench";

static int sniff(const char *head, size_t n, const char *name)
{
    (void)name;
    return tare_interop_has(head, n, "INSERT INTO llama_bench") ? 95 : 0;
}

static int read_sql(const struct tare_interop_in *in, struct tare_err *err)
{
    return tare_insert_read(in, table_name, tare_llama_row, err);
}

static void put_text(const char *text, FILE *to)
{
    (void)fputc('\'', to);
    for (; *text; text++) {
        (void)fputs(*text == '\'' ? "'" : "", to);
        (void)fputc(*text, to);
    }
    (void)fputc('\'', to);
}

/* A name that is no plain word is put in quotes, which both sides understand. */
static void put_name(const char *name, FILE *to)
{
    static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    if (*name && strspn(name, word) == strlen(name) && !(*name >= '0' && *name <= '9')) {
        (void)fputs(name, to);
        return;
    }
    (void)fputc('"', to);
    for (; *name; name++) {
        (void)fputs(*name == '"' ? "\"" : "", to);
        (void)fputc(*name, to);
    }
    (void)fputc('"', to);
}

/* As llama-bench declares them. An integer that SQLite would round is text. */
static const char *sql_type(const struct tare_json *v)
{
    enum { max_digits = 18 };
    const char *number = tare_json_number_text(v);
    if (!number) {
        return tare_json_type(v) == TARE_JSON_BOOL ? "INTEGER" : "TEXT";
    }
    return strpbrk(number, ".eE") ? "REAL" : strlen(number) > max_digits ? "TEXT" : "INTEGER";
}

struct writer {
    FILE *to;
    struct tare_json *columns; /* name: type */
    size_t no_place;
};

static bool has_place(const struct tare_json *v)
{
    return tare_interop_scalar(v) || tare_json_type(v) == TARE_JSON_NULL;
}

static int add_columns(void *ctx, const char *json, struct tare_err *err)
{
    struct writer *w = ctx;
    struct tare_json *row = NULL;
    char *typed = NULL;
    int r = tare_llama_typed(json, &typed, err);
    r = r == 0 ? tare_json_parse_exact(typed, strlen(typed), "stored record", &row, err) : r;
    for (const struct tare_json *v = tare_json_first(row); v; v = tare_json_next(v)) {
        w->no_place += !has_place(v);
        if (has_place(v) && !tare_json_get(w->columns, tare_json_key(v))) {
            tare_json_add_str(w->columns, tare_json_key(v), sql_type(v));
        }
    }
    free(typed);
    tare_json_destroy(row);
    return r;
}

static void put_values(const struct tare_json *row, FILE *to)
{
    const char *between = "";
    (void)fputs("INSERT INTO llama_bench (", to);
    for (const struct tare_json *v = tare_json_first(row); v; v = tare_json_next(v)) {
        if (has_place(v)) {
            (void)fputs(between, to);
            put_name(tare_json_key(v), to);
            between = ", ";
        }
    }
    (void)fputs(") VALUES (", to);
    between = "";
    for (const struct tare_json *v = tare_json_first(row); v; v = tare_json_next(v)) {
        if (has_place(v)) {
            const char *text = tare_interop_scalar(v);
            (void)fputs(between, to);
            if (text) {
                put_text(text, to);
            } else {
                (void)fputs("NULL", to);
            }
            between = ", ";
        }
    }
    (void)fputs(");\n", to);
}

static int put_row(void *ctx, const char *json, struct tare_err *err)
{
    const struct writer *w = ctx;
    struct tare_json *row = NULL;
    int r = tare_json_parse_exact(json, strlen(json), "stored record", &row, err);
    if (r == 0) {
        put_values(row, w->to);
    }
    tare_json_destroy(row);
    return r;
}

static int give_back(const struct tare_interop_stored *stored, FILE *to, struct tare_err *err)
{
    struct writer w = {.to = to, .columns = tare_json_new_object()};
    int r = stored->each(stored->ctx, add_columns, &w, err);
    (void)fputs("CREATE TABLE IF NOT EXISTS llama_bench (\n", to);
    for (const struct tare_json *v = tare_json_first(w.columns); v; v = tare_json_next(v)) {
        (void)fputs("  ", to);
        put_name(tare_json_key(v), to);
        (void)fprintf(to, " %s%s\n", tare_json_str(v), tare_json_next(v) ? "," : "");
    }
    (void)fputs(");\n\n", to);
    r = r == 0 ? stored->each(stored->ctx, put_row, &w, err) : r;
    if (r == 0 && w.no_place > 0) {
        tare_buf_printf(stored->notes, "%zu lists or objects have no place in a table and were left out\n",
                        w.no_place);
    }
    tare_json_destroy(w.columns);
    return r;
}

static int write_run(const struct tare_interop_run *run, FILE *to, struct tare_err *err)
{
    struct tare_interop_stored stored = tare_llama_as_stored(run);
    return give_back(&stored, to, err);
}

const struct tare_interop_format tare_interop_llama_bench_sql = {
    .name = "llama-bench-sql",
    .summary = "llama-bench -o sql; read as text, never executed",
    .tool = TARE_LLAMA_TOOL,
    .family = TARE_LLAMA_FAMILY,
    .sniff = sniff,
    .read = read_sql,
    .give_back = give_back,
    .write = write_run,
};
