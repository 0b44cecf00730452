/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mlperf_log_summary.txt of MLPerf LoadGen: lines "name : value" between headings. Every line is kept. A run
 * that LoadGen calls INVALID becomes an invalid cell. Latencies are in nanoseconds; those of MultiStream are
 * per query.
 */
#include "loadgen.h"
#include "values.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct tare_interop_field fields[] = {
    {"Samples per second", "request_throughput", "request/s", "system", 1},
    {"Completed samples per second", "request_throughput", "request/s", "system", 1},
    {"QPS w/ loadgen overhead", "request_throughput", "request/s", "system", 1},
    {"QPS w/o loadgen overhead", "request_throughput_without_overhead", "request/s", "system", 1},
    {"Scheduled samples per second", "request_rate_scheduled", "request/s", "system", 1},
    {"Tokens per second", "output_throughput", "tok/s", "system", 1},
    {"Completed tokens per second", "output_throughput", "tok/s", "system", 1},
    {"Tokens per second (inferred)", "output_throughput_inferred", "tok/s", "system", 1},
    {"Completed tokens per second (inferred)", "output_throughput_inferred", "tok/s", "system", 1},
    {"Min latency (ns)", "latency_min", "s", "request", 1e-9},
    {"Max latency (ns)", "latency_max", "s", "request", 1e-9},
    {"Mean latency (ns)", "latency_mean", "s", "request", 1e-9},
    {"Min First Token latency (ns)", "ttft_min", "s", "request", 1e-9},
    {"Max First Token latency (ns)", "ttft_max", "s", "request", 1e-9},
    {"Mean First Token latency (ns)", "ttft_mean", "s", "request", 1e-9},
    {"Min Time per Output Token (ns)", "tpot_min", "s", "request", 1e-9},
    {"Max Time per Output Token (ns)", "tpot_max", "s", "request", 1e-9},
    {"Mean Time per Output Token (ns)", "tpot_mean", "s", "request", 1e-9},
};

static const struct {
    const char *suffix, *figure;
} percentiles[] = {
    {" percentile latency (ns)", "latency_p"},
    {" percentile first token latency (ns)", "ttft_p"},
    {" percentile time to output token (ns)", "tpot_p"},
};

static int sniff(const char *head, size_t n, const char *name)
{
    (void)name;
    return tare_interop_has(head, n, "MLPerf Results Summary") && tare_interop_has(head, n, "SUT name") ? 95
                                                                                                        : 0;
}

struct summary {
    char sut[160], scenario[60], mode[60], valid[20];
};

/* "name   : value" apart; false for a line without a colon. */
static bool split(const char *line, char *name, size_t n_name, char *value, size_t n_value)
{
    const char *colon = strchr(line, ':');
    if (!colon) {
        return false;
    }
    size_t n = (size_t)(colon - line);
    while (n > 0 && isspace((unsigned char)line[n - 1])) {
        n--;
    }
    while (n > 0 && isspace((unsigned char)*line)) {
        line++;
        n--;
    }
    for (colon++; isspace((unsigned char)*colon);) {
        colon++;
    }
    (void)snprintf(name, n_name, "%.*s", (int)(n < n_name ? n : n_name - 1), line);
    (void)snprintf(value, n_value, "%s", colon);
    for (n = strlen(value); n > 0 && isspace((unsigned char)value[n - 1]); n--) {
        value[n - 1] = '\0';
    }
    return true;
}

static void take_word(struct summary *s, const char *name, const char *value)
{
    struct {
        const char *name;
        char *to;
        size_t n;
    } words[] = {{"SUT name", s->sut, sizeof s->sut},
                 {"Scenario", s->scenario, sizeof s->scenario},
                 {"Mode", s->mode, sizeof s->mode},
                 {"Result is", s->valid, sizeof s->valid}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(name, words[i].name) == 0) {
            (void)snprintf(words[i].to, words[i].n, "%.*s", (int)words[i].n - 1, value);
        }
    }
}

/* "99.90 percentile latency (ns)" to latency_p99.9. */
static bool percentile_of(const char *name, char *figure, size_t n)
{
    char *end = NULL;
    if (!isdigit((unsigned char)*name)) {
        return false;
    }
    double p = strtod(name, &end);
    for (size_t i = 0; i < sizeof percentiles / sizeof *percentiles; i++) {
        if (p > 0 && p < 100 && strcmp(end, percentiles[i].suffix) == 0) {
            (void)snprintf(figure, n, "%s%g", percentiles[i].figure, p);
            return true;
        }
    }
    return false;
}

static int put_line(const struct tare_interop_in *in, const char *name, const char *text,
                    struct tare_err *err)
{
    char figure[64];
    double value;
    struct tare_interop_field field = {name, figure, "s", "request", 1e-9};
    bool known = percentile_of(name, figure, sizeof figure);
    for (size_t i = 0; i < sizeof fields / sizeof *fields && !known; i++) {
        known = strcmp(name, fields[i].path) == 0;
        field = known ? fields[i] : field;
    }
    if (!known) {
        return 0;
    }
    if (!tare_interop_parse(text, &value)) {
        return tare_interop_fault(in, err, "%.60s: a number is needed, found \"%.40s\"", name, text);
    }
    return tare_interop_put(in, &field, value, TARE_ABSENT, "", err);
}

/* All lines as one record, so that the file can be put together again to the byte. */
static struct tare_json *split_lines(const char *text, size_t n, struct tare_err *err)
{
    struct tare_json *record = tare_json_new_object(), *lines = tare_json_add_array(record, "lines");
    const char *end = text + n;
    for (const char *at = text; at;) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        char *line = strndup(at, (size_t)((next ? next : end) - at));
        if (!line) {
            tare_json_destroy(record);
            (void)tare_err_set(err, TARE_E_NOMEM, "import: out of memory");
            return NULL;
        }
        tare_json_add_str(lines, NULL, line);
        free(line);
        at = next ? next + 1 : NULL;
    }
    return record;
}

static int put_all(const struct tare_interop_in *in, const struct tare_json *record, struct tare_err *err)
{
    struct summary s = {0};
    char name[120], value[240];
    const struct tare_json *lines = tare_json_get(record, "lines");
    for (const struct tare_json *v = tare_json_first(lines); v; v = tare_json_next(v)) {
        if (split(tare_json_str(v), name, sizeof name, value, sizeof value)) {
            take_word(&s, name, value);
        }
    }
    if (!*s.scenario || (strcmp(s.valid, "VALID") != 0 && strcmp(s.valid, "INVALID") != 0)) {
        return tare_interop_fault(in, err,
                                  "it has no line 'Scenario :' or no 'Result is : VALID' or INVALID");
    }
    const struct tare_interop_cell cell = {.model = *s.sut ? s.sut : in->reader->name,
                                           .task = *s.mode ? s.mode : "mode not stated",
                                           .scenario = s.scenario,
                                           .invalid = strcmp(s.valid, "VALID") != 0};
    int r = tare_interop_record(in, record, err);
    r = r == 0 ? in->sink->cell(in->sink->ctx, &cell, err) : r;
    for (const struct tare_json *v = tare_json_first(lines); r == 0 && v; v = tare_json_next(v)) {
        in->reader->line++;
        if (split(tare_json_str(v), name, sizeof name, value, sizeof value)) {
            r = put_line(in, name, value, err);
        }
    }
    return r;
}

static int read_file(const struct tare_interop_in *in, struct tare_err *err)
{
    const char *text = NULL;
    size_t n = 0;
    int r = in->sink->tool(in->sink->ctx, TARE_LOADGEN_TOOL, NULL, err);
    r = r == 0 ? tare_interop_text_all(in, &text, &n, err) : r;
    struct tare_json *record = r == 0 ? split_lines(text, n, err) : NULL;
    r = r == 0 && !record ? TARE_E_NOMEM : r;
    r = r == 0 ? put_all(in, record, err) : r;
    tare_json_destroy(record);
    return r;
}

static int print_lines(void *ctx, const char *json, struct tare_err *err)
{
    FILE *to = ctx;
    struct tare_json *record = NULL;
    int r = tare_json_parse_exact(json, strlen(json), "stored record", &record, err);
    const struct tare_json *lines = tare_json_get(record, "lines");
    for (const struct tare_json *v = tare_json_first(lines); v; v = tare_json_next(v)) {
        const char *line = tare_json_str(v);
        (void)fprintf(to, "%s%s", line ? line : "", tare_json_next(v) ? "\n" : "");
    }
    tare_json_destroy(record);
    return r;
}

static int give_back(const struct tare_interop_stored *stored, FILE *to, struct tare_err *err)
{
    return stored->each(stored->ctx, print_lines, to, err);
}

static void put_latency(const struct tare_interop_row *row, const char *figure, const char *name, FILE *to)
{
    double value = tare_interop_figure(row, figure);
    if (isfinite(value)) {
        (void)fprintf(to, "%s : %.0f\n", name, value * 1e9);
    }
}

/* LoadGen's own verdict rests on its rules for the number of queries and their duration, which were not
 * applied: there is no line "Result is". */
static int write_run(const struct tare_interop_run *run, FILE *to, struct tare_err *err)
{
    static const char rule[] = "================================================\n";
    int r = tare_interop_one_row(run, "a LoadGen summary", err);
    if (r < 0) {
        return r;
    }
    const struct tare_interop_row *row = &run->rows[0];
    double qps = tare_interop_figure(row, "request_throughput");
    (void)fprintf(to, "%sMLPerf Results Summary\n%s", rule, rule);
    (void)fprintf(to, "SUT name : %s %s (%s)\nScenario : SingleStream\nMode     : PerformanceOnly\n",
                  row->backend, row->model, row->technique);
    put_latency(row, "latency_p90", "90.0th percentile latency (ns)", to);
    (void)fprintf(to, "\n%sAdditional Stats\n%s", rule, rule);
    if (isfinite(qps)) {
        (void)fprintf(to, "QPS w/ loadgen overhead         : %.17g\n\n", qps);
    }
    put_latency(row, "latency_p50", "50.00 percentile latency (ns)  ", to);
    put_latency(row, "latency_p90", "90.00 percentile latency (ns)  ", to);
    put_latency(row, "latency_p99", "99.00 percentile latency (ns)  ", to);
    put_latency(row, "ttft_p50", "50.00 percentile first token latency (ns)  ", to);
    put_latency(row, "ttft_p90", "90.00 percentile first token latency (ns)  ", to);
    put_latency(row, "ttft_p99", "99.00 percentile first token latency (ns)  ", to);
    put_latency(row, "tpot_p50", "50.00 percentile time to output token (ns)  ", to);
    put_latency(row, "tpot_p90", "90.00 percentile time to output token (ns)  ", to);
    put_latency(row, "tpot_p99", "99.00 percentile time to output token (ns)  ", to);
    return 0;
}

const struct tare_interop_format tare_interop_loadgen_summary = {
    .name = "loadgen-summary",
    .summary = "mlperf_log_summary.txt of MLPerf LoadGen",
    .tool = TARE_LOADGEN_TOOL,
    .sniff = sniff,
    .read = read_file,
    .give_back = give_back,
    .write = write_run,
};
