/* SPDX-License-Identifier: Apache-2.0 */
/* The thin layer over SQLite's C interface that the rest of the store is written in. */
#include "store/sql.h"

int tare_sql_error(struct tare_store *store, const char *doing, struct tare_err *err)
{
    return tare_err_set(err, TARE_E_DATABASE, "database %s: %s: %s", store->path, doing,
                        sqlite3_errmsg(store->db));
}

int tare_store_blame(const struct tare_store *store, int r, struct tare_err *err)
{
    if (r != TARE_E_FORMAT && r != TARE_E_USAGE) {
        return r;
    }
    struct tare_err why = err ? *err : (struct tare_err){0};
    return tare_err_set(err, TARE_E_DATABASE, "database %s: is damaged: %.300s", store->path, why.msg);
}

static int bind_one(sqlite3_stmt *stmt, int at, char type, va_list *args)
{
    switch (type) {
    case 'i':
        return sqlite3_bind_int64(stmt, at, va_arg(*args, int64_t));
    case 'n': {
        int64_t n = va_arg(*args, int64_t);
        return n == TARE_ABSENT ? sqlite3_bind_null(stmt, at) : sqlite3_bind_int64(stmt, at, n);
    }
    case 'd': {
        double d = va_arg(*args, double);
        return isfinite(d) ? sqlite3_bind_double(stmt, at, d) : sqlite3_bind_null(stmt, at);
    }
    case 't':
        return sqlite3_bind_text(stmt, at, va_arg(*args, const char *), -1, SQLITE_STATIC);
    case 'b': {
        const void *data = va_arg(*args, const void *);
        size_t n = va_arg(*args, size_t);
        return data ? sqlite3_bind_blob64(stmt, at, data, n, SQLITE_STATIC) : sqlite3_bind_null(stmt, at);
    }
    default:
        return SQLITE_MISUSE;
    }
}

/* The statement of this text, compiled on first use. */
static sqlite3_stmt *cached(struct tare_store *store, const char *sql)
{
    for (size_t i = 0; i < store->n_cached; i++) {
        if (store->cache[i].text == sql) {
            return store->cache[i].stmt;
        }
    }
    sqlite3_stmt *stmt = NULL;
    if (store->n_cached == tare_sql_max_statements ||
        sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) != SQLITE_OK) {
        return NULL;
    }
    store->cache[store->n_cached].text = sql;
    store->cache[store->n_cached++].stmt = stmt;
    return stmt;
}

static int prepare(struct tare_store *store, const char *sql, sqlite3_stmt **out, struct tare_err *err,
                   const char *fmt, va_list *args)
{
    sqlite3_stmt *stmt = cached(store, sql);
    if (!stmt) {
        return tare_sql_error(store, "prepare", err);
    }
    (void)sqlite3_reset(stmt);
    for (int i = 0; fmt[i]; i++) {
        if (bind_one(stmt, i + 1, fmt[i], args) != SQLITE_OK) {
            return tare_sql_error(store, "bind", err);
        }
    }
    *out = stmt;
    return 0;
}

int tare_sql_prepare(struct tare_store *store, const char *sql, sqlite3_stmt **out, struct tare_err *err,
                     const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int r = prepare(store, sql, out, err, fmt, &args);
    va_end(args);
    return r;
}

int tare_sql_run(struct tare_store *store, int64_t *out_id, struct tare_err *err, const char *sql,
                 const char *fmt, ...)
{
    sqlite3_stmt *stmt = NULL;
    va_list args;
    va_start(args, fmt);
    int r = prepare(store, sql, &stmt, err, fmt, &args);
    va_end(args);
    if (r < 0) {
        return r;
    }
    int step = sqlite3_step(stmt);
    if (step != SQLITE_DONE && step != SQLITE_ROW) {
        r = tare_sql_error(store, "write", err);
        (void)sqlite3_reset(stmt);
        return r;
    }
    (void)sqlite3_reset(stmt);
    if (out_id) {
        *out_id = sqlite3_last_insert_rowid(store->db);
    }
    return 0;
}

int tare_sql_step(struct tare_store *store, sqlite3_stmt *stmt, struct tare_err *err)
{
    int step = sqlite3_step(stmt);
    if (step == SQLITE_ROW) {
        return 1;
    }
    int r = step == SQLITE_DONE ? 0 : tare_sql_error(store, "read", err);
    (void)sqlite3_reset(stmt);
    return r;
}

const char *tare_sql_text_or_null(sqlite3_stmt *stmt, int column)
{
    return (const char *)sqlite3_column_text(stmt, column);
}

const char *tare_sql_text(sqlite3_stmt *stmt, int column)
{
    const char *text = tare_sql_text_or_null(stmt, column);
    return text ? text : "";
}

int64_t tare_sql_i64(sqlite3_stmt *stmt, int column)
{
    return sqlite3_column_type(stmt, column) == SQLITE_NULL ? TARE_ABSENT
                                                            : sqlite3_column_int64(stmt, column);
}

double tare_sql_f64(sqlite3_stmt *stmt, int column)
{
    return sqlite3_column_type(stmt, column) == SQLITE_NULL ? (double)NAN
                                                            : sqlite3_column_double(stmt, column);
}
