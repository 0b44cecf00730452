/* SPDX-License-Identifier: Apache-2.0 */
/* `tare run`: a plan into cells, cells into workers, workers into the database, and the table. */
#include "cmd/cmd.h"

#include "base/log.h"
#include "cmd/backends.h"
#include "cmd/certificate.h"
#include "cmd/evidence.h"
#include "cmd/execute.h"
#include "cmd/fidelity_store.h"
#include "cmd/plan_args.h"
#include "cmd/plans.h"
#include "cmd/record.h"
#include "cmd/table.h"
#include "core/builtin.h"
#include "core/plan.h"
#include "core/interrupt.h"
#include "store/import.h"
#include "store/query.h"

#include <stdlib.h>
#include <string.h>

#define MEMBER(type_, member_) \
    .name = #member_, .type = type_, .offset = offsetof(struct tare_run_options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, db), .def = "tare.db", .help = "database to write into; made if absent"},
    {MEMBER(TARE_OPT_STR, resume), .help = "continue the newest run of this database where it was cut off"},
    {MEMBER(TARE_OPT_BOOL, dry_run), .help = "print the cells and an estimate of the time; run nothing"},
    {MEMBER(TARE_OPT_STR, format), .def = "term",
     .help = "how to print the table: term, md, html, latex, csv or json"},
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

static int execute_and_print(const struct tare_run_options *o, const struct tare_command_args *args,
                             struct tare_execute_args *to, const char *db, struct tare_err *err)
{
    struct tare_judged judged = {0};
    tare_interrupt_catch();
    int r = tare_execute(to, err);
    if (r == TARE_E_INTERRUPTED) {
        return tare_err_set(err, r, "interrupted; 'tare run --resume %s' continues", db);
    }
    r = r == 0 ? tare_record_end(to, &judged, err) : r;
    r = r == 0 ? tare_table_print(to->store, to->run_id, "survey", args->json ? "json" : o->format, NULL,
                                  false, err)
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
    struct stored_plan stored = {0};
    struct tare_execute_args to = {
        .paths = args->paths, .options = &stored.options, .db = o->resume, .resumed = true, .progress = true};
    int r = tare_store_open(o->resume, TARE_STORE_WRITE, &to.store, err);
    if (r < 0) {
        return r;
    }
    bool imported = false, lockstep = false;
    r = tare_query_last_run(to.store, &to.run_id, err);
    r = r == 0 ? tare_query_import(to.store, to.run_id, NULL, NULL, &imported, err) : r;
    if (r == 0 && imported) {
        r = tare_err_set(err, TARE_E_USAGE, "the newest run of %s was imported: there is nothing to continue",
                         o->resume);
    }
    r = r == 0 ? tare_fidelity_made(to.store, to.run_id, &lockstep, err) : r;
    if (r == 0 && lockstep) {
        r = tare_err_set(err, TARE_E_USAGE,
                         "the newest run of %s is of tare fidelity: there is nothing to continue", o->resume);
    }
    stored.run_id = to.run_id;
    r = r == 0 ? tare_store_blame(to.store, tare_query_runs(to.store, read_stored, &stored, err), err) : r;
    if (r == 0 && o->time_limit) {
        r = tare_opts_set(tare_plan_table, &stored.options, "time_limit", o->time_limit, "tare run", err);
    }
    to.plan = stored.json;
    r = r == 0 ? execute_and_print(o, args, &to, o->resume, err) : r;
    tare_json_destroy(stored.json);
    tare_opts_fini(tare_plan_table, &stored.options);
    tare_store_close(to.store);
    return r;
}

static int start(const struct tare_run_options *o, const struct tare_command_args *args,
                 const struct tare_plan *plan, struct tare_err *err)
{
    struct tare_execute_args to = {
        .paths = args->paths, .options = &plan->options, .plan = plan->json, .db = o->db, .progress = true};
    int r = tare_store_open(o->db, TARE_STORE_CREATE, &to.store, err);
    if (r < 0) {
        return r;
    }
    r = tare_record_run(&to, plan, err);
    r = r == 0 ? execute_and_print(o, args, &to, o->db, err) : r;
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
