/* SPDX-License-Identifier: Apache-2.0 */
/* SARIF 2.1.0: a rule a metric, a result for whatever a reader should look at. A result needs a place in the
 * sources: that is the rule file. */
#include "result.h"

#include <stdlib.h>
#include <string.h>

static const char *level_of(const struct tare_gate_line *line)
{
    enum tare_gate_word word = line->decision.word;
    return tare_gate_line_fails(line) || word == TARE_GATE_ERROR || word == TARE_GATE_INVALID ? "error"
           : word == TARE_GATE_INCONCLUSIVE                                                   ? "warning"
           : word == TARE_GATE_SKIPPED                                                        ? "note"
                                                                                              : "none";
}

/* Whatever has a level has the kind "fail": SARIF allows the others with the level "none" alone. */
static const char *kind_of(const struct tare_gate_line *line)
{
    return strcmp(level_of(line), "none") != 0 ? "fail" : "pass";
}

static void add_rule(struct tare_json *rules, const struct tare_gate_line *line, const char *id)
{
    struct tare_json *rule = tare_json_add_object(rules, NULL);
    tare_json_add_str(rule, "id", id);
    tare_json_add_str(rule, "name", line->metric->figure);
    struct tare_json *text = tare_json_add_object(rule, "shortDescription");
    tare_json_add_str(text, "text", id);
}

static void add_result(struct tare_json *results, const struct tare_gate_result *result,
                       const struct tare_gate_line *line, const char *id, int64_t index)
{
    char change[120], text[400], message[1800];
    struct tare_json *o = tare_json_add_object(results, NULL);
    tare_gate_change_text(line, change, sizeof change);
    tare_gate_line_text(line, text, sizeof text);
    (void)snprintf(message, sizeof message, "%s: %s (%s)", id, text, change);
    tare_json_add_str(o, "ruleId", id);
    tare_json_add_i64(o, "ruleIndex", index);
    tare_json_add_str(o, "level", level_of(line));
    tare_json_add_str(o, "kind", kind_of(line));
    tare_json_add_str(tare_json_add_object(o, "message"), "text", message);
    struct tare_json *place = tare_json_add_object(tare_json_add_array(o, "locations"), NULL);
    struct tare_json *physical = tare_json_add_object(place, "physicalLocation");
    tare_json_add_str(tare_json_add_object(physical, "artifactLocation"), "uri",
                      result->rules_path[0] && !strchr(result->rules_path, ' ') ? result->rules_path
                                                                                : "tare-check");
    tare_json_add_i64(tare_json_add_object(physical, "region"), "startLine", 1);
    tare_json_add_str(tare_json_add_object(o, "partialFingerprints"), "tareMetric/v1", id);
    struct tare_json *properties = tare_json_add_object(o, "properties");
    tare_json_add_str(properties, "verdict", tare_gate_word_text(line->decision.word));
    tare_json_add_f64(properties, "base", line->base);
    tare_json_add_f64(properties, "candidate", line->candidate);
}

static int write_sarif(const struct tare_gate_result *result, struct tare_buf *to, struct tare_err *err)
{
    struct tare_json *o = tare_json_new_object();
    char *text = NULL, id[TARE_GATE_ID_MAX];
    tare_json_add_str(o, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    tare_json_add_str(o, "version", "2.1.0");
    struct tare_json *run = tare_json_add_object(tare_json_add_array(o, "runs"), NULL);
    struct tare_json *driver = tare_json_add_object(tare_json_add_object(run, "tool"), "driver");
    tare_json_add_str(driver, "name", "tare check");
    tare_json_add_str(driver, "version", result->tare_version);
    struct tare_json *rules = tare_json_add_array(driver, "rules");
    struct tare_json *results = tare_json_add_array(run, "results");
    for (size_t i = 0; i < result->n_lines; i++) {
        tare_gate_line_id(&result->lines[i], id);
        add_rule(rules, &result->lines[i], id);
        add_result(results, result, &result->lines[i], id, (int64_t)i);
    }
    tare_json_add_str(tare_json_add_object(run, "properties"), "headline", result->headline);
    int r = tare_json_print(o, true, &text, err);
    tare_json_destroy(o);
    if (r == 0) {
        tare_buf_add_str(to, text);
        tare_buf_add_str(to, "\n");
    }
    free(text);
    return r;
}

const struct tare_gate_output tare_gate_output_sarif = {.name = "sarif",
                                                        .summary = "SARIF 2.1.0 for code scanning",
                                                        .media_type = "application/sarif+json",
                                                        .write = write_sarif};
