/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to the store: prepared statements by text, binding by a format string, errors in one place.
 *
 * Formats: i int64, n int64 with TARE_ABSENT as NULL, d double with NaN as NULL, t text (NULL is
 * NULL), b blob (pointer and size_t; a NULL pointer is NULL). SQL texts must be constants: statements
 * are cached by the text's address.
 */
#ifndef TARE_STORE_SQL_H
#define TARE_STORE_SQL_H

#include "store/store.h"

#include <sqlite3.h>
#include <stdarg.h>

enum { tare_sql_max_statements = 128 };

struct tare_store {
    sqlite3 *db;
    char *path;  /* as the user named it; owned */
    int lock_fd; /* -1 when reading */
    struct {
        const char *text;
        sqlite3_stmt *stmt;
    } cache[tare_sql_max_statements];
    size_t n_cached;
};

/* SQLite's latest complaint as a tare_err. */
int tare_sql_error(struct tare_store *store, const char *doing, struct tare_err *err);
/* The cached statement, reset and bound. */
TARE_MUST_CHECK int tare_sql_prepare(struct tare_store *store, const char *sql, sqlite3_stmt **out,
                                     struct tare_err *err, const char *fmt, ...);
/* Runs a statement that returns no rows; out_id (may be NULL) gets the last row id. */
TARE_MUST_CHECK int tare_sql_run(struct tare_store *store, int64_t *out_id, struct tare_err *err,
                                 const char *sql, const char *fmt, ...);
/* Steps a query: 1 a row, 0 the end, negative an error. */
TARE_MUST_CHECK int tare_sql_step(struct tare_store *store, sqlite3_stmt *stmt, struct tare_err *err);
/* Column as text ("" for NULL), and as integer or double with NULL as absent. */
const char *tare_sql_text(sqlite3_stmt *stmt, int column);
const char *tare_sql_text_or_null(sqlite3_stmt *stmt, int column);
int64_t tare_sql_i64(sqlite3_stmt *stmt, int column);
double tare_sql_f64(sqlite3_stmt *stmt, int column);

#endif
