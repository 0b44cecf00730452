/* SPDX-License-Identifier: Apache-2.0 */
/* For the comment of a pull request. */
#include "escape.h"
#include "result.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *sign_of(enum tare_gate_word word)
{
    return word == TARE_GATE_FAILED || word == TARE_GATE_ERROR ? "**"
           : word == TARE_GATE_INCONCLUSIVE                    ? "*"
                                                               : "";
}

static void add_value(struct tare_buf *to, double value, const char *unit)
{
    if (isnan(value)) {
        tare_buf_add_str(to, "-");
        return;
    }
    tare_buf_printf(to, "%.6g", value);
    if (strcmp(unit, "1") != 0) {
        tare_buf_add_str(to, " ");
        tare_gate_add_md(to, unit);
    }
}

static void add_line(struct tare_buf *to, const struct tare_gate_line *line)
{
    char id[TARE_GATE_ID_MAX], text[400];
    tare_gate_line_id(line, id);
    tare_buf_add_str(to, "| ");
    tare_gate_add_md(to, id);
    tare_buf_add_str(to, " | ");
    add_value(to, line->base, line->unit);
    tare_buf_add_str(to, " | ");
    add_value(to, line->candidate, line->unit);
    tare_gate_change_text(line, text, sizeof text);
    tare_buf_add_str(to, " | ");
    tare_gate_add_md(to, text);
    tare_gate_line_text(line, text, sizeof text);
    tare_buf_printf(to, " | %s", sign_of(line->decision.word));
    tare_gate_add_md(to, text);
    tare_buf_printf(to, "%s |\n", sign_of(line->decision.word));
}

static int write_md(const struct tare_gate_result *result, struct tare_buf *to, struct tare_err *err)
{
    (void)err;
    tare_buf_add_str(to, "### tare check: ");
    tare_gate_add_md(to, result->name);
    tare_buf_add_str(to, "\n\n**");
    tare_gate_add_md(to, result->headline);
    tare_buf_add_str(to, "**\n\n| metric | base | candidate | change | verdict |\n|---|--:|--:|--:|---|\n");
    for (size_t i = 0; i < result->n_lines; i++) {
        add_line(to, &result->lines[i]);
    }
    tare_buf_add_str(to, "\nBase: ");
    tare_gate_add_md(to, result->base);
    tare_buf_add_str(to, ". Candidate: ");
    tare_gate_add_md(to, result->candidate);
    tare_buf_add_str(to, ". Machine: ");
    tare_gate_add_md(to, result->machine[0] ? result->machine : "not known");
    tare_buf_printf(to, ", %s, tare %s; %lld blocks, %lld voided, stage %d", result->started_utc,
                    result->tare_version, (long long)result->blocks_run, (long long)result->blocks_voided,
                    result->stage);
    if (result->disturbances[0]) {
        tare_buf_add_str(to, "; seen: ");
        tare_gate_add_md(to, result->disturbances);
    }
    tare_buf_printf(to, "%s.\n\nIntervals have at least %g %% (quality: 90 %%). Inconclusive is no pass.\n",
                    result->noise_flagged ? "; disturbed blocks count" : "", 100 * TARE_GATE_LEVEL);
    return 0;
}

const struct tare_gate_output tare_gate_output_md = {
    .name = "md", .summary = "Markdown for a pull request", .media_type = "text/markdown", .write = write_md};
