/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The benchmark report of llm-d, version 0.1, as JSON (which is YAML, too). It demands a mean wherever it has
 * a statistic. We have means of lengths and of nothing else, so latencies stand in `metadata` by our names,
 * and the report is only as complete as its figures.
 */
#include "values.h"

#include <math.h>
#include <string.h>

static void put_length(struct tare_json *requests, const char *key, int64_t tok, int64_t n)
{
    struct tare_json *o = tare_json_add_object(requests, key);
    tare_json_add_str(o, "units", "count");
    tare_json_add_f64(o, "mean", (double)tok / (double)n);
}

static void put_metrics(struct tare_json *metrics, const struct tare_interop_row *row)
{
    struct tare_repeat_sums all = tare_interop_sums(row);
    double seconds = (double)all.window_ns * 1e-9;
    struct tare_json *time = tare_json_add_object(metrics, "time");
    tare_json_add_f64(time, "duration", seconds);
    struct tare_json *requests = tare_json_add_object(metrics, "requests");
    tare_json_add_i64(requests, "total", all.requests);
    put_length(requests, "input_length", all.prompt_tok, all.requests);
    put_length(requests, "output_length", all.output_tok, all.requests);
    struct tare_json *throughput = tare_json_add_object(metrics, "throughput");
    tare_json_add_f64(throughput, "input_tokens_per_sec", (double)all.prompt_tok / seconds);
    tare_json_add_f64(throughput, "output_tokens_per_sec", (double)all.output_tok / seconds);
    tare_json_add_f64(throughput, "total_tokens_per_sec",
                      (double)(all.prompt_tok + all.output_tok) / seconds);
    tare_json_add_f64(throughput, "requests_per_sec", (double)all.requests / seconds);
    struct tare_json *own = tare_json_add_object(metrics, "metadata");
    for (size_t i = 0; i < row->n_figures; i++) {
        const struct tare_figure *f = &row->figures[i];
        bool latency = strncmp(f->name, "ttft_", 5) == 0 || strncmp(f->name, "tpot_", 5) == 0 ||
                       strncmp(f->name, "itl_", 4) == 0 || strncmp(f->name, "latency_", 8) == 0;
        if (latency && !f->absent) {
            char key[64];
            (void)snprintf(key, sizeof key, "%.50s_%s", f->name, f->unit);
            tare_json_add_f64(own, key, f->value);
        }
    }
}

static int write_run(const struct tare_interop_run *run, FILE *to, struct tare_err *err)
{
    int r = tare_interop_one_row(run, "llm-d's report", err);
    if (r == 0 && tare_interop_sums(&run->rows[0]).window_ns <= 0) {
        r = tare_err_set(err, TARE_E_USAGE, "the cell has no complete repeat");
    }
    if (r < 0) {
        return r;
    }
    const struct tare_interop_row *row = &run->rows[0];
    struct tare_json *root = tare_json_new_object();
    tare_json_add_str(root, "version", "0.1");
    struct tare_json *scenario = tare_json_add_object(root, "scenario");
    struct tare_json *engine =
        tare_json_add_object(tare_json_add_array(tare_json_add_object(scenario, "platform"), "engine"), NULL);
    tare_json_add_str(engine, "name", row->backend);
    struct tare_json *model = tare_json_add_object(scenario, "model");
    tare_json_add_str(model, "name", row->model);
    struct tare_json *load = tare_json_add_object(scenario, "load");
    tare_json_add_str(load, "name", "nop");
    struct tare_json *about = tare_json_add_object(load, "metadata");
    tare_json_add_str(about, "generator", "tare");
    tare_json_add_str(about, "task", row->task);
    put_metrics(tare_json_add_object(root, "metrics"), row);
    return tare_interop_print(root, true, to, err);
}

const struct tare_interop_format tare_interop_llmd_report = {
    .name = "llm-d-report",
    .summary = "the benchmark report of llm-d, version 0.1 (out only)",
    .tool = "llm-d-benchmark",
    .write = write_run,
};
