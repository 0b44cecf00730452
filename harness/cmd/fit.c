/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `tare fit`: the smallest limit of memory that keeps the throughput. First a run without a limit, then one
 * for every limit tried: up until one does, down until one does not, and halves of what lies between.
 * "Memory needed" is this, and not the resident memory of an unlimited run.
 */
#include "cmd/fit.h"

#include "base/clock.h"
#include "cmd/backends.h"
#include "cmd/limit_group.h"
#include "cmd/plan_args.h"
#include "cmd/record.h"
#include "core/interrupt.h"
#include "store/query.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLAN_TEXT   "{\"tare\": 1, \"name\": \"fit\"}"
#define FIRST_GUESS ((int64_t)1 << 30) /* where no reading tells better */
#define LEAST       ((int64_t)1 << 20)
#define MOST        ((int64_t)1 << 47) /* what a process can address */

#define SPARE_NS    (INT64_C(5) * 1000000000)
#define SPARE_TIMES 3

static const char *const ways[] = {"rlimit", "cgroup", NULL};

struct fit_options {
    struct tare_run_options args; /* first: its options' offsets are ours */
    int64_t by;
    double keep;
    double resolution;
};

#define ARG(type_, member_) \
    .name = #member_, .type = type_, .offset = offsetof(struct tare_run_options, member_)
#define MEMBER(type_, member_) \
    .name = #member_, .type = type_, .offset = offsetof(struct fit_options, member_)

static const struct tare_opt options[] = {
    {ARG(TARE_OPT_STR, db), .def = "tare.db", .help = "database to write into; made if absent"},
    {MEMBER(TARE_OPT_CHOICE, by), .def = "rlimit", .choices = ways,
     .help = "what is limited: address space (rlimit), or memory charged to a cgroup"},
    {MEMBER(TARE_OPT_F64, keep), .def = "0.95", .help = "share of the unlimited throughput to keep, 0 to 1"},
    {MEMBER(TARE_OPT_F64, resolution), .def = "0.02",
     .help = "width of the bracket of the answer, relative to it"},
    {ARG(TARE_OPT_STR, repeats), .def = "3", .help = "repeats of every limit tried"},
    TARE_PLAN_ARG(model, TARE_OPT_REPEATABLE, "BACKEND[,path=FILE][,option=value...]"),
    TARE_PLAN_ARG(technique, TARE_OPT_REPEATABLE, "TAG"),
    TARE_PLAN_ARG(task, TARE_OPT_REPEATABLE, "TASK[,option=value...]"),
    TARE_PLAN_ARG(scenario, TARE_OPT_REPEATABLE, "single[,warmup=N][,window_tok=N]"),
    TARE_PLAN_ARG(seed, NULL, "seed of the items"),
    TARE_PLAN_ARG(
        time_limit, NULL,
        "longest life of one worker, such as 90s; if not given, 5 s and three times the unlimited run"),
    TARE_OPT_END};

struct search {
    const struct fit_options *o;
    const struct tare_paths *paths;
    struct tare_store *store;
    struct tare_fit *fit;
    struct tare_fit_step *step; /* while it is read back */
    int64_t cell_id;
    int64_t unlimited_ns; /* what the unlimited run took, all repeats */
    double need_bytes;    /* what the unlimited run says of its memory; 0: nothing */
};

/* Where an unlimited run's memory is told, for a first guess; the largest counts. */
static int see_reading(void *ctx, int64_t repeat_id, const struct tare_reading_record *r,
                       struct tare_err *err)
{
    struct search *s = ctx;
    const char *name = s->fit->by == TARE_FIT_RLIMIT ? "address_space_peak" : "peak_rss";
    (void)repeat_id;
    (void)err;
    if (strcmp(r->meter, "memory") == 0 && strcmp(r->name, name) == 0 && !r->absent) {
        s->need_bytes = fmax(s->need_bytes, r->value);
    }
    return 0;
}

static int see_figure(void *ctx, int64_t cell_id, const struct tare_figure *f, struct tare_err *err)
{
    struct search *s = ctx;
    (void)cell_id;
    (void)err;
    if (strcmp(f->name, "request_throughput") == 0 && !f->absent) {
        s->step->throughput = f->value;
        s->step->low = f->low;
        s->step->high = f->high;
    }
    return 0;
}

static int see_repeat(void *ctx, const struct tare_repeat_row *r, struct tare_err *err)
{
    struct search *s = ctx;
    (void)err;
    if (strcmp(r->outcome, "ok") != 0 && strcmp(s->step->outcome, "ok") == 0) {
        (void)snprintf(s->step->outcome, sizeof s->step->outcome, "%s", r->outcome);
        (void)snprintf(s->step->message, sizeof s->step->message, "%.199s", r->message ? r->message : "");
    }
    return 0;
}

static int see_cell(void *ctx, const struct tare_cell_row *cell, struct tare_err *err)
{
    (void)err;
    ((struct search *)ctx)->cell_id = cell->id;
    return 0;
}

static int read_back(struct search *s, struct tare_err *err)
{
    struct tare_fit_step *step = s->step;
    int r = tare_query_cells(s->store, step->run_id, see_cell, s, err);
    r = r == 0 ? tare_query_repeats(s->store, s->cell_id, see_repeat, s, err) : r;
    r = r == 0 ? tare_query_figures(s->store, s->cell_id, see_figure, s, err) : r;
    if (r == 0 && step->limit_bytes == 0) {
        r = tare_query_readings(s->store, s->cell_id, see_reading, s, err);
    }
    bool ended_well = strcmp(step->outcome, "ok") == 0;
    step->keeps = ended_well && step->throughput >= s->fit->keep * s->fit->steps[0].throughput;
    return r;
}

/* The plan of one step: what the command line says, with this limit. */
static int parse(const struct search *s, int64_t limit_bytes, const char *group, struct tare_plan *plan,
                 struct tare_err *err)
{
    char limit[32], name[64], folder[600], time_limit[48];
    struct tare_run_options args = s->o->args;
    struct tare_json *changes = NULL;
    (void)snprintf(limit, sizeof limit, "%lld", (long long)limit_bytes);
    (void)snprintf(name, sizeof name, "fit, %s %s", ways[s->fit->by], limit_bytes ? limit : "none");
    (void)snprintf(folder, sizeof folder, "%s", group ? group : "");
    args.name = name;
    if (!args.time_limit && s->unlimited_ns > 0) {
        /* A library may wait for memory for ever; what takes this long does not keep the throughput. */
        int64_t ns = SPARE_NS + SPARE_TIMES * s->unlimited_ns;
        (void)snprintf(time_limit, sizeof time_limit, "%lldns", (long long)ns);
        args.time_limit = time_limit;
    }
    args.memory_limit = group ? NULL : limit;
    args.cgroup = group ? folder : NULL;
    int r = tare_plan_args_json(&args, &changes, err);
    r = r == 0 ? tare_plan_parse(PLAN_TEXT, strlen(PLAN_TEXT), "command line", changes, s->paths, plan, err)
               : r;
    tare_json_destroy(changes);
    return r;
}

static int execute(struct search *s, const struct tare_plan *plan, struct tare_err *err)
{
    struct tare_judged judged = {0};
    struct tare_execute_args to = {.store = s->store,
                                   .paths = s->paths,
                                   .options = &plan->options,
                                   .plan = plan->json,
                                   .db = s->o->args.db,
                                   .progress = true};
    int r = tare_record_run(&to, plan, err);
    s->step->run_id = to.run_id;
    int64_t begin_ns = tare_clock_ns();
    r = r == 0 ? tare_execute(&to, err) : r;
    s->unlimited_ns = s->step->limit_bytes ? s->unlimited_ns : tare_clock_ns() - begin_ns;
    r = r == 0 ? tare_record_end(&to, &judged, err) : r;
    return r == 0 ? read_back(s, err) : r;
}

/* One run under one limit, 0 for none. */
static int try_limit(struct search *s, int64_t limit_bytes, struct tare_err *err)
{
    struct tare_fit *fit = s->fit;
    char group[600];
    bool grouped = fit->by == TARE_FIT_CGROUP && limit_bytes != 0;
    struct tare_plan plan = {0};
    if (fit->n_steps == TARE_FIT_MAX_STEPS) {
        return tare_err_set(err, TARE_E_LIMIT, "tare fit: no answer after %d steps", TARE_FIT_MAX_STEPS);
    }
    s->step = &fit->steps[fit->n_steps++];
    *s->step = (struct tare_fit_step){.limit_bytes = limit_bytes,
                                      .outcome = "ok",
                                      .throughput = (double)NAN,
                                      .low = (double)NAN,
                                      .high = (double)NAN};
    int r = grouped ? tare_limit_group_make(limit_bytes, group, sizeof group, err) : 0;
    if (r < 0) {
        return r;
    }
    r = parse(s, limit_bytes, grouped ? group : NULL, &plan, err);
    r = r == 0 ? execute(s, &plan, err) : r;
    tare_plan_fini(&plan);
    if (grouped) {
        tare_limit_group_remove(group);
    }
    return r;
}

static int64_t whole_pages(double bytes)
{
    int64_t page = sysconf(_SC_PAGESIZE);
    return (int64_t)ceil(bytes / (double)page) * page;
}

/* Up until a limit does, down until one does not. */
static int bracket(struct search *s, struct tare_err *err)
{
    struct tare_fit *fit = s->fit;
    int64_t limit = whole_pages(s->need_bytes > 0 ? 1.05 * s->need_bytes : (double)FIRST_GUESS);
    int r = 0;
    while (r == 0 && limit >= LEAST && limit <= MOST && !(fit->works_at_bytes && fit->fails_at_bytes)) {
        r = try_limit(s, limit, err);
        if (s->step->keeps) {
            fit->works_at_bytes = limit;
        } else {
            fit->fails_at_bytes = limit;
        }
        limit = fit->works_at_bytes ? whole_pages((double)limit / 2) : 2 * limit;
    }
    if (r == 0 && !fit->works_at_bytes) {
        r = tare_err_set(err, TARE_E_LIMIT, "tare fit: not even %lld bytes keep the throughput: %.200s",
                         (long long)fit->fails_at_bytes,
                         s->step->message[0] ? s->step->message : "it is too slow at every limit");
    }
    return r;
}

static int bisect(struct search *s, struct tare_err *err)
{
    struct tare_fit *fit = s->fit;
    int64_t page = sysconf(_SC_PAGESIZE);
    int r = 0;
    while (r == 0 && fit->fails_at_bytes) {
        int64_t gap = fit->works_at_bytes - fit->fails_at_bytes;
        if ((double)gap <= fit->resolution * (double)fit->works_at_bytes || gap <= page) {
            break;
        }
        int64_t limit = fit->fails_at_bytes + (gap / 2 + page - 1) / page * page;
        r = try_limit(s, limit, err);
        if (r == 0 && s->step->keeps) {
            fit->works_at_bytes = limit;
        } else if (r == 0) {
            fit->fails_at_bytes = limit;
        }
    }
    return r;
}

static int search(struct search *s, struct tare_err *err)
{
    struct tare_fit *fit = s->fit;
    int r = try_limit(s, 0, err);
    const struct tare_fit_step *base = &fit->steps[0];
    if (r == 0 && (strcmp(base->outcome, "ok") != 0 || !isfinite(base->throughput))) {
        r = tare_err_set(err, TARE_E_BACKEND, "tare fit: without a limit it does not work either: %.200s",
                         base->message[0] ? base->message : base->outcome);
    }
    fit->unsure = r == 0 && isfinite(base->low) && base->low < fit->keep * base->throughput;
    r = r == 0 ? bracket(s, err) : r;
    return r == 0 ? bisect(s, err) : r;
}

/* What is wrong with the question, before anything is written. */
static int check(const struct search *s, struct tare_err *err)
{
    const struct fit_options *o = s->o;
    struct tare_plan plan = {0};
    if (!o->args.model || !o->args.task) {
        return tare_err_set(err, TARE_E_USAGE, "tare fit: give it a --model and a --task");
    }
    if (!(o->keep > 0 && o->keep <= 1) || !(o->resolution > 0 && o->resolution < 1)) {
        return tare_err_set(err, TARE_E_USAGE,
                            "tare fit: --keep is above 0 and at most 1, --resolution above 0 "
                            "and below 1");
    }
    int r = parse(s, 0, NULL, &plan, err);
    if (r < 0) {
        return r;
    }
    r = plan.n_cells == 1 ? tare_backends_check(&plan, s->paths, err)
                          : tare_err_set(err, TARE_E_USAGE,
                                         "tare fit: one model, one task: this makes %zu cells", plan.n_cells);
    tare_plan_fini(&plan);
    return r;
}

static int run(const void *opts, const struct tare_command_args *args, struct tare_err *err)
{
    const struct fit_options *o = opts;
    struct tare_fit *fit = calloc(1, sizeof *fit);
    if (!fit) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    fit->by = (enum tare_fit_by)o->by;
    fit->keep = o->keep;
    fit->resolution = o->resolution;
    struct search s = {.o = o, .paths = args->paths, .fit = fit};
    int r = check(&s, err);
    r = r == 0 ? tare_store_open(o->args.db, TARE_STORE_CREATE, &s.store, err) : r;
    if (r == 0) {
        tare_interrupt_catch();
        r = search(&s, err);
        tare_store_close(s.store);
    }
    r = r == 0 ? tare_fit_print(fit, o->args.db, args->json, err) : r;
    free(fit);
    return r;
}

const struct tare_command tare_command_fit = {
    .name = "fit",
    .summary = "find the smallest memory limit that keeps the throughput",
    .arguments = "",
    .text =
        "Runs one model on one task without a limit, then under limits of memory, and halves the bracket "
        "until "
        "it is narrow: the answer is the smallest limit tried that keeps the share --keep of the unlimited "
        "throughput (median of the repeats). A worker that is refused memory or killed for it is an answer, "
        "not "
        "a failure. Every step is a run of its own in the database.\n\n"
        "--by rlimit bounds the address space (RLIMIT_AS): it needs no rights, and counts what is mapped or "
        "reserved, touched or not. --by cgroup bounds what is charged to a cgroup that is made for every "
        "step: "
        "resident memory and page cache; it needs the right to make one.",
    .max_words = 0,
    .options_size = sizeof(struct fit_options),
    .options = options,
    .run = run};
