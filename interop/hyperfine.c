/* SPDX-License-Identifier: Apache-2.0 */
/* hyperfine --export-json: a result a command, times in seconds, stddev null for a single run. */
#include "records.h"
#include "values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char tool[] = "hyperfine";

static const struct tare_interop_field fields[] = {
    {"mean", "run_time_mean", "s", "process", 1},     {"stddev", "run_time_stddev", "s", "process", 1},
    {"median", "run_time_p50", "s", "process", 1},    {"min", "run_time_min", "s", "process", 1},
    {"max", "run_time_max", "s", "process", 1},       {"user", "cpu_user_mean", "s", "process", 1},
    {"system", "cpu_system_mean", "s", "process", 1},
};

static int sniff(const char *head, size_t n, const char *name)
{
    bool keys = tare_interop_has(head, n, "\"results\"") && tare_interop_has(head, n, "\"command\"") &&
                tare_interop_has(head, n, "\"system\"") && tare_interop_has(head, n, "\"median\"");
    (void)name;
    return tare_interop_first(head, n) == '{' && keys ? 90 : 0;
}

/* The largest of the runs; NaN if none was noted. */
static int largest(const struct tare_interop_in *in, const struct tare_json *list, const char *field,
                   double *out, struct tare_err *err)
{
    double most = (double)NAN, value;
    for (const struct tare_json *v = tare_json_first(list); v; v = tare_json_next(v)) {
        int r = tare_interop_number(in, v, field, &value, err);
        if (r < 0) {
            return r;
        }
        most = isfinite(value) && !(most >= value) ? value : most;
    }
    *out = most;
    return 0;
}

/* "name=value" of its parameters; they tell commands apart that look alike. */
static void put_parameters(const struct tare_json *result, char *to, size_t n)
{
    size_t used = 0;
    const struct tare_json *v = tare_json_first(tare_json_get(result, "parameters"));
    (void)snprintf(to, n, "as reported");
    for (; v && used < n; v = tare_json_next(v)) {
        const char *text = tare_interop_scalar(v);
        used += (size_t)snprintf(to + used, n - used, "%s%.40s=%.60s", used ? " " : "", tare_json_key(v),
                                 text ? text : "?");
    }
}

/* A command that failed in any of its runs timed something else than what was meant. */
static bool failed(const struct tare_json *result)
{
    const struct tare_json *v = tare_json_first(tare_json_get(result, "exit_codes"));
    for (; v; v = tare_json_next(v)) {
        if (tare_json_type(v) != TARE_JSON_NUMBER || tare_json_num(v) != 0) {
            return true;
        }
    }
    return false;
}

static int read_result(const struct tare_interop_in *in, const struct tare_json *result, struct tare_err *err)
{
    static const struct tare_interop_field memory = {"memory_usage_byte", "peak_rss", "B", "process", 1};
    char parameters[240];
    double most = (double)NAN;
    const char *command = tare_interop_text(result, "command");
    const struct tare_json *times = tare_json_get(result, "times");
    int64_t n = times ? (int64_t)tare_json_size(times) : TARE_ABSENT;
    if (!*command) {
        return tare_interop_fault(in, err, "command is needed");
    }
    put_parameters(result, parameters, sizeof parameters);
    const struct tare_interop_cell cell = {
        .model = command, .task = "command", .scenario = parameters, .invalid = failed(result)};
    int r = in->sink->cell(in->sink->ctx, &cell, err);
    r = r == 0 ? tare_interop_map(in, result, fields, sizeof fields / sizeof *fields, n, "runs", err) : r;
    r = r == 0 ? largest(in, tare_json_get(result, memory.path), memory.path, &most, err) : r;
    return r == 0 ? tare_interop_put(in, &memory, most, n, "runs", err) : r;
}

static int read_file(const struct tare_interop_in *in, struct tare_err *err)
{
    struct tare_json *root = NULL;
    int r = in->sink->tool(in->sink->ctx, tool, NULL, err);
    r = r == 0 ? tare_interop_json_all(in, &root, err) : r;
    r = r == 0 ? tare_interop_read_list(in, root, "results", read_result, err) : r;
    tare_json_destroy(root);
    return r;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Its times are the windows of the complete repeats. user and system of hyperfine are means, ours medians:
 * they are left out, as is memory, which it gives run by run. */
static int put_row(struct tare_json *results, const struct tare_interop_row *row, struct tare_err *err)
{
    size_t n = row->n_repeats;
    double *times = calloc(n + 1, sizeof *times), mean, stddev;
    if (!times) {
        return tare_err_set(err, TARE_E_NOMEM, "export: out of memory");
    }
    char command[480];
    struct tare_json *o = tare_json_add_object(results, NULL);
    (void)snprintf(command, sizeof command, "%.100s %.100s (%.100s) on %.100s", row->backend, row->model,
                   row->technique, row->task);
    tare_json_add_str(o, "command", command);
    for (size_t i = 0; i < n; i++) {
        times[i] = (double)row->repeats[i].window_ns * 1e-9;
    }
    struct tare_json *list = tare_json_new_array();
    for (size_t i = 0; i < n; i++) {
        tare_json_add_f64(list, NULL, times[i]);
    }
    tare_interop_moments(times, n, &mean, &stddev);
    qsort(times, n, sizeof *times, compare);
    tare_json_add_f64(o, "mean", mean);
    tare_json_add_f64(o, "stddev", stddev);
    tare_json_add_f64(o, "median", (times[(n - 1) / 2] + times[n / 2]) / 2);
    tare_json_add_f64(o, "min", times[0]);
    tare_json_add_f64(o, "max", times[n - 1]);
    tare_json_add_copy(o, "times", list);
    tare_json_destroy(list);
    struct tare_json *parameters = tare_json_add_object(o, "parameters");
    tare_json_add_str(parameters, "model", row->model);
    tare_json_add_str(parameters, "task", row->task);
    tare_json_add_str(parameters, "technique", row->technique);
    free(times);
    return 0;
}

static int write_run(const struct tare_interop_run *run, FILE *to, struct tare_err *err)
{
    struct tare_json *root = tare_json_new_object(), *results = tare_json_add_array(root, "results");
    int r = 0;
    for (size_t i = 0; r == 0 && i < run->n_rows; i++) {
        r = run->rows[i].n_repeats > 0 ? put_row(results, &run->rows[i], err) : 0;
    }
    if (r < 0) {
        tare_json_destroy(root);
        return r;
    }
    return tare_interop_print(root, true, to, err);
}

const struct tare_interop_format tare_interop_hyperfine = {
    .name = "hyperfine",
    .summary = "hyperfine --export-json",
    .tool = tool,
    .sniff = sniff,
    .read = read_file,
    .give_back = tare_interop_give_back,
    .write = write_run,
};
