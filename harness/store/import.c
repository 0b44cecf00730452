/* SPDX-License-Identifier: Apache-2.0 */
/* One statement a function: imported files and their records. */
#include "store/import.h"

#include "store/sql.h"

int tare_store_add_import(struct tare_store *store, const struct tare_import_row *row, struct tare_err *err)
{
    return tare_sql_run(store, NULL, err, "INSERT INTO import VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        "ittttittt", row->run_id, row->format, row->tool, row->tool_version, row->path,
                        row->bytes, row->sha256, row->imported_utc, row->envelope);
}

int tare_store_add_record(struct tare_store *store, int64_t run_id, int64_t position, const char *record,
                          struct tare_err *err)
{
    return tare_sql_run(store, NULL, err, "INSERT INTO import_record VALUES (?, ?, ?)", "iit", run_id,
                        position, record);
}

int tare_query_import(struct tare_store *store, int64_t run_id, tare_import_fn fn, void *ctx, bool *out_found,
                      struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(store,
                             "SELECT format, tool, tool_version, path, bytes, sha256, imported_utc, envelope "
                             "FROM import WHERE run_id = ?",
                             &s, err, "i", run_id);
    r = r == 0 ? tare_sql_step(store, s, err) : r;
    if (r < 0) {
        return r;
    }
    bool found = r == 1;
    struct tare_import_row row = {.run_id = run_id};
    if (found) {
        row.format = tare_sql_text(s, 0);
        row.tool = tare_sql_text(s, 1);
        row.tool_version = tare_sql_text_or_null(s, 2);
        row.path = tare_sql_text(s, 3);
        row.bytes = tare_sql_i64(s, 4);
        row.sha256 = tare_sql_text(s, 5);
        row.imported_utc = tare_sql_text(s, 6);
        row.envelope = tare_sql_text_or_null(s, 7);
    }
    r = found && fn ? fn(ctx, &row, err) : 0;
    (void)sqlite3_reset(s);
    if (r == 0 && out_found) {
        *out_found = found;
    }
    return r;
}

int tare_query_records(struct tare_store *store, int64_t run_id, tare_record_fn fn, void *ctx,
                       struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(store, "SELECT record FROM import_record WHERE run_id = ? ORDER BY position", &s,
                             err, "i", run_id);
    while (r == 0 && (r = tare_sql_step(store, s, err)) == 1) {
        r = fn(ctx, tare_sql_text(s, 0), err);
    }
    if (s) {
        (void)sqlite3_reset(s);
    }
    return r;
}
