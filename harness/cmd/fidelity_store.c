/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of such a run. */
#include "cmd/fidelity_store.h"

#include "base/clock.h"
#include "base/hash.h"
#include "cmd/artifacts.h"
#include "config.h"
#include "core/environment.h"
#include "store/query.h"

#include <stdlib.h>
#include <string.h>

struct keeper {
    struct tare_store *store;
    int64_t run_id;
};

static int put_environment(void *ctx, const char *key, const char *value, const char *absent,
                           struct tare_err *err)
{
    const struct keeper *k = ctx;
    return tare_store_put_environment(k->store, k->run_id, key, value, absent, err);
}

/* What was asked for, in place of a plan. */
static int make_plan(const struct tare_fidelity_stored *given, char **out, struct tare_err *err)
{
    struct tare_json *root = tare_json_new_object(), *spec = NULL;
    struct tare_json *o = tare_json_add_object(root, "fidelity");
    int r = tare_json_parse(given->student->spec, strlen(given->student->spec), "spec", &spec, err);
    tare_json_add_str(o, "teacher", given->teacher);
    tare_json_add_str(o, "teacher_sha256", given->teacher_sha256);
    tare_json_add_str(o, "task", given->task);
    if (spec) {
        tare_json_add_copy(o, "student", spec);
    }
    r = r == 0 ? tare_json_print(root, false, out, err) : r;
    tare_json_destroy(spec);
    tare_json_destroy(root);
    return r;
}

static int add_run(struct keeper *k, const struct tare_fidelity_stored *given, const char *now,
                   struct tare_err *err)
{
    char *plan = NULL, sha256[TARE_SHA256_HEX];
    int r = make_plan(given, &plan, err);
    r = r == 0 ? tare_sha256(plan, strlen(plan), sha256, err) : r;
    if (r == 0) {
        const struct tare_run_row row = {.name = "fidelity",
                                         .plan = plan,
                                         .plan_sha256 = sha256,
                                         .seed = given->seed,
                                         .started_utc = now,
                                         .tare_version = TARE_VERSION};
        r = tare_store_add_run(k->store, &row, &k->run_id, err);
    }
    free(plan);
    r = r == 0 ? tare_environment_walk(put_environment, k, err) : r;
    r = r == 0 ? put_environment(k, "fidelity.teacher", given->teacher, NULL, err) : r;
    r = r == 0 ? put_environment(k, "fidelity.teacher_sha256", given->teacher_sha256,
                                 given->teacher_sha256 ? NULL : "its model is no file", err)
               : r;
    return r == 0 ? put_environment(k, "fidelity.teacher_facts", given->teacher_facts,
                                    given->teacher_facts ? NULL : "it is a file of distributions", err)
                  : r;
}

static int add_cell(struct keeper *k, const struct tare_paths *paths,
                    const struct tare_fidelity_stored *given, struct tare_err *err)
{
    const struct tare_cell *c = given->student;
    char refused[512] = "";
    int64_t id = 0;
    const struct tare_cell_row row = {.run_id = k->run_id,
                                      .backend = c->backend,
                                      .model = c->model,
                                      .technique = c->technique,
                                      .task = given->task,
                                      .scenario = "lockstep",
                                      .spec = c->spec,
                                      .items = given->items};
    int r = tare_store_add_cell(k->store, &row, &id, err);
    r = r == 0 ? tare_artifacts_link(k->store, id, c->spec, paths, refused, sizeof refused, err) : r;
    for (size_t i = 0; r == 0 && i < given->figures->n; i++) {
        r = tare_store_put_figure(k->store, id, &given->figures->list[i].figure, err);
    }
    bool bad = refused[0] || given->failed;
    return r == 0 ? tare_store_set_verdict(k->store, id, bad ? "INVALID" : "VALID",
                                           refused[0]      ? refused
                                           : given->failed ? "ITEMS_FAILED"
                                                           : NULL,
                                           err)
                  : r;
}

int tare_fidelity_store(const char *db, const struct tare_paths *paths,
                        const struct tare_fidelity_stored *given, int64_t *out_run_id, struct tare_err *err)
{
    struct keeper k = {NULL, 0};
    char now[32];
    int r = tare_store_open(db, TARE_STORE_CREATE, &k.store, err);
    if (r < 0) {
        return r;
    }
    tare_clock_format(tare_clock_wall_ns(), now, sizeof now);
    r = tare_store_begin(k.store, err);
    if (r == 0) {
        r = add_run(&k, given, now, err);
        r = r == 0 ? add_cell(&k, paths, given, err) : r;
        r = r == 0 ? tare_store_finish_run(k.store, k.run_id, now, err) : r;
        if (r == 0) {
            r = tare_store_commit(k.store, err);
        } else {
            tare_store_rollback(k.store);
        }
    }
    r = r == 0 ? tare_store_checkpoint(k.store, err) : r;
    tare_store_close(k.store);
    if (r == 0) {
        *out_run_id = k.run_id;
    }
    return r;
}

struct search {
    int64_t run_id;
    bool found;
};

static int look(void *ctx, const struct tare_run_row *row, struct tare_err *err)
{
    struct search *s = ctx;
    struct tare_json *plan = NULL;
    struct tare_err ignored = {0};
    (void)err;
    if (row->id == s->run_id && tare_json_parse(row->plan, strlen(row->plan), "plan", &plan, &ignored) == 0) {
        s->found = tare_json_get(plan, "fidelity") != NULL;
    }
    tare_json_destroy(plan);
    return 0;
}

int tare_fidelity_made(struct tare_store *store, int64_t run_id, bool *out, struct tare_err *err)
{
    struct search s = {.run_id = run_id};
    int r = tare_query_runs(store, look, &s, err);
    if (r == 0) {
        *out = s.found;
    }
    return r;
}
