/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of samples as arrays, one at a time so that memory stays small, and their sums. */
#include "store/query.h"

#include "store/sql.h"

#include <stdlib.h>
#include <string.h>

/* Each query yields one double a row; the matching count allocates the array once. */
struct column_sql {
    const char *count;
    const char *values;
};

#define FROM_SAMPLE "FROM sample WHERE repeat_id = ?1 AND error IS NULL"
#define FROM_REQUEST                                                                                        \
    "FROM request q JOIN sample s ON s.repeat_id = q.repeat_id AND s.item = q.item WHERE q.repeat_id = ?1 " \
    "AND "                                                                                                  \
    "s.error IS NULL"
/* Of items that were asked at once and of those that took several requests: as they were asked. */
#define IN_ORDER " ORDER BY 2, 3"

static const struct column_sql *column_sql(enum tare_column column)
{
    static const struct column_sql table[] = {
        [TARE_COLUMN_LATENCY_NS] = {"SELECT (SELECT count(*) " FROM_SAMPLE
                                    " AND requests = 1) + (SELECT count(*) " FROM_REQUEST ")",
                                    "SELECT latency_ns, item, 0 " FROM_SAMPLE " AND requests = 1 UNION ALL "
                                    "SELECT q.latency_ns, q.item, q.request " FROM_REQUEST IN_ORDER},
        /* Tokens fed, tokens generated, and whether an earlier request may have left its prefix. */
        [TARE_COLUMN_WORK] =
            {"SELECT (SELECT count(*) " FROM_SAMPLE " AND requests = 1) + (SELECT count(*) " FROM_REQUEST ")",
             "SELECT 2097152.0 * prompt_tok + 2 * min(output_tok, 1048575), item, 0 " FROM_SAMPLE
             " AND requests = 1 UNION ALL "
             "SELECT 2097152.0 * q.prompt_tok + (q.request > 0), q.item, q.request " FROM_REQUEST IN_ORDER},
        [TARE_COLUMN_TTFT_NS] = {"SELECT count(ttft_ns) " FROM_SAMPLE,
                                 "SELECT ttft_ns " FROM_SAMPLE " AND ttft_ns IS NOT NULL"},
        [TARE_COLUMN_TPOT_NS] = {"SELECT count(*) " FROM_SAMPLE " AND ttft_ns IS NOT NULL AND output_tok > 1",
                                 "SELECT CAST(latency_ns - ttft_ns AS REAL) / (output_tok - 1) " FROM_SAMPLE
                                 " AND ttft_ns IS NOT NULL AND output_tok > 1"},
        [TARE_COLUMN_ITL_NS] = {"SELECT coalesce(sum(max(length(token_ns) / 8 - 1, 0)), 0) " FROM_SAMPLE,
                                "SELECT token_ns " FROM_SAMPLE " AND token_ns IS NOT NULL"},
        [TARE_COLUMN_NUM] = {"SELECT count(num) " FROM_SAMPLE,
                             "SELECT num " FROM_SAMPLE " AND num IS NOT NULL"},
        [TARE_COLUMN_DEN] = {"SELECT count(den) " FROM_SAMPLE,
                             "SELECT den " FROM_SAMPLE " AND den IS NOT NULL"},
        [TARE_COLUMN_EXACT] = {"SELECT count(exact) " FROM_SAMPLE,
                               "SELECT exact " FROM_SAMPLE " AND exact IS NOT NULL"},
    };
    return &table[column];
}

/* A number where one belongs: SQLite would read text as 0. */
static int check_row(struct tare_store *store, sqlite3_stmt *s, enum tare_column column, struct tare_err *err)
{
    int type = sqlite3_column_type(s, 0);
    bool fits =
        column == TARE_COLUMN_ITL_NS ? type == SQLITE_BLOB : type == SQLITE_INTEGER || type == SQLITE_FLOAT;
    return fits ? 0
                : tare_err_set(err, TARE_E_DATABASE, "database %s: is damaged: a sample is no number",
                               store->path);
}

/* Appends one row's values; at most room of them. */
static size_t add_row(sqlite3_stmt *s, enum tare_column column, double *to, size_t room)
{
    if (column != TARE_COLUMN_ITL_NS) {
        if (room > 0) {
            to[0] = sqlite3_column_double(s, 0);
        }
        return room > 0;
    }
    const char *blob = sqlite3_column_blob(s, 0);
    size_t n = (size_t)sqlite3_column_bytes(s, 0) / sizeof(int64_t);
    size_t used = 0;
    for (size_t i = 1; i < n && used < room; i++) {
        int64_t pair[2];
        memcpy(pair, blob + (i - 1) * sizeof(int64_t), sizeof pair);
        to[used++] = (double)pair[1] - (double)pair[0]; /* exact: times are below 2^53 ns */
    }
    return used;
}

static int count_rows(struct tare_store *store, int64_t repeat_id, const char *sql, size_t *out,
                      struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(store, sql, &s, err, "i", repeat_id);
    if (r == 0) {
        r = tare_sql_step(store, s, err);
    }
    if (r < 0) {
        return r;
    }
    *out = r == 1 ? (size_t)sqlite3_column_int64(s, 0) : 0;
    (void)sqlite3_reset(s);
    return 0;
}

/* Where every item took several requests and none failed, they alone are read, as they lie. A million of them
 * take 0.3 s so, and 2 s where they are joined and sorted. */
static const struct column_sql *plain_requests(enum tare_column column)
{
    static const struct column_sql latency = {"SELECT count(*) FROM request WHERE repeat_id = ?1",
                                              "SELECT latency_ns FROM request WHERE repeat_id = ?1"},
                                   work = {"SELECT count(*) FROM request WHERE repeat_id = ?1",
                                           "SELECT 2097152.0 * prompt_tok + (request > 0) FROM request WHERE "
                                           "repeat_id = ?1"};
    return column == TARE_COLUMN_LATENCY_NS ? &latency : column == TARE_COLUMN_WORK ? &work : NULL;
}

static int has_plain_requests(struct tare_store *store, int64_t repeat_id, bool *out, struct tare_err *err)
{
    size_t others = 1;
    int r = count_rows(
        store, repeat_id,
        "SELECT EXISTS (SELECT 1 FROM sample WHERE repeat_id = ?1 AND (requests = 1 OR error IS NOT "
        "NULL))",
        &others, err);
    *out = r == 0 && others == 0;
    return r;
}

/* Where no item took several requests, latencies lie in one table in the order in which they were asked: no
 * union, no sorting, and no count beforehand, for there are no more of them than the last item's number says.
 * Ten million of them are read in 2 s so, and in 12 s otherwise. */
static const struct column_sql *plain_sql(struct tare_store *store, int64_t repeat_id,
                                          enum tare_column column, struct tare_err *err)
{
    static const struct column_sql plain = {"SELECT max(item) + 1 FROM sample WHERE repeat_id = ?1",
                                            "SELECT latency_ns " FROM_SAMPLE};
    size_t several = 1;
    int r = column == TARE_COLUMN_LATENCY_NS
                ? count_rows(store, repeat_id, "SELECT EXISTS (SELECT 1 FROM request WHERE repeat_id = ?1)",
                             &several, err)
                : 0;
    if (r == 0 && several == 0) {
        return &plain;
    }
    bool requests = false;
    const struct column_sql *sql = plain_requests(column);
    r = r == 0 && sql ? has_plain_requests(store, repeat_id, &requests, err) : r;
    return r == 0 && requests ? sql : column_sql(column);
}

int tare_query_column(struct tare_store *store, int64_t repeat_id, enum tare_column column, double **out,
                      size_t *out_n, struct tare_err *err)
{
    const struct column_sql *sql = plain_sql(store, repeat_id, column, err);
    size_t n = 0, used = 0;
    int r = count_rows(store, repeat_id, sql->count, &n, err);
    if (r < 0 || n == 0) {
        *out = NULL;
        *out_n = 0;
        return r;
    }
    double *values = n < SIZE_MAX / sizeof *values ? malloc(n * sizeof *values) : NULL;
    if (!values) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory for %zu samples", n);
    }
    sqlite3_stmt *s = NULL;
    r = tare_sql_prepare(store, sql->values, &s, err, "i", repeat_id);
    while (r == 0 && (r = tare_sql_step(store, s, err)) == 1) {
        used += add_row(s, column, values + used, n - used);
        r = check_row(store, s, column, err);
    }
    if (r < 0) {
        free(values);
        return r;
    }
    if (used == 0) {
        free(values);
        values = NULL;
    }
    *out = values;
    *out_n = used;
    return 0;
}

static int count_scores(struct tare_store *store, int64_t repeat_id, const char *name, size_t *out,
                        struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(store, "SELECT count(*) FROM score WHERE repeat_id = ? AND name = ?", &s, err,
                             "it", repeat_id, name);
    r = r == 0 ? tare_sql_step(store, s, err) : r;
    if (r < 0) {
        return r;
    }
    *out = (size_t)sqlite3_column_int64(s, 0);
    (void)sqlite3_reset(s);
    return 0;
}

int tare_query_scores(struct tare_store *store, int64_t repeat_id, const char *name, double **out,
                      size_t *out_n, struct tare_err *err)
{
    size_t n = 0, used = 0;
    sqlite3_stmt *s = NULL;
    int r = count_scores(store, repeat_id, name, &n, err);
    double *values = r == 0 ? malloc((n + 1) * sizeof *values) : NULL;
    if (r == 0 && !values) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory for %zu numbers", n);
    }
    r = r == 0 ? tare_sql_prepare(store,
                                  "SELECT value FROM score WHERE repeat_id = ? AND name = ? ORDER BY item",
                                  &s, err, "it", repeat_id, name)
               : r;
    while (r == 0 && (r = tare_sql_step(store, s, err)) == 1) {
        r = used < n && sqlite3_column_type(s, 0) == SQLITE_FLOAT
                ? 0
                : tare_err_set(err, TARE_E_DATABASE, "database %s: is damaged: a score is no number",
                               store->path);
        if (r == 0) {
            values[used++] = sqlite3_column_double(s, 0);
        }
    }
    if (r < 0) {
        free(values);
        return r;
    }
    *out = values;
    *out_n = used;
    return 0;
}

static int window(struct tare_store *store, int64_t repeat_id, int64_t *out, struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r =
        tare_sql_prepare(store,
                         "SELECT sum(w) FROM (SELECT max(start_ns + latency_ns) - min(start_ns) AS w FROM "
                         "sample WHERE repeat_id = ? GROUP BY attempt_id)",
                         &s, err, "i", repeat_id);
    if (r == 0) {
        r = tare_sql_step(store, s, err);
    }
    if (r < 0) {
        return r;
    }
    *out = r == 1 ? sqlite3_column_int64(s, 0) : 0;
    (void)sqlite3_reset(s);
    return 0;
}

int tare_query_sums(struct tare_store *store, int64_t repeat_id, struct tare_repeat_sums *out,
                    struct tare_err *err)
{
    struct tare_repeat_sums sums = {0};
    int r = window(store, repeat_id, &sums.window_ns, err);
    sqlite3_stmt *s = NULL;
    if (r == 0) {
        r = tare_sql_prepare(
            store,
            "SELECT count(*), total(requests), total(prompt_tok), total(output_tok), total(latency_ns), "
            "total(CASE WHEN ttft_ns IS NOT NULL AND output_tok > 1 THEN output_tok - 1 END), "
            "total(CASE WHEN ttft_ns IS NOT NULL AND output_tok > 1 THEN latency_ns - ttft_ns END), "
            "max(max(CASE WHEN requests = 1 THEN prompt_tok + max(output_tok - 1, 0) ELSE 0 END), "
            "coalesce((SELECT max(prompt_tok) FROM request WHERE repeat_id = ?1), 0)), "
            "CASE WHEN count(prefill_flops) = count(*) THEN sum(prefill_flops) END, "
            "CASE WHEN count(decode_flops) = count(*) THEN sum(decode_flops) END, "
            "CASE WHEN count(prefill_bytes) = count(*) THEN sum(prefill_bytes) END, "
            "CASE WHEN count(decode_bytes) = count(*) THEN sum(decode_bytes) END " FROM_SAMPLE,
            &s, err, "i", repeat_id);
    }
    if (r == 0) {
        r = tare_sql_step(store, s, err);
    }
    if (r < 0) {
        return r;
    }
    sums.samples = sqlite3_column_int64(s, 0);
    sums.requests = sqlite3_column_int64(s, 1);
    sums.prompt_tok = sqlite3_column_int64(s, 2);
    sums.output_tok = sqlite3_column_int64(s, 3);
    sums.busy_ns = sqlite3_column_int64(s, 4);
    sums.decode_tok = sqlite3_column_int64(s, 5);
    sums.decode_ns = sqlite3_column_int64(s, 6);
    sums.max_tok = tare_sql_i64(s, 7);
    sums.prefill_flops = tare_sql_i64(s, 8);
    sums.decode_flops = tare_sql_i64(s, 9);
    sums.prefill_bytes = tare_sql_i64(s, 10);
    sums.decode_bytes = tare_sql_i64(s, 11);
    (void)sqlite3_reset(s);
    *out = sums;
    return 0;
}

int tare_query_samples(struct tare_store *store, int64_t repeat_id, int64_t limit, tare_sample_fn fn,
                       void *ctx, struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(
        store,
        "SELECT item, error, requests, prompt_tok, output_tok, start_ns, latency_ns, ttft_ns, "
        "num, den, exact FROM sample WHERE repeat_id = ? ORDER BY item LIMIT ?",
        &s, err, "ii", repeat_id, limit);
    while (r == 0 && (r = tare_sql_step(store, s, err)) == 1) {
        struct tare_sample sample = {.item = sqlite3_column_int64(s, 0),
                                     .n_requests = (uint32_t)sqlite3_column_int64(s, 2),
                                     .prompt_tok = (uint32_t)sqlite3_column_int64(s, 3),
                                     .output_tok = (uint32_t)sqlite3_column_int64(s, 4),
                                     .start_ns = sqlite3_column_int64(s, 5),
                                     .latency_ns = sqlite3_column_int64(s, 6),
                                     .ttft_ns = tare_sql_i64(s, 7),
                                     .num = tare_sql_f64(s, 8),
                                     .den = tare_sql_i64(s, 9),
                                     .exact = (int32_t)tare_sql_i64(s, 10)};
        r = fn(ctx, &sample, tare_sql_text_or_null(s, 1), err);
    }
    (void)sqlite3_reset(s);
    return r;
}
