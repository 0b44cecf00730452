/* SPDX-License-Identifier: Apache-2.0 */
/*
 * results.json of The ML.ENERGY Benchmark. Energies are those of the GPUs in the steady state. The energies
 * of single requests in it are the mean energy of a token times their length, so they are kept and not read.
 */
#include "records.h"
#include "values.h"

static const char tool[] = "ML.ENERGY";

static const struct tare_interop_field fields[] = {
    {"steady_state_energy_per_token", "energy_per_output_tok", "J/tok", "device", 1},
    {"steady_state_energy", "energy", "J", "device", 1},
    {"steady_state_duration", "steady_state_time", "s", "server", 1},
    {"duration", "measure_time", "s", "server", 1},
    {"completed", "completed_requests", "1", "server", 1},
    {"total_input_tokens", "prompt_tok", "tok", "server", 1},
    {"total_output_tokens", "output_tok", "tok", "server", 1},
    {"request_throughput", "request_throughput", "request/s", "server", 1},
    {"output_throughput", "output_throughput", "tok/s", "server", 1},
    {"total_token_throughput", "token_throughput", "tok/s", "server", 1},
};

static int sniff(const char *head, size_t n, const char *name)
{
    (void)name;
    return tare_interop_has(head, n, "\"max_num_seqs\"") && tare_interop_has(head, n, "\"gpu_model\"") ? 90
                                                                                                       : 0;
}

static int put_all(const struct tare_interop_in *in, const struct tare_json *root, struct tare_err *err)
{
    char scenario[80];
    const char *model = tare_interop_text(root, "model_id"), *gpu = tare_interop_text(root, "gpu_model");
    int64_t seqs = tare_interop_count(root, "max_num_seqs"), gpus = tare_interop_count(root, "num_gpus");
    if (!*model) {
        return tare_interop_fault(in, err, "model_id is needed");
    }
    (void)snprintf(scenario, sizeof scenario, "max_num_seqs=%lld gpus=%lld", (long long)seqs,
                   (long long)gpus);
    const struct tare_interop_cell cell = {.model = model, .task = "serve", .scenario = scenario};
    int r = in->sink->tool(in->sink->ctx, tool, NULL, err);
    r = r == 0 && *gpu ? in->sink->fact(in->sink->ctx, "gpu.model", gpu, err) : r;
    r = r == 0 ? tare_interop_record(in, root, err) : r;
    r = r == 0 ? in->sink->cell(in->sink->ctx, &cell, err) : r;
    return r == 0 ? tare_interop_map(in, root, fields, sizeof fields / sizeof *fields,
                                     tare_interop_count(root, "completed"), "requests", err)
                  : r;
}

static int read_file(const struct tare_interop_in *in, struct tare_err *err)
{
    struct tare_json *root = NULL;
    int r = tare_interop_json_all(in, &root, err);
    r = r == 0 ? put_all(in, root, err) : r;
    tare_json_destroy(root);
    return r;
}

const struct tare_interop_format tare_interop_ml_energy = {
    .name = "ml-energy",
    .summary = "results.json of The ML.ENERGY Benchmark",
    .tool = tool,
    .sniff = sniff,
    .read = read_file,
};
