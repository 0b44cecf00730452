/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aggregates of InferenceX (agg_*.json, or an array of them). Latencies are in seconds. Joules are of the
 * whole deployment only from power_metric_schema_version 2 on, and only where power_valid is 1: others are
 * kept and not read. avg_power_w is of one GPU.
 */
#include "served.h"
#include "values.h"

#include <math.h>
#include <string.h>

static const char tool[] = "InferenceX";

static const struct tare_interop_field power[] = {
    {"avg_total_gpu_power_w", "power_mean", "W", "device", 1},
    {"avg_power_w", "power_mean_per_gpu", "W", "device", 1},
    {"total_gpu_energy_j", "energy", "J", "device", 1},
    {"joules_per_successful_query", "energy_per_request", "J/request", "device", 1},
    {"joules_per_input_token", "energy_per_input_tok", "J/tok", "device", 1},
    {"joules_per_output_token", "energy_per_output_tok", "J/tok", "device", 1},
    {"joules_per_total_token", "energy_per_tok", "J/tok", "device", 1},
};

static const struct tare_interop_field rates[] = {
    {"tput_per_gpu", "token_throughput_per_gpu", "tok/s", "device", 1},
    {"output_tput_per_gpu", "output_throughput_per_gpu", "tok/s", "device", 1},
    {"input_tput_per_gpu", "prefill_throughput_per_gpu", "tok/s", "device", 1},
};

static const struct tare_served_metric latencies[] = {
    {"ttft", "ttft", true}, {"tpot", "tpot", true}, {"itl", "itl", true}, {"e2el", "latency", true}};

static int sniff(const char *head, size_t n, const char *name)
{
    (void)name;
    return tare_interop_has(head, n, "\"tput_per_gpu\"") && tare_interop_has(head, n, "\"hw\"") ? 90 : 0;
}

static int read_object(const struct tare_interop_in *in, const struct tare_json *o, struct tare_err *err)
{
    char scenario[160], task[60];
    const char *model = tare_interop_text(o, "model");
    bool powered = tare_interop_count(o, "power_valid") == 1 &&
                   tare_interop_count(o, "power_metric_schema_version") >= 2;
    if (!*model) {
        return tare_interop_fault(in, err, "model is needed");
    }
    (void)snprintf(scenario, sizeof scenario, "%.30s %.30s %.20s tp=%lld conc=%lld",
                   tare_interop_text(o, "hw"), tare_interop_text(o, "framework"),
                   tare_interop_text(o, "precision"), (long long)tare_interop_count(o, "tp"),
                   (long long)tare_interop_count(o, "conc"));
    (void)snprintf(task, sizeof task, "isl=%lld osl=%lld", (long long)tare_interop_count(o, "isl"),
                   (long long)tare_interop_count(o, "osl"));
    bool lengths = tare_interop_count(o, "isl") != TARE_ABSENT;
    const struct tare_interop_cell cell = {
        .model = model, .task = lengths ? task : "serve", .scenario = scenario};
    int r = in->sink->cell(in->sink->ctx, &cell, err);
    r = r == 0 ? tare_interop_map(in, o, rates, sizeof rates / sizeof *rates, TARE_ABSENT, "", err) : r;
    r = r == 0 && powered ? tare_interop_map(in, o, power, sizeof power / sizeof *power, TARE_ABSENT, "", err)
                          : r;
    return r == 0 ? tare_served_latencies(in, o, latencies, sizeof latencies / sizeof *latencies, "", 1,
                                          TARE_ABSENT, err)
                  : r;
}

static int read_file(const struct tare_interop_in *in, struct tare_err *err)
{
    int r = in->sink->tool(in->sink->ctx, tool, NULL, err);
    return r == 0 ? tare_interop_read_objects(in, read_object, err) : r;
}

static void put_row(struct tare_json *to, const struct tare_interop_row *row, const char *cpu)
{
    static const char *const names[][2] = {
        {"ttft", "ttft"}, {"tpot", "tpot"}, {"itl", "itl"}, {"latency", "e2el"}};
    static const char *const stats[][2] = {{"p50", "median"}, {"p90", "p90"}, {"p99", "p99"}};
    struct tare_json *o = tare_json_add_object(to, NULL);
    if (cpu) {
        tare_json_add_str(o, "hw", cpu);
    }
    tare_json_add_str(o, "model", row->model);
    tare_json_add_str(o, "framework", row->backend);
    tare_json_add_i64(o, "conc", 1);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        for (size_t j = 0; j < sizeof stats / sizeof *stats; j++) {
            char figure[32], key[40];
            (void)snprintf(figure, sizeof figure, "%s_%s", names[i][0], stats[j][0]);
            (void)snprintf(key, sizeof key, "%s_%s", stats[j][1], names[i][1]);
            tare_interop_add(o, key, row, figure, 1);
        }
    }
}

/* What a whole machine does is nothing per GPU, and energies of other scopes than its GPUs' have no place. */
static int write_run(const struct tare_interop_run *run, FILE *to, struct tare_err *err)
{
    struct tare_json *list = tare_json_new_array();
    for (size_t i = 0; i < run->n_rows; i++) {
        put_row(list, &run->rows[i], run->cpu);
    }
    return tare_interop_print(list, true, to, err);
}

const struct tare_interop_format tare_interop_inferencex = {
    .name = "inferencex",
    .summary = "aggregates of InferenceX (agg_*.json)",
    .tool = tool,
    .sniff = sniff,
    .read = read_file,
    .give_back = tare_interop_give_back,
    .write = write_run,
};
