/* SPDX-License-Identifier: Apache-2.0 */
/*
 * benchmark.json of optimum-benchmark: {config, report}, the report holding targets (load_model, prefill,
 * decode, per_token ...), each with latency in s, memory in MB (10^6 bytes), energy in kWh and throughput in
 * what its unit says. stdev_ is a percentage and not read. A unit that is not the known one is an error.
 */
#include "records.h"
#include "values.h"

#include <math.h>
#include <string.h>

static const char tool[] = "optimum-benchmark";
static const double bytes_per_mb = 1e6, joule_per_kwh = 3.6e6;

static const struct {
    const char *part, *unit; /* that it must have */
    const char *key, *suffix, *our_unit, *scope;
    double scale;
} measures[] = {
    {"latency", "s", "mean", "time_mean", "s", "process", 1},
    {"latency", "s", "p50", "time_p50", "s", "process", 1},
    {"latency", "s", "p90", "time_p90", "s", "process", 1},
    {"latency", "s", "p95", "time_p95", "s", "process", 1},
    {"latency", "s", "p99", "time_p99", "s", "process", 1},
    {"latency", "s", "stdev", "time_stddev", "s", "process", 1},
    {"memory", "MB", "max_ram", "peak_rss", "B", "process", 1e6},
    {"memory", "MB", "max_global_vram", "peak_device_memory", "B", "device", 1e6},
    {"memory", "MB", "max_process_vram", "peak_process_device_memory", "B", "device", 1e6},
    {"memory", "MB", "max_reserved", "peak_reserved", "B", "allocator", 1e6},
    {"memory", "MB", "max_allocated", "peak_allocated", "B", "allocator", 1e6},
    {"energy", "kWh", "total", "energy", "J", "cpu+gpu+ram", 3.6e6},
    {"energy", "kWh", "cpu", "cpu_energy", "J", "cpu", 3.6e6},
    {"energy", "kWh", "gpu", "gpu_energy", "J", "gpu", 3.6e6},
    {"energy", "kWh", "ram", "ram_energy", "J", "ram", 3.6e6},
};

/* Rates carry their unit with them: tokens are not samples. */
static const struct {
    const char *theirs, *suffix, *ours;
} rates[] = {{"tokens/s", "throughput", "tok/s"},
             {"samples/s", "sample_throughput", "sample/s"},
             {"steps/s", "step_throughput", "step/s"},
             {"images/s", "image_throughput", "image/s"}};

static int sniff(const char *head, size_t n, const char *name)
{
    bool keys = tare_interop_has(head, n, "\"config\"") && tare_interop_has(head, n, "\"scenario\"") &&
                tare_interop_has(head, n, "\"launcher\"");
    return tare_interop_first(head, n) == '{' && keys ? strcmp(name, "benchmark.json") == 0 ? 90 : 80 : 0;
}

static int check_unit(const struct tare_interop_in *in, const char *target, const char *part,
                      const struct tare_json *object, const char *unit, struct tare_err *err)
{
    const char *found = tare_interop_text(object, "unit");
    return *found && strcmp(found, unit) != 0
               ? tare_interop_fault(in, err, "%.40s.%.20s: its unit is \"%.20s\", known is %s", target, part,
                                    found, unit)
               : 0;
}

static int put_rate(const struct tare_interop_in *in, const char *target, const struct tare_json *object,
                    int64_t n, struct tare_err *err)
{
    const char *unit = tare_interop_text(object, "unit");
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        char figure[96], path[96];
        double value;
        if (strcmp(unit, rates[i].theirs) == 0) {
            (void)snprintf(figure, sizeof figure, "%.60s_%s", target, rates[i].suffix);
            (void)snprintf(path, sizeof path, "%.60s.throughput.value", target);
            const struct tare_interop_field field = {path, figure, rates[i].ours, "process", 1};
            int r = tare_interop_number(in, tare_json_get(object, "value"), path, &value, err);
            return r == 0 ? tare_interop_put(in, &field, value, n, "repeats", err) : r;
        }
    }
    return object && tare_json_get(object, "value")
               ? tare_interop_fault(in, err, "%.40s.throughput: unit \"%.20s\" is not known", target, unit)
               : 0;
}

static int put_target(const struct tare_interop_in *in, const struct tare_json *target, struct tare_err *err)
{
    const char *name = tare_json_key(target);
    int64_t n = tare_interop_count(target, "latency.count");
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof measures / sizeof *measures; i++) {
        char figure[96], path[96];
        double value = (double)NAN;
        const struct tare_json *part = tare_json_get(target, measures[i].part),
                               *v = tare_json_get(part, measures[i].key);
        (void)snprintf(figure, sizeof figure, "%.60s_%s", name, measures[i].suffix);
        (void)snprintf(path, sizeof path, "%.50s.%s.%s", name, measures[i].part, measures[i].key);
        const struct tare_interop_field field = {path, figure, measures[i].our_unit, measures[i].scope,
                                                 measures[i].scale};
        r = v ? check_unit(in, name, measures[i].part, part, measures[i].unit, err) : 0;
        r = r == 0 ? tare_interop_number(in, v, path, &value, err) : r;
        r = r == 0 ? tare_interop_put(in, &field, value, n, "repeats", err) : r;
    }
    return r == 0 ? put_rate(in, name, tare_json_get(target, "throughput"), n, err) : r;
}

static int put_all(const struct tare_interop_in *in, const struct tare_json *root, struct tare_err *err)
{
    char scenario[160];
    const struct tare_json *report = tare_json_get(root, "report");
    const char *model = tare_interop_text(root, "config.backend.model"),
               *version = tare_interop_text(root, "config.environment.optimum_benchmark_version"),
               *task = tare_interop_text(root, "config.backend.task"),
               *cpu = tare_interop_text(root, "config.environment.cpu");
    if (!*model || tare_json_type(report) != TARE_JSON_OBJECT || tare_json_size(report) == 0) {
        return tare_interop_fault(in, err, "config.backend.model and a target in report are needed");
    }
    const char *batch = tare_interop_scalar(tare_interop_at(root, "config.scenario.input_shapes.batch_size"));
    (void)snprintf(scenario, sizeof scenario, "%.40s %.40s batch=%.20s",
                   tare_interop_text(root, "config.scenario.name"),
                   tare_interop_text(root, "config.backend.name"), batch ? batch : "?");
    const struct tare_interop_cell cell = {
        .model = model, .task = *task ? task : "task not stated", .scenario = scenario};
    int r = in->sink->tool(in->sink->ctx, tool, *version ? version : NULL, err);
    r = r == 0 && *cpu ? in->sink->fact(in->sink->ctx, "cpu.model", cpu, err) : r;
    r = r == 0 ? tare_interop_record(in, root, err) : r;
    r = r == 0 ? in->sink->cell(in->sink->ctx, &cell, err) : r;
    for (const struct tare_json *v = tare_json_first(report); r == 0 && v; v = tare_json_next(v)) {
        r = tare_json_type(v) == TARE_JSON_OBJECT ? put_target(in, v, err) : 0;
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

/* A part with its unit, if the figure is there. */
static void put_part(struct tare_json *target, const char *part, const char *unit, const char *key,
                     double value)
{
    if (isfinite(value)) {
        struct tare_json *o = tare_json_add_object(target, part);
        tare_json_add_str(o, "unit", unit);
        tare_json_add_f64(o, key, value);
    }
}

/* Prefill here is one item's, as there; its mean is not ours to give. energy.total is the energy of the
 * measured phase, which is that of its "generate". */
static int write_run(const struct tare_interop_run *run, FILE *to, struct tare_err *err)
{
    int r = tare_interop_one_row(run, "optimum-benchmark", err);
    if (r < 0) {
        return r;
    }
    const struct tare_interop_row *row = &run->rows[0];
    struct tare_json *root = tare_json_new_object(), *config = tare_json_add_object(root, "config");
    tare_json_add_str(config, "name", run->name);
    struct tare_json *backend = tare_json_add_object(config, "backend");
    tare_json_add_str(backend, "name", row->backend);
    tare_json_add_str(backend, "model", row->model);
    tare_json_add_str(backend, "task", row->task);
    struct tare_json *scenario = tare_json_add_object(config, "scenario");
    tare_json_add_str(scenario, "name", "inference");
    (void)tare_json_add_object(config, "launcher");
    struct tare_json *environment = tare_json_add_object(config, "environment");
    if (run->cpu) {
        tare_json_add_str(environment, "cpu", run->cpu);
    }
    struct tare_json *report = tare_json_add_object(root, "report");
    struct tare_json *load = tare_json_add_object(report, "load_model");
    put_part(load, "latency", "s", "p50", tare_interop_figure(row, "load_time"));
    put_part(load, "memory", "MB", "max_ram", tare_interop_figure(row, "peak_rss_load") / bytes_per_mb);
    struct tare_json *prefill = tare_json_add_object(report, "prefill");
    put_part(prefill, "latency", "s", "p50", tare_interop_figure(row, "ttft_p50"));
    struct tare_json *decode = tare_json_add_object(report, "decode");
    put_part(decode, "throughput", "tokens/s", "value", tare_interop_figure(row, "decode_throughput"));
    struct tare_json *per_token = tare_json_add_object(report, "per_token");
    put_part(per_token, "latency", "s", "p50", tare_interop_figure(row, "itl_p50"));
    struct tare_json *generate = tare_json_add_object(report, "generate");
    put_part(generate, "latency", "s", "p50", tare_interop_figure(row, "latency_p50"));
    put_part(generate, "memory", "MB", "max_ram", tare_interop_figure(row, "peak_rss") / bytes_per_mb);
    put_part(generate, "energy", "kWh", "total", tare_interop_figure(row, "energy") / joule_per_kwh);
    return tare_interop_print(root, true, to, err);
}

const struct tare_interop_format tare_interop_optimum_benchmark = {
    .name = "optimum-benchmark",
    .summary = "benchmark.json of optimum-benchmark",
    .tool = tool,
    .sniff = sniff,
    .read = read_file,
    .give_back = tare_interop_give_back_one,
    .write = write_run,
};
