/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_export_aiperf.json of AIPerf: an object a metric with its unit. And the aggregate of several runs:
 * metrics with mean and confidence interval over the runs.
 */
#include "aiperf_metrics.h"
#include "records.h"
#include "values.h"

#include <math.h>
#include <string.h>
#include <tare/kind.h>

static int sniff(const char *head, size_t n, const char *name)
{
    bool one = tare_interop_has(head, n, "\"request_latency\"") && tare_interop_has(head, n, "\"unit\"") &&
               tare_interop_has(head, n, "\"avg\"");
    bool several = tare_interop_has(head, n, "\"ci_low\"") && tare_interop_has(head, n, "\"t_critical\"");
    (void)name;
    return tare_interop_first(head, n) == '{' && (one || several) ? 85 : 0;
}

static int put_stat(const struct tare_interop_in *in, const struct tare_aiperf_metric *m,
                    const struct tare_json *v, const char *unit, double scale, struct tare_err *err)
{
    char figure[64], path[96];
    double value;
    const char *stat = tare_aiperf_stat(tare_json_key(v));
    if (!stat || (m->single && strcmp(stat, "mean") != 0)) {
        return 0;
    }
    (void)snprintf(figure, sizeof figure, "%s%s%s", m->ours, m->single ? "" : "_", m->single ? "" : stat);
    (void)snprintf(path, sizeof path, "%s.%s", m->tag, tare_json_key(v));
    const struct tare_interop_field field = {path, figure, unit, m->single ? "server" : "request", scale};
    int r = tare_interop_number(in, v, path, &value, err);
    return r == 0 ? tare_interop_put(in, &field, value, TARE_ABSENT, "", err) : r;
}

static int put_metric(const struct tare_interop_in *in, const struct tare_json *o, struct tare_err *err)
{
    const struct tare_aiperf_metric *m = tare_aiperf_find(tare_json_key(o));
    const char *unit = NULL, *theirs = tare_interop_text(o, "unit");
    if (!m || tare_json_type(o) != TARE_JSON_OBJECT) {
        return 0;
    }
    double scale = tare_aiperf_unit(theirs, &unit);
    if (scale <= 0) {
        return tare_interop_fault(in, err, "%.60s: unit \"%.20s\" is not known", m->tag, theirs);
    }
    int r = 0;
    for (const struct tare_json *v = tare_json_first(o); r == 0 && v; v = tare_json_next(v)) {
        r = put_stat(in, m, v, unit, scale, err);
    }
    return r;
}

/* "time_to_first_token_p99" of an aggregate: the metric and the statistic that was averaged. */
static const struct tare_aiperf_metric *aggregate_of(const char *key, char *figure, size_t n)
{
    char tag[64];
    const char *underscore = strrchr(key, '_');
    (void)snprintf(tag, sizeof tag, "%.*s", underscore ? (int)(underscore - key) : 0, key);
    const struct tare_aiperf_metric *m = tare_aiperf_find(tag);
    const char *stat = m ? tare_aiperf_stat(underscore + 1) : NULL;
    if (!stat || (m->single && strcmp(stat, "mean") != 0)) {
        return NULL;
    }
    (void)snprintf(figure, n, "%s%s%s", m->ours, m->single ? "" : "_", m->single ? "" : stat);
    return m;
}

/* Over how many runs, at which level; from the aggregate's metadata. */
struct runs {
    int64_t n;
    double level;
};

/* Mean and interval, scaled; the interval only if it is one. */
static int put_interval(const struct tare_interop_in *in, const struct tare_interop_field *field,
                        const double v[3], const struct runs *runs, struct tare_err *err)
{
    char source[160];
    double scale = field->scale;
    bool has = v[1] <= v[0] && v[0] <= v[2] && runs->level > 0 && runs->level < 1; /* false with NaN */
    if (!isfinite(v[0])) {
        return 0;
    }
    (void)snprintf(source, sizeof source, "%s: %.90s", in->tool, field->path);
    struct tare_figure f = {.name = field->figure,
                            .value = v[0] * scale,
                            .unit = field->unit,
                            .kind = TARE_KIND_REPORTED,
                            .source = source,
                            .scope = field->scope,
                            .n = runs->n == TARE_ABSENT ? 1 : runs->n,
                            .n_what = runs->n == TARE_ABSENT ? "reports" : "runs",
                            .low = has ? v[1] * scale : (double)NAN,
                            .high = has ? v[2] * scale : (double)NAN,
                            .level = has ? runs->level : (double)NAN,
                            .method = has ? "t interval over runs, as reported" : NULL,
                            .flags = TARE_INTEROP_FLAG};
    return in->sink->figure(in->sink->ctx, &f, err);
}

static int put_aggregate(const struct tare_interop_in *in, const struct tare_json *o, const struct runs *runs,
                         struct tare_err *err)
{
    static const char *const parts[] = {"mean", "ci_low", "ci_high"};
    char figure[64];
    double values[3] = {(double)NAN, (double)NAN, (double)NAN};
    const char *unit = NULL, *key = tare_json_key(o);
    const struct tare_aiperf_metric *m = aggregate_of(key, figure, sizeof figure);
    if (!m) {
        return 0;
    }
    double scale = tare_aiperf_unit(tare_interop_text(o, "unit"), &unit);
    if (scale <= 0) {
        return tare_interop_fault(in, err, "%.60s: its unit is not known", key);
    }
    int r = 0;
    for (size_t i = 0; r == 0 && i < 3; i++) {
        r = tare_interop_number(in, tare_json_get(o, parts[i]), key, &values[i], err);
    }
    const struct tare_interop_field field = {key, figure, unit, m->single ? "server" : "request", scale};
    return r == 0 ? put_interval(in, &field, values, runs, err) : r;
}

static const char *model_of(const struct tare_interop_in *in, const struct tare_json *root)
{
    const struct tare_json *names = tare_interop_at(root, "input_config.endpoint.model_names");
    const char *name = tare_json_str(tare_json_first(names));
    return name ? name : in->reader->name;
}

static int put_all(const struct tare_interop_in *in, const struct tare_json *root, struct tare_err *err)
{
    const struct tare_json *aggregate = tare_json_get(root, "metrics");
    const struct tare_interop_cell cell = {
        .model = model_of(in, root), .task = "serve", .scenario = "as reported"};
    const struct runs runs = {.n = tare_interop_count(root, "metadata.num_successful_runs"),
                              .level = tare_json_num(tare_interop_at(root, "metadata.confidence_level"))};
    if (tare_json_type(root) != TARE_JSON_OBJECT) {
        return tare_interop_fault(in, err, "an object is needed");
    }
    int r = tare_interop_record(in, root, err);
    r = r == 0 ? in->sink->cell(in->sink->ctx, &cell, err) : r;
    for (const struct tare_json *v = tare_json_first(root); r == 0 && v; v = tare_json_next(v)) {
        r = put_metric(in, v, err);
    }
    for (const struct tare_json *v = tare_json_first(aggregate); r == 0 && v; v = tare_json_next(v)) {
        r = tare_json_type(v) == TARE_JSON_OBJECT && tare_json_key(v) ? put_aggregate(in, v, &runs, err) : 0;
    }
    return r;
}

static int read_file(const struct tare_interop_in *in, struct tare_err *err)
{
    struct tare_json *root = NULL;
    int r = in->sink->tool(in->sink->ctx, TARE_AIPERF_TOOL, NULL, err);
    r = r == 0 ? tare_interop_json_all(in, &root, err) : r;
    r = r == 0 ? put_all(in, root, err) : r;
    tare_json_destroy(root);
    return r;
}

const struct tare_interop_format tare_interop_aiperf = {
    .name = "aiperf",
    .summary = "profile_export_aiperf.json of AIPerf, and aggregates of runs",
    .tool = TARE_AIPERF_TOOL,
    .sniff = sniff,
    .read = read_file,
};
