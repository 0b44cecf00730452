/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mlperf_log_detail.txt of MLPerf LoadGen: lines ":::MLLOG {json}", in which Infinity and NaN occur. Other
 * lines are kept as text. The last value of a key counts.
 */
#include "loadgen.h"
#include "records.h"
#include "values.h"

#include "base/plain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { max_keys = 500 }; /* a log has some 50 of them */

static const char mark[] = ":::MLLOG ";

static const struct tare_interop_field fields[] = {
    {"result_samples_per_second", "request_throughput", "request/s", "system", 1},
    {"result_completed_samples_per_sec", "request_throughput", "request/s", "system", 1},
    {"result_qps_with_loadgen_overhead", "request_throughput", "request/s", "system", 1},
    {"result_qps_without_loadgen_overhead", "request_throughput_without_overhead", "request/s", "system", 1},
    {"result_scheduled_samples_per_sec", "request_rate_scheduled", "request/s", "system", 1},
    {"result_tokens_per_second", "output_throughput", "tok/s", "system", 1},
    {"result_completed_tokens_per_second", "output_throughput", "tok/s", "system", 1},
    {"result_token_throughput_with_loadgen_overhead", "output_throughput", "tok/s", "system", 1},
    {"result_query_count", "query_count", "1", "system", 1},
    {"result_min_latency_ns", "latency_min", "s", "request", 1e-9},
    {"result_max_latency_ns", "latency_max", "s", "request", 1e-9},
    {"result_mean_latency_ns", "latency_mean", "s", "request", 1e-9},
    {"result_min_query_latency_ns", "query_latency_min", "s", "query", 1e-9},
    {"result_max_query_latency_ns", "query_latency_max", "s", "query", 1e-9},
    {"result_mean_query_latency_ns", "query_latency_mean", "s", "query", 1e-9},
    {"result_first_token_min_latency_ns", "ttft_min", "s", "request", 1e-9},
    {"result_first_token_max_latency_ns", "ttft_max", "s", "request", 1e-9},
    {"result_first_token_mean_latency_ns", "ttft_mean", "s", "request", 1e-9},
    {"result_time_to_output_token_min", "tpot_min", "s", "request", 1e-9},
    {"result_time_to_output_token_max", "tpot_max", "s", "request", 1e-9},
    {"result_time_to_output_token_mean", "tpot_mean", "s", "request", 1e-9},
};

/* result_token_throughput is none of them: LoadGen divides by nanoseconds there. */

/* Keys that hold a percentile between a beginning and an end. */
static const struct {
    const char *prefix, *suffix, *figure;
} percentiles[] = {
    {"result_first_token_", "_percentile_latency_ns", "ttft_p"},
    {"result_time_per_output_token_", "_percentile_ns", "tpot_p"},
    {"result_", "_percentile_per_query_latency_ns", "query_latency_p"},
    {"result_", "_percentile_latency_ns", "latency_p"},
};

static int sniff(const char *head, size_t n, const char *name)
{
    (void)name;
    return tare_interop_has(head, n, ":::MLLOG {") ? 95 : 0;
}

static int keep_text(const struct tare_interop_in *in, const char *text, size_t n, struct tare_err *err)
{
    if (memchr(text, '\0', n) || tare_plain_valid(text, n) != n) {
        return tare_interop_fault(in, err, "it is no text in UTF-8");
    }
    char *copy = strndup(text, n);
    struct tare_json *list = copy ? tare_json_new_array() : NULL;
    if (!list) {
        free(copy);
        return tare_err_set(err, TARE_E_NOMEM, "import: out of memory");
    }
    tare_json_add_str(list, NULL, copy);
    int r = tare_interop_record(in, tare_json_first(list), err);
    free(copy);
    tare_json_destroy(list);
    return r;
}

/* Remembers the value of a key that a figure or label may need: the last one, as a list of one. */
static void remember(struct tare_json *seen, const struct tare_json *entry)
{
    const char *key = tare_interop_text(entry, "key");
    static const char *const starts[] = {
        "result_",         "effective_scenario", "effective_test_mode", "requested_test_mode",
        "loadgen_version", "sut_name",           "requested_scenario"};
    bool room = tare_json_size(seen) < max_keys;
    for (size_t i = 0; i < sizeof starts / sizeof *starts && room; i++) {
        if (strncmp(key, starts[i], strlen(starts[i])) == 0) {
            struct tare_json *pair = tare_json_add_object(seen, NULL);
            tare_json_add_str(pair, "key", key);
            tare_json_add_copy(pair, "value", tare_json_get(entry, "value"));
            return;
        }
    }
}

static const struct tare_json *last_value(const struct tare_json *seen, const char *key)
{
    const struct tare_json *found = NULL;
    for (const struct tare_json *v = tare_json_first(seen); v; v = tare_json_next(v)) {
        found = strcmp(tare_interop_text(v, "key"), key) == 0 ? tare_json_get(v, "value") : found;
    }
    return found;
}

static const char *last_text(const struct tare_json *seen, const char *key, const char * or)
{
    const char *text = tare_json_str(last_value(seen, key));
    return text && *text ? text : or ;
}

static bool percentile_of(const char *key, char *figure, size_t n)
{
    for (size_t i = 0; i < sizeof percentiles / sizeof *percentiles; i++) {
        size_t length = strlen(percentiles[i].prefix);
        if (strncmp(key, percentiles[i].prefix, length) == 0 && key[length] >= '0' && key[length] <= '9') {
            char *end = NULL;
            double p = strtod(key + length, &end);
            if (p > 0 && p < 100 && strcmp(end, percentiles[i].suffix) == 0) {
                (void)snprintf(figure, n, "%s%g", percentiles[i].figure, p);
                return true;
            }
        }
    }
    return false;
}

static int put_figures(const struct tare_interop_in *in, const struct tare_json *seen, struct tare_err *err)
{
    int r = 0;
    char figure[64];
    double value = (double)NAN;
    for (size_t i = 0; r == 0 && i < sizeof fields / sizeof *fields; i++) {
        r = tare_interop_number(in, last_value(seen, fields[i].path), fields[i].path, &value, err);
        r = r == 0 ? tare_interop_put(in, &fields[i], value, TARE_ABSENT, "", err) : r;
    }
    for (const struct tare_json *v = tare_json_first(seen); r == 0 && v; v = tare_json_next(v)) {
        const char *key = tare_interop_text(v, "key");
        const struct tare_interop_field field = {key, figure, "s", "request", 1e-9};
        if (percentile_of(key, figure, sizeof figure)) {
            r = tare_interop_number(in, last_value(seen, key), key, &value, err);
            r = r == 0 ? tare_interop_put(in, &field, value, TARE_ABSENT, "", err) : r;
        }
    }
    return r;
}

static int put_cell(const struct tare_interop_in *in, const struct tare_json *seen, struct tare_err *err)
{
    const char *valid = last_text(seen, "result_validity", "");
    const char *version = last_text(seen, "loadgen_version", "");
    const char *scenario =
        last_text(seen, "effective_scenario", last_text(seen, "requested_scenario", "scenario not stated"));
    const char *mode =
        last_text(seen, "effective_test_mode", last_text(seen, "requested_test_mode", "mode not stated"));
    const struct tare_interop_cell cell = {.model = last_text(seen, "sut_name", in->reader->name),
                                           .task = mode,
                                           .scenario = scenario,
                                           .invalid = strcmp(valid, "INVALID") == 0};
    int r = in->sink->tool(in->sink->ctx, TARE_LOADGEN_TOOL, *version ? version : NULL, err);
    r = r == 0 ? in->sink->cell(in->sink->ctx, &cell, err) : r;
    return r == 0 ? put_figures(in, seen, err) : r;
}

static int read_entry(const struct tare_interop_in *in, const char *text, size_t n, struct tare_json *seen,
                      struct tare_err *err)
{
    struct tare_json *entry = NULL;
    int r = tare_interop_json(in, text, n, &entry, err);
    if (r == 0 && tare_json_type(entry) != TARE_JSON_OBJECT) {
        r = tare_interop_fault(in, err, "an entry has to be an object");
    }
    r = r == 0 ? tare_interop_record(in, entry, err) : r;
    if (r == 0) {
        remember(seen, entry);
    }
    tare_json_destroy(entry);
    return r;
}

static int read_file(const struct tare_interop_in *in, struct tare_err *err)
{
    const char *text = NULL;
    size_t n = 0, entries = 0, length = strlen(mark);
    struct tare_json *seen = tare_json_new_array();
    int r;
    while ((r = tare_interop_line(in->reader, &text, &n, err)) == 1) {
        bool entry = n > length && memcmp(text, mark, length) == 0;
        entries += entry;
        r = entry ? read_entry(in, text + length, n - length, seen, err) : keep_text(in, text, n, err);
        if (r < 0) {
            break;
        }
    }
    if (r == 0 && entries == 0) {
        r = tare_interop_fault(in, err, "there is no line with :::MLLOG in it");
    }
    r = r == 0 ? put_cell(in, seen, err) : r;
    tare_json_destroy(seen);
    return r;
}

static int print_line(void *ctx, const char *json, struct tare_err *err)
{
    struct tare_json *text = NULL;
    int r = 0;
    if (*json == '"') {
        r = tare_json_parse(json, strlen(json), "stored record", &text, err);
        (void)fprintf(ctx, "%s\n", r == 0 ? tare_json_str(text) : "");
        tare_json_destroy(text);
    } else {
        (void)fprintf(ctx, "%s%s\n", mark, json);
    }
    return r;
}

static int give_back(const struct tare_interop_stored *stored, FILE *to, struct tare_err *err)
{
    return stored->each(stored->ctx, print_line, to, err);
}

static int put_entry(FILE *to, const char *key, const char *text, double number, struct tare_err *err)
{
    struct tare_json *o = tare_json_new_object();
    tare_json_add_str(o, "key", key);
    if (text) {
        tare_json_add_str(o, "value", text);
    } else {
        tare_json_add_f64(o, "value", number);
    }
    tare_json_add_str(o, "namespace", "mlperf::logging");
    tare_json_add_str(o, "event_type", "POINT_IN_TIME");
    (void)fputs(mark, to);
    return tare_interop_print(o, false, to, err);
}

/* No result_validity: LoadGen's rules were not applied. */
static int write_run(const struct tare_interop_run *run, FILE *to, struct tare_err *err)
{
    static const struct {
        const char *figure, *key;
        double scale;
    } known[] = {
        {"request_throughput", "result_qps_with_loadgen_overhead", 1},
        {"latency_p50", "result_50.00_percentile_latency_ns", 1e9},
        {"latency_p90", "result_90.00_percentile_latency_ns", 1e9},
        {"latency_p99", "result_99.00_percentile_latency_ns", 1e9},
        {"ttft_p50", "result_first_token_50.00_percentile_latency_ns", 1e9},
        {"ttft_p90", "result_first_token_90.00_percentile_latency_ns", 1e9},
        {"ttft_p99", "result_first_token_99.00_percentile_latency_ns", 1e9},
        {"tpot_p50", "result_time_per_output_token_50.00_percentile_ns", 1e9},
        {"tpot_p90", "result_time_per_output_token_90.00_percentile_ns", 1e9},
        {"tpot_p99", "result_time_per_output_token_99.00_percentile_ns", 1e9},
    };
    int r = tare_interop_one_row(run, "a LoadGen log", err);
    const struct tare_interop_row *row = r == 0 ? &run->rows[0] : NULL;
    r = r == 0 ? put_entry(to, "sut_name", row->model, 0, err) : r;
    r = r == 0 ? put_entry(to, "effective_scenario", "SingleStream", 0, err) : r;
    r = r == 0 ? put_entry(to, "effective_test_mode", "PerformanceOnly", 0, err) : r;
    for (size_t i = 0; r == 0 && i < sizeof known / sizeof *known; i++) {
        double value = tare_interop_figure(row, known[i].figure) * known[i].scale;
        r = isfinite(value) ? put_entry(to, known[i].key, NULL, value, err) : 0;
    }
    return r;
}

const struct tare_interop_format tare_interop_loadgen_detail = {
    .name = "loadgen-detail",
    .summary = "mlperf_log_detail.txt of MLPerf LoadGen",
    .tool = TARE_LOADGEN_TOOL,
    .sniff = sniff,
    .read = read_file,
    .give_back = give_back,
    .write = write_run,
};
