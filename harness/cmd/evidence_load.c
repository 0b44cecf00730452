/* SPDX-License-Identifier: Apache-2.0 */
/* From the store to evidence: samples are summed, readings copied, seals checked. Judges and derives nothing.
 */
#include "cmd/evidence_load.h"

#include "base/reading.h"
#include "core/builtin.h"
#include "core/environment.h"
#include "core/plan.h"
#include "core/spec.h"
#include "store/digest.h"
#include "store/query.h"

#include <stdlib.h>
#include <string.h>

/* Room for one more element; NULL when memory is refused. */
static void *grow(void *list, size_t n, size_t *cap, size_t size)
{
    if (n < *cap) {
        return list;
    }
    size_t more = *cap ? 2 * *cap : 16;
    void *larger = realloc(list, more * size);
    *cap = larger ? more : *cap;
    return larger;
}

static int no_memory(struct tare_err *err)
{
    return tare_err_set(err, TARE_E_NOMEM, "out of memory");
}

/* "KEY (resumed)" is there where a setting was another one when the run was taken up again. */
static bool is_changed_setting(const char *key)
{
    const char *behind = strstr(key, " (resumed)");
    return behind && tare_environment_is_setting(key, (size_t)(behind - key));
}

static int see_environment(void *ctx, const char *key, const char *value, struct tare_err *err)
{
    struct tare_loaded_run *run = ctx;
    (void)err;
    bool sanitized = strncmp(key, "tare.sanitize", 13) == 0 && value && strcmp(value, "none") != 0;
    bool debug = strncmp(key, "tare.buildtype", 14) == 0 && value && strcmp(value, "debug") == 0;
    run->slow_build = run->slow_build || sanitized || debug;
    if (strcmp(key, "cpu.online") == 0 && value) {
        long cpus = strtol(value, NULL, 10);
        run->cpus = cpus > 0 ? cpus : 0;
    }
    run->settings_changed = run->settings_changed || is_changed_setting(key);
    return 0;
}

static int see_policy(void *ctx, const struct tare_run_row *row, struct tare_err *err)
{
    struct tare_loaded_run *run = ctx;
    struct tare_json *json = NULL;
    struct tare_plan_options plan = {0};
    if (row->id != run->id) {
        return 0;
    }
    int r = tare_json_parse(row->plan, strlen(row->plan), "stored plan", &json, err);
    if (r == 0 && tare_json_get(json, "tare")) { /* else it was imported, or asked in lockstep: no plan */
        r = tare_plan_read_options(json, &plan, err);
    }
    run->policy = (enum tare_noise_policy)plan.noise;
    run->peak_flops = plan.peak_flops;
    run->peak_bandwidth = plan.peak_bandwidth;
    tare_opts_fini(tare_plan_table, &plan);
    tare_json_destroy(json);
    return r;
}

/* Old samples are not graded by new rules. */
static int check_version(const struct tare_spec *spec, const struct tare_task *task, struct tare_err *err)
{
    return spec->task_version == 0 || spec->task_version == (int64_t)task->version
               ? 0
               : tare_err_set(err, TARE_E_USAGE,
                              "task %s: the samples are of its version %lld, this tare has %u", task->name,
                              (long long)spec->task_version, task->version);
}

static int add_cell(void *ctx, const struct tare_cell_row *row, struct tare_err *err)
{
    struct tare_loaded_run *run = ctx;
    if (run->task && strcmp(run->task, row->task) != 0) {
        return 0;
    }
    struct tare_loaded_cell *cells = grow(run->cells, run->n, &run->cap, sizeof *cells);
    if (!cells) {
        return no_memory(err);
    }
    run->cells = cells;
    struct tare_loaded_cell *c = &cells[run->n++];
    memset(c, 0, sizeof *c);
    c->id = row->id;
    c->model = strdup(row->model);
    c->task = strdup(row->task);
    c->scenario = strdup(row->scenario);
    c->facts.items = row->items;
    c->evidence.items = row->items;
    c->evidence.seed = (uint64_t)row->ordinal + 1;
    struct tare_spec spec;
    int r = tare_spec_parse(row->spec, strlen(row->spec), &spec, err);
    if (r == 0) {
        c->treated = spec.technique != NULL;
        r = tare_find_task(spec.task, &c->evidence.task, err);
        r = r == 0 ? check_version(&spec, c->evidence.task, err) : r;
        tare_spec_fini(&spec);
    }
    return r < 0 || (c->model && c->task && c->scenario) ? r : no_memory(err);
}

static void count_outcome(struct tare_verdict_facts *f, const char *outcome)
{
    const struct {
        const char *text;
        int64_t *counter;
    } counters[] = {{"ok", &f->ok},   {"error", &f->error}, {"crash", &f->crash},    {"timeout", &f->timeout},
                    {"oom", &f->oom}, {"skip", &f->skip},   {"pending", &f->pending}};
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        *counters[i].counter += strcmp(outcome, counters[i].text) == 0;
    }
}

static int add_repeat(void *ctx, const struct tare_repeat_row *row, struct tare_err *err)
{
    struct tare_loaded_cell *c = ((struct tare_loaded_run *)ctx)->current;
    struct tare_evidence_repeat *repeats = grow(c->repeats, c->n_repeats, &c->cap_repeats, sizeof *repeats);
    if (!repeats) {
        return no_memory(err);
    }
    c->repeats = repeats;
    repeats[c->n_repeats++] = (struct tare_evidence_repeat){
        .id = row->id,
        .block = row->block,
        .attempts = row->measured_attempts,
        .started_s = row->started_s,
        .complete = strcmp(row->outcome, "ok") == 0 && row->samples == c->facts.items && row->errors == 0};
    c->facts.repeats++;
    c->facts.samples += row->samples;
    c->facts.failed_samples += row->errors;
    count_outcome(&c->facts, row->outcome);
    return 0;
}

static int add_reading(void *ctx, int64_t repeat_id, const struct tare_reading_record *row,
                       struct tare_err *err)
{
    struct tare_loaded_cell *c = ((struct tare_loaded_run *)ctx)->current;
    struct tare_evidence_reading *readings =
        grow(c->readings, c->n_readings, &c->cap_readings, sizeof *readings);
    if (!readings) {
        return no_memory(err);
    }
    c->readings = readings;
    readings[c->n_readings].repeat_id = repeat_id;
    int r = tare_reading_copy(row, &readings[c->n_readings].r, err);
    c->n_readings += r == 0;
    return r;
}

static int load_convention(struct tare_store *store, struct tare_loaded_cell *c, struct tare_err *err)
{
    char *facts = NULL;
    struct tare_json *json = NULL;
    int r = tare_query_facts(store, c->id, &facts, err);
    if (r == 0 && facts) {
        r = tare_json_parse(facts, strlen(facts), "stored model facts", &json, err);
    }
    const char *kind = tare_json_str(tare_json_get(json, "account_kind"));
    c->evidence.account_kind = kind ? tare_kind_of(kind) : 0;
    c->evidence.elsewhere = tare_json_true(tare_json_get(json, "elsewhere"));
    const char *text = tare_json_str(tare_json_get(json, "account_convention"));
    if (r == 0 && text) {
        c->convention = strdup(text);
        r = c->convention ? 0 : no_memory(err);
    }
    tare_json_destroy(json);
    free(facts);
    return r;
}

static int query_column(void *ctx, int64_t repeat_id, enum tare_column column, double **out, size_t *out_n,
                        struct tare_err *err)
{
    return tare_query_column(ctx, repeat_id, column, out, out_n, err);
}

static int query_scores(void *ctx, int64_t repeat_id, const char *name, double **out, size_t *out_n,
                        struct tare_err *err)
{
    return tare_query_scores(ctx, repeat_id, name, out, out_n, err);
}

/* Bytes, graded tokens or choices of every item: what was asked, whatever was answered. */
static int compare_data(struct tare_loaded_cell *c, struct tare_err *err)
{
    double *first = NULL, *other = NULL;
    size_t n_first = 0, n_other = 0;
    bool begun = false;
    int r = 0;
    for (size_t i = 0; r == 0 && i < c->n_repeats; i++) {
        if (!c->repeats[i].complete) {
            continue;
        }
        r = c->evidence.column(c->evidence.ctx, c->repeats[i].id, TARE_COLUMN_DEN, &other, &n_other, err);
        if (r == 0 && begun) {
            bool same = n_first == n_other;
            for (size_t j = 0; same && j < n_first; j++) {
                same = first[j] == other[j];
            }
            c->evidence.data_mismatch = c->evidence.data_mismatch || !same;
            free(other);
        } else if (r == 0) {
            first = other;
            n_first = n_other;
            begun = true;
        }
        other = NULL;
    }
    free(first);
    return r;
}

static int load_cell(struct tare_loaded_run *run, struct tare_loaded_cell *c, struct tare_err *err)
{
    run->current = c;
    int r = tare_query_repeats(run->store, c->id, add_repeat, run, err);
    for (size_t i = 0; r == 0 && i < c->n_repeats; i++) {
        r = tare_query_sums(run->store, c->repeats[i].id, &c->repeats[i].sums, err);
    }
    r = r == 0 ? tare_query_readings(run->store, c->id, add_reading, run, err) : r;
    r = r == 0 ? tare_query_phases(run->store, c->id, add_reading, run, err) : r;
    r = r == 0 ? load_convention(run->store, c, err) : r;
    r = r == 0 ? tare_query_files_changed(run->store, c->id, &c->facts.files_changed, err) : r;
    r = r == 0 ? tare_store_check_seals(run->store, c->id, &c->facts.broken_seals, err) : r;
    c->evidence.account_convention = c->convention;
    c->evidence.slow_build = run->slow_build;
    c->evidence.cpus = run->cpus;
    c->evidence.repeats = c->repeats;
    c->evidence.n_repeats = c->n_repeats;
    c->evidence.readings = c->readings;
    c->evidence.n_readings = c->n_readings;
    c->evidence.column = query_column;
    c->evidence.scores = query_scores;
    c->evidence.ctx = run->store;
    c->evidence.settings_changed = run->settings_changed;
    c->evidence.peak_flops = run->instrument.peak_flops;
    c->evidence.peak_bytes_per_s = run->instrument.peak_bytes_per_s;
    c->evidence.peak_kind = run->instrument.peak_kind;
    c->evidence.peak_source = run->instrument.peak_source;
    c->evidence.no_meter = run->instrument.no_meter[0] ? run->instrument.no_meter : NULL;
    c->facts.policy = run->policy;
    r = r == 0 ? compare_data(c, err) : r;
    r = r == 0 ? tare_steady_assess(&c->evidence, c->repeats, err) : r;
    c->facts.disturbed = tare_evidence_disturbed(&c->evidence);
    return r;
}

void tare_evidence_free(struct tare_loaded_run *run)
{
    for (size_t i = 0; i < run->n; i++) {
        struct tare_loaded_cell *c = &run->cells[i];
        for (size_t j = 0; j < c->n_readings; j++) {
            tare_reading_free(&c->readings[j].r);
        }
        free(c->readings);
        free(c->repeats);
        free(c->model);
        free(c->task);
        free(c->scenario);
        free(c->convention);
    }
    free(run->cells);
    memset(run, 0, sizeof *run);
}

/* The untreated baseline model's cell of the same task and scenario. */
static void link_baseline(struct tare_loaded_run *run, struct tare_loaded_cell *c, const char *baseline)
{
    c->evidence.baseline_name = baseline;
    c->evidence.is_baseline = baseline && strcmp(c->model, baseline) == 0 && !c->treated;
    for (size_t i = 0; baseline && i < run->n; i++) {
        const struct tare_loaded_cell *b = &run->cells[i];
        if (!b->treated && strcmp(b->model, baseline) == 0 && strcmp(b->task, c->task) == 0 &&
            strcmp(b->scenario, c->scenario) == 0 && b != c) {
            c->evidence.baseline = &b->evidence;
            return;
        }
    }
}

static void judge(struct tare_loaded_cell *c)
{
    c->verdict = tare_verdict(&c->facts, c->reasons, sizeof c->reasons);
    c->evidence.valid = c->verdict == TARE_VALID;
}

void tare_evidence_judge(struct tare_loaded_run *run, const char *baseline,
                         const struct tare_declared *declared)
{
    (void)snprintf(run->speedup_source, sizeof run->speedup_source,
                   "windows of the same block, those of %.60s over these",
                   baseline ? baseline : "no baseline");
    for (size_t i = 0; i < run->n; i++) { /* all of them first: figures look at the baseline's verdict */
        judge(&run->cells[i]);
        link_baseline(run, &run->cells[i], baseline);
        run->cells[i].evidence.speedup_source = run->speedup_source;
        run->cells[i].evidence.declared = declared;
    }
}

int tare_evidence_load(struct tare_store *store, int64_t run_id, const char *task,
                       struct tare_loaded_run *run, struct tare_err *err)
{
    *run = (struct tare_loaded_run){.store = store, .id = run_id, .task = task};
    int r = tare_query_environment(store, run_id, see_environment, run, err);
    r = r == 0 ? tare_query_runs(store, see_policy, run, err) : r;
    r = r == 0
            ? tare_instrument_load(store, run_id, run->peak_flops, run->peak_bandwidth, &run->instrument, err)
            : r;
    r = r == 0 ? tare_query_cells(store, run_id, add_cell, run, err) : r;
    for (size_t i = 0; r == 0 && i < run->n; i++) {
        r = load_cell(run, &run->cells[i], err);
    }
    r = tare_store_blame(store, r, err);
    if (r == 0 && run->n == 0) {
        r = tare_err_set(err, TARE_E_FORMAT, "run %lld has no cells", (long long)run_id);
        r = tare_store_blame(store, r, err);
    }
    if (r < 0) {
        tare_evidence_free(run);
    }
    return r;
}
