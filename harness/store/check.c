/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a database what it says it is? SQLite's own check of its pages is in store.c; here are the things
 * that SQLite takes in its stride: a file that lost its end, tables that are not the ones that tare
 * makes, triggers, and text where a number belongs, which SQLite would silently read as 0. A bit that
 * was turned over inside a number is not found: there are no checksums.
 */
#include "store/check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int damaged(struct tare_store *store, const char *why, struct tare_err *err)
{
    return tare_err_set(err, TARE_E_DATABASE, "database %s: is damaged: %.200s", store->path, why);
}

/* True if another process may be moving a log into the file, which is then on its way to its size. */
static bool has_log(const char *path)
{
    char *log = sqlite3_mprintf("%s-wal", path);
    struct stat st;
    bool found = log && stat(log, &st) == 0 && st.st_size > 0;
    sqlite3_free(log);
    return found;
}

/* The header counts the pages; SQLite believes it and reads what is missing as zeros. */
int tare_sql_check_size(struct tare_store *store, struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    struct stat st;
    if (has_log(store->path) || stat(store->path, &st) != 0) {
        return 0;
    }
    int r = tare_sql_prepare(
        store, "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()", &s, err, "");
    r = r == 0 ? tare_sql_step(store, s, err) : r;
    if (r < 0) {
        return r;
    }
    int64_t bytes = r == 1 ? sqlite3_column_int64(s, 0) : 0;
    (void)sqlite3_reset(s);
    return st.st_size >= bytes ? 0 : damaged(store, "it is cut short", err);
}

/* Appends "OR c > infinity" for each column of numbers: text and blobs come behind all numbers in
 * SQLite's order, and comparing is three times as fast as asking typeof(). */
static int add_columns(struct tare_store *model, const char *table, sqlite3_str *to, struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(model, "SELECT name FROM pragma_table_info(?) WHERE type IN ('INTEGER', 'REAL')",
                             &s, err, "t", table);
    while (r == 0 && (r = tare_sql_step(model, s, err)) == 1) {
        sqlite3_str_appendf(to, " OR \"%w\" > 9e999", tare_sql_text(s, 0));
        r = 0;
    }
    return r;
}

static int check_numbers(struct tare_store *store, struct tare_store *model, const char *table,
                         struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    sqlite3_str *sql = sqlite3_str_new(store->db);
    sqlite3_str_appendf(sql, "SELECT 1 FROM \"%w\" WHERE 0", table);
    int r = add_columns(model, table, sql, err);
    char *text = sqlite3_str_finish(sql);
    if (r == 0 && (!text || sqlite3_prepare_v2(store->db, text, -1, &s, NULL) != SQLITE_OK)) {
        r = tare_sql_error(store, "check", err);
    }
    int step = r == 0 ? sqlite3_step(s) : SQLITE_DONE;
    if (step == SQLITE_ROW) {
        char why[120];
        (void)snprintf(why, sizeof why, "table %.40s holds text where a number belongs", table);
        r = damaged(store, why, err);
    } else if (step != SQLITE_DONE) {
        r = tare_sql_error(store, "check", err);
    }
    (void)sqlite3_finalize(s);
    sqlite3_free(text);
    return r;
}

/* The table word for word as the migrations make it. */
static int check_table(struct tare_store *store, const char *table, const char *sql, struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r =
        tare_sql_prepare(store, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ? AND sql = ?",
                         &s, err, "tt", table, sql);
    r = r == 0 ? tare_sql_step(store, s, err) : r;
    (void)sqlite3_reset(s);
    if (r == 0) {
        char why[120];
        (void)snprintf(why, sizeof why, "table %.40s is missing, or not as tare makes it", table);
        return damaged(store, why, err);
    }
    return r < 0 ? r : 0;
}

static int check_triggers(struct tare_store *store, struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(store, "SELECT 1 FROM sqlite_schema WHERE type = 'trigger'", &s, err, "");
    r = r == 0 ? tare_sql_step(store, s, err) : r;
    (void)sqlite3_reset(s);
    return r == 1 ? damaged(store, "it has a trigger, which would change what tare writes", err) : r;
}

static bool is_large(const char *table)
{
    return strcmp(table, "sample") == 0 || strcmp(table, "request") == 0;
}

int tare_sql_check_tables(struct tare_store *store, struct tare_store *model, bool all_numbers,
                          struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = check_triggers(store, err);
    r = r == 0
            ? tare_sql_prepare(model, "SELECT name, sql FROM sqlite_schema WHERE type = 'table'", &s, err, "")
            : r;
    while (r == 0 && (r = tare_sql_step(model, s, err)) == 1) {
        r = check_table(store, tare_sql_text(s, 0), tare_sql_text(s, 1), err);
        bool numbers = all_numbers || !is_large(tare_sql_text(s, 0));
        r = r == 0 && numbers ? check_numbers(store, model, tare_sql_text(s, 0), err) : r;
    }
    if (s) {
        (void)sqlite3_reset(s);
    }
    return r;
}
