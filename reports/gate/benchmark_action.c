/* SPDX-License-Identifier: Apache-2.0 */
/* The body of both files. */
#include "benchmark_action.h"

#include "candidate.h"

#include <stdio.h>
#include <stdlib.h>

static void add_line(struct tare_json *list, const struct tare_gate_line *line)
{
    struct tare_gate_candidate c = tare_gate_candidate_of(line);
    struct tare_json *o = tare_json_add_object(list, NULL);
    char id[TARE_GATE_ID_MAX], text[400];
    tare_gate_line_id(line, id);
    tare_json_add_str(o, "name", id);
    tare_json_add_str(o, "unit", line->unit);
    tare_json_add_f64(o, "value", c.value);
    if (isfinite(c.low) && isfinite(c.high)) {
        (void)snprintf(text, sizeof text, "[%.6g, %.6g]", c.low, c.high);
        tare_json_add_str(o, "range", text);
    }
    tare_gate_line_text(line, text, sizeof text);
    tare_json_add_str(o, "extra", text);
}

int tare_gate_write_benchmark(const struct tare_gate_result *result, int direction, struct tare_buf *to,
                              struct tare_err *err)
{
    struct tare_json *list = tare_json_new_array();
    char *text = NULL;
    for (size_t i = 0; i < result->n_lines; i++) {
        if (result->lines[i].direction == direction && tare_gate_has_candidate(&result->lines[i])) {
            add_line(list, &result->lines[i]);
        }
    }
    int r = tare_json_print(list, true, &text, err);
    tare_json_destroy(list);
    if (r == 0) {
        tare_buf_add_str(to, text);
        tare_buf_add_str(to, "\n");
    }
    free(text);
    return r;
}
