/* SPDX-License-Identifier: Apache-2.0 */
/*
 * llama-batched-bench --output-format jsonl: prompt and generation of several sequences at once, a line a
 * combination, between log lines. The file does not name its model. Its rates are over all sequences
 * together, so speed_tg is the output of the process and no rate of one decoding.
 */
#include "records.h"
#include "values.h"

static const char tool[] = "llama-batched-bench";

static const struct tare_interop_field fields[] = {
    {"speed_pp", "prefill_throughput", "tok/s", "process", 1},
    {"speed_tg", "output_throughput", "tok/s", "process", 1},
    {"speed", "token_throughput", "tok/s", "process", 1},
    {"t_pp", "prefill_time", "s", "process", 1},
    {"t_tg", "decode_time", "s", "process", 1},
    {"t", "test_time", "s", "process", 1},
    {"n_kv", "kv_tok", "tok", "process", 1},
};

static int sniff(const char *head, size_t n, const char *name)
{
    (void)name;
    return tare_interop_has(head, n, "\"n_kv\":") && tare_interop_has(head, n, "\"speed_tg\":") ? 90 : 0;
}

static int read_row(const struct tare_interop_in *in, const struct tare_json *row, struct tare_err *err)
{
    char task[64], scenario[64];
    int64_t pp = tare_interop_count(row, "pp"), tg = tare_interop_count(row, "tg"),
            pl = tare_interop_count(row, "pl");
    if (pp == TARE_ABSENT || tg == TARE_ABSENT || pl == TARE_ABSENT) {
        return tare_interop_fault(in, err, "pp, tg and pl have to be counts");
    }
    (void)snprintf(task, sizeof task, "pp%lld+tg%lld", (long long)pp, (long long)tg);
    (void)snprintf(scenario, sizeof scenario, "parallel=%lld", (long long)pl);
    const struct tare_interop_cell cell = {.model = in->reader->name, .task = task, .scenario = scenario};
    int r = in->sink->cell(in->sink->ctx, &cell, err);
    return r == 0 ? tare_interop_map(in, row, fields, sizeof fields / sizeof *fields, TARE_ABSENT, "", err)
                  : r;
}

static int read_file(const struct tare_interop_in *in, struct tare_err *err)
{
    int r = in->sink->tool(in->sink->ctx, tool, NULL, err);
    return r == 0 ? tare_interop_read_lines(in, true, read_row, err) : r;
}

const struct tare_interop_format tare_interop_batched_bench = {
    .name = "batched-bench",
    .summary = "llama-batched-bench --output-format jsonl",
    .tool = tool,
    .sniff = sniff,
    .read = read_file,
};
