/* SPDX-License-Identifier: Apache-2.0 */
/*
 * results_*.json of the LM Evaluation Harness: one object a model, a cell a task and a group. A metric is a
 * key "metric,filter" with its standard error beside it; older versions have no filter. Values that were not
 * computed are "N/A" or a blank.
 */
#include "records.h"
#include "values.h"

#include <math.h>
#include <string.h>

static const char tool[] = "lm-eval";

static int sniff(const char *head, size_t n, const char *name)
{
    bool keys = tare_interop_has(head, n, "\"results\"") &&
                (tare_interop_has(head, n, "\"alias\"") || tare_interop_has(head, n, ",none\"") ||
                 tare_interop_has(head, n, "_stderr\""));
    return tare_interop_first(head, n) != '{' || !keys ? 0 : strncmp(name, "results_", 8) == 0 ? 95 : 85;
}

static bool is_metric(const struct tare_json *v)
{
    static const char *const others[] = {"alias", "name", "sample_len", "sample_count"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strcmp(tare_json_key(v), others[i]) == 0) {
            return false;
        }
    }
    return !strstr(tare_json_key(v), "_stderr");
}

static const char *unit_of(const char *metric)
{
    return strncmp(metric, "bits_per_byte", 13) == 0 ? "bit/B" : "1";
}

/* "acc,none" is acc; another filter is a part of the name, as it changes what is counted. */
static void split(const char *key, char *figure, size_t n_figure, char *error_key, size_t n_error_key)
{
    const char *comma = strchr(key, ',');
    int metric = comma ? (int)(comma - key) : (int)strlen(key);
    bool none = !comma || strcmp(comma, ",none") == 0;
    (void)snprintf(figure, n_figure, "%.*s%s%s", metric, key, none ? "" : ".", none ? "" : comma + 1);
    (void)snprintf(error_key, n_error_key, "%.*s_stderr%s", metric, key, comma ? comma : "");
}

static int put_metric(const struct tare_interop_in *in, const struct tare_json *metrics,
                      const struct tare_json *v, int64_t n, struct tare_err *err)
{
    char figure[120], error_key[120];
    double value = (double)NAN, error = (double)NAN;
    const char *key = tare_json_key(v);
    split(key, figure, sizeof figure, error_key, sizeof error_key);
    const struct tare_interop_field field = {key, figure, unit_of(figure), "task", 1};
    int r = tare_interop_number(in, v, key, &value, err);
    r = r == 0 ? tare_interop_number(in, tare_json_get(metrics, error_key), error_key, &error, err) : r;
    return r == 0 ? tare_interop_put_stderr(in, &field, value, error, n, "items", err) : r;
}

static const char *model_of(const struct tare_interop_in *in, const struct tare_json *root)
{
    static const char *const names[] = {"model_name", "config.model_name", "config.model_args",
                                        "config.model"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (*tare_interop_text(root, names[i])) {
            return tare_interop_text(root, names[i]);
        }
    }
    return in->reader->name;
}

static int put_task(const struct tare_interop_in *in, const struct tare_json *root,
                    const struct tare_json *metrics, struct tare_err *err)
{
    static const struct tare_interop_field parameters = {"config.model_num_parameters", "params_total", "1",
                                                         "model", 1};
    char scenario[48] = "shots not stated";
    const char *task = tare_json_key(metrics);
    /* Names of tasks may have dots: no paths. */
    const struct tare_json *samples = tare_json_get(tare_json_get(root, "n-samples"), task);
    int64_t n = tare_interop_count(samples, "effective"),
            shots = tare_interop_count(tare_json_get(root, "n-shot"), task);
    if (n == TARE_ABSENT) {
        n = tare_interop_count(metrics, "sample_len");
    }
    if (shots != TARE_ABSENT) {
        (void)snprintf(scenario, sizeof scenario, "%lld-shot", (long long)shots);
    }
    if (tare_json_type(metrics) != TARE_JSON_OBJECT) {
        return tare_interop_fault(in, err, "results of %.60s: an object is needed", task);
    }
    const struct tare_interop_cell cell = {.model = model_of(in, root), .task = task, .scenario = scenario};
    int r = in->sink->cell(in->sink->ctx, &cell, err);
    for (const struct tare_json *v = tare_json_first(metrics); r == 0 && v; v = tare_json_next(v)) {
        r = is_metric(v) ? put_metric(in, metrics, v, n, err) : 0;
    }
    return r == 0 ? tare_interop_map(in, root, &parameters, 1, TARE_ABSENT, "", err) : r;
}

static int put_all(const struct tare_interop_in *in, const struct tare_json *root, struct tare_err *err)
{
    const struct tare_json *results = tare_json_get(root, "results");
    const char *version = tare_interop_text(root, "lm_eval_version");
    if (tare_json_type(results) != TARE_JSON_OBJECT || tare_json_size(results) == 0) {
        return tare_interop_fault(in, err, "results: an object with a task is needed");
    }
    int r = in->sink->tool(in->sink->ctx, tool,
                           *version                               ? version
                           : *tare_interop_text(root, "git_hash") ? tare_interop_text(root, "git_hash")
                                                                  : NULL,
                           err);
    r = r == 0 ? tare_interop_record(in, root, err) : r;
    for (const struct tare_json *v = tare_json_first(results); r == 0 && v; v = tare_json_next(v)) {
        r = put_task(in, root, v, err);
    }
    /* Groups stand among the results, too, in most versions. */
    const struct tare_json *groups = tare_json_get(root, "groups");
    for (const struct tare_json *v = tare_json_first(groups); r == 0 && v; v = tare_json_next(v)) {
        r = tare_json_get(results, tare_json_key(v)) ? 0 : put_task(in, root, v, err);
    }
    return r;
}

static int read_file(const struct tare_interop_in *in, struct tare_err *err)
{
    struct tare_json *root = NULL;
    int r = tare_interop_json_all(in, &root, err);
    r = r == 0 ? put_all(in, root, err) : r;
    tare_json_destroy(root);
    return r;
}

/* Metrics of the row's task that have a value; the interval that we have is no standard error. */
static void add_task(struct tare_json *root, const struct tare_interop_row *row)
{
    struct tare_json *results = (struct tare_json *)(uintptr_t)tare_json_get(root, "results");
    struct tare_json *better = (struct tare_json *)(uintptr_t)tare_json_get(root, "higher_is_better");
    struct tare_json *samples = (struct tare_json *)(uintptr_t)tare_json_get(root, "n-samples");
    struct tare_json *task = tare_json_add_object(results, row->task),
                     *task_better = tare_json_add_object(better, row->task);
    int64_t n = row->n_repeats > 0 ? row->repeats[0].samples : 0;
    tare_json_add_str(task, "alias", row->task);
    for (const struct tare_metric *m = row->metrics; m && m->name; m++) {
        char key[120];
        if (isfinite(tare_interop_figure(row, m->name))) {
            (void)snprintf(key, sizeof key, "%.80s,none", m->name);
            tare_interop_add(task, key, row, m->name, 1);
            tare_json_add_bool(task_better, m->name, !m->lower_is_better);
        }
    }
    if (n > 0) {
        struct tare_json *counts = tare_json_add_object(samples, row->task);
        tare_json_add_i64(counts, "original", n);
        tare_json_add_i64(counts, "effective", n);
    }
}

static bool has_metric(const struct tare_interop_row *row)
{
    for (const struct tare_metric *m = row->metrics; m && m->name; m++) {
        if (isfinite(tare_interop_figure(row, m->name))) {
            return true;
        }
    }
    return false;
}

/* The form has one model a file, and a task once. */
static int check_rows(const struct tare_interop_run *run, size_t *out_first, struct tare_err *err)
{
    size_t first = run->n_rows;
    for (size_t i = 0; i < run->n_rows; i++) {
        const struct tare_interop_row *row = &run->rows[i];
        for (size_t j = 0; j < i && has_metric(row); j++) {
            const struct tare_interop_row *other = &run->rows[j];
            bool same =
                strcmp(row->model, other->model) == 0 && strcmp(row->technique, other->technique) == 0;
            if (has_metric(other) && (!same || strcmp(row->task, other->task) == 0)) {
                return tare_err_set(err, TARE_E_USAGE,
                                    "lm-eval has one model a file and a task once; choose with --model, "
                                    "--technique and --task");
            }
        }
        first = has_metric(row) && first == run->n_rows ? i : first;
    }
    if (first == run->n_rows) {
        return tare_err_set(err, TARE_E_USAGE, "run %lld has no task with a metric of quality",
                            (long long)run->id);
    }
    *out_first = first;
    return 0;
}

static int write_run(const struct tare_interop_run *run, FILE *to, struct tare_err *err)
{
    size_t first = 0;
    int r = check_rows(run, &first, err);
    if (r < 0) {
        return r;
    }
    struct tare_json *root = tare_json_new_object();
    (void)tare_json_add_object(root, "results");
    (void)tare_json_add_object(root, "higher_is_better");
    (void)tare_json_add_object(root, "n-samples");
    for (size_t i = 0; i < run->n_rows; i++) {
        if (has_metric(&run->rows[i])) {
            add_task(root, &run->rows[i]);
        }
    }
    struct tare_json *config = tare_json_add_object(root, "config");
    tare_json_add_str(config, "model", run->rows[first].backend);
    tare_interop_add(config, "model_num_parameters", &run->rows[first], "params_total", 1);
    tare_json_add_str(root, "model_source", run->rows[first].backend);
    tare_json_add_str(root, "model_name", run->rows[first].model);
    return tare_interop_print(root, true, to, err);
}

const struct tare_interop_format tare_interop_lm_eval = {
    .name = "lm-eval",
    .summary = "results_*.json of the LM Evaluation Harness",
    .tool = tool,
    .sniff = sniff,
    .read = read_file,
    .give_back = tare_interop_give_back_one,
    .write = write_run,
};
