/* SPDX-License-Identifier: Apache-2.0 */
/* One statement a function: everything the store can be told. */
#include "store/sql.h"

#include <tare/meter.h>

int tare_store_add_run(struct tare_store *store, const struct tare_run_row *run, int64_t *out_id,
                       struct tare_err *err)
{
    return tare_sql_run(store, out_id, err,
                        "INSERT INTO run (name, plan, plan_sha256, seed, started_utc, tare_version) "
                        "VALUES (?, ?, ?, ?, ?, ?)",
                        "tttitt", run->name, run->plan, run->plan_sha256, run->seed, run->started_utc,
                        run->tare_version);
}

int tare_store_finish_run(struct tare_store *store, int64_t run_id, const char *finished_utc,
                          struct tare_err *err)
{
    return tare_sql_run(store, NULL, err,
                        "UPDATE run SET finished_utc = CASE WHEN ?1 IS NULL THEN NULL "
                        "ELSE coalesce(finished_utc, ?1) END WHERE id = ?2",
                        "ti", finished_utc, run_id);
}

int tare_store_put_environment(struct tare_store *store, int64_t run_id, const char *key, const char *value,
                               const char *absent, struct tare_err *err)
{
    return tare_sql_run(store, NULL, err, "INSERT OR REPLACE INTO environment VALUES (?, ?, ?, ?)", "ittt",
                        run_id, key, value, absent);
}

int tare_store_put_changed(struct tare_store *store, int64_t run_id, const char *key, const char *value,
                           const char *absent, struct tare_err *err)
{
    return tare_sql_run(store, NULL, err,
                        "INSERT OR REPLACE INTO environment SELECT run_id, key || ' (resumed)', ?3, ?4 FROM "
                        "environment WHERE run_id = ?1 AND key = ?2 AND value IS NOT ?3",
                        "ittt", run_id, key, value, absent);
}

int tare_store_put_meter(struct tare_store *store, int64_t run_id, const char *name, const char *place,
                         const char *absent, double cost_ns, struct tare_err *err)
{
    return tare_sql_run(store, NULL, err, "INSERT OR REPLACE INTO meter VALUES (?, ?, ?, ?, ?)", "itttd",
                        run_id, name, place, absent, cost_ns);
}

int tare_store_add_cell(struct tare_store *store, const struct tare_cell_row *cell, int64_t *out_id,
                        struct tare_err *err)
{
    return tare_sql_run(
        store, out_id, err,
        "INSERT INTO cell (run_id, ordinal, backend, model, technique, task, scenario, spec, items) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "iittttttn", cell->run_id, cell->ordinal, cell->backend, cell->model, cell->technique, cell->task,
        cell->scenario, cell->spec, cell->items);
}

int tare_store_set_items(struct tare_store *store, int64_t cell_id, int64_t items, struct tare_err *err)
{
    return tare_sql_run(store, NULL, err, "UPDATE cell SET items = ? WHERE id = ?", "ni", items, cell_id);
}

int tare_store_set_prompts(struct tare_store *store, int64_t cell_id, const char *sha256,
                           struct tare_err *err)
{
    sqlite3_stmt *s = NULL;
    int r = tare_sql_prepare(
        store, "SELECT 1 FROM cell WHERE id = ? AND prompts_sha256 IS NOT NULL AND prompts_sha256 <> ?", &s,
        err, "it", cell_id, sha256);
    r = r == 0 ? tare_sql_step(store, s, err) : r;
    if (s) {
        (void)sqlite3_reset(s);
    }
    if (r < 0) {
        return r;
    }
    return r == 1 ? tare_err_set(
                        err, TARE_E_DATABASE,
                        "database %s: the task asks other questions than when the cell began; its data have "
                        "changed",
                        store->path)
                  : tare_sql_run(store, NULL, err, "UPDATE cell SET prompts_sha256 = ? WHERE id = ?", "ti",
                                 sha256, cell_id);
}

int tare_store_set_verdict(struct tare_store *store, int64_t cell_id, const char *verdict,
                           const char *reasons, struct tare_err *err)
{
    return tare_sql_run(store, NULL, err, "UPDATE cell SET verdict = ?, reasons = ? WHERE id = ?", "tti",
                        verdict, reasons, cell_id);
}

int tare_store_find_artifact(struct tare_store *store, const char *path, int64_t bytes, int64_t mtime_ns,
                             int64_t *out_id, char out_sha256[65], struct tare_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int r = tare_sql_prepare(store,
                             "SELECT id, sha256 FROM artifact WHERE path = ? AND bytes = ? AND mtime_ns = ?",
                             &stmt, err, "tii", path, bytes, mtime_ns);
    if (r < 0) {
        return r;
    }
    r = tare_sql_step(store, stmt, err);
    if (r < 0) {
        return r;
    }
    *out_id = r == 1 ? sqlite3_column_int64(stmt, 0) : TARE_ABSENT;
    const char *sha256 = r == 1 ? (const char *)sqlite3_column_text(stmt, 1) : NULL;
    (void)snprintf(out_sha256, 65, "%s", sha256 ? sha256 : "");
    (void)sqlite3_reset(stmt);
    return 0;
}

int tare_store_add_artifact(struct tare_store *store, const char *path, int64_t bytes, int64_t mtime_ns,
                            const char *sha256, int64_t *out_id, struct tare_err *err)
{
    return tare_sql_run(store, out_id, err,
                        "INSERT INTO artifact (path, bytes, mtime_ns, sha256) VALUES (?, ?, ?, ?)", "tiit",
                        path, bytes, mtime_ns, sha256);
}

int tare_store_link_artifact(struct tare_store *store, int64_t cell_id, const char *role, int64_t artifact_id,
                             struct tare_err *err)
{
    return tare_sql_run(store, NULL, err, "INSERT OR IGNORE INTO cell_artifact VALUES (?, ?, ?)", "iti",
                        cell_id, role, artifact_id);
}

int tare_store_add_repeat(struct tare_store *store, int64_t cell_id, int64_t block, int64_t position,
                          int64_t *out_id, struct tare_err *err)
{
    return tare_sql_run(store, out_id, err, "INSERT INTO repeat (cell_id, block, position) VALUES (?, ?, ?)",
                        "iii", cell_id, block, position);
}

int tare_store_end_repeat(struct tare_store *store, int64_t repeat_id, enum tare_outcome outcome,
                          const char *message, struct tare_err *err)
{
    return tare_sql_run(store, NULL, err, "UPDATE repeat SET outcome = ?, message = ? WHERE id = ?", "tti",
                        tare_outcome_text((int)outcome), message, repeat_id);
}

int tare_store_add_attempt(struct tare_store *store, int64_t repeat_id, int64_t first_item,
                           const char *started_utc, int64_t *out_id, struct tare_err *err)
{
    return tare_sql_run(store, out_id, err,
                        "INSERT INTO attempt (repeat_id, first_item, started_utc) VALUES (?, ?, ?)", "iit",
                        repeat_id, first_item, started_utc);
}

int tare_store_end_attempt(struct tare_store *store, int64_t attempt_id, enum tare_outcome outcome,
                           const char *message, struct tare_err *err)
{
    return tare_sql_run(store, NULL, err, "UPDATE attempt SET outcome = ?, message = ? WHERE id = ?", "tti",
                        tare_outcome_text((int)outcome), message, attempt_id);
}

int tare_store_set_facts(struct tare_store *store, int64_t attempt_id, const char *facts_json,
                         struct tare_err *err)
{
    return tare_sql_run(store, NULL, err, "UPDATE attempt SET model_facts = ? WHERE id = ?", "ti", facts_json,
                        attempt_id);
}

int tare_store_put_state(struct tare_store *store, int64_t attempt_id, const char *moment, const char *key,
                         const char *value, const char *absent, struct tare_err *err)
{
    return tare_sql_run(store, NULL, err, "INSERT OR REPLACE INTO machine_state VALUES (?, ?, ?, ?, ?)",
                        "itttt", attempt_id, moment, key, value, absent);
}

int tare_store_put_phase(struct tare_store *store, int64_t attempt_id, const char *name, int64_t begin_ns,
                         int64_t end_ns, struct tare_err *err)
{
    return tare_sql_run(store, NULL, err, "INSERT OR REPLACE INTO phase VALUES (?, ?, ?, ?)", "itin",
                        attempt_id, name, begin_ns, end_ns);
}

static int add_requests(struct tare_store *store, int64_t repeat_id, const struct tare_sample *s,
                        struct tare_err *err)
{
    for (uint32_t i = 0; i < s->n_records; i++) {
        const struct tare_request_record *q = &s->records[i];
        int r = tare_sql_run(store, NULL, err, "INSERT INTO request VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                             "iiiiiiid", repeat_id, s->item, (int64_t)i, q->start_ns, q->latency_ns,
                             (int64_t)q->prompt_tok, (int64_t)q->scored_tok, q->loglik);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

int tare_store_add_sample(struct tare_store *store, int64_t repeat_id, int64_t attempt_id,
                          const struct tare_sample *s, struct tare_err *err)
{
    int r = tare_sql_run(
        store, NULL, err,
        "INSERT INTO sample VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "iiitniiiiindnnnnbbnn", repeat_id, s->item, attempt_id, s->code ? tare_err_name(s->code) : NULL,
        s->level ? (int64_t)s->level : TARE_ABSENT, (int64_t)s->n_requests, (int64_t)s->prompt_tok,
        (int64_t)s->output_tok, s->start_ns, s->latency_ns, s->ttft_ns, s->num, s->den, (int64_t)s->exact,
        s->prefill_flops, s->decode_flops, (const void *)(s->n_token_ns ? s->token_ns : NULL),
        s->n_token_ns * sizeof *s->token_ns, (const void *)(s->n_output ? s->output : NULL),
        (size_t)s->n_output, s->prefill_bytes, s->decode_bytes);
    return r == 0 && s->n_records ? add_requests(store, repeat_id, s, err) : r;
}

int tare_store_clear_repeat(struct tare_store *store, int64_t repeat_id, struct tare_err *err)
{
    static const char *const statements[] = {"DELETE FROM score WHERE repeat_id = ?",
                                             "DELETE FROM request WHERE repeat_id = ?",
                                             "DELETE FROM sample WHERE repeat_id = ?"};
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof statements / sizeof *statements; i++) {
        r = tare_sql_run(store, NULL, err, statements[i], "i", repeat_id);
    }
    return r;
}

int tare_store_add_score(struct tare_store *store, int64_t repeat_id, int64_t item, const char *name,
                         double value, struct tare_err *err)
{
    return isnan(value) ? 0
                        : tare_sql_run(store, NULL, err, "INSERT INTO score VALUES (?, ?, ?, ?)", "itid",
                                       repeat_id, name, item, value);
}

int tare_store_add_reading(struct tare_store *store, int64_t attempt_id,
                           const struct tare_reading_record *reading, struct tare_err *err)
{
    return tare_sql_run(store, NULL, err,
                        "INSERT OR REPLACE INTO reading VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        "itttdtttttddt", attempt_id, reading->phase, reading->meter, reading->name,
                        reading->value, reading->unit, reading->kind, reading->scope, reading->source,
                        reading->absent, reading->u, reading->gain, reading->flags ? reading->flags : "");
}

int tare_store_put_figure(struct tare_store *store, int64_t cell_id, const struct tare_figure *f,
                          struct tare_err *err)
{
    return tare_sql_run(store, NULL, err,
                        "INSERT OR REPLACE INTO figure VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        "itdttttitdddttt", cell_id, f->name, f->value, f->unit, tare_kind_name(f->kind),
                        f->source, f->scope, f->n, f->n_what, f->low, f->high, f->level, f->method, f->flags,
                        f->absent);
}

int tare_store_drop_figures(struct tare_store *store, int64_t cell_id, struct tare_err *err)
{
    return tare_sql_run(store, NULL, err, "DELETE FROM figure WHERE cell_id = ?", "i", cell_id);
}
