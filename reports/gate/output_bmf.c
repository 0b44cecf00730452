/* SPDX-License-Identifier: Apache-2.0 */
/* Bencher Metric Format: {benchmark: {measure: {value, lower_value, upper_value}}}. */
#include "candidate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void name_benchmark(const struct tare_gate_line *line, char *out, size_t n_out)
{
    (void)snprintf(out, n_out, "%.250s%s%.250s", line->task, line->model[0] ? "/" : "", line->model);
}

static void add_measure(struct tare_json *benchmark, const struct tare_gate_line *line)
{
    struct tare_gate_candidate c = tare_gate_candidate_of(line);
    struct tare_json *o = tare_json_add_object(benchmark, line->metric->figure);
    tare_json_add_f64(o, "value", c.value);
    if (isfinite(c.low) && isfinite(c.high)) {
        tare_json_add_f64(o, "lower_value", c.low);
        tare_json_add_f64(o, "upper_value", c.high);
    }
}

/* Lines of a benchmark stand anywhere in the list; each benchmark is one object, each figure once in it. */
static void add_benchmark(struct tare_json *to, const struct tare_gate_result *result, size_t first)
{
    char name[520], other[520];
    struct tare_json *o = NULL;
    name_benchmark(&result->lines[first], name, sizeof name);
    if (tare_json_get(to, name)) {
        return;
    }
    for (size_t i = first; i < result->n_lines; i++) {
        const struct tare_gate_line *line = &result->lines[i];
        name_benchmark(line, other, sizeof other);
        if (strcmp(name, other) != 0 || !tare_gate_has_candidate(line)) {
            continue;
        }
        o = o ? o : tare_json_add_object(to, name);
        if (!tare_json_get(o, line->metric->figure)) {
            add_measure(o, line);
        }
    }
}

static int write_bmf(const struct tare_gate_result *result, struct tare_buf *to, struct tare_err *err)
{
    struct tare_json *o = tare_json_new_object();
    char *text = NULL;
    for (size_t i = 0; i < result->n_lines; i++) {
        add_benchmark(o, result, i);
    }
    int r = tare_json_print(o, true, &text, err);
    tare_json_destroy(o);
    if (r == 0) {
        tare_buf_add_str(to, text);
        tare_buf_add_str(to, "\n");
    }
    free(text);
    return r;
}

const struct tare_gate_output tare_gate_output_bmf = {.name = "bmf",
                                                      .summary =
                                                          "Bencher Metric Format, the candidate's values",
                                                      .media_type = "application/json",
                                                      .write = write_bmf};
