/* SPDX-License-Identifier: Apache-2.0 */
/*
 * benchmarks.json of guidellm, versions 1 and 2: a benchmark a load, distributions by how requests ended.
 * Those of successful requests are read. Its time per output token holds the first token; its inter-token
 * latency is a mean over each request's tokens after the first, which is what we call TPOT.
 */
#include "records.h"
#include "values.h"

#include <math.h>
#include <string.h>

static const char tool[] = "guidellm";

static const struct {
    const char *theirs, *ours;
    double scale;
    const char *unit;
    bool rate; /* its mean is the figure */
} metrics[] = {
    {"request_latency", "latency", 1, "s", false},
    {"time_to_first_token_ms", "ttft", 1e-3, "s", false},
    {"inter_token_latency_ms", "tpot", 1e-3, "s", false},
    {"time_per_output_token_ms", "time_per_output_tok_with_first", 1e-3, "s", false},
    {"requests_per_second", "request_throughput", 1, "request/s", true},
    {"output_tokens_per_second", "output_throughput", 1, "tok/s", true},
    {"tokens_per_second", "token_throughput", 1, "tok/s", true},
    {"prompt_token_count", "prompt_tok_per_request", 1, "tok", true},
    {"output_token_count", "output_tok_per_request", 1, "tok", true},
};

static const char *const stats[][2] = {{"mean", "mean"},
                                       {"median", "p50"},
                                       {"std_dev", "stddev"},
                                       {"min", "min"},
                                       {"max", "max"},
                                       {"percentiles.p90", "p90"},
                                       {"percentiles.p95", "p95"},
                                       {"percentiles.p99", "p99"},
                                       {"percentiles.p999", "p99.9"}};

static int sniff(const char *head, size_t n, const char *name)
{
    bool keys = tare_interop_has(head, n, "\"benchmarks\"") &&
                (tare_interop_has(head, n, "guidellm") || tare_interop_has(head, n, "generative_benchmark"));
    (void)name;
    return tare_interop_first(head, n) == '{' && keys ? 90 : 0;
}

static int put_stat(const struct tare_interop_in *in, const struct tare_json *d, size_t metric, size_t stat,
                    int64_t n, struct tare_err *err)
{
    char figure[64], path[90];
    double value;
    bool rate = metrics[metric].rate;
    (void)snprintf(figure, sizeof figure, "%s%s%s", metrics[metric].ours, rate ? "" : "_",
                   rate ? "" : stats[stat][1]);
    (void)snprintf(path, sizeof path, "%s.successful.%s", metrics[metric].theirs, stats[stat][0]);
    const struct tare_interop_field field = {path, figure, metrics[metric].unit, rate ? "server" : "request",
                                             metrics[metric].scale};
    int r = tare_interop_number(in, tare_interop_at(d, stats[stat][0]), path, &value, err);
    return r == 0 ? tare_interop_put(in, &field, value, n, "requests", err) : r;
}

/* Without a request the distribution is all zeros, which is no latency. */
static int put_metric(const struct tare_interop_in *in, const struct tare_json *all, size_t metric,
                      struct tare_err *err)
{
    const struct tare_json *d = tare_json_get(tare_json_get(all, metrics[metric].theirs), "successful");
    int64_t n = tare_interop_count(d, "count");
    int r = 0;
    for (size_t i = 0; r == 0 && n != 0 && i < (metrics[metric].rate ? 1 : sizeof stats / sizeof *stats);
         i++) {
        r = put_stat(in, d, metric, i, n, err);
    }
    return r;
}

static const char *first_text(const struct tare_json *o, const char *const *paths, size_t n,
                              const char *or_else)
{
    for (size_t i = 0; i < n; i++) {
        const char *text = tare_interop_scalar(tare_interop_at(o, paths[i]));
        if (text && *text) {
            return text;
        }
    }
    return or_else;
}

static int read_benchmark(const struct tare_interop_in *in, const struct tare_json *b, struct tare_err *err)
{
    static const char *const models[] = {"config.backend.model", "worker.backend_model",
                                         "benchmarker.backend.model", "args.backend_model"};
    static const char *const strategies[] = {"config.strategy.type_", "args.strategy.type_",
                                             "scheduler.strategy.type_"};
    static const char *const loads[] = {"config.strategy.rate", "args.strategy.rate",
                                        "config.strategy.streams", "args.strategy.streams",
                                        "scheduler.strategy.rate"};
    char scenario[120];
    const struct tare_json *all = tare_json_get(b, "metrics");
    if (tare_json_type(all) != TARE_JSON_OBJECT) {
        return tare_interop_fault(in, err, "a benchmark has no metrics");
    }
    (void)snprintf(scenario, sizeof scenario, "%.40s rate=%.30s",
                   first_text(b, strategies, sizeof strategies / sizeof *strategies, "strategy not stated"),
                   first_text(b, loads, sizeof loads / sizeof *loads, "?"));
    const char *model = in->state ? in->state : in->reader->name;
    const struct tare_interop_cell cell = {.model =
                                               first_text(b, models, sizeof models / sizeof *models, model),
                                           .task = "serve",
                                           .scenario = scenario};
    int r = in->sink->cell(in->sink->ctx, &cell, err);
    for (size_t i = 0; r == 0 && i < sizeof metrics / sizeof *metrics; i++) {
        r = put_metric(in, all, i, err);
    }
    return r;
}

static int read_file(const struct tare_interop_in *given, struct tare_err *err)
{
    struct tare_json *root = NULL;
    struct tare_interop_in in = *given;
    char model[160];
    int r = tare_interop_json_all(&in, &root, err);
    const char *version = tare_interop_text(root, "metadata.guidellm_version"),
               *named = tare_interop_text(root, "config.spec.backend.model");
    if (!*named) {
        named = tare_interop_text(root, "args.model");
    }
    (void)snprintf(model, sizeof model, "%.150s", named);
    in.state = *model ? model : NULL;
    r = r == 0 ? in.sink->tool(in.sink->ctx, tool, *version ? version : NULL, err) : r;
    r = r == 0 ? tare_interop_read_list(&in, root, "benchmarks", read_benchmark, err) : r;
    tare_json_destroy(root);
    return r;
}

const struct tare_interop_format tare_interop_guidellm = {
    .name = "guidellm",
    .summary = "benchmarks.json of guidellm",
    .tool = tool,
    .sniff = sniff,
    .read = read_file,
};
