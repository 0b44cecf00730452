/* SPDX-License-Identifier: Apache-2.0 */
/*
 * samples_TASK_DATE.jsonl of the LM Evaluation Harness: a line a document and filter. Metrics of a document
 * are numbers; those that are pairs (perplexities) or text are kept and give no figure. The model is named
 * by the folder of the file, not in it.
 */
#include "records.h"
#include "values.h"

#include <math.h>
#include <string.h>

static const char tool[] = "lm-eval";

enum { max_means = 64 };

struct mean {
    char key[96]; /* "metric,filter" */
    char figure[96];
    double sum, squares;
    int64_t n;
};

struct state {
    struct mean means[max_means];
    size_t n;
};

static int sniff(const char *head, size_t n, const char *name)
{
    bool keys = tare_interop_has(head, n, "\"doc_id\"") && tare_interop_has(head, n, "\"filtered_resps\"");
    (void)name;
    return tare_interop_first(head, n) == '{' && keys ? 95 : 0;
}

static void count(struct state *s, const char *metric, const char *filter, double value)
{
    char key[96];
    size_t i = 0;
    (void)snprintf(key, sizeof key, "%.45s,%.45s", metric, filter);
    while (i < s->n && strcmp(s->means[i].key, key) != 0) {
        i++;
    }
    if (i == max_means) {
        return;
    }
    struct mean *m = &s->means[i];
    if (i == s->n) {
        s->n++;
        (void)snprintf(m->key, sizeof m->key, "%s", key);
        (void)snprintf(m->figure, sizeof m->figure, "%.45s%s%.45s", metric, strcmp(filter, "none") ? "." : "",
                       strcmp(filter, "none") ? filter : "");
    }
    m->sum += value;
    m->squares += value * value;
    m->n++;
}

static int read_sample(const struct tare_interop_in *in, const struct tare_json *sample, struct tare_err *err)
{
    const struct tare_json *names = tare_json_get(sample, "metrics");
    const char *filter = tare_interop_text(sample, "filter");
    (void)err;
    for (const struct tare_json *v = tare_json_first(names); v; v = tare_json_next(v)) {
        const char *metric = tare_json_str(v);
        const struct tare_json *value = metric ? tare_json_get(sample, metric) : NULL;
        if (tare_json_type(value) == TARE_JSON_BOOL) {
            count(in->state, metric, *filter ? filter : "none", tare_json_true(value));
        } else if (tare_json_type(value) == TARE_JSON_NUMBER && isfinite(tare_json_num(value))) {
            count(in->state, metric, *filter ? filter : "none", tare_json_num(value));
        }
    }
    return 0;
}

/* The task by the name of the file. */
static void task_of(const char *name, char *to, size_t n)
{
    const char *begin = strncmp(name, "samples_", 8) == 0 ? name + 8 : name, *date = strstr(begin, "_20");
    size_t length = date ? (size_t)(date - begin) : strcspn(begin, ".");
    (void)snprintf(to, n, "%.*s", (int)(length < n ? length : n - 1), begin);
}

static int put_means(const struct tare_interop_in *in, const struct state *s, struct tare_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < s->n; i++) {
        const struct mean *m = &s->means[i];
        double n = (double)m->n, mean = m->sum / n;
        double variance = (m->squares - n * mean * mean) / (n - 1);
        double error = m->n > 1 ? sqrt((variance > 0 ? variance : 0) / n) : (double)NAN;
        const struct tare_interop_field field = {m->key, m->figure, "1", "task", 1};
        r = tare_interop_put_stderr(in, &field, mean, error, m->n, "items", err);
    }
    return r;
}

static int read_file(const struct tare_interop_in *given, struct tare_err *err)
{
    struct state state = {0};
    struct tare_interop_in in = *given;
    char task[120];
    in.state = &state;
    task_of(in.reader->name, task, sizeof task);
    const struct tare_interop_cell cell = {
        .model = in.reader->name, .task = task, .scenario = "shots not stated"};
    int r = in.sink->tool(in.sink->ctx, tool, NULL, err);
    r = r == 0 ? tare_interop_read_lines(&in, false, read_sample, err) : r;
    r = r == 0 ? in.sink->cell(in.sink->ctx, &cell, err) : r;
    return r == 0 ? put_means(&in, &state, err) : r;
}

const struct tare_interop_format tare_interop_lm_eval_samples = {
    .name = "lm-eval-samples",
    .summary = "samples_*.jsonl of the LM Evaluation Harness",
    .tool = tool,
    .sniff = sniff,
    .read = read_file,
    .give_back = tare_interop_give_back,
};
