/* SPDX-License-Identifier: Apache-2.0 */
/* The loop over repeats, and the glue between a worker's stream and the store. */
#include "cmd/execute.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "cmd/artifacts.h"
#include "cmd/progress.h"
#include "cmd/rest.h"
#include "core/builtin.h"
#include "core/environment.h"
#include "core/meters.h"
#include "core/outside.h"
#include "core/padding.h"
#include "core/spec.h"
#include "core/supervisor.h"
#include "store/digest.h"
#include "store/query.h"

#include <stdlib.h>
#include <string.h>

enum { max_transaction_rows = 20000 };

/* One repeat to be run. */
struct job {
    int64_t repeat_id;
    int64_t cell_id;
    int64_t block, position;
    int64_t items;
    char *spec;  /* owned */
    char *label; /* model and task, for people; owned */
};

struct jobs {
    struct job *list;
    size_t n, cap;
    const struct tare_cell_row *cell; /* while collecting */
    struct tare_store *store;
};

/* What the stream of one attempt is written to. */
struct recorder {
    struct tare_store *store;
    const struct job *job;
    int64_t attempt_id;
    int64_t rows; /* in the open transaction */
    int64_t samples;
    const char *const *columns; /* of the task's own numbers; NULL: none */
    struct tare_progress *progress;
    struct tare_outside *outside;
    bool stopped;            /* the user asked to stop while the machine was measured at rest behind it */
    const char *fingerprint; /* of the machine's settings as the run began or was taken up */
};

static int commit(struct recorder *rec, struct tare_err *err)
{
    rec->rows = 0;
    int r = tare_store_commit(rec->store, err);
    return r == 0 ? tare_store_begin(rec->store, err) : r;
}

static int count_row(struct recorder *rec, struct tare_err *err)
{
    return ++rec->rows >= max_transaction_rows ? commit(rec, err) : 0;
}

static int on_items(void *ctx, int64_t n, struct tare_err *err)
{
    struct recorder *rec = ctx;
    if (rec->job->items != TARE_ABSENT && rec->job->items != n) {
        return tare_err_set(err, TARE_E_DATABASE,
                            "%s: the task now has %lld items, the stored run has %lld; its data have changed",
                            rec->job->label, (long long)n, (long long)rec->job->items);
    }
    tare_progress_items(rec->progress, n);
    return tare_store_set_items(rec->store, rec->job->cell_id, n, err);
}

static int on_facts(void *ctx, const char *json, struct tare_err *err)
{
    struct recorder *rec = ctx;
    return tare_store_set_facts(rec->store, rec->attempt_id, json, err);
}

static int on_phase(void *ctx, const struct tare_phase_frame *phase, struct tare_err *err)
{
    struct recorder *rec = ctx;
    return tare_store_put_phase(rec->store, rec->attempt_id, tare_phase_text(phase->phase), phase->begin_ns,
                                phase->end_ns, err);
}

static int on_reading(void *ctx, const struct tare_reading_record *reading, struct tare_err *err)
{
    struct recorder *rec = ctx;
    return tare_store_add_reading(rec->store, rec->attempt_id, reading, err);
}

static int on_sample(void *ctx, const struct tare_sample *sample, struct tare_err *err)
{
    struct recorder *rec = ctx;
    int r = tare_store_add_sample(rec->store, rec->job->repeat_id, rec->attempt_id, sample, err);
    rec->samples++;
    return r == 0 ? count_row(rec, err) : r;
}

static int on_tick(void *ctx, struct tare_err *err)
{
    struct recorder *rec = ctx;
    tare_progress_show(rec->progress, rec->samples);
    int r = tare_outside_drain(rec->outside, on_reading, rec, err);
    if (r < 0) {
        return r;
    }
    return rec->rows > 0 ? commit(rec, err) : 0;
}

static int on_scores(void *ctx, int64_t item, const double *values, size_t n, struct tare_err *err)
{
    struct recorder *rec = ctx;
    int r = 0;
    for (size_t i = 0; r == 0 && i < n && rec->columns && rec->columns[i]; i++) {
        r = tare_store_add_score(rec->store, rec->job->repeat_id, item, rec->columns[i], values[i], err);
        r = r == 0 ? count_row(rec, err) : r;
    }
    return r;
}

static int on_prompts(void *ctx, const char *sha256, struct tare_err *err)
{
    struct recorder *rec = ctx;
    return tare_store_set_prompts(rec->store, rec->job->cell_id, sha256, err);
}

static const struct tare_inbox_ops recorder_ops = {on_items,  on_facts, on_phase,  on_reading,
                                                   on_sample, NULL,     on_scores, on_prompts};

static int on_rest(void *ctx, enum tare_phase_name phase, int64_t begin_ns, int64_t end_ns,
                   struct tare_err *err)
{
    struct recorder *rec = ctx;
    return tare_store_put_phase(rec->store, rec->attempt_id, tare_phase_text((int)phase), begin_ns, end_ns,
                                err);
}

/* A task's own numbers come when all items were asked. If a worker was cut off before, those of its items are
 * lost, so that the repeat begins anew. */
static int find_columns(struct recorder *rec, const struct tare_spec *told, int64_t *committed,
                        struct tare_err *err)
{
    const struct tare_task *task = NULL;
    int r = tare_find_task(told->task, &task, err);
    rec->columns = r == 0 ? task->columns : NULL;
    if (r == 0 && rec->columns && *committed > 0) {
        *committed = 0;
        r = tare_store_clear_repeat(rec->store, rec->job->repeat_id, err);
    }
    return r;
}

static int begin_attempt(struct recorder *rec, int64_t first_item, struct tare_err *err)
{
    char now[32];
    tare_clock_format(tare_clock_wall_ns(), now, sizeof now);
    int r = tare_store_add_attempt(rec->store, rec->job->repeat_id, first_item, now, &rec->attempt_id, err);
    return r == 0 ? tare_store_begin(rec->store, err) : r;
}

/* The outcome joins the last samples in one transaction: either all of it is known or none. */
static int end_attempt(struct recorder *rec, const struct tare_supervised *s, struct tare_err *err)
{
    const char *message = s->message[0] ? s->message : NULL;
    int r = tare_store_end_attempt(rec->store, rec->attempt_id, s->outcome, message, err);
    r = r == 0 ? tare_store_end_repeat(rec->store, rec->job->repeat_id, s->outcome, message, err) : r;
    r = r == 0 ? tare_store_seal_repeat(rec->store, rec->job->repeat_id, err) : r;
    return r == 0 ? tare_store_commit(rec->store, err) : r;
}

/* Has anybody changed a setting of the machine since the run began? Looked at behind every worker. */
static int tell_settings(struct recorder *rec, struct tare_err *err)
{
    char now[TARE_SHA256_HEX];
    int r = tare_environment_fingerprint(NULL, now, err);
    const struct tare_reading_record record = {
        .phase = tare_phase_text(TARE_PHASE_MEASURE),
        .meter = "harness",
        .name = "settings_changed",
        .unit = "1",
        .kind = "measured",
        .scope = "node",
        .source = "governor, turbo, SMT, THP, ASLR, clock source, kernel, microcode, affinity",
        .value = strcmp(now, rec->fingerprint) != 0,
        .u = (double)NAN,
        .gain = (double)NAN,
        .flags = ""};
    return r == 0 ? on_reading(rec, &record, err) : r;
}

struct moment {
    struct recorder *rec;
    const char *name;
};

static int put_state(void *ctx, const char *key, const char *value, const char *absent, struct tare_err *err)
{
    const struct moment *m = ctx;
    return tare_store_put_state(m->rec->store, m->rec->attempt_id, m->name, key, value, absent, err);
}

/* Load, pressure, heat, clock, throttling: as they are with no worker there. */
static int tell_state(struct recorder *rec, const char *name, struct tare_err *err)
{
    struct moment m = {rec, name};
    return tare_environment_state_walk(NULL, put_state, &m, err);
}

/* The worker between two rests, and what the meters outside have read meanwhile. */
static int measure(const struct tare_execute_args *args, struct recorder *rec, const char *spec,
                   const struct tare_spec *told, struct tare_supervised *ended, struct tare_err *err)
{
    const struct tare_rest rest = {.outside = rec->outside,
                                   .idle_ns = args->options->idle_ns,
                                   .cool_to_c = args->options->cool_to_c,
                                   .cool_limit_ns = args->options->cool_limit_ns,
                                   .phase = on_rest,
                                   .reading = on_reading,
                                   .ctx = rec};
    const struct tare_supervise_args supervise = {
        .exe = told->exe ? told->exe : args->paths->exe,
        .environment = told->environment,
        .spec = spec,
        .time_limit_ns = args->options->time_limit_ns,
        .ops = &recorder_ops,
        .ctx = rec,
        .outside = rec->outside,
        .padding_bytes = tare_environment_padding(args->options->seed, rec->job->repeat_id),
        .tick = on_tick};
    struct tare_err rested = {0};
    int r = tare_rest_before(&rest, err);
    r = r == 0 ? tell_state(rec, "before", err) : r;
    r = r == 0 ? tare_supervise(&supervise, ended, err) : r;
    if (r == 0) {
        r = tell_state(rec, "after", err);
        r = r == 0 ? tell_settings(rec, err) : r;
        int after = tare_rest_after(&rest, &rested);
        rec->stopped = after == TARE_E_INTERRUPTED; /* the worker has ended well: it is not thrown away */
        r = r == 0 && !rec->stopped && after < 0 ? tare_err_set(err, after, "%s", rested.msg) : r;
    }
    int drained = tare_outside_drain(rec->outside, on_reading, rec, r == 0 ? err : NULL);
    return r == 0 ? drained : r;
}

/* The outcome of a worker that is not started, because a file of its cell is not the one it should be. */
static int refuse(const char *why, struct tare_supervised *out)
{
    out->outcome = TARE_OUTCOME_ERROR;
    (void)snprintf(out->message, sizeof out->message, "error: %s", why);
    return 0;
}

/* What a worker that ran to r leaves in the open transaction. */
static int close_attempt(struct recorder *rec, int r, const struct tare_supervised *ended,
                         struct tare_err *err)
{
    if (r == 0) {
        return end_attempt(rec, ended, err);
    }
    if (r == TARE_E_INTERRUPTED) {
        struct tare_err lost = {0}; /* what has come so far is kept; the interruption is the news */
        if (tare_store_commit(rec->store, &lost) < 0) {
            tare_log(TARE_LOG_WARN, NULL, "%s", lost.msg);
        }
    } else {
        tare_store_rollback(rec->store);
    }
    return r;
}

static int attempt(const struct tare_execute_args *args, struct tare_outside *outside,
                   const char *fingerprint, const struct job *job, struct tare_progress *progress,
                   struct tare_err *err)
{
    struct recorder rec = {.store = args->store,
                           .job = job,
                           .progress = progress,
                           .outside = outside,
                           .fingerprint = fingerprint};
    struct tare_supervised ended = {0};
    int64_t committed = 0;
    struct tare_spec told = {0};
    char *spec = NULL;
    char refused[512];
    int r =
        tare_artifacts_link(args->store, job->cell_id, job->spec, args->paths, refused, sizeof refused, err);
    r = r == 0 ? tare_query_committed(args->store, job->repeat_id, &committed, err) : r;
    r = r == 0 ? tare_spec_parse(job->spec, strlen(job->spec), &told, err) : r;
    r = r == 0 ? find_columns(&rec, &told, &committed, err) : r;
    r = r == 0 ? tare_spec_from(job->spec, committed, &spec, err) : r;
    r = tare_store_blame(args->store, r, err);
    r = r == 0 ? begin_attempt(&rec, committed, err) : r;
    if (r == 0) {
        rec.samples = committed;
        r = refused[0] ? refuse(refused, &ended) : measure(args, &rec, spec, &told, &ended, err);
        r = close_attempt(&rec, r, &ended, err);
    }
    free(spec);
    tare_spec_fini(&told);
    if (r == 0 && ended.outcome != TARE_OUTCOME_OK) {
        tare_progress_clear(progress);
        tare_log(TARE_LOG_WARN, NULL, "%s, block %lld: %s", job->label, (long long)job->block, ended.message);
    }
    if (r == 0 && rec.stopped) {
        r = tare_err_set(err, TARE_E_INTERRUPTED, "stopped by a signal");
    }
    return r == 0 ? tare_store_checkpoint(args->store, err) : r;
}

/* Done means: ended well, or skipped, or failed with nothing left to ask. */
static bool is_done(const struct tare_repeat_row *r, int64_t items)
{
    if (strcmp(r->outcome, "ok") == 0 || strcmp(r->outcome, "skip") == 0) {
        return true;
    }
    bool failed = strcmp(r->outcome, "error") == 0 || strcmp(r->outcome, "oom") == 0;
    return failed && items != TARE_ABSENT && r->samples >= items;
}

static int collect_repeat(void *ctx, const struct tare_repeat_row *r, struct tare_err *err)
{
    struct jobs *jobs = ctx;
    if (is_done(r, jobs->cell->items)) {
        return 0;
    }
    if (jobs->n == jobs->cap) {
        size_t cap = jobs->cap ? 2 * jobs->cap : 64;
        struct job *list = realloc(jobs->list, cap * sizeof *list);
        if (!list) {
            return tare_err_set(err, TARE_E_NOMEM, "out of memory");
        }
        jobs->list = list;
        jobs->cap = cap;
    }
    struct tare_buf label;
    tare_buf_init(&label, 1000);
    tare_buf_printf(&label, "%s / %s", jobs->cell->model, jobs->cell->task);
    struct job *job = &jobs->list[jobs->n];
    *job = (struct job){.repeat_id = r->id,
                        .cell_id = r->cell_id,
                        .block = r->block,
                        .position = r->position,
                        .items = jobs->cell->items,
                        .spec = strdup(jobs->cell->spec),
                        .label = tare_buf_take(&label)};
    jobs->n += job->spec && job->label;
    return job->spec && job->label ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
}

static int collect_cell(void *ctx, const struct tare_cell_row *cell, struct tare_err *err)
{
    struct jobs *jobs = ctx;
    jobs->cell = cell;
    return tare_query_repeats(jobs->store, cell->id, collect_repeat, jobs, err);
}

static int compare_jobs(const void *a, const void *b)
{
    const struct job *x = a, *y = b;
    if (x->block != y->block) {
        return x->block < y->block ? -1 : 1;
    }
    return x->position < y->position ? -1 : x->position > y->position;
}

static int put_changed(void *ctx, const char *key, const char *value, const char *absent,
                       struct tare_err *err)
{
    const struct tare_execute_args *to = ctx;
    return tare_store_put_changed(to->store, to->run_id, key, value, absent, err);
}

struct tare_environment_roots tare_execute_roots(const struct tare_execute_args *args, char *folder,
                                                 size_t n_folder)
{
    const char *slash = args->db ? strrchr(args->db, '/') : NULL;
    (void)snprintf(folder, n_folder, "%.*s", slash ? (int)(slash - args->db) + 1 : 1, slash ? args->db : ".");
    return (struct tare_environment_roots){.proc = "/proc", .sys = "/sys", .root = "", .folder = folder};
}

/* A run that is taken up again is not finished any more, and its machine may have changed meanwhile. */
static int reopen(const struct tare_execute_args *args, struct tare_err *err)
{
    char folder[TARE_PATH_MAX];
    const struct tare_environment_roots roots = tare_execute_roots(args, folder, sizeof folder);
    struct tare_execute_args to = *args;
    int r = tare_store_finish_run(args->store, args->run_id, NULL, err);
    return r == 0 && args->resumed ? tare_environment_walk_at(&roots, put_changed, &to, err) : r;
}

struct meter_writer {
    const struct tare_execute_args *args;
    uint32_t place;
};

static int put_meter(void *ctx, const char *name, const char *absent, double cost_ns, struct tare_err *err)
{
    const struct meter_writer *w = ctx;
    return tare_store_put_meter(w->args->store, w->args->run_id, name, tare_meter_place_text(w->place),
                                absent, cost_ns, err);
}

/* Those of the worker, as they would be there: opened here once, to know what they cost. */
static int put_worker_meters(const struct tare_execute_args *args, struct tare_err *err)
{
    struct meter_writer w = {args, TARE_METER_WORKER};
    struct tare_meters *meters = calloc(1, sizeof *meters);
    int r = meters ? tare_meters_open(meters, TARE_METER_WORKER, tare_json_get(args->plan, "meters"), err)
                   : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    for (size_t i = 0; r == 0 && i < meters->n; i++) {
        struct tare_opened_meter *m = &meters->list[i];
        r = put_meter(&w, m->ops.name, m->opened ? NULL : m->absent, tare_meter_cost_ns(m), err);
    }
    if (meters) {
        tare_meters_close(meters);
    }
    free(meters);
    return r;
}

/* NULL where the plan wants no meters. What works and what it costs is stored with the run. */
static int open_outside(const struct tare_execute_args *args, struct tare_outside **out, struct tare_err *err)
{
    struct meter_writer w = {args, TARE_METER_OUTSIDE};
    *out = NULL;
    if (args->options->metering == TARE_METERING_NONE) {
        return 0;
    }
    int r = put_worker_meters(args, err);
    r = r == 0 ? tare_outside_open(tare_json_get(args->plan, "meters"), out, err) : r;
    return r == 0 ? tare_outside_walk(*out, put_meter, &w, err) : r;
}

int tare_execute(const struct tare_execute_args *args, struct tare_err *err)
{
    struct tare_outside *outside = NULL;
    char fingerprint[TARE_SHA256_HEX] = "";
    struct jobs jobs = {.store = args->store};
    int r = tare_query_cells(args->store, args->run_id, collect_cell, &jobs, err);
    if (jobs.n > 1) {
        qsort(jobs.list, jobs.n, sizeof *jobs.list, compare_jobs);
    }
    if (r == 0 && jobs.n > 0) {
        r = reopen(args, err);
        r = r == 0 ? tare_environment_fingerprint(NULL, fingerprint, err) : r;
        r = r == 0 ? open_outside(args, &outside, err) : r;
    }
    struct tare_progress progress;
    tare_progress_begin(&progress, jobs.n, args->progress);
    for (size_t i = 0; r == 0 && i < jobs.n; i++) {
        tare_progress_job(&progress, i, jobs.list[i].label);
        r = attempt(args, outside, fingerprint, &jobs.list[i], &progress, err);
    }
    tare_progress_clear(&progress);
    tare_outside_close(outside);
    for (size_t i = 0; i < jobs.n; i++) {
        free(jobs.list[i].spec);
        free(jobs.list[i].label);
    }
    free(jobs.list);
    return r;
}
