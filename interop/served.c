/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of serving benchmarks, and their latency fields. */
#include "served.h"

#include "values.h"

#include <ctype.h>
#include <string.h>

static int read_whole(const struct tare_interop_in *in, tare_interop_object_fn fn, struct tare_err *err)
{
    struct tare_json *json = NULL;
    int r = tare_interop_json_all(in, &json, err);
    if (r == 0 && tare_json_type(json) == TARE_JSON_ARRAY) {
        r = tare_interop_read_list(in, json, NULL, fn, err);
    } else if (r == 0 && tare_json_type(json) != TARE_JSON_OBJECT) {
        r = tare_interop_fault(in, err, "an object or an array of them is needed");
    } else if (r == 0) {
        r = tare_interop_record(in, json, err);
        r = r == 0 ? fn(in, json, err) : r;
    }
    tare_json_destroy(json);
    return r;
}

/* An object that goes on behind its first line, or an array, is read whole. */
int tare_interop_read_objects(const struct tare_interop_in *in, tare_interop_object_fn fn,
                              struct tare_err *err)
{
    const char *head = NULL;
    size_t n = 0;
    int r = tare_interop_peek(in->reader, &head, &n, err);
    if (r < 0) {
        return r;
    }
    const char *brace = memchr(head, '{', n);
    bool lines = tare_interop_first(head, n) == '{' && brace &&
                 tare_interop_first(brace + 1, n - (size_t)(brace + 1 - head)) != '\0' && brace[1] != '\n' &&
                 brace[1] != '\r';
    return lines ? tare_interop_read_lines(in, false, fn, err) : read_whole(in, fn, err);
}

/* Our name of a statistic: mean, stddev, min, max, pNN; false if it is none. */
static bool stat_of(const char *text, size_t length, char *to, size_t n)
{
    static const char *const names[][2] = {{"mean", "mean"},     {"avg", "mean"},      {"median", "p50"},
                                           {"std", "stddev"},    {"min", "min"},       {"max", "max"},
                                           {"stddev", "stddev"}, {"std_dev", "stddev"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i][0]) == length && memcmp(text, names[i][0], length) == 0) {
            (void)snprintf(to, n, "%s", names[i][1]);
            return true;
        }
    }
    if (length < 2 || length > 8 || text[0] != 'p' || !isdigit((unsigned char)text[1]) ||
        strspn(text + 1, "0123456789.") < length - 1) {
        return false;
    }
    (void)snprintf(to, n, "%.*s", (int)length, text);
    return true;
}

/* Splits "p99_ttft_ms" into p99 and the metric; false if it is of another kind. */
static const struct tare_served_metric *metric_of(const char *key, const char *suffix,
                                                  const struct tare_served_metric *metrics, size_t n_metrics,
                                                  char *stat, size_t n_stat)
{
    size_t length = strlen(key), tail = strlen(suffix);
    if (length <= tail || strcmp(key + length - tail, suffix) != 0) {
        return NULL;
    }
    length -= tail;
    for (size_t i = 0; i < n_metrics; i++) {
        size_t n = strlen(metrics[i].theirs);
        if (length > n + 1 && key[length - n - 1] == '_' &&
            memcmp(key + length - n, metrics[i].theirs, n) == 0 &&
            stat_of(key, length - n - 1, stat, n_stat)) {
            return &metrics[i];
        }
    }
    return NULL;
}

int tare_served_latencies(const struct tare_interop_in *in, const struct tare_json *object,
                          const struct tare_served_metric *metrics, size_t n_metrics, const char *suffix,
                          double scale, int64_t n, struct tare_err *err)
{
    char stat[16], figure[64];
    int r = 0;
    for (const struct tare_json *v = tare_json_first(object); r == 0 && v; v = tare_json_next(v)) {
        const char *key = tare_json_key(v);
        double value;
        const struct tare_served_metric *m = metric_of(key, suffix, metrics, n_metrics, stat, sizeof stat);
        if (!m) {
            continue;
        }
        (void)snprintf(figure, sizeof figure, "%s_%s", m->ours, stat);
        const struct tare_interop_field field = {key, figure, "s", "request", scale};
        r = tare_interop_number(in, v, key, &value, err);
        if (r == 0 && !(m->never_zero && value <= 0)) {
            r = tare_interop_put(in, &field, value, n, "requests", err);
        }
    }
    return r;
}
