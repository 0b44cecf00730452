/* SPDX-License-Identifier: Apache-2.0 */
/* `tare derive`: figures and verdicts again, from the stored samples and readings. */
#include "cmd/cmd.h"

#include "base/log.h"
#include "cmd/evidence.h"
#include "cmd/fidelity_store.h"
#include "cmd/plan_args.h"
#include "core/plan.h"
#include "store/import.h"
#include "store/query.h"

#include <string.h>

struct derive_options {
    char *db;
    int64_t run;
    char *baseline;
    char *energy_model;
    char *prices;
    char *carbon;
};

#define MEMBER(type_, member_) \
    .name = #member_, .type = type_, .offset = offsetof(struct derive_options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, db), .def = "tare.db", .help = "database"},
    {MEMBER(TARE_OPT_I64, run), .def = "0", .min = 0, .max = INT64_MAX,
     .help = "number of the run; 0: the newest"},
    {MEMBER(TARE_OPT_STR, baseline), .help = "model that speed-ups refer to, instead of the plan's"},
    {MEMBER(TARE_OPT_STR, energy_model), .help = TARE_HELP_ENERGY_MODEL},
    {MEMBER(TARE_OPT_STR, prices), .help = TARE_HELP_PRICES},
    {MEMBER(TARE_OPT_STR, carbon), .help = TARE_HELP_CARBON},
    TARE_OPT_END};

struct stored {
    int64_t run_id;
    bool found;
    struct tare_plan_options plan;
    const struct tare_json *changes; /* what is declared instead of the plan's */
    struct tare_declared declared;
};

/* The options that were given, checked, with their files read. */
static int read_changes(const struct derive_options *o, struct tare_json **out, struct tare_err *err)
{
    const char *const pairs[][2] = {
        {"energy_model", o->energy_model}, {"prices", o->prices}, {"carbon", o->carbon}};
    struct tare_json *given = tare_json_new_object();
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (pairs[i][1]) {
            tare_json_add_str(given, pairs[i][0], pairs[i][1]);
        }
    }
    int r = tare_declared_embed(given, out, err);
    tare_json_destroy(given);
    return r;
}

/* What the stored plan declares, but for what is declared now. */
static int read_declared(const struct tare_json *plan, struct stored *s, struct tare_err *err)
{
    struct tare_json *both = tare_json_new_object();
    for (size_t i = 0; tare_declared_keys[i]; i++) {
        const struct tare_json *now = tare_json_get(s->changes, tare_declared_keys[i]);
        const struct tare_json *value = now ? now : tare_json_get(plan, tare_declared_keys[i]);
        if (value) {
            tare_json_add_copy(both, tare_declared_keys[i], value);
        }
    }
    int r =
        both ? tare_declared_read(both, &s->declared, err) : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    tare_json_destroy(both);
    return r;
}

static int read_plan(void *ctx, const struct tare_run_row *row, struct tare_err *err)
{
    struct stored *s = ctx;
    struct tare_json *json = NULL;
    if (row->id != s->run_id) {
        return 0;
    }
    s->found = true;
    int r = tare_json_parse(row->plan, strlen(row->plan), "stored plan", &json, err);
    r = r == 0 ? tare_plan_read_options(json, &s->plan, err) : r;
    r = r == 0 ? read_declared(json, s, err) : r;
    tare_json_destroy(json);
    return r;
}

struct search {
    const char *model;
    bool found;
};

static int look(void *ctx, const struct tare_cell_row *cell, struct tare_err *err)
{
    struct search *s = ctx;
    (void)err;
    s->found = s->found || strcmp(cell->model, s->model) == 0;
    return 0;
}

/* A baseline that nobody ran is a mistake, not a reason for absent figures. */
static int check_baseline(struct tare_store *store, int64_t run_id, const char *baseline,
                          struct tare_err *err)
{
    struct search s = {.model = baseline};
    int r = baseline ? tare_query_cells(store, run_id, look, &s, err) : 0;
    return r == 0 && baseline && !s.found
               ? tare_err_set(err, TARE_E_USAGE, "baseline \"%.60s\" is none of the run's models", baseline)
               : r;
}

/* No row of logits is kept, and figures that were replaced by none would be lost. */
static int check_sampled(struct tare_store *store, int64_t run_id, struct tare_err *err)
{
    bool lockstep = false;
    int r = tare_fidelity_made(store, run_id, &lockstep, err);
    return r == 0 && lockstep ? tare_err_set(err, TARE_E_USAGE,
                                             "run %lld is of tare fidelity, which keeps no samples: its "
                                             "figures stand as they are",
                                             (long long)run_id)
                              : r;
}

/* What another program reported has no samples to derive it from. */
static int check_measured(struct tare_store *store, int64_t run_id, struct tare_err *err)
{
    bool imported = false;
    int r = tare_query_import(store, run_id, NULL, NULL, &imported, err);
    return r == 0 && imported ? tare_err_set(err, TARE_E_USAGE,
                                             "run %lld was imported: its figures are what its file reports",
                                             (long long)run_id)
                              : r;
}

static int print(const struct tare_judged *judged, bool json, struct tare_err *err)
{
    if (!json) {
        tare_log(TARE_LOG_INFO, NULL, "%lld cells valid, %lld invalid, %lld skipped",
                 (long long)judged->valid, (long long)judged->invalid, (long long)judged->skipped);
        return 0;
    }
    struct tare_json *o = tare_json_new_object();
    tare_json_add_i64(o, "valid", judged->valid);
    tare_json_add_i64(o, "invalid", judged->invalid);
    tare_json_add_i64(o, "skipped", judged->skipped);
    return tare_print_json(o, err);
}

static int derive(const void *opts, const struct tare_command_args *args, struct tare_err *err)
{
    const struct derive_options *o = opts;
    struct tare_store *store = NULL;
    struct stored stored = {.run_id = o->run};
    struct tare_judged judged = {0};
    struct tare_json *changes = NULL;
    int r = read_changes(o, &changes, err);
    r = r == 0 ? tare_store_open(args->n_words ? args->words[0] : o->db, TARE_STORE_WRITE, &store, err) : r;
    if (r < 0) {
        tare_json_destroy(changes);
        return r;
    }
    stored.changes = changes;
    r = stored.run_id ? 0 : tare_query_last_run(store, &stored.run_id, err);
    r = r == 0 ? check_measured(store, stored.run_id, err) : r;
    r = r == 0 ? check_sampled(store, stored.run_id, err) : r;
    r = r == 0 ? tare_store_blame(store, tare_query_runs(store, read_plan, &stored, err), err) : r;
    if (r == 0 && !stored.found) {
        r = tare_err_set(err, TARE_E_USAGE, "the database has no run %lld", (long long)stored.run_id);
    }
    const char *baseline = o->baseline ? o->baseline : stored.plan.baseline;
    r = r == 0 ? check_baseline(store, stored.run_id, o->baseline, err) : r;
    r = r == 0 ? tare_derive_run(store, stored.run_id, baseline, &stored.declared, &judged, err) : r;
    r = r == 0 ? tare_store_checkpoint(store, err) : r;
    tare_opts_fini(tare_plan_table, &stored.plan);
    tare_store_close(store);
    tare_json_destroy(changes);
    return r == 0 ? print(&judged, args->json, err) : r;
}

const struct tare_command tare_command_derive = {
    .name = "derive",
    .summary = "compute figures and verdicts again from stored samples",
    .arguments = "[DB]",
    .text = "Every figure is a function of the samples and readings in the database. This command brings an "
            "older "
            "database to the current schema and replaces its figures. With --prices, --carbon or "
            "--energy-model it "
            "does so by other declarations than the run's own, which stay in the database.",
    .max_words = 1,
    .options_size = sizeof(struct derive_options),
    .options = options,
    .run = derive};
