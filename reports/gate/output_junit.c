/* SPDX-License-Identifier: Apache-2.0 */
/* JUnit XML: a test case a metric. failure: the gate is lost; error: an arm crashed, or the values are not
 * what the rule needs; skipped: there is no value, such as of a sensor that is not there. */
#include "escape.h"
#include "result.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void attribute(struct tare_buf *to, const char *name, const char *value)
{
    tare_buf_printf(to, " %s=\"", name);
    tare_gate_add_xml(to, value);
    tare_buf_add_str(to, "\"");
}

static void property(struct tare_buf *to, const char *name, const char *value)
{
    tare_buf_add_str(to, "        <property");
    attribute(to, "name", name);
    attribute(to, "value", value);
    tare_buf_add_str(to, "/>\n");
}

static void number(struct tare_buf *to, const char *name, double value)
{
    char text[40];
    (void)snprintf(text, sizeof text, "%.10g", value);
    if (isfinite(value)) {
        property(to, name, text);
    }
}

/* The element that says how it ended; NULL: it is well. */
static const char *element_of(const struct tare_gate_line *line)
{
    enum tare_gate_word word = line->decision.word;
    return word == TARE_GATE_ERROR || word == TARE_GATE_INVALID ? "error"
           : tare_gate_line_fails(line)                         ? "failure"
           : word == TARE_GATE_SKIPPED                          ? "skipped"
                                                                : NULL;
}

static size_t count(const struct tare_gate_result *result, const char *element)
{
    size_t n = 0;
    for (size_t i = 0; i < result->n_lines; i++) {
        const char *e = element_of(&result->lines[i]);
        n += e && strcmp(e, element) == 0;
    }
    return n;
}

static void add_case(struct tare_buf *to, const struct tare_gate_result *result,
                     const struct tare_gate_line *line)
{
    char id[TARE_GATE_ID_MAX], text[400], classname[700];
    struct tare_gate_change change = tare_gate_line_change(line);
    tare_gate_line_id(line, id);
    (void)snprintf(classname, sizeof classname, "%.200s.%.200s.%.200s", result->name, line->task,
                   line->scenario);
    tare_gate_line_text(line, text, sizeof text);
    tare_buf_add_str(to, "    <testcase");
    attribute(to, "classname", classname);
    attribute(to, "name", id);
    tare_buf_add_str(to, " time=\"0\">\n      <properties>\n");
    property(to, "verdict", tare_gate_word_text(line->decision.word));
    property(to, "unit", line->unit);
    number(to, "base", line->base);
    number(to, "candidate", line->candidate);
    number(to, line->rule == TARE_GATE_QUALITY ? "change_points" : "change_share", change.value);
    number(to, "change_low", change.low);
    number(to, "change_high", change.high);
    number(to, "n", (double)line->decision.n);
    tare_buf_add_str(to, "      </properties>\n");
    const char *element = element_of(line);
    if (element) {
        tare_buf_printf(to, "      <%s", element);
        attribute(to, "message", text);
        if (strcmp(element, "skipped") != 0) {
            attribute(to, "type", tare_gate_word_text(line->decision.word));
        }
        tare_buf_add_str(to, "/>\n");
    } else {
        tare_buf_add_str(to, "      <system-out>");
        tare_gate_add_xml(to, text);
        tare_buf_add_str(to, "</system-out>\n");
    }
    tare_buf_add_str(to, "    </testcase>\n");
}

static void counts(struct tare_buf *to, const struct tare_gate_result *result)
{
    tare_buf_printf(to, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\"", result->n_lines,
                    count(result, "failure"), count(result, "error"), count(result, "skipped"));
}

static int write_junit(const struct tare_gate_result *result, struct tare_buf *to, struct tare_err *err)
{
    double seconds = isfinite(result->seconds) ? result->seconds : 0;
    (void)err;
    tare_buf_add_str(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
    attribute(to, "name", "tare check");
    counts(to, result);
    tare_buf_printf(to, " time=\"%.3f\">\n  <testsuite", seconds);
    attribute(to, "name", result->name);
    counts(to, result);
    tare_buf_printf(to, " time=\"%.3f\"", seconds);
    /* the schema knows no zone: ours is UTC */
    tare_buf_printf(to, " timestamp=\"%.19s\">\n    <properties>\n", result->started_utc);
    property(to, "base", result->base);
    property(to, "candidate", result->candidate);
    property(to, "machine", result->machine);
    property(to, "tare", result->tare_version);
    property(to, "headline", result->headline);
    number(to, "blocks_run", (double)result->blocks_run);
    number(to, "blocks_voided", (double)result->blocks_voided);
    property(to, "disturbances", result->disturbances);
    tare_buf_add_str(to, "    </properties>\n");
    for (size_t i = 0; i < result->n_lines; i++) {
        add_case(to, result, &result->lines[i]);
    }
    tare_buf_add_str(to, "  </testsuite>\n</testsuites>\n");
    return 0;
}

const struct tare_gate_output tare_gate_output_junit = {.name = "junit",
                                                        .summary = "JUnit XML, a case a metric",
                                                        .media_type = "application/xml",
                                                        .write = write_junit};
