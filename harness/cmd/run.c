/* SPDX-License-Identifier: Apache-2.0 */
/* `tare run`: a plan into cells, cells into workers, workers into the database, and the table. */
#include "cmd/cmd.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "cmd/backends.h"
#include "cmd/certificate.h"
#include "cmd/evidence.h"
#include "cmd/execute.h"
#include "cmd/plan_args.h"
#include "cmd/plans.h"
#include "cmd/table.h"
#include "config.h"
#include "core/builtin.h"
#include "core/environment.h"
#include "core/plan.h"
#include "core/supervisor.h"
#include "store/query.h"

#include <stdlib.h>
#include <string.h>

#define MEMBER(type_, member_) \
    .name = #member_, .type = type_, .offset = offsetof(struct tare_run_options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, db), .def = "tare.db", .help = "database to write into; made if absent"},
    {MEMBER(TARE_OPT_STR, resume), .help = "continue the newest run of this database where it was cut off"},
    {MEMBER(TARE_OPT_BOOL, dry_run), .help = "print the cells and an estimate of the time; run nothing"},
    {MEMBER(TARE_OPT_STR, format), .def = "term", .help = "how to print the table: term, md, csv or json"},
    TARE_PLAN_ARGS_OPTIONS,
    TARE_OPT_END};

/* Text of the plan: a file, standard input, the built-in one, or an empty one to be filled. */
static int read_plan_text(const struct tare_run_options *o, const struct tare_command_args *args,
                          struct tare_buf *text, const char **what, struct tare_err *err)
{
    const char *builtin = args->n_words > 0 ? tare_plans_find(args->words[0]) : NULL;
    if (args->n_words > 0 && !builtin) {
        *what = args->words[0];
        int r =
            tare_buf_read_file(text, strcmp(args->words[0], "-") == 0 ? "/dev/stdin" : args->words[0], err);
        return r < 0 ? TARE_E_USAGE : 0; /* a plan that cannot be read is a wrong argument */
    }
    bool own = !builtin && (o->model || o->task);
    *what = own ? "command line" : "built-in plan";
    tare_buf_add_str(text, own       ? "{\"tare\": 1, \"name\": \"command line\"}"
                           : builtin ? builtin
                                     : tare_plans_find(NULL));
    return tare_buf_check(text, *what, err);
}

static int parse_plan(const struct tare_run_options *o, const struct tare_command_args *args,
                      struct tare_plan *plan, struct tare_err *err)
{
    struct tare_json *changes = NULL;
    struct tare_buf text;
    const char *what = NULL;
    tare_buf_init(&text, 4 << 20);
    int r = read_plan_text(o, args, &text, &what, err);
    r = r == 0 ? tare_plan_args_json(o, &changes, err) : r;
    r = r == 0 ? tare_plan_parse(tare_buf_str(&text), text.used, what, changes, args->paths, plan, err) : r;
    tare_json_destroy(changes);
    tare_buf_fini(&text);
    return r;
}

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

/* All repeats of all blocks, in the order in which they will run. */
static int add_repeats(struct tare_store *store, const struct tare_plan *plan, const int64_t *ids,
                       size_t *order, struct tare_err *err)
{
    int r = 0;
    for (int64_t block = 0; r == 0 && block < plan->options.repeats; block++) {
        tare_plan_order(plan->options.seed, block, plan->n_cells, order);
        for (size_t i = 0; r == 0 && i < plan->n_cells; i++) {
            int64_t id;
            if (block >= plan->cells[order[i]].repeats) {
                continue;
            }
            r = tare_store_add_repeat(store, ids[order[i]], block, (int64_t)i, &id, err);
        }
    }
    return r;
}

static int add_run(struct tare_execute_args *to, const struct tare_plan *plan, const struct tare_paths *paths,
                   struct tare_err *err)
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
    r = r == 0 ? tare_certificate_cite(to->store, to->run_id, paths, err) : r;
    return r == 0 ? tare_environment_walk(put_environment, to, err) : r;
}

/* The whole run enters the database before its first worker starts: that is what resuming reads. */
static int record_plan(struct tare_execute_args *to, const struct tare_plan *plan,
                       const struct tare_paths *paths, struct tare_err *err)
{
    int64_t *ids = calloc(plan->n_cells + 1, sizeof *ids);
    size_t *order = calloc(plan->n_cells + 1, sizeof *order);
    int r =
        ids && order ? tare_store_begin(to->store, err) : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    if (r == 0) {
        r = add_run(to, plan, paths, err);
        r = r == 0 ? add_cells(to->store, to->run_id, plan, ids, err) : r;
        r = r == 0 ? add_repeats(to->store, plan, ids, order, err) : r;
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

struct stored_plan {
    int64_t run_id;
    struct tare_json *json; /* owned */
    struct tare_plan_options options;
};

static int read_stored(void *ctx, const struct tare_run_row *row, struct tare_err *err)
{
    struct stored_plan *stored = ctx;
    if (row->id != stored->run_id) {
        return 0;
    }
    struct tare_json *json = NULL;
    int r = tare_json_parse(row->plan, strlen(row->plan), "stored plan", &json, err);
    r = r == 0 ? tare_plan_read_options(json, &stored->options, err) : r;
    stored->json = json;
    return r;
}

static int finish(const struct tare_execute_args *to, const struct tare_plan_options *plan,
                  const struct tare_json *json, struct tare_judged *judged, struct tare_err *err)
{
    char now[32];
    struct tare_declared declared;
    tare_clock_format(tare_clock_wall_ns(), now, sizeof now);
    int r = tare_declared_read(json, &declared, err);
    r = r == 0 ? tare_derive_run(to->store, to->run_id, plan->baseline, &declared, judged, err) : r;
    r = r == 0 ? tare_store_finish_run(to->store, to->run_id, now, err) : r;
    return r == 0 ? tare_store_checkpoint(to->store, err) : r;
}

static int execute_and_print(const struct tare_run_options *o, const struct tare_command_args *args,
                             struct tare_execute_args *to, const struct tare_plan_options *plan,
                             const struct tare_json *json, const char *db, struct tare_err *err)
{
    struct tare_judged judged = {0};
    tare_supervise_catch_signals();
    to->paths = args->paths;
    to->options = plan;
    to->meters = tare_json_get(json, "meters");
    to->progress = true;
    int r = tare_execute(to, err);
    if (r == TARE_E_INTERRUPTED) {
        return tare_err_set(err, r, "interrupted; 'tare run --resume %s' continues", db);
    }
    r = r == 0 ? finish(to, plan, json, &judged, err) : r;
    r = r == 0 ? tare_table_print(to->store, to->run_id, "survey", args->json ? "json" : o->format, NULL, err)
               : r;
    if (r < 0) {
        return r;
    }
    tare_log(TARE_LOG_INFO, NULL,
             "%lld cells valid, %lld invalid, %lld skipped; samples and figures are in %s",
             (long long)judged.valid, (long long)judged.invalid, (long long)judged.skipped, db);
    return judged.failed ? TARE_EXIT_CELL : judged.invalid ? TARE_EXIT_INVALID : TARE_EXIT_OK;
}

static int resume(const struct tare_run_options *o, const struct tare_command_args *args,
                  struct tare_err *err)
{
    struct tare_execute_args to = {0};
    struct stored_plan stored = {0};
    int r = tare_store_open(o->resume, TARE_STORE_WRITE, &to.store, err);
    if (r < 0) {
        return r;
    }
    r = tare_query_last_run(to.store, &to.run_id, err);
    stored.run_id = to.run_id;
    r = r == 0 ? tare_store_blame(to.store, tare_query_runs(to.store, read_stored, &stored, err), err) : r;
    if (r == 0 && o->time_limit) {
        r = tare_opts_set(tare_plan_table, &stored.options, "time_limit", o->time_limit, "tare run", err);
    }
    r = r == 0 ? execute_and_print(o, args, &to, &stored.options, stored.json, o->resume, err) : r;
    tare_json_destroy(stored.json);
    tare_opts_fini(tare_plan_table, &stored.options);
    tare_store_close(to.store);
    return r;
}

static int start(const struct tare_run_options *o, const struct tare_command_args *args,
                 const struct tare_plan *plan, struct tare_err *err)
{
    struct tare_execute_args to = {0};
    int r = tare_store_open(o->db, TARE_STORE_CREATE, &to.store, err);
    if (r < 0) {
        return r;
    }
    r = record_plan(&to, plan, args->paths, err);
    r = r == 0 ? execute_and_print(o, args, &to, &plan->options, plan->json, o->db, err) : r;
    tare_store_close(to.store);
    return r;
}

static int run(const void *opts, const struct tare_command_args *args, struct tare_err *err)
{
    const struct tare_run_options *o = opts;
    const struct tare_format *format = NULL;
    int known = tare_find_format(o->format, &format, err); /* now, and not after hours of measuring */
    if (known < 0) {
        return known;
    }
    if (o->resume) {
        return args->n_words || o->dry_run || tare_plan_args_given(o)
                   ? tare_err_set(
                         err, TARE_E_USAGE,
                         "tare run: --resume takes its plan from the database; only --time-limit can differ")
                   : resume(o, args, err);
    }
    struct tare_plan plan = {0};
    int r = parse_plan(o, args, &plan, err);
    if (r < 0) {
        return r;
    }
    r = tare_backends_check(&plan, args->paths, err);
    r = r == 0 ? tare_meters_probe(&plan, args->paths, err) : r;
    if (r == 0) {
        r = o->dry_run ? tare_plan_show(&plan, o->db, args->json, err) : start(o, args, &plan, err);
    }
    tare_plan_fini(&plan);
    return r;
}

const struct tare_command tare_command_run = {
    .name = "run",
    .summary = "run a plan and print its table",
    .arguments = "[PLAN]",
    .text =
        "Runs every cell of the plan (models x techniques x tasks x scenarios) in worker processes of their "
        "own, "
        "in several blocks of random order, writes every sample into the database and prints the table.\n\n"
        "PLAN is the name of a built-in plan ('tare list plans' shows them), a JSON file, or '-' for "
        "standard "
        "input. Without a plan, --model and --task make one: "
        "--model native,path=zoo:llama-1m --task text. Without either, the built-in plan 'quick' runs on the "
        "shipped models. --set changes a single option of any plan: 'tare run zoo --set text.path=FILE' "
        "measures the same table on another text.\n\n"
        "A backend that crashes, hangs or runs out of memory is recorded as the cell's outcome, and the "
        "other "
        "cells go on. After any interruption --resume DB continues at the first sample that is not stored.",
    .max_words = 1,
    .options_size = sizeof(struct tare_run_options),
    .options = options,
    .run = run};
