/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, locking, migrating and closing the database. */
#include "store/store.h"

#include "migrations.h"
#include "store/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { application_id = 0x74617265 }; /* "tare" */

#define N_MIGRATIONS ((int)(sizeof migrations / sizeof *migrations))

int tare_store_schema_version(void)
{
    return N_MIGRATIONS;
}

static void finalize_all(struct tare_store *store)
{
    for (size_t i = 0; i < store->n_cached; i++) {
        (void)sqlite3_finalize(store->cache[i].stmt);
    }
    store->n_cached = 0;
}

static int exec(struct tare_store *store, const char *sql, struct tare_err *err)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0
                                                                       : tare_sql_error(store, "open", err);
}

static int pragma_int(struct tare_store *store, const char *sql, int *out, struct tare_err *err)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW) {
        int r = tare_sql_error(store, "open", err);
        (void)sqlite3_finalize(stmt);
        return r;
    }
    *out = sqlite3_column_int(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return 0;
}

/*
 * One writer at a time. The lock is on the database file itself, on a descriptor that stays open
 * until SQLite has closed its own: closing it earlier would drop SQLite's record locks.
 */
static int take_lock(struct tare_store *store, const char *path, enum tare_store_mode mode,
                     struct tare_err *err)
{
    int flags = O_RDWR | O_CLOEXEC | (mode == TARE_STORE_CREATE ? O_CREAT : 0);
    store->lock_fd = open(path, flags, 0666);
    if (store->lock_fd < 0) {
        return tare_err_set(err, TARE_E_DATABASE, "database %s: %s", path, strerror(errno));
    }
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        return tare_err_set(err, TARE_E_DATABASE,
                            "database %s: another tare is writing to it; wait for it or name another file",
                            path);
    }
    return 0;
}

static int migrate_one(struct tare_store *store, int from, struct tare_err *err)
{
    char stamp[80];
    (void)snprintf(stamp, sizeof stamp, "PRAGMA application_id = %d; PRAGMA user_version = %d;",
                   application_id, from + 1);
    int r = exec(store, "BEGIN IMMEDIATE", err);
    if (r == 0) {
        r = exec(store, migrations[from].text, err);
    }
    if (r == 0) {
        r = exec(store, stamp, err);
    }
    if (r == 0) {
        r = exec(store, "COMMIT", err);
    }
    if (r < 0) {
        (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    }
    return r;
}

/* Is it ours, is it of a version we know, and is it whole? */
static int check_identity(struct tare_store *store, const char *path, int *out_version, struct tare_err *err)
{
    int id = 0, tables = 0;
    int r = pragma_int(store, "PRAGMA application_id", &id, err);
    if (r == 0) {
        r = pragma_int(store, "PRAGMA user_version", out_version, err);
    }
    if (r == 0) {
        r = pragma_int(store, "SELECT count(*) FROM sqlite_schema", &tables, err);
    }
    if (r < 0) {
        return r;
    }
    bool empty = id == 0 && *out_version == 0 && tables == 0;
    if (!empty && (id != application_id || *out_version < 1)) {
        return tare_err_set(err, TARE_E_DATABASE, "database %s: is a SQLite file, but not one of tare's",
                            path);
    }
    if (*out_version > N_MIGRATIONS) {
        return tare_err_set(err, TARE_E_DATABASE,
                            "database %s: has schema %d, this tare knows up to %d; use a newer tare", path,
                            *out_version, N_MIGRATIONS);
    }
    return 0;
}

/* `sql` is a check of SQLite's own, of all or of one table. */
static int check_pages(struct tare_store *store, const char *sql, struct tare_err *err)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW) {
        int r = tare_sql_error(store, "check", err);
        (void)sqlite3_finalize(stmt);
        return r;
    }
    const char *answer = tare_sql_text(stmt, 0);
    int r = 0;
    if (strcmp(answer, "ok") != 0) {
        size_t line = strcspn(answer, "\n");
        const char *text =
            strncmp(answer, "*** in database main ***", 24) == 0 && answer[line] ? answer + line + 1 : answer;
        r = tare_err_set(err, TARE_E_DATABASE, "database %s: is damaged: %.200s", store->path, text);
    }
    (void)sqlite3_finalize(stmt);
    return r;
}

/* Of every table but the two large ones. */
static int check_small_pages(struct tare_store *store, struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(
        store,
        "SELECT format('PRAGMA quick_check(%Q)', name) FROM sqlite_schema WHERE type = 'table' "
        "AND name NOT IN ('sample', 'request')",
        &s, err, "");
    while (r == 0 && (r = tare_sql_step(store, s, err)) == 1) {
        r = check_pages(store, tare_sql_text(s, 0), err);
    }
    if (s) {
        (void)sqlite3_reset(s);
    }
    return r;
}

/* Against an empty database that the same migrations have made. */
static int check_tables(struct tare_store *store, int version, bool all_numbers, struct tare_err *err)
{
    char name[] = "in memory";
    struct tare_store model = {.path = name, .lock_fd = -1};
    int r =
        sqlite3_open_v2(":memory:", &model.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK
            ? 0
            : tare_sql_error(&model, "open", err);
    for (int i = 0; r == 0 && i < version; i++) {
        r = migrate_one(&model, i, err);
    }
    r = r == 0 ? tare_sql_check_tables(store, &model, all_numbers, err) : r;
    finalize_all(&model);
    (void)sqlite3_close_v2(model.db);
    return r;
}

static bool only_reads(enum tare_store_mode mode)
{
    return mode == TARE_STORE_READ || mode == TARE_STORE_FIGURES;
}

static int migrate(struct tare_store *store, const char *path, enum tare_store_mode mode,
                   struct tare_err *err)
{
    int version = 0;
    int r = check_identity(store, path, &version, err);
    if (r == 0 && version > 0) {
        r = tare_sql_check_size(store, err);
        bool all = mode != TARE_STORE_FIGURES;
        r = r < 0 ? r
            : all ? check_pages(store, "PRAGMA quick_check(1)", err)
                  : check_small_pages(store, err);
        r = r == 0 ? check_tables(store, version, all, err) : r;
        finalize_all(store); /* those statements are not needed again */
    }
    if (r < 0) {
        return r;
    }
    if (only_reads(mode) && version < N_MIGRATIONS) {
        return version == 0
                   ? tare_err_set(err, TARE_E_DATABASE, "database %s: is empty", path)
                   : tare_err_set(err, TARE_E_DATABASE,
                                  "database %s: has the old schema %d; run 'tare derive' on it to bring it "
                                  "to %d",
                                  path, version, N_MIGRATIONS);
    }
    for (; version < N_MIGRATIONS; version++) {
        r = migrate_one(store, version, err);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

static int configure(struct tare_store *store, const char *path, enum tare_store_mode mode,
                     struct tare_err *err)
{
    (void)sqlite3_busy_timeout(store->db, 10000);
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    int r = exec(store, "PRAGMA cell_size_check = ON", err);
    if (r == 0 && !only_reads(mode)) {
        /* No automatic checkpoint: one would fall into a measured window. */
        r = exec(store,
                 "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0;"
                 "PRAGMA foreign_keys = OFF",
                 err);
    }
    return r == 0 ? migrate(store, path, mode, err) : r;
}

int tare_store_open(const char *path, enum tare_store_mode mode, struct tare_store **out,
                    struct tare_err *err)
{
    struct tare_store *store = calloc(1, sizeof *store);
    if (!store || !(store->path = strdup(path))) {
        free(store);
        return tare_err_set(err, TARE_E_NOMEM, "database %s: out of memory", path);
    }
    store->lock_fd = -1;
    int r = only_reads(mode) ? 0 : take_lock(store, path, mode, err);
    if (r == 0 && only_reads(mode) && access(path, R_OK) != 0) {
        r = tare_err_set(err, TARE_E_DATABASE, "database %s: %s", path, strerror(errno));
    }
    if (r == 0) {
        int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
        if (sqlite3_open_v2(path, &store->db, flags, NULL) != SQLITE_OK) {
            r = tare_sql_error(store, "open", err);
        } else {
            r = configure(store, path, mode, err);
        }
    }
    if (r < 0) {
        tare_store_close(store);
        return r;
    }
    *out = store;
    return 0;
}

void tare_store_close(struct tare_store *store)
{
    if (!store) {
        return;
    }
    finalize_all(store);
    (void)sqlite3_close_v2(store->db);
    if (store->lock_fd >= 0) {
        close(store->lock_fd);
    }
    free(store->path);
    free(store);
}

int tare_store_begin(struct tare_store *store, struct tare_err *err)
{
    return tare_sql_run(store, NULL, err, "BEGIN IMMEDIATE", "");
}

int tare_store_commit(struct tare_store *store, struct tare_err *err)
{
    return tare_sql_run(store, NULL, err, "COMMIT", "");
}

void tare_store_rollback(struct tare_store *store)
{
    (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

int tare_store_checkpoint(struct tare_store *store, struct tare_err *err)
{
    int r = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    /* A reader may hold the log: then the next checkpoint moves it. */
    return r == SQLITE_OK || r == SQLITE_BUSY || r == SQLITE_LOCKED
               ? 0
               : tare_sql_error(store, "checkpoint", err);
}
