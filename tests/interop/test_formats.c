/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every format on a sample made from its field list: it is recognised, its figures are the sample's numbers
 * in our units, what is no figure is none, and records come back as they went in.
 */
#include "collect.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <tare/kind.h>

#include <cmocka.h>

static struct collected got, again;

static char *load(const char *name, size_t *n)
{
    char path[512];
    struct tare_buf buf;
    struct tare_err err = {0};
    (void)snprintf(path, sizeof path, "%s/%s", getenv("TARE_INTEROP_SAMPLES"), name);
    tare_buf_init(&buf, 1 << 20);
    if (tare_buf_read_file(&buf, path, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    *n = buf.used;
    return tare_buf_take(&buf);
}

static void import(const char *name)
{
    size_t n = 0;
    struct tare_err err = {0};
    char *text = load(name, &n);
    if (collect_read(&got, NULL, name, text, n, &err) < 0) {
        fail_msg("%s: %s", name, err.msg);
    }
    free(text);
}

static const struct {
    const char *file, *format, *tool;
    size_t records, cells;
    bool back;
} files[] = {
    {"llama-bench.json", "llama-bench", "llama-bench", 3, 3, true},
    {"llama-bench.jsonl", "llama-bench-jsonl", "llama-bench", 2, 2, true},
    {"llama-bench.csv", "llama-bench-csv", "llama-bench", 2, 2, true},
    {"llama-bench.sql", "llama-bench-sql", "llama-bench", 2, 2, true},
    {"batched-bench.jsonl", "batched-bench", "llama-batched-bench", 1, 1, false},
    {"results_2026-08-01T10-00-00.json", "lm-eval", "lm-eval", 1, 3, true},
    {"samples_arc_easy_2026-08-01T10-00-00.jsonl", "lm-eval-samples", "lm-eval", 4, 1, true},
    {"mlperf_log_summary.txt", "loadgen-summary", "MLPerf LoadGen", 1, 1, true},
    {"mlperf_log_detail.txt", "loadgen-detail", "MLPerf LoadGen", 11, 1, true},
    {"mlperf_log_accuracy.json", "loadgen-accuracy", "MLPerf LoadGen", 2, 1, true},
    {"vllm-bench.json", "vllm-bench", "vllm bench", 1, 1, true},
    {"vllm-sweep.json", "vllm-bench", "vllm bench", 2, 2, true},
    {"vllm-append.jsonl", "vllm-bench", "vllm bench", 2, 2, true},
    {"benchmark.json", "optimum-benchmark", "optimum-benchmark", 1, 1, true},
    {"guidellm.json", "guidellm", "guidellm", 1, 1, false},
    {"guidellm-v1.json", "guidellm", "guidellm", 1, 1, false},
    {"summary_lifecycle_metrics.json", "inference-perf", "inference-perf", 1, 1, false},
    {"per_request_lifecycle_metrics.json", "inference-perf", "inference-perf", 1, 1, false},
    {"profile_export_aiperf.json", "aiperf", "AIPerf", 1, 1, false},
    {"aiperf-aggregate.json", "aiperf", "AIPerf", 1, 1, false},
    {"profile_export_aiperf.csv", "aiperf-csv", "AIPerf", 4, 1, false},
    {"profile_export.jsonl", "aiperf-jsonl", "AIPerf", 2, 1, false},
    {"ml-energy.json", "ml-energy", "ML.ENERGY", 1, 1, false},
    {"inferencex.json", "inferencex", "InferenceX", 1, 1, true},
    {"inferencex-list.json", "inferencex", "InferenceX", 3, 3, true},
    {"emissions.csv", "codecarbon", "CodeCarbon", 2, 2, true},
    {"hyperfine.json", "hyperfine", "hyperfine", 2, 2, true},
};

enum { n_files = sizeof files / sizeof *files };

static void test_recognised(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_files; i++) {
        import(files[i].file);
        if (strcmp(got.format, files[i].format) != 0 || strcmp(got.tool, files[i].tool) != 0 ||
            got.n_records != files[i].records || got.n_cells != files[i].cells) {
            fail_msg("%s: %s by %s, %zu records, %zu cells", files[i].file, got.format, got.tool,
                     got.n_records, got.n_cells);
        }
        collect_fini(&got);
    }
}

/* Nothing that a file tells can be taken for something that was measured here. */
static void test_marked(void **state)
{
    size_t seen = 0;
    (void)state;
    for (size_t i = 0; i < n_files; i++) {
        import(files[i].file);
        for (size_t j = 0; j < got.n_figures; j++, seen++) {
            const struct collected_figure *f = &got.figures[j];
            assert_int_equal(f->kind, TARE_KIND_REPORTED);
            assert_string_equal(f->flags, TARE_INTEROP_FLAG);
            assert_true(strncmp(f->source, files[i].tool, strlen(files[i].tool)) == 0);
            assert_true(isfinite(f->value) && f->n >= 0 && *f->unit && *f->scope);
        }
        collect_fini(&got);
    }
    assert_true(seen > 300);
}

static void test_figures(void **state)
{
    static const struct {
        const char *file;
        size_t cell;
        const char *figure; /* absent if its unit is NULL */
        const char *unit;
        double value;
        const char *why;
    } rows[] = {
        {"llama-bench.json", 0, "prefill_throughput", "tok/s", 73.006201, "n_gen is 0: a prompt test"},
        {"llama-bench.json", 0, "decode_throughput", NULL, 0, "and no other"},
        {"llama-bench.json", 0, "prefill_time_mean", "s", 7.013105012, "ns to s"},
        {"llama-bench.json", 1, "decode_throughput", "tok/s", 32, "n_prompt is 0: a generation test"},
        {"llama-bench.json", 2, "token_throughput", "tok/s", 58.1818, "both"},
        {"llama-bench.json", 2, "prefill_throughput", NULL, 0, "both is neither"},
        {"llama-bench.sql", 1, "decode_throughput", "tok/s", 32, "text in quotes is a number"},
        {"llama-bench.csv", 0, "stored_bytes", "B", 668788096, "the same in a table"},
        {"batched-bench.jsonl", 0, "output_throughput", "tok/s", 128, "over all sequences"},
        {"batched-bench.jsonl", 0, "decode_throughput", NULL, 0, "which is no rate of one decoding"},
        {"results_2026-08-01T10-00-00.json", 0, "acc", "1", 0.4321, "filter none"},
        {"results_2026-08-01T10-00-00.json", 1, "exact_match.strict-match", "1", 0.25,
         "a filter is a part of it"},
        {"results_2026-08-01T10-00-00.json", 1, "exact_match", NULL, 0, "so that none stands for another"},
        {"samples_arc_easy_2026-08-01T10-00-00.jsonl", 0, "acc", "1", 0.75, "3 of 4"},
        {"samples_arc_easy_2026-08-01T10-00-00.jsonl", 0, "ppl", NULL, 0, "a pair is no number"},
        {"mlperf_log_summary.txt", 0, "latency_p99.9", "s", 0.0089, "ns to s"},
        {"mlperf_log_summary.txt", 0, "request_throughput", "request/s", 12.34, "of the server scenario"},
        {"mlperf_log_summary.txt", 0, "tpot_p99", "s", 7e-5, "percentile time to output token"},
        {"mlperf_log_detail.txt", 0, "ttft_p99", "s", 9e-4, "another order of words"},
        {"mlperf_log_detail.txt", 0, "output_throughput", NULL, 0, "it is per nanosecond there"},
        {"mlperf_log_accuracy.json", 0, "responses", "1", 2, "counted"},
        {"vllm-bench.json", 0, "ttft_p50", "s", 0.04825, "median, ms to s"},
        {"vllm-bench.json", 0, "ttft_p99.9", "s", 0.088, "a percentile with a fraction"},
        {"vllm-bench.json", 0, "latency_p90", "s", 1.2, "e2el"},
        {"vllm-bench.json", 0, "tpot_p50", NULL, 0, "a TPOT of 0 says that there was none"},
        {"vllm-bench.json", 0, "request_goodput", NULL, 0, "null"},
        {"vllm-sweep.json", 1, "ttft_mean", NULL, 0, "no request was answered"},
        {"vllm-sweep.json", 1, "completed_requests", "1", 0, "which is a count and a zero"},
        {"benchmark.json", 0, "decode_throughput", "tok/s", 30, "its unit is tokens/s"},
        {"benchmark.json", 0, "prefill_throughput", NULL, 0, "a rate of samples"},
        {"benchmark.json", 0, "prefill_sample_throughput", "sample/s", 40, "has another name"},
        {"benchmark.json", 0, "prefill_energy", "J", 4.32, "kWh to J"},
        {"benchmark.json", 0, "load_model_peak_rss", "B", 600.5e6, "MB of 10^6 bytes"},
        {"benchmark.json", 0, "load_model_peak_device_memory", NULL, 0, "null"},
        {"guidellm.json", 0, "ttft_p50", "s", 0.05, "ms to s"},
        {"guidellm.json", 0, "latency_p99.9", "s", 1.5, "already in s"},
        {"guidellm.json", 0, "tpot_mean", "s", 0.01, "its inter-token latency"},
        {"guidellm-v1.json", 0, "output_throughput", "tok/s", 200, "version 1"},
        {"summary_lifecycle_metrics.json", 0, "ttft_p90", "s", 0.2, "already in s"},
        {"profile_export_aiperf.json", 0, "latency_p99", "s", 0.9, "by its unit"},
        {"profile_export_aiperf.csv", 0, "ttft_mean", "s", 0.05, "the unit is in the name"},
        {"profile_export_aiperf.csv", 0, "request_throughput", "request/s", 2, "of the second table"},
        {"profile_export.jsonl", 0, "failed_requests", "1", 1, "by its error"},
        {"ml-energy.json", 0, "energy_per_output_tok", "J/tok", 0.1, "of the steady state"},
        {"inferencex.json", 0, "energy_per_output_tok", "J/tok", 9.6, "of schema 2"},
        {"inferencex-list.json", 1, "energy_per_output_tok", NULL, 0, "schema 1 meant something else"},
        {"inferencex-list.json", 2, "energy_per_output_tok", NULL, 0, "power was not valid"},
        {"inferencex-list.json", 2, "ttft_p50", "s", 0.45, "which says nothing of latencies"},
        {"emissions.csv", 0, "energy", "J", 216, "kWh to J"},
        {"emissions.csv", 0, "carbon_operational", "gCO2e", 0.0125, "kg to g"},
        {"emissions.csv", 1, "cpu_energy", NULL, 0, "an empty cell is no zero"},
        {"hyperfine.json", 0, "peak_rss", "B", 1200000, "the largest of the runs"},
        {"hyperfine.json", 1, "run_time_stddev", NULL, 0, "null for a single run"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        import(rows[i].file);
        const struct collected_figure *f = collect_figure(&got, rows[i].cell, rows[i].figure);
        if (!f != !rows[i].unit) {
            fail_msg("%s: %s of cell %zu %s: %s", rows[i].file, rows[i].figure, rows[i].cell,
                     f ? "is there" : "is missing", rows[i].why);
        }
        if (f && (strcmp(f->unit, rows[i].unit) != 0 ||
                  fabs(f->value - rows[i].value) > 1e-12 * fabs(rows[i].value))) {
            fail_msg("%s: %s is %.17g %s: %s", rows[i].file, rows[i].figure, f->value, f->unit, rows[i].why);
        }
        collect_fini(&got);
    }
}

static void test_intervals(void **state)
{
    (void)state;
    import("results_2026-08-01T10-00-00.json");
    const struct collected_figure *f = collect_figure(&got, 0, "acc");
    assert_true(fabs(f->high - f->low - 2 * 1.959963984540054 * 0.0102) < 1e-12);
    assert_int_equal(f->n, 2376);
    assert_true(isnan(collect_figure(&got, 0, "acc_norm")->low)); /* N/A */
    assert_int_equal(collect_figure(&got, 1, "exact_match.strict-match")->n, 80);
    collect_fini(&got);
    import("aiperf-aggregate.json");
    f = collect_figure(&got, 0, "ttft_p99");
    assert_true(fabs(f->low - 0.075) < 1e-15 && fabs(f->high - 0.085) < 1e-15);
    assert_int_equal(f->n, 5);
    collect_fini(&got);
}

static void test_labels(void **state)
{
    (void)state;
    import("llama-bench.json");
    assert_string_equal(got.cells[0].model, "tiny-q4.gguf");
    assert_string_equal(got.cells[0].task, "pp512");
    assert_string_equal(got.cells[1].task, "tg128 @ d4096");
    assert_string_equal(got.cells[2].task, "pp512+tg128");
    collect_fini(&got);
    import("llama-bench.jsonl");
    assert_non_null(strstr(got.cells[0].scenario, "fa=0")); /* false of an older version */
    collect_fini(&got);
    import("mlperf_log_detail.txt");
    assert_true(got.cells[0].invalid);
    assert_string_equal(got.cells[0].scenario, "Offline");
    collect_fini(&got);
    import("mlperf_log_summary.txt");
    assert_false(got.cells[0].invalid);
    collect_fini(&got);
    import("hyperfine.json");
    assert_false(got.cells[0].invalid);
    assert_true(got.cells[1].invalid); /* its exit code */
    collect_fini(&got);
    import("guidellm-v1.json");
    assert_string_equal(got.cells[0].model, "invented/old");
    assert_string_equal(got.cells[0].scenario, "concurrent rate=8");
    collect_fini(&got);
}

/* Out and in again: the same records, in the same order, to the last digit. */
static void test_round_trip(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_files; i++) {
        char *text = NULL;
        size_t n = 0;
        struct tare_err err = {0};
        import(files[i].file);
        if (!files[i].back) {
            collect_fini(&got);
            continue;
        }
        if (collect_give_back(&got, files[i].format, &text, &n, &err) < 0 ||
            collect_read(&again, files[i].format, files[i].file, text, n, &err) < 0) {
            fail_msg("%s: %s in %s", files[i].file, err.msg, text);
        }
        assert_int_equal(again.n_records, got.n_records);
        for (size_t j = 0; j < got.n_records; j++) {
            assert_string_equal(again.records[j], got.records[j]);
        }
        assert_int_equal(!again.envelope, !got.envelope);
        if (got.envelope) {
            assert_string_equal(again.envelope, got.envelope);
        }
        assert_int_equal(again.n_figures, got.n_figures);
        assert_int_equal(got.notes.used, 0);
        free(text);
        collect_fini(&again);
        collect_fini(&got);
    }
}

/* Rows of llama-bench in another of its forms: the same figures, and what has no place is told. */
static void test_other_form(void **state)
{
    static const char *const forms[] = {"llama-bench", "llama-bench-jsonl", "llama-bench-csv",
                                        "llama-bench-sql"};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 4; j++) {
            char *text = NULL;
            size_t n = 0;
            struct tare_err err = {0};
            import(files[i].file);
            if (collect_give_back(&got, forms[j], &text, &n, &err) < 0 ||
                collect_read(&again, NULL, "x", text, n, &err) < 0) {
                fail_msg("%s as %s: %s in %s", files[i].file, forms[j], err.msg, text);
            }
            assert_string_equal(again.format, forms[j]);
            assert_int_equal(again.n_figures, got.n_figures);
            for (size_t k = 0; k < got.n_figures; k++) {
                assert_string_equal(again.figures[k].name, got.figures[k].name);
                assert_true(again.figures[k].value == got.figures[k].value);
            }
            assert_int_equal(got.notes.used > 0, i < 2 && j >= 2); /* samples have no place in a table */
            free(text);
            collect_fini(&again);
            collect_fini(&got);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_recognised), cmocka_unit_test(test_marked),
                                       cmocka_unit_test(test_figures),    cmocka_unit_test(test_intervals),
                                       cmocka_unit_test(test_labels),     cmocka_unit_test(test_round_trip),
                                       cmocka_unit_test(test_other_form)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
