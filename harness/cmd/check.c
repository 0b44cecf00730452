/* SPDX-License-Identifier: Apache-2.0 */
/* `tare check`: the gate. Base and candidate run now, here, block by block; what is proved is said. */
#include "cmd/cmd.h"

#include "base/log.h"
#include "cmd/backends.h"
#include "cmd/check_output.h"
#include "cmd/check_plan.h"
#include "cmd/check_run.h"
#include "cmd/plan_args.h"
#include "core/interrupt.h"
#include "store/query.h"

#include <stdlib.h>
#include <string.h>

struct check_options {
    char *db;
    char *from;
    int64_t run;
    char *format;
    char *output;
    char *base;
    char *candidate;
    char *base_tare;
    char *candidate_tare;
    char *task;
    char *scenario;
    char *metric;
    char *name;
    char *blocks;
    char *runs_per_block;
    char *noise;
    char *seed;
    char *time_limit;
    char *meter;
    bool strict;
};

#define MEMBER(type_, member_) \
    .name = #member_, .type = type_, .offset = offsetof(struct check_options, member_)
#define TEXT(member_, unit_, help_)                                 \
    {                                                               \
        MEMBER(TARE_OPT_STR, member_), .unit = unit_, .help = help_ \
    }

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, db), .def = "tare.db", .help = "database to write into; made if absent"},
    TEXT(from, NULL, "decide again on a stored check of this database; run nothing"),
    {MEMBER(TARE_OPT_I64, run), .def = "0", .min = 0, .max = INT64_MAX,
     .help = "with --from: number of the run; 0: the newest"},
    {MEMBER(TARE_OPT_STR, format), .def = "term", .help = "what to print; see --output"},
    TEXT(output, TARE_OPT_REPEATABLE,
         "FORMAT=FILE: term, json, md, junit, sarif, github, bmf, bigger, smaller, openmetrics"),
    TEXT(base, NULL, "BACKEND[,path=FILE][,option=value...], and technique=TAG, tare=EXE, backends=FOLDER"),
    TEXT(candidate, NULL, "the same for the other arm"),
    TEXT(base_tare, NULL, "executable whose workers run the base"),
    TEXT(candidate_tare, NULL, "executable whose workers run the candidate"),
    TEXT(task, TARE_OPT_REPEATABLE, "TASK[,name=LABEL][,option=value...] of both arms"),
    TEXT(scenario, TARE_OPT_REPEATABLE, "single[,warmup=N][,window_tok=N]"),
    TEXT(metric, TARE_OPT_REPEATABLE, "FIGURE[,task=PATTERN][,margin=0.02], rule=timing, exact or quality"),
    TEXT(name, NULL, "what the gate is for"),
    TEXT(blocks, NULL, "blocks of a stage"),
    TEXT(runs_per_block, NULL, "runs of each arm in a block"),
    TEXT(noise, NULL, "void: disturbed blocks are run again; flag: they count"),
    TEXT(seed, NULL, "seed of items and order"),
    TEXT(time_limit, NULL, "longest life of one worker, such as 90s"),
    TEXT(meter, TARE_OPT_REPEATABLE, "NAME or FILE.so[,off=true][,option=value...]"),
    {MEMBER(TARE_OPT_BOOL, strict), .def = "false", .help = "inconclusive and skipped fail the gate"},
    TARE_OPT_END};

/* A single arm out of --base or --candidate; the array that it is read into holds one. */
static int add_arm(struct tare_json *rules, const char *key, const char *value, struct tare_err *err)
{
    struct tare_json *holder = tare_json_new_object();
    int r = holder ? tare_plan_args_list("arms", value, holder, err)
                   : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    const struct tare_json *first = tare_json_first(tare_json_get(holder, "arms"));
    if (r == 0 && first) {
        tare_json_add_copy(rules, key, first);
    }
    tare_json_destroy(holder);
    return r;
}

/* The rules as the command line gives them. */
static int rules_of_options(const struct check_options *o, struct tare_json **out, struct tare_err *err)
{
    if (!o->base || !o->candidate || !o->task || !o->metric) {
        return tare_err_set(err, TARE_E_USAGE,
                            "tare check: needs a rule file, or --base, --candidate, --task and --metric");
    }
    struct tare_json *rules = tare_json_new_object();
    tare_json_add_i64(rules, "tare", 1);
    struct tare_json *plan = tare_json_add_object(rules, "plan");
    int r = tare_plan_args_list("tasks", o->task, plan, err);
    r = r == 0 ? tare_plan_args_list("scenarios", o->scenario, plan, err) : r;
    r = r == 0 ? add_arm(rules, "base", o->base, err) : r;
    r = r == 0 ? add_arm(rules, "candidate", o->candidate, err) : r;
    r = r == 0 ? tare_plan_args_list("metrics", o->metric, rules, err) : r;
    if (r < 0) {
        tare_json_destroy(rules);
        return r;
    }
    *out = rules;
    return 0;
}

static bool is_in(const char *key, const char *const (*list)[2], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i][1] && strcmp(list[i][0], key) == 0) {
            return true;
        }
    }
    return false;
}

static struct tare_json *with(const struct tare_json *object, const char *const (*keys)[2], size_t n,
                              const char *without)
{
    struct tare_json *to = tare_json_new_object();
    for (const struct tare_json *v = tare_json_first(object); v; v = tare_json_next(v)) {
        if (!is_in(tare_json_key(v), keys, n) && strcmp(tare_json_key(v), without) != 0) {
            tare_json_add_copy(to, tare_json_key(v), v);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (keys[i][1]) {
            tare_json_add_str(to, keys[i][0], keys[i][1]);
        }
    }
    return to;
}

/* The rules with another executable for an arm; takes them over. An arm that is no object is told later. */
static struct tare_json *set_worker(struct tare_json *rules, const char *arm, const char *exe)
{
    const char *const tare[][2] = {{"tare", exe}};
    const struct tare_json *old = tare_json_get(rules, arm);
    if (!exe || (old && tare_json_type(old) != TARE_JSON_OBJECT)) {
        return rules;
    }
    struct tare_json *to = with(rules, NULL, 0, arm), *changed = with(old, tare, 1, "");
    tare_json_add_copy(to, arm, changed);
    tare_json_destroy(changed);
    tare_json_destroy(rules);
    return to;
}

/* What was given beside a rule file replaces its keys. */
static int change_rules(const struct check_options *o, struct tare_json **rules, struct tare_err *err)
{
    const char *const own[][2] = {{"name", o->name},
                                  {"blocks", o->blocks},
                                  {"runs_per_block", o->runs_per_block},
                                  {"noise", o->noise},
                                  {"strict", o->strict ? "true" : NULL}};
    const char *const of_plan[][2] = {{"seed", o->seed}, {"time_limit", o->time_limit}};
    const struct tare_json *plan = tare_json_get(*rules, "plan");
    if (!plan || tare_json_type(plan) != TARE_JSON_OBJECT) {
        return 0; /* told by whoever reads the rules */
    }
    struct tare_json *to = with(*rules, own, sizeof own / sizeof *own, "plan");
    to = set_worker(to, "base", o->base_tare);
    to = set_worker(to, "candidate", o->candidate_tare);
    struct tare_json *changed =
        with(plan, of_plan, sizeof of_plan / sizeof *of_plan, o->meter ? "meters" : "");
    int r = o->meter ? tare_plan_args_list("meters", o->meter, changed, err) : 0;
    tare_json_add_copy(to, "plan", changed);
    tare_json_destroy(changed);
    tare_json_destroy(*rules);
    *rules = to;
    return r;
}

static int read_rules(const struct check_options *o, const struct tare_command_args *args, const char *what,
                      struct tare_gate_rules *out, struct tare_err *err)
{
    struct tare_json *json = NULL;
    bool own = o->base || o->candidate || o->task || o->metric || o->scenario;
    int r;
    if (args->n_words && own) {
        return tare_err_set(
            err, TARE_E_USAGE,
            "tare check: a rule file says itself what --base, --candidate, --task, --scenario "
            "and --metric would");
    }
    if (args->n_words) {
        r = tare_json_load(args->words[0], 4 << 20, &json, err);
        if (r < 0) {
            return err ? (err->code = TARE_E_USAGE) : TARE_E_USAGE;
        }
    } else {
        r = rules_of_options(o, &json, err);
    }
    r = r == 0 ? change_rules(o, &json, err) : r;
    if (r < 0) {
        tare_json_destroy(json);
        return r;
    }
    return tare_gate_rules_read(json, what, out, err);
}

static int parse_plan(const struct tare_gate_rules *rules, const char *what, const struct tare_paths *paths,
                      struct tare_plan *out, struct tare_err *err)
{
    char *text = NULL;
    int r = tare_check_arms(rules, paths, err);
    r = r == 0 ? tare_check_plan(rules, what, &text, err) : r;
    r = r == 0 ? tare_plan_parse(text, strlen(text), what, NULL, paths, out, err) : r;
    free(text);
    if (r < 0) {
        return r;
    }
    r = tare_backends_check(out, paths, err);
    r = r == 0 ? tare_meters_probe(out, paths, err) : r;
    if (r < 0) {
        tare_plan_fini(out);
    }
    return r;
}

static int show(const struct check_options *o, const struct tare_command_args *args, struct tare_store *store,
                const char *db, int64_t run_id, const char *what, const struct tare_gate_rules *rules,
                const struct tare_check_state *state, struct tare_err *err)
{
    const struct tare_check_show to = {.store = store,
                                       .db = db,
                                       .run_id = run_id,
                                       .rules_path = what,
                                       .format = args->json ? "json" : o->format,
                                       .outputs = o->output};
    return tare_check_show(&to, rules, state, err);
}

static int run_now(const struct check_options *o, const struct tare_command_args *args, struct tare_err *err)
{
    const char *what = args->n_words ? args->words[0] : "command line";
    struct tare_gate_rules rules = {0};
    struct tare_plan plan = {0};
    struct tare_check_state state = {0};
    struct tare_execute_args to = {.paths = args->paths, .db = o->db, .progress = true};
    int r = read_rules(o, args, what, &rules, err);
    if (r < 0) {
        return r;
    }
    r = parse_plan(&rules, what, args->paths, &plan, err);
    to.options = &plan.options;
    to.plan = plan.json;
    r = r == 0 ? tare_store_open(o->db, TARE_STORE_CREATE, &to.store, err) : r;
    if (r == 0) {
        tare_interrupt_catch();
        r = tare_check_run(&to, &plan, &rules, &state, err);
        if (r == TARE_E_INTERRUPTED) {
            r = tare_err_set(err, r, "interrupted; a gate needs all of its blocks in one session");
        }
        r = r == 0 ? show(o, args, to.store, o->db, to.run_id, what, &rules, &state, err) : r;
        tare_check_state_fini(&state);
        tare_store_close(to.store);
    }
    tare_plan_fini(&plan);
    tare_gate_rules_fini(&rules);
    return r;
}

struct stored {
    int64_t run_id;
    struct tare_json *rules; /* owned */
};

static int see_run(void *ctx, const struct tare_run_row *row, struct tare_err *err)
{
    struct stored *s = ctx;
    struct tare_json *plan = NULL;
    if (row->id != s->run_id) {
        return 0;
    }
    int r = tare_json_parse(row->plan, strlen(row->plan), "stored plan", &plan, err);
    const struct tare_json *check = tare_json_get(plan, "check");
    if (r == 0 && !check) {
        r = tare_err_set(err, TARE_E_USAGE, "run %lld is no check; 'tare compare' is for other runs",
                         (long long)row->id);
    }
    char *text = NULL;
    r = r == 0 ? tare_json_print(check, false, &text, err) : r;
    r = r == 0 ? tare_json_parse(text, strlen(text), "stored rules", &s->rules, err) : r;
    free(text);
    tare_json_destroy(plan);
    return r;
}

static int look_back(const struct check_options *o, const struct tare_command_args *args,
                     struct tare_err *err)
{
    struct stored stored = {.run_id = o->run};
    struct tare_store *store = NULL;
    struct tare_gate_rules rules = {0};
    struct tare_check_state state = {0};
    int r = tare_store_open(o->from, TARE_STORE_READ, &store, err);
    if (r < 0) {
        return r;
    }
    r = stored.run_id ? 0 : tare_query_last_run(store, &stored.run_id, err);
    r = r == 0 ? tare_query_runs(store, see_run, &stored, err) : r;
    if (r == 0 && !stored.rules) {
        r = tare_err_set(err, TARE_E_USAGE, "%s: has no run %lld", o->from, (long long)stored.run_id);
    }
    if (r < 0) {
        tare_json_destroy(stored.rules);
    } else {
        r = tare_gate_rules_read(stored.rules, "stored rules", &rules, err);
    }
    r = r == 0 ? tare_check_look(store, stored.run_id, &rules, &state, err) : r;
    r = r == 0 ? show(o, args, store, o->from, stored.run_id, "", &rules, &state, err) : r;
    tare_check_state_fini(&state);
    tare_gate_rules_fini(&rules);
    tare_store_close(store);
    return r;
}

static int check(const void *opts, const struct tare_command_args *args, struct tare_err *err)
{
    const struct check_options *o = opts;
    int r = tare_check_outputs(args->json ? "json" : o->format, o->output, err); /* now, not after an hour */
    if (r < 0) {
        return r;
    }
    bool own = args->n_words || o->base || o->candidate || o->task || o->metric;
    if (o->from && own) {
        return tare_err_set(err, TARE_E_USAGE, "tare check: --from takes its rules from the database");
    }
    return o->from ? look_back(o, args, err) : run_now(o, args, err);
}

const struct tare_command tare_command_check = {
    .name = "check",
    .summary = "the gate: is the candidate worse than the base?",
    .arguments = "[RULES.json]",
    .text =
        "Runs base and candidate now, on this machine, in blocks of random order, and fails only when a "
        "regression is proved: in two stages, by signed ranks, at most one false alarm in a thousand a "
        "metric. Times are compared by ratio, what repeats exactly is compared exactly, quality item by "
        "item. What proves nothing is called inconclusive, with the number of blocks or items that would "
        "decide; it is never called a pass.\n\n"
        "Exit status: 0 nothing failed, 1 the gate failed (or, with --strict, something is inconclusive or "
        "skipped), 3 an arm crashed or failed, 4 values are not what a rule needs, 5 more than a fifth of "
        "the blocks was disturbed.\n\n"
        "Everything is stored: 'tare check --from DB' decides again on what was measured.",
    .max_words = 1,
    .options_size = sizeof(struct check_options),
    .options = options,
    .run = check};
