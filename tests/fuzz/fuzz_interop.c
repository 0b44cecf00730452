/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Importers of other programs' files: whatever the bytes, they end, keep within their memory, and hand over
 * figures that are marked and finite; and what they give back reads as the same records again.
 */
#include "fuzz.h"

#include "tests/interop/collect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <tare/kind.h>

static const char *const files[] = {"aiperf-aggregate.json",
                                    "batched-bench.jsonl",
                                    "benchmark.json",
                                    "emissions.csv",
                                    "guidellm-v1.json",
                                    "hyperfine.json",
                                    "inferencex-list.json",
                                    "llama-bench.csv",
                                    "llama-bench.json",
                                    "llama-bench.jsonl",
                                    "llama-bench.sql",
                                    "ml-energy.json",
                                    "mlperf_log_accuracy.json",
                                    "mlperf_log_detail.txt",
                                    "mlperf_log_summary.txt",
                                    "per_request_lifecycle_metrics.json",
                                    "profile_export.jsonl",
                                    "profile_export_aiperf.csv",
                                    "profile_export_aiperf.json",
                                    "results_2026-08-01T10-00-00.json",
                                    "samples_arc_easy_2026-08-01T10-00-00.jsonl",
                                    "summary_lifecycle_metrics.json",
                                    "vllm-append.jsonl",
                                    "vllm-sweep.json"};

enum { n_files = sizeof files / sizeof *files };

static const char *const words[] = {"NaN",
                                    "-Infinity",
                                    "1e400",
                                    "null",
                                    "\"\"",
                                    "\"inf\"",
                                    "[",
                                    "]",
                                    "{",
                                    "}",
                                    "\"",
                                    "'",
                                    ",",
                                    ";",
                                    "\n",
                                    "\r\n",
                                    ":::MLLOG ",
                                    "18446744073709551616",
                                    "-1",
                                    "0",
                                    "\"n_prompt\":",
                                    "VALUES (",
                                    "INSERT INTO llama_bench (",
                                    "--",
                                    "\\u0000",
                                    "\xff",
                                    "\xef\xbb\xbf",
                                    "Result is : VALID",
                                    " percentile latency (ns) : ",
                                    "result_",
                                    NULL};

static struct collected got, again;

static void check_figures(void)
{
    for (size_t i = 0; i < got.n_figures; i++) {
        const struct collected_figure *f = &got.figures[i];
        fuzz_check(isfinite(f->value), "a figure without a value");
        fuzz_check(f->kind == TARE_KIND_REPORTED && strcmp(f->flags, TARE_INTEROP_FLAG) == 0,
                   "a figure unmarked");
        fuzz_check(isnan(f->low) == isnan(f->high) && !(f->low > f->value) && !(f->high < f->value),
                   "an interval beside its value");
    }
}

/* Records of what was accepted, given back and read again. */
static void check_round_trip(const struct tare_interop_format *format)
{
    char *text = NULL;
    size_t n = 0;
    struct tare_err err = {0};
    fuzz_check(collect_give_back(&got, format->name, &text, &n, &err) == 0, err.msg);
    fuzz_check(collect_read(&again, format->name, "again", text, n, &err) == 0, err.msg);
    fuzz_check(again.n_records == got.n_records, "records are lost or made on the way");
    for (size_t i = 0; i < got.n_records; i++) {
        fuzz_check(strcmp(again.records[i], got.records[i]) == 0, "a record is not what it was");
    }
    free(text);
    collect_fini(&again);
}

static int read_as(const char *format_name, const char *data, size_t n, struct tare_err *err)
{
    const struct tare_interop_format *format = NULL;
    struct tare_err ignored = {0};
    int r = collect_read(&got, format_name, "samples_x_2026.jsonl", data, n, err);
    if (r == 0) {
        fuzz_check(tare_interop_find(got.format, &format, &ignored) == 0, "a format without a name");
        fuzz_check(got.n_cells > 0, "nothing was handed over, and no error");
        check_figures();
        if (format->give_back) {
            check_round_trip(format);
        }
    }
    collect_fini(&got);
    return r;
}

/* As the format that it looks like; some of them as another, too. */
static int read_file(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    struct tare_err ignored = {0};
    size_t n_formats = 0;
    while (tare_interop_formats[n_formats]) {
        n_formats++;
    }
    const struct tare_interop_format *other = tare_interop_formats[tare_rng_below(rng, n_formats)];
    if (other->read && tare_rng_below(rng, 4) == 0) {
        (void)!read_as(other->name, data, n, &ignored);
    }
    return read_as(NULL, data, n, err);
}

static struct fuzz_seed load(const char *name)
{
    char path[512];
    struct tare_buf buf;
    struct tare_err err = {0};
    const char *folder = getenv("TARE_INTEROP_SAMPLES");
    (void)snprintf(path, sizeof path, "%s/%s", folder ? folder : ".", name);
    tare_buf_init(&buf, 1 << 16);
    if (tare_buf_read_file(&buf, path, &err) < 0) {
        (void)fprintf(stderr, "%s\n", err.msg);
        exit(1);
    }
    size_t n = buf.used;
    return (struct fuzz_seed){tare_buf_take(&buf), n};
}

int main(void)
{
    struct fuzz_seed seeds[n_files];
    for (size_t i = 0; i < n_files; i++) {
        seeds[i] = load(files[i]);
    }
#if defined(__SANITIZE_ADDRESS__)
    enum { iterations = 3000 }; /* each is some ten times as slow there */
#else
    enum { iterations = 20000 };
#endif
    const struct fuzz_target target = {.name = "interop",
                                       .seeds = seeds,
                                       .n_seeds = n_files,
                                       .words = words,
                                       .iterations = iterations,
                                       .read = read_file};
    int r = fuzz_main(&target);
    for (size_t i = 0; i < n_files; i++) {
        free((char *)(uintptr_t)seeds[i].data);
    }
    return r;
}
