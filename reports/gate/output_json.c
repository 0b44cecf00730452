/* SPDX-License-Identifier: Apache-2.0 */
/* Everything a gate has found, by name. */
#include "result.h"

#include <stdlib.h>

static void add_decision(struct tare_json *to, const struct tare_gate_line *line)
{
    const struct tare_gate_decision *d = &line->decision;
    struct tare_gate_change change = tare_gate_line_change(line);
    char text[400];
    tare_gate_line_text(line, text, sizeof text);
    tare_json_add_str(to, "verdict", tare_gate_word_text(d->word));
    tare_json_add_str(to, "text", text);
    tare_json_add_str(to, "why", d->why[0] ? d->why : NULL);
    tare_json_add_bool(to, "fails", tare_gate_line_fails(line));
    tare_json_add_f64(to, "base", line->base);
    tare_json_add_f64(to, "candidate", line->candidate);
    tare_json_add_f64(to, "change", change.value);
    tare_json_add_f64(to, "change_low", change.low);
    tare_json_add_f64(to, "change_high", change.high);
    tare_json_add_str(to, "change_unit", line->rule == TARE_GATE_QUALITY ? "points" : "share");
    tare_json_add_f64(to, "harm", d->estimate);
    tare_json_add_f64(to, "harm_bound", d->bound);
    tare_json_add_f64(to, "level", d->method ? d->level : 0);
    tare_json_add_str(to, "method", d->method);
    tare_json_add_i64(to, "n", d->n);
    tare_json_add_str(to, "n_what",
                      line->rule == TARE_GATE_QUALITY  ? "items"
                      : line->rule == TARE_GATE_TIMING ? "blocks"
                                                       : "repeats");
    tare_json_add_bool(to, "suspicious", d->suspicious);
    tare_json_add_f64(to, "p", d->p);
    tare_json_add_f64(to, "p_holm", d->p_holm);
    if (d->needed > 0) {
        tare_json_add_i64(to, "needed", d->needed);
    } else {
        tare_json_add_null(to, "needed");
    }
    if (d->flips >= 0) {
        tare_json_add_i64(to, "flips", d->flips);
    }
}

static void add_line(struct tare_json *to, const struct tare_gate_line *line)
{
    static const char *const rules[] = {"auto", "timing", "exact", "quality"};
    struct tare_json *o = tare_json_add_object(to, NULL);
    char id[TARE_GATE_ID_MAX];
    tare_gate_line_id(line, id);
    tare_json_add_str(o, "id", id);
    tare_json_add_str(o, "figure", line->metric->figure);
    tare_json_add_str(o, "model", line->model);
    tare_json_add_str(o, "task", line->task);
    tare_json_add_str(o, "scenario", line->scenario);
    tare_json_add_str(o, "technique", line->technique);
    tare_json_add_str(o, "unit", line->unit);
    tare_json_add_str(o, "kind", line->kind);
    tare_json_add_str(o, "scope", line->scope);
    tare_json_add_str(o, "rule", rules[line->rule]);
    tare_json_add_str(o, "better",
                      line->direction > 0   ? "higher"
                      : line->direction < 0 ? "lower"
                                            : "neither");
    tare_json_add_f64(o, "margin", tare_gate_margin(line->metric, line->rule));
    tare_json_add_f64(o, "equivalence", line->metric->equivalence);
    tare_json_add_f64(o, "tolerance", line->metric->tolerance);
    tare_json_add_f64(o, "demand", line->metric->demand);
    tare_json_add_bool(o, "strict", line->strict);
    add_decision(o, line);
}

static int write_json(const struct tare_gate_result *result, struct tare_buf *to, struct tare_err *err)
{
    struct tare_json *o = tare_json_new_object();
    char *text = NULL;
    tare_json_add_str(o, "name", result->name);
    tare_json_add_str(o, "headline", result->headline);
    tare_json_add_i64(o, "exit_status", result->exit_status);
    tare_json_add_str(o, "base", result->base);
    tare_json_add_str(o, "candidate", result->candidate);
    tare_json_add_str(o, "db", result->db);
    tare_json_add_i64(o, "run", result->run_id);
    tare_json_add_str(o, "started_utc", result->started_utc);
    tare_json_add_str(o, "tare_version", result->tare_version);
    tare_json_add_str(o, "machine", result->machine);
    tare_json_add_i64(o, "stage", result->stage);
    tare_json_add_i64(o, "blocks_run", result->blocks_run);
    tare_json_add_i64(o, "blocks_voided", result->blocks_voided);
    tare_json_add_str(o, "disturbances", result->disturbances);
    tare_json_add_bool(o, "noise_flagged", result->noise_flagged);
    tare_json_add_bool(o, "unfit", result->unfit);
    tare_json_add_bool(o, "slow_build", result->slow_build);
    struct tare_json *list = tare_json_add_array(o, "metrics");
    for (size_t i = 0; i < result->n_lines; i++) {
        add_line(list, &result->lines[i]);
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

const struct tare_gate_output tare_gate_output_json = {
    .name = "json", .summary = "everything, by name", .media_type = "application/json", .write = write_json};
