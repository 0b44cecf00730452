/* SPDX-License-Identifier: Apache-2.0 */
/*
 * *_lifecycle_metrics.json of inference-perf: times in seconds. per_request_lifecycle_metrics.json, an array,
 * is kept request by request and gives a count. No file names its model.
 */
#include "records.h"
#include "values.h"

#include <math.h>

static const char tool[] = "inference-perf";

static const struct tare_interop_field fields[] = {
    {"successes.count", "completed_requests", "1", "server", 1},
    {"failures.count", "failed_requests", "1", "server", 1},
    {"benchmark_time_seconds", "measure_time", "s", "server", 1},
    {"load_summary.requested_rate", "request_rate_requested", "request/s", "client", 1},
    {"load_summary.achieved_rate", "request_rate_achieved", "request/s", "client", 1},
    {"successes.throughput.requests_per_sec", "request_throughput", "request/s", "server", 1},
    {"successes.throughput.output_tokens_per_sec", "output_throughput", "tok/s", "server", 1},
    {"successes.throughput.input_tokens_per_sec", "input_throughput", "tok/s", "server", 1},
    {"successes.throughput.total_tokens_per_sec", "token_throughput", "tok/s", "server", 1},
};

static const char *const latencies[][2] = {{"request_latency", "latency"},
                                           {"time_to_first_token", "ttft"},
                                           {"time_per_output_token", "tpot"},
                                           {"inter_token_latency", "itl"},
                                           {"normalized_time_per_output_token", "normalized_tpot"}};
static const char *const stats[][2] = {{"mean", "mean"}, {"median", "p50"}, {"min", "min"},
                                       {"max", "max"},   {"p90", "p90"},    {"p95", "p95"},
                                       {"p99", "p99"},   {"p99.9", "p99.9"}};

static int sniff(const char *head, size_t n, const char *name)
{
    bool one = tare_interop_has(head, n, "\"load_summary\"") || tare_interop_has(head, n, "\"successes\"");
    bool many = tare_interop_first(head, n) == '[' && tare_interop_has(head, n, "\"start_time\"") &&
                tare_interop_has(head, n, "\"end_time\"");
    (void)name;
    return (one && tare_interop_has(head, n, "\"throughput\"")) || many ? 80 : 0;
}

static int put_latency(const struct tare_interop_in *in, const struct tare_json *all, size_t metric,
                       int64_t n, struct tare_err *err)
{
    const struct tare_json *d = tare_json_get(all, latencies[metric][0]);
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof stats / sizeof *stats; i++) {
        char figure[64], path[96];
        double value;
        (void)snprintf(figure, sizeof figure, "%s_%s", latencies[metric][1], stats[i][1]);
        (void)snprintf(path, sizeof path, "successes.latency.%s.%s", latencies[metric][0], stats[i][0]);
        const struct tare_interop_field field = {path, figure, "s", "request", 1};
        r = tare_interop_number(in, tare_json_get(d, stats[i][0]), path, &value, err);
        r = r == 0 ? tare_interop_put(in, &field, value, n, "requests", err) : r;
    }
    return r;
}

static int put_summary(const struct tare_interop_in *in, const struct tare_json *root, struct tare_err *err)
{
    const struct tare_interop_cell cell = {
        .model = in->reader->name, .task = "serve", .scenario = "as reported"};
    int64_t n = tare_interop_count(root, "successes.count");
    if (tare_json_type(tare_json_get(root, "successes")) != TARE_JSON_OBJECT) {
        return tare_interop_fault(in, err, "successes: an object is needed");
    }
    int r = tare_interop_record(in, root, err);
    r = r == 0 ? in->sink->cell(in->sink->ctx, &cell, err) : r;
    r = r == 0 ? tare_interop_map(in, root, fields, sizeof fields / sizeof *fields, n, "requests", err) : r;
    for (size_t i = 0; r == 0 && n != 0 && i < sizeof latencies / sizeof *latencies; i++) {
        r = put_latency(in, tare_interop_at(root, "successes.latency"), i, n, err);
    }
    return r;
}

static int read_request(const struct tare_interop_in *in, const struct tare_json *request,
                        struct tare_err *err)
{
    return tare_json_get(request, "start_time") ? 0
                                                : tare_interop_fault(in, err, "a request has no start_time");
}

static int put_requests(const struct tare_interop_in *in, const struct tare_json *list, struct tare_err *err)
{
    static const struct tare_interop_field count = {"requests", "requests", "1", "client", 1};
    const struct tare_interop_cell cell = {
        .model = in->reader->name, .task = "requests", .scenario = "as reported"};
    int r = tare_interop_read_list(in, list, NULL, read_request, err);
    r = r == 0 ? in->sink->cell(in->sink->ctx, &cell, err) : r;
    return r == 0 ? tare_interop_put(in, &count, (double)tare_json_size(list), TARE_ABSENT, "", err) : r;
}

static int read_file(const struct tare_interop_in *in, struct tare_err *err)
{
    struct tare_json *root = NULL;
    int r = in->sink->tool(in->sink->ctx, tool, NULL, err);
    r = r == 0 ? tare_interop_json_all(in, &root, err) : r;
    if (r == 0) {
        r = tare_json_type(root) == TARE_JSON_ARRAY ? put_requests(in, root, err)
                                                    : put_summary(in, root, err);
    }
    tare_json_destroy(root);
    return r;
}

const struct tare_interop_format tare_interop_inference_perf = {
    .name = "inference-perf",
    .summary = "*_lifecycle_metrics.json of inference-perf",
    .tool = tool,
    .sniff = sniff,
    .read = read_file,
};
