/* SPDX-License-Identifier: Apache-2.0 */
/* Statements about certificates. */
#include "store/certificate.h"

#include "store/sql.h"

#include <string.h>

int tare_store_add_certificate(struct tare_store *store, const struct tare_certificate_row *row,
                               int64_t *out_id, struct tare_err *err)
{
    return tare_sql_run(store, out_id, err,
                        "INSERT INTO certificate (made_utc, tare_version, tare_sha256, machine, kind, "
                        "backend, backend_sha256, "
                        "model, model_sha256, technique, options, reference) "
                        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, json(?), ?)",
                        "tttttttttttt", row->made_utc, row->tare_version, row->tare_sha256, row->machine,
                        row->backend ? "verify" : "selftest", row->backend, row->backend_sha256, row->model,
                        row->model_sha256, row->technique, row->options, row->reference);
}

int tare_store_add_certificate_line(struct tare_store *store, int64_t certificate_id, int64_t position,
                                    const struct tare_certificate_line *l, struct tare_err *err)
{
    return tare_sql_run(store, NULL, err,
                        "INSERT INTO certificate_line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        "iitttdddtdtt", certificate_id, position, l->quantity, l->workload, l->unit, l->truth,
                        l->reading, l->error, l->error_unit, l->target, l->outcome, l->note);
}

int tare_store_cite_certificate(struct tare_store *store, int64_t run_id, const char *machine,
                                const char *tare_sha256, struct tare_err *err)
{
    return tare_sql_run(
        store, NULL, err,
        "UPDATE run SET certificate_id = (SELECT max(id) FROM certificate WHERE kind = 'selftest' AND "
        "machine = ? AND tare_sha256 = ?) WHERE id = ?",
        "tti", machine, tare_sha256, run_id);
}

int tare_query_cited(struct tare_store *store, int64_t run_id, struct tare_cited *out, struct tare_err *err)
{
    struct tare_cited cited = {.id = TARE_ABSENT};
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(
        store,
        "SELECT c.id, c.made_utc, total(l.outcome = 'pass'), total(l.outcome = 'FAIL'), "
        "total(l.outcome = 'absent') FROM run r JOIN certificate c ON c.id = r.certificate_id "
        "LEFT JOIN certificate_line l ON l.certificate_id = c.id WHERE r.id = ? GROUP BY c.id",
        &s, err, "i", run_id);
    r = r == 0 ? tare_sql_step(store, s, err) : r;
    if (r < 0) {
        return r;
    }
    if (r == 1) {
        cited.id = sqlite3_column_int64(s, 0);
        (void)snprintf(cited.made_utc, sizeof cited.made_utc, "%s", tare_sql_text(s, 1));
        cited.n_pass = sqlite3_column_int64(s, 2);
        cited.n_fail = sqlite3_column_int64(s, 3);
        cited.n_absent = sqlite3_column_int64(s, 4);
    }
    (void)sqlite3_reset(s);
    *out = cited;
    return 0;
}

int tare_query_cited_reading(struct tare_store *store, int64_t run_id, const char *quantity, double *out,
                             struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(store,
                             "SELECT max(l.reading) FROM run r JOIN certificate_line l ON l.certificate_id = "
                             "r.certificate_id WHERE r.id = ? AND l.quantity = ? AND l.outcome <> 'absent'",
                             &s, err, "it", run_id, quantity);
    r = r == 0 ? tare_sql_step(store, s, err) : r;
    if (r < 0) {
        return r;
    }
    *out = r == 1 ? tare_sql_f64(s, 0) : (double)NAN;
    (void)sqlite3_reset(s);
    return 0;
}

int tare_query_cited_note(struct tare_store *store, int64_t run_id, const char *quantity, char *out,
                          size_t n_out, struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(store,
                             "SELECT l.note FROM run r JOIN certificate_line l ON l.certificate_id = "
                             "r.certificate_id WHERE r.id = ? AND l.quantity = ? ORDER BY l.position LIMIT 1",
                             &s, err, "it", run_id, quantity);
    r = r == 0 ? tare_sql_step(store, s, err) : r;
    if (r < 0) {
        return r;
    }
    (void)snprintf(out, n_out, "%s", r == 1 ? tare_sql_text(s, 0) : "");
    (void)sqlite3_reset(s);
    return 0;
}

/* One row a model and technique. Options are compared as JSON texts that SQLite itself has made small. */
static const char verified_sql[] =
    "WITH known AS (SELECT c.model AS model, c.technique AS technique, c.ordinal AS ordinal, (SELECT "
    "max(k.id) "
    "FROM certificate k WHERE k.kind = 'verify' AND k.machine = (SELECT value FROM environment WHERE run_id "
    "= "
    "c.run_id AND key = 'machine.id') AND k.backend_sha256 = (SELECT a.sha256 FROM cell_artifact x JOIN "
    "artifact a "
    "ON a.id = x.artifact_id WHERE x.cell_id = c.id AND x.role = 'backend') AND k.model_sha256 IS (SELECT "
    "a.sha256 "
    "FROM cell_artifact x JOIN artifact a ON a.id = x.artifact_id WHERE x.cell_id = c.id AND x.role = "
    "'model') AND "
    "(k.model_sha256 IS NOT NULL OR k.model IS json_extract(c.spec, '$.model')) AND k.technique IS "
    "json_extract(c.spec, '$.technique') AND k.options = (SELECT json_extract(t.model_facts, '$.options') "
    "FROM "
    "repeat r JOIN attempt t ON t.repeat_id = r.id WHERE r.cell_id = c.id AND t.model_facts IS NOT NULL "
    "ORDER BY "
    "t.id LIMIT 1)) AS id FROM cell c WHERE c.run_id = ? AND json_valid(c.spec)) "
    "SELECT n.model, n.technique, n.id, k.made_utc, (SELECT group_concat(quantity, ', ') FROM "
    "certificate_line l "
    "WHERE l.certificate_id = n.id AND l.outcome = 'FAIL'), k.reference, (SELECT count(*) FROM "
    "certificate_line l "
    "WHERE l.certificate_id = n.id AND l.outcome = 'pass'), (SELECT count(*) FROM certificate_line l WHERE "
    "l.certificate_id = n.id AND l.outcome = 'FAIL'), (SELECT count(*) FROM certificate_line l WHERE "
    "l.certificate_id = n.id AND l.outcome = 'absent') FROM (SELECT model, technique, min(id) AS id, "
    "count(*) - "
    "count(id) AS without, min(ordinal) AS ordinal FROM known GROUP BY model, technique) n LEFT JOIN "
    "certificate k "
    "ON k.id = n.id AND n.without = 0 ORDER BY n.ordinal";

int tare_query_verified(struct tare_store *store, int64_t run_id, tare_verified_fn fn, void *ctx,
                        struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(store, verified_sql, &s, err, "i", run_id);
    while (r == 0 && (r = tare_sql_step(store, s, err)) == 1) {
        const struct tare_verified row = {.model = tare_sql_text(s, 0),
                                          .technique = tare_sql_text(s, 1),
                                          .id = tare_sql_text_or_null(s, 3) ? sqlite3_column_int64(s, 2)
                                                                            : TARE_ABSENT,
                                          .made_utc = tare_sql_text(s, 3),
                                          .failed = tare_sql_text_or_null(s, 4),
                                          .reference = tare_sql_text_or_null(s, 5),
                                          .n_pass = sqlite3_column_int64(s, 6),
                                          .n_fail = sqlite3_column_int64(s, 7),
                                          .n_absent = sqlite3_column_int64(s, 8)};
        r = fn(ctx, &row, err);
    }
    if (s) {
        (void)sqlite3_reset(s);
    }
    return r < 0 ? r : 0;
}
