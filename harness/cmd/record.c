/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a run, its cells and repeats; and its end. */
#include "cmd/record.h"

#include "base/clock.h"
#include "base/hash.h"
#include "cmd/certificate.h"
#include "config.h"
#include "core/declared.h"
#include "core/environment.h"
#include "metrics/nvml_api.h"
#include "store/query.h"

#include <stdlib.h>
#include <string.h>

static int put_environment(void *ctx, const char *key, const char *value, const char *absent,
                           struct tare_err *err)
{
    const struct tare_execute_args *to = ctx;
    return tare_store_put_environment(to->store, to->run_id, key, value, absent, err);
}

static int add_cells(struct tare_store *store, int64_t run_id, const struct tare_plan *plan, int64_t *ids,
                     struct tare_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < plan->n_cells; i++) {
        const struct tare_cell *c = &plan->cells[i];
        struct tare_cell_row row = {.run_id = run_id,
                                    .ordinal = (int64_t)i,
                                    .backend = c->backend,
                                    .model = c->model,
                                    .technique = c->technique,
                                    .task = c->task,
                                    .scenario = c->scenario,
                                    .spec = c->spec,
                                    .items = TARE_ABSENT};
        r = tare_store_add_cell(store, &row, &ids[i], err);
    }
    return r;
}

/* All repeats of the blocks, in the order in which they will run. */
static int add_repeats(struct tare_store *store, const struct tare_plan *plan, const int64_t *ids,
                       int64_t first, int64_t end, size_t *order, struct tare_err *err)
{
    int r = 0;
    for (int64_t block = first; r == 0 && block < end; block++) {
        tare_plan_order(plan->options.seed, block, plan->n_cells, order);
        for (size_t i = 0; r == 0 && i < plan->n_cells; i++) {
            int64_t id;
            /* Those that take part in all of the plan's blocks do so in blocks that are added, too. */
            int64_t repeats = plan->cells[order[i]].repeats;
            if (block >= repeats && repeats < plan->options.repeats) {
                continue;
            }
            r = tare_store_add_repeat(store, ids[order[i]], block, (int64_t)i, &id, err);
        }
    }
    return r;
}

struct gpus {
    struct tare_execute_args *to;
    int r;
    struct tare_err *err;
};

/* A secret names one card of the world: its hash alone is kept. */
static void put_gpu(void *ctx, const char *key, const char *value, bool is_secret)
{
    struct gpus *g = ctx;
    char name[96], sha256[TARE_SHA256_HEX], hashed[32];
    (void)snprintf(name, sizeof name, "nvidia.%.80s", key);
    if (g->r == 0 && is_secret) {
        g->r = tare_sha256(value, strlen(value), sha256, g->err);
        (void)snprintf(hashed, sizeof hashed, "sha256:%.16s", sha256);
        value = hashed;
    }
    if (g->r == 0) {
        g->r = put_environment(g->to, name, value, NULL, g->err);
    }
}

/* The cards of NVIDIA, where the driver is there; that it is not stands with the meter. */
static int put_gpus(struct tare_execute_args *to, struct tare_err *err)
{
    struct gpus g = {.to = to, .err = err};
    char why[256] = "";
    (void)tare_nvml_facts(NULL, put_gpu, &g, why, sizeof why);
    return g.r;
}

static int add_run(struct tare_execute_args *to, const struct tare_plan *plan, struct tare_err *err)
{
    char *text = NULL, sha256[TARE_SHA256_HEX], now[32];
    int r = tare_json_print(plan->json, false, &text, err);
    r = r == 0 ? tare_sha256(text, strlen(text), sha256, err) : r;
    if (r == 0) {
        tare_clock_format(tare_clock_wall_ns(), now, sizeof now);
        struct tare_run_row row = {.name = plan->options.name,
                                   .plan = text,
                                   .plan_sha256 = sha256,
                                   .seed = plan->options.seed,
                                   .started_utc = now,
                                   .tare_version = TARE_VERSION};
        r = tare_store_add_run(to->store, &row, &to->run_id, err);
    }
    free(text);
    r = r == 0 ? tare_certificate_cite(to->store, to->run_id, to->paths, err) : r;
    char folder[TARE_PATH_MAX];
    const struct tare_environment_roots roots = tare_execute_roots(to, folder, sizeof folder);
    r = r == 0 ? tare_environment_walk_at(&roots, put_environment, to, err) : r;
    return r == 0 ? put_gpus(to, err) : r;
}

int tare_record_run(struct tare_execute_args *to, const struct tare_plan *plan, struct tare_err *err)
{
    return tare_record_begin(to, plan, plan->options.repeats, err);
}

int tare_record_begin(struct tare_execute_args *to, const struct tare_plan *plan, int64_t n,
                      struct tare_err *err)
{
    int64_t *ids = calloc(plan->n_cells + 1, sizeof *ids);
    size_t *order = calloc(plan->n_cells + 1, sizeof *order);
    int r =
        ids && order ? tare_store_begin(to->store, err) : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    if (r == 0) {
        r = add_run(to, plan, err);
        r = r == 0 ? add_cells(to->store, to->run_id, plan, ids, err) : r;
        r = r == 0 ? add_repeats(to->store, plan, ids, 0, n, order, err) : r;
        if (r == 0) {
            r = tare_store_commit(to->store, err);
        } else {
            tare_store_rollback(to->store);
        }
    }
    free(ids);
    free(order);
    return r;
}

struct ids {
    int64_t *list;
    size_t n, cap;
};

static int see_cell(void *ctx, const struct tare_cell_row *row, struct tare_err *err)
{
    struct ids *ids = ctx;
    if (ids->n == ids->cap) {
        return tare_err_set(err, TARE_E_DATABASE, "the run has more cells than its plan");
    }
    ids->list[ids->n++] = row->id;
    return 0;
}

int tare_record_more(struct tare_execute_args *to, const struct tare_plan *plan, int64_t first, int64_t n,
                     struct tare_err *err)
{
    struct ids ids = {.list = calloc(plan->n_cells + 1, sizeof *ids.list), .cap = plan->n_cells};
    size_t *order = calloc(plan->n_cells + 1, sizeof *order);
    int r = ids.list && order ? tare_query_cells(to->store, to->run_id, see_cell, &ids, err)
                              : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    r = r == 0 ? tare_store_begin(to->store, err) : r;
    if (r == 0) {
        r = add_repeats(to->store, plan, ids.list, first, first + n, order, err);
        if (r == 0) {
            r = tare_store_commit(to->store, err);
        } else {
            tare_store_rollback(to->store);
        }
    }
    free(ids.list);
    free(order);
    return r;
}

int tare_record_end(const struct tare_execute_args *to, struct tare_judged *judged, struct tare_err *err)
{
    char now[32];
    struct tare_declared declared;
    tare_clock_format(tare_clock_wall_ns(), now, sizeof now);
    int r = tare_declared_read(to->plan, &declared, err);
    r = r == 0 ? tare_derive_run(to->store, to->run_id, to->options->baseline, &declared, judged, err) : r;
    r = r == 0 ? tare_store_finish_run(to->store, to->run_id, now, err) : r;
    return r == 0 ? tare_store_checkpoint(to->store, err) : r;
}
