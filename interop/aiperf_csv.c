/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_export_aiperf.csv of AIPerf: tables under one another with an empty line between, each with a
 * header of its own; "Time to First Token (ms)" holds name and unit.
 */
#include "aiperf_metrics.h"
#include "csv.h"
#include "values.h"

#include <string.h>

static int sniff(const char *head, size_t n, const char *name)
{
    (void)name;
    return (n > 11 && memcmp(head, "Metric,avg,", 11) == 0) ||
                   (n > 13 && memcmp(head, "Metric,Value\n", 13) == 0)
               ? 90
               : 0;
}

/* "Name (unit)" apart. */
static void split(const char *text, char *name, size_t n_name, char *unit, size_t n_unit)
{
    const char *open = strstr(text, " (");
    (void)snprintf(name, n_name, "%.*s", open ? (int)(open - text) : (int)strlen(text), text);
    (void)snprintf(unit, n_unit, "%.*s", open ? (int)strcspn(open + 2, ")") : 0, open ? open + 2 : "");
}

static int put_cell(const struct tare_interop_in *in, const struct tare_aiperf_metric *m,
                    const struct tare_json *v, const char *unit, double scale, struct tare_err *err)
{
    char figure[64], path[96];
    double value;
    const char *column = tare_json_key(v);
    const char *stat = strcmp(column, "Value") == 0 ? "mean" : tare_aiperf_stat(column);
    if (!stat || (m->single && strcmp(stat, "mean") != 0)) {
        return 0;
    }
    (void)snprintf(figure, sizeof figure, "%s%s%s", m->ours, m->single ? "" : "_", m->single ? "" : stat);
    (void)snprintf(path, sizeof path, "%s, %s", m->title, column);
    const struct tare_interop_field field = {path, figure, unit, m->single ? "server" : "request", scale};
    int r = tare_interop_number(in, v, path, &value, err);
    return r == 0 ? tare_interop_put(in, &field, value, TARE_ABSENT, "", err) : r;
}

static int read_row(const struct tare_interop_in *in, const struct tare_json *row, struct tare_err *err)
{
    char name[80], theirs[40];
    const char *unit = NULL;
    const char *label = tare_interop_text(row, "Metric");
    split(label, name, sizeof name, theirs, sizeof theirs);
    const struct tare_aiperf_metric *m = tare_aiperf_find(name);
    double scale = m ? tare_aiperf_unit(*theirs ? theirs : "requests", &unit) : 0;
    if (!m || scale <= 0) {
        return m ? tare_interop_fault(in, err, "%.60s: its unit is not known", label) : 0;
    }
    int r = 0;
    for (const struct tare_json *v = tare_json_first(row); r == 0 && v; v = tare_json_next(v)) {
        r = strcmp(tare_json_key(v), "Metric") == 0 ? 0 : put_cell(in, m, v, unit, scale, err);
    }
    return r;
}

/* End of the part that begins at `text`: an empty line, or the end. */
static size_t part_length(const char *text, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        if (text[i] == '\n' &&
            (text[i + 1] == '\n' || (text[i + 1] == '\r' && i + 2 < n && text[i + 2] == '\n'))) {
            return i + 1;
        }
    }
    return n;
}

static int read_file(const struct tare_interop_in *in, struct tare_err *err)
{
    const char *text = NULL;
    size_t n = 0;
    int64_t line = 1;
    const struct tare_interop_cell cell = {
        .model = in->reader->name, .task = "serve", .scenario = "as reported"};
    int r = in->sink->tool(in->sink->ctx, TARE_AIPERF_TOOL, NULL, err);
    r = r == 0 ? tare_interop_text_all(in, &text, &n, err) : r;
    r = r == 0 ? in->sink->cell(in->sink->ctx, &cell, err) : r;
    while (r == 0 && n > 0) {
        size_t length = part_length(text, n), lines = 0;
        bool table = length > 7 && memcmp(text, "Metric,", 7) == 0;
        r = table ? tare_csv_read_part(in, text, length, line, read_row, err) : 0;
        if (r == 0 && !table && tare_interop_first(text, length) != '\0') {
            break; /* telemetry of GPUs and the like, in forms of their own */
        }
        for (size_t i = 0; i < length; i++) {
            lines += text[i] == '\n';
        }
        line += (int64_t)lines;
        text += length;
        n -= length;
        while (n > 0 && (*text == '\n' || *text == '\r')) {
            line += *text == '\n';
            text++;
            n--;
        }
    }
    return r;
}

const struct tare_interop_format tare_interop_aiperf_csv = {
    .name = "aiperf-csv",
    .summary = "profile_export_aiperf.csv of AIPerf",
    .tool = TARE_AIPERF_TOOL,
    .sniff = sniff,
    .read = read_file,
};
