/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vllm bench serve --save-result: one object, one a line (--append-result) or an array (a sweep's
 * summary.json). Latencies of the summary are in ms, those of the lists behind --save-detailed in seconds.
 * A request_rate without limit is the text "inf". Without an answered request, or with answers of one token
 * only, vLLM writes zeros: those are no latencies.
 */
#include "served.h"
#include "values.h"

#include <math.h>
#include <string.h>

static const char tool[] = "vllm bench";

static const struct tare_interop_field counts[] = {
    {"completed", "completed_requests", "1", "server", 1},
    {"failed", "failed_requests", "1", "server", 1},
    {"total_input_tokens", "prompt_tok", "tok", "server", 1},
    {"total_output_tokens", "output_tok", "tok", "server", 1},
    {"duration", "measure_time", "s", "server", 1},
};

static const struct tare_interop_field rates[] = {
    {"request_throughput", "request_throughput", "request/s", "server", 1},
    {"request_goodput", "request_goodput", "request/s", "server", 1},
    {"output_throughput", "output_throughput", "tok/s", "server", 1},
    {"total_token_throughput", "token_throughput", "tok/s", "server", 1},
    {"max_output_tokens_per_s", "output_throughput_peak", "tok/s", "server", 1},
    {"spec_decode_acceptance_rate", "acceptance_rate", "1", "server", 0.01},
    {"spec_decode_acceptance_length", "tokens_per_pass", "tok", "server", 1},
};

static const struct tare_served_metric latencies[] = {
    {"ttft", "ttft", true},
    {"tpot", "tpot", true},
    {"itl", "itl", true},
    {"e2el", "latency", true},
    {"client_queue_time", "client_queue_time", false},
    {"e2el_including_client_queue", "latency_with_queue", true},
};

static int sniff(const char *head, size_t n, const char *name)
{
    bool keys = tare_interop_has(head, n, "\"num_prompts\"") && tare_interop_has(head, n, "\"model_id\"") &&
                tare_interop_has(head, n, "\"request_rate\"");
    (void)name;
    return keys && strchr("[{", tare_interop_first(head, n)) ? 70 : 0;
}

static void put_scenario(const struct tare_json *o, char *to, size_t n)
{
    static const char *const fields[][2] = {{"request_rate", "rate"},
                                            {"max_concurrency", "concurrency"},
                                            {"burstiness", "burstiness"},
                                            {"run_number", "run"}};
    size_t used = 0;
    to[0] = '\0';
    for (size_t i = 0; i < sizeof fields / sizeof *fields && used < n; i++) {
        const char *value = tare_interop_scalar(tare_json_get(o, fields[i][0]));
        if (value) {
            used += (size_t)snprintf(to + used, n - used, "%s%s=%.20s", used ? " " : "", fields[i][1], value);
        }
    }
}

static int read_object(const struct tare_interop_in *in, const struct tare_json *o, struct tare_err *err)
{
    char scenario[160];
    int64_t completed = tare_interop_count(o, "completed");
    const char *model = tare_interop_text(o, "model_id");
    const char *label = tare_interop_text(o, "label");
    if (!*model || completed == TARE_ABSENT) {
        return tare_interop_fault(in, err, "model_id and a count in completed are needed");
    }
    put_scenario(o, scenario, sizeof scenario);
    const struct tare_interop_cell cell = {
        .model = model, .task = *label ? label : "serve", .scenario = *scenario ? scenario : "as reported"};
    int r = in->sink->cell(in->sink->ctx, &cell, err);
    r = r == 0 ? tare_interop_map(in, o, counts, sizeof counts / sizeof *counts, TARE_ABSENT, "", err) : r;
    if (completed > 0) {
        r = r == 0 ? tare_interop_map(in, o, rates, sizeof rates / sizeof *rates, completed, "requests", err)
                   : r;
        r = r == 0 ? tare_served_latencies(in, o, latencies, sizeof latencies / sizeof *latencies, "_ms",
                                           1e-3, completed, err)
                   : r;
    }
    return r;
}

static int read_file(const struct tare_interop_in *in, struct tare_err *err)
{
    int r = in->sink->tool(in->sink->ctx, tool, NULL, err);
    return r == 0 ? tare_interop_read_objects(in, read_object, err) : r;
}

/* "2026-01-02T03:04:05Z" as vLLM writes it: 20260102-030405. */
static void put_date(struct tare_json *o, const char *utc)
{
    char text[16];
    if (utc && strlen(utc) >= 19) {
        (void)snprintf(text, sizeof text, "%.4s%.2s%.2s-%.2s%.2s%.2s", utc, utc + 5, utc + 8, utc + 11,
                       utc + 14, utc + 17);
        tare_json_add_str(o, "date", text);
    }
}

/* Requests one after the other are vLLM's rate without limit at a concurrency of 1. Rates are of all complete
 * repeats together; percentiles are medians over the repeats, and there is no mean of requests. */
static void put_row(struct tare_json *to, const struct tare_interop_run *run,
                    const struct tare_interop_row *row)
{
    static const char *const names[][2] = {
        {"ttft", "ttft"}, {"tpot", "tpot"}, {"itl", "itl"}, {"latency", "e2el"}};
    static const char *const stats[][2] = {{"p50", "median"}, {"p50", "p50"}, {"p90", "p90"}, {"p99", "p99"}};
    struct tare_repeat_sums all = tare_interop_sums(row);
    double seconds = (double)all.window_ns * 1e-9;
    struct tare_json *o = tare_json_add_object(to, NULL);
    put_date(o, run->started_utc);
    tare_json_add_str(o, "backend", row->backend);
    tare_json_add_str(o, "label", row->task);
    tare_json_add_str(o, "model_id", row->model);
    if (row->tokenizer) {
        tare_json_add_str(o, "tokenizer_id", row->tokenizer);
    }
    tare_json_add_i64(o, "num_prompts", all.requests);
    tare_json_add_str(o, "request_rate", "inf");
    tare_json_add_i64(o, "max_concurrency", 1);
    tare_json_add_f64(o, "duration", seconds);
    tare_json_add_i64(o, "completed", all.requests);
    tare_json_add_i64(o, "total_input_tokens", all.prompt_tok);
    tare_json_add_i64(o, "total_output_tokens", all.output_tok);
    tare_json_add_f64(o, "request_throughput", (double)all.requests / seconds);
    if (all.output_tok > 0) {
        tare_json_add_f64(o, "output_throughput", (double)all.output_tok / seconds);
    }
    tare_json_add_f64(o, "total_token_throughput", (double)(all.prompt_tok + all.output_tok) / seconds);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        for (size_t j = 0; j < sizeof stats / sizeof *stats; j++) {
            char figure[32], key[40];
            (void)snprintf(figure, sizeof figure, "%s_%s", names[i][0], stats[j][0]);
            (void)snprintf(key, sizeof key, "%s_%s_ms", stats[j][1], names[i][1]);
            tare_interop_add(o, key, row, figure, 1e3);
        }
    }
}

static int write_run(const struct tare_interop_run *run, FILE *to, struct tare_err *err)
{
    struct tare_json *list = tare_json_new_array();
    for (size_t i = 0; i < run->n_rows; i++) {
        const struct tare_interop_row *row = &run->rows[i];
        if (tare_interop_sums(row).window_ns > 0) {
            put_row(list, run, row);
        } else {
            tare_buf_printf(run->notes, "%.80s on %.80s is left out: no complete repeat\n", row->model,
                            row->task);
        }
    }
    return tare_interop_print(list, true, to, err);
}

const struct tare_interop_format tare_interop_vllm_bench = {
    .name = "vllm-bench",
    .summary = "vllm bench serve --save-result, and its sweeps",
    .tool = tool,
    .sniff = sniff,
    .read = read_file,
    .give_back = tare_interop_give_back,
    .write = write_run,
};
