/* SPDX-License-Identifier: Apache-2.0 */
/* Rows back out of the store, one query a function. Column arrays and sums are in columns.c. */
#include "store/query.h"

#include "store/sql.h"

#include <stdlib.h>
#include <string.h>
#include <tare/meter.h>

/* An attempt that ended before its first sample tells nothing about the repeat. */
/* Attempts are few, and what they hold is much: they come first, and CROSS JOIN keeps SQLite to that order
 * (it would else walk all readings of the database for every cell). */
#define OF_CELL      "a.repeat_id IN (SELECT id FROM repeat WHERE cell_id = ?)"
#define OWNS_SAMPLES "EXISTS (SELECT 1 FROM sample s WHERE s.repeat_id = a.repeat_id AND s.attempt_id = a.id)"

int tare_query_runs(struct tare_store *store, tare_run_fn fn, void *ctx, struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r =
        tare_sql_prepare(store,
                         "SELECT id, name, plan, plan_sha256, seed, started_utc, finished_utc, tare_version "
                         "FROM run ORDER BY id",
                         &s, err, "");
    while (r == 0 && (r = tare_sql_step(store, s, err)) == 1) {
        struct tare_run_row row = {.id = sqlite3_column_int64(s, 0),
                                   .name = tare_sql_text(s, 1),
                                   .plan = tare_sql_text(s, 2),
                                   .plan_sha256 = tare_sql_text(s, 3),
                                   .seed = sqlite3_column_int64(s, 4),
                                   .started_utc = tare_sql_text(s, 5),
                                   .finished_utc = tare_sql_text_or_null(s, 6),
                                   .tare_version = tare_sql_text(s, 7)};
        r = fn(ctx, &row, err);
    }
    (void)sqlite3_reset(s);
    return r;
}

int tare_query_cells(struct tare_store *store, int64_t run_id, tare_cell_fn fn, void *ctx,
                     struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(
        store,
        "SELECT id, run_id, ordinal, backend, model, technique, task, scenario, spec, items, "
        "verdict, reasons FROM cell WHERE ?1 = 0 OR run_id = ?1 ORDER BY run_id, ordinal",
        &s, err, "i", run_id);
    while (r == 0 && (r = tare_sql_step(store, s, err)) == 1) {
        struct tare_cell_row row = {.id = sqlite3_column_int64(s, 0),
                                    .run_id = sqlite3_column_int64(s, 1),
                                    .ordinal = sqlite3_column_int64(s, 2),
                                    .backend = tare_sql_text(s, 3),
                                    .model = tare_sql_text(s, 4),
                                    .technique = tare_sql_text(s, 5),
                                    .task = tare_sql_text(s, 6),
                                    .scenario = tare_sql_text(s, 7),
                                    .spec = tare_sql_text(s, 8),
                                    .items = tare_sql_i64(s, 9),
                                    .verdict = tare_sql_text_or_null(s, 10),
                                    .reasons = tare_sql_text_or_null(s, 11)};
        r = fn(ctx, &row, err);
    }
    (void)sqlite3_reset(s);
    return r;
}

int tare_query_repeats(struct tare_store *store, int64_t cell_id, tare_repeat_fn fn, void *ctx,
                       struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(store,
                             "SELECT r.id, r.block, r.position, r.outcome, r.message, "
                             "(SELECT count(*) FROM sample WHERE repeat_id = r.id), "
                             "(SELECT count(error) FROM sample WHERE repeat_id = r.id), "
                             "(SELECT count(*) FROM attempt WHERE repeat_id = r.id), "
                             "(SELECT count(DISTINCT attempt_id) FROM sample WHERE repeat_id = r.id), "
                             "(SELECT CAST(strftime('%s', max(a.started_utc)) AS INTEGER) FROM attempt a "
                             "WHERE a.repeat_id = r.id AND " OWNS_SAMPLES ") "
                             "FROM repeat r WHERE r.cell_id = ? ORDER BY r.block",
                             &s, err, "i", cell_id);
    while (r == 0 && (r = tare_sql_step(store, s, err)) == 1) {
        struct tare_repeat_row row = {.id = sqlite3_column_int64(s, 0),
                                      .cell_id = cell_id,
                                      .block = sqlite3_column_int64(s, 1),
                                      .position = sqlite3_column_int64(s, 2),
                                      .outcome = tare_sql_text(s, 3),
                                      .message = tare_sql_text_or_null(s, 4),
                                      .samples = sqlite3_column_int64(s, 5),
                                      .errors = sqlite3_column_int64(s, 6),
                                      .attempts = sqlite3_column_int64(s, 7),
                                      .measured_attempts = sqlite3_column_int64(s, 8),
                                      .started_s = tare_sql_i64(s, 9)};
        r = fn(ctx, &row, err);
    }
    (void)sqlite3_reset(s);
    return r;
}

int tare_query_outcomes(struct tare_store *store, int64_t cell_id, tare_outcome_fn fn, void *ctx,
                        struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(
        store, "SELECT id, block, outcome, message, sha256 FROM repeat WHERE cell_id = ? ORDER BY block", &s,
        err, "i", cell_id);
    while (r == 0 && (r = tare_sql_step(store, s, err)) == 1) {
        struct tare_outcome_row row = {.id = sqlite3_column_int64(s, 0),
                                       .block = sqlite3_column_int64(s, 1),
                                       .outcome = tare_sql_text(s, 2),
                                       .message = tare_sql_text_or_null(s, 3),
                                       .sha256 = tare_sql_text_or_null(s, 4)};
        r = fn(ctx, &row, err);
    }
    (void)sqlite3_reset(s);
    return r;
}

static struct tare_figure figure_row(sqlite3_stmt *s)
{
    struct tare_figure f = {.name = tare_sql_text(s, 0),
                            .value = tare_sql_f64(s, 1),
                            .unit = tare_sql_text(s, 2),
                            .kind = tare_kind_of(tare_sql_text(s, 3)),
                            .source = tare_sql_text(s, 4),
                            .scope = tare_sql_text(s, 5),
                            .n = sqlite3_column_int64(s, 6),
                            .n_what = tare_sql_text(s, 7),
                            .low = tare_sql_f64(s, 8),
                            .high = tare_sql_f64(s, 9),
                            .level = tare_sql_f64(s, 10),
                            .method = tare_sql_text_or_null(s, 11),
                            .absent = tare_sql_text_or_null(s, 13)};
    (void)snprintf(f.flags, sizeof f.flags, "%s", tare_sql_text(s, 12));
    return f;
}

int tare_query_figures(struct tare_store *store, int64_t cell_id, tare_figure_fn fn, void *ctx,
                       struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(
        store,
        "SELECT name, value, unit, kind, source, scope, n, n_what, low, high, level, method, "
        "flags, absent FROM figure WHERE cell_id = ? ORDER BY name",
        &s, err, "i", cell_id);
    while (r == 0 && (r = tare_sql_step(store, s, err)) == 1) {
        struct tare_figure figure = figure_row(s);
        r = fn(ctx, cell_id, &figure, err);
    }
    (void)sqlite3_reset(s);
    return r;
}

static int walk_readings(struct tare_store *store, sqlite3_stmt *s, tare_reading_fn fn, void *ctx,
                         struct tare_err *err)
{
    int r = 0;
    while (r == 0 && (r = tare_sql_step(store, s, err)) == 1) {
        struct tare_reading_record row = {.phase = tare_sql_text(s, 1),
                                          .meter = tare_sql_text(s, 2),
                                          .name = tare_sql_text(s, 3),
                                          .value = tare_sql_f64(s, 4),
                                          .unit = tare_sql_text(s, 5),
                                          .kind = tare_sql_text(s, 6),
                                          .scope = tare_sql_text(s, 7),
                                          .source = tare_sql_text(s, 8),
                                          .absent = tare_sql_text_or_null(s, 9),
                                          .u = tare_sql_f64(s, 10),
                                          .gain = tare_sql_f64(s, 11),
                                          .flags = tare_sql_text(s, 12)};
        r = fn(ctx, sqlite3_column_int64(s, 0), &row, err);
    }
    (void)sqlite3_reset(s);
    return r;
}

int tare_query_readings(struct tare_store *store, int64_t cell_id, tare_reading_fn fn, void *ctx,
                        struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(
        store,
        "SELECT a.repeat_id, d.phase, d.meter, d.name, d.value, d.unit, d.kind, d.scope, d.source, d.absent, "
        "d.u, d.gain, d.flags "
        "FROM attempt a CROSS JOIN reading d ON d.attempt_id = a.id "
        "WHERE " OF_CELL " AND " OWNS_SAMPLES " ORDER BY d.attempt_id, d.phase, d.meter, d.name",
        &s, err, "i", cell_id);
    return r == 0 ? walk_readings(store, s, fn, ctx, err) : r;
}

int tare_query_phases(struct tare_store *store, int64_t cell_id, tare_reading_fn fn, void *ctx,
                      struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(
        store,
        "SELECT a.repeat_id, p.name, 'clock', 'wall', CAST(p.end_ns - p.begin_ns AS REAL), 'ns', 'measured', "
        "'process', 'CLOCK_MONOTONIC', NULL, NULL, NULL, '' FROM attempt a CROSS JOIN phase p "
        "ON p.attempt_id = a.id WHERE " OF_CELL " AND p.end_ns IS NOT NULL AND " OWNS_SAMPLES
        " ORDER BY p.attempt_id, p.begin_ns",
        &s, err, "i", cell_id);
    return r == 0 ? walk_readings(store, s, fn, ctx, err) : r;
}

int tare_query_meters(struct tare_store *store, int64_t run_id, tare_meter_fn fn, void *ctx,
                      struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(store, "SELECT name, absent FROM meter WHERE run_id = ? ORDER BY name", &s, err,
                             "i", run_id);
    while (r == 0 && (r = tare_sql_step(store, s, err)) == 1) {
        r = fn(ctx, tare_sql_text(s, 0), tare_sql_text_or_null(s, 1), err);
    }
    if (s) {
        (void)sqlite3_reset(s);
    }
    return r;
}

static int walk_pairs(struct tare_store *store, sqlite3_stmt *s, tare_text_pair_fn fn, void *ctx,
                      struct tare_err *err)
{
    int r = 0;
    while (r == 0 && (r = tare_sql_step(store, s, err)) == 1) {
        r = fn(ctx, tare_sql_text(s, 0), tare_sql_text_or_null(s, 1), err);
    }
    (void)sqlite3_reset(s);
    return r;
}

int tare_query_environment(struct tare_store *store, int64_t run_id, tare_text_pair_fn fn, void *ctx,
                           struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(
        store,
        "SELECT key, coalesce(value, 'absent: ' || absent) FROM environment WHERE run_id = ? "
        "ORDER BY key",
        &s, err, "i", run_id);
    return r == 0 ? walk_pairs(store, s, fn, ctx, err) : r;
}

int tare_query_artifacts(struct tare_store *store, int64_t cell_id, tare_text_pair_fn fn, void *ctx,
                         struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(
        store,
        "SELECT c.role, a.sha256 || ' ' || a.bytes || ' ' || a.path FROM cell_artifact c JOIN "
        "artifact a ON a.id = c.artifact_id WHERE c.cell_id = ? ORDER BY c.role, a.path",
        &s, err, "i", cell_id);
    return r == 0 ? walk_pairs(store, s, fn, ctx, err) : r;
}

int tare_query_facts(struct tare_store *store, int64_t cell_id, char **out, struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(store,
                             "SELECT a.model_facts FROM attempt a WHERE " OF_CELL
                             " AND a.model_facts IS NOT NULL ORDER BY a.id DESC LIMIT 1",
                             &s, err, "i", cell_id);
    if (r == 0) {
        r = tare_sql_step(store, s, err);
    }
    if (r < 0) {
        return r;
    }
    char *text = r == 1 ? strdup(tare_sql_text(s, 0)) : NULL;
    int missing = r == 1 && !text;
    (void)sqlite3_reset(s);
    if (missing) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    *out = text;
    return 0;
}

static int one_integer(struct tare_store *store, sqlite3_stmt *s, int64_t *out, struct tare_err *err)
{
    int r = tare_sql_step(store, s, err);
    if (r < 0) {
        return r;
    }
    *out = r == 1 ? tare_sql_i64(s, 0) : TARE_ABSENT;
    (void)sqlite3_reset(s);
    return 0;
}

int tare_query_files_changed(struct tare_store *store, int64_t cell_id, bool *out, struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int64_t n = 0;
    int r = tare_sql_prepare(store,
                             "SELECT count(*) FROM (SELECT 1 FROM cell_artifact c JOIN artifact a ON a.id = "
                             "c.artifact_id WHERE c.cell_id = ? GROUP BY c.role, a.path "
                             "HAVING count(DISTINCT a.sha256) > 1)",
                             &s, err, "i", cell_id);
    r = r == 0 ? one_integer(store, s, &n, err) : r;
    if (r == 0) {
        *out = n > 0;
    }
    return r;
}

int tare_query_last_run(struct tare_store *store, int64_t *out_id, struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int64_t id = TARE_ABSENT;
    int r = tare_sql_prepare(store, "SELECT max(id) FROM run", &s, err, "");
    if (r == 0) {
        r = one_integer(store, s, &id, err);
    }
    if (r == 0 && id == TARE_ABSENT) {
        r = tare_err_set(err, TARE_E_DATABASE, "database %s: holds no run yet; 'tare run' makes one",
                         store->path);
    }
    if (r == 0) {
        *out_id = id;
    }
    return r;
}

int tare_query_committed(struct tare_store *store, int64_t repeat_id, int64_t *out, struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r =
        tare_sql_prepare(store, "SELECT count(*) FROM sample WHERE repeat_id = ?", &s, err, "i", repeat_id);
    return r == 0 ? one_integer(store, s, out, err) : r;
}
