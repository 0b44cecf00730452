/* SPDX-License-Identifier: Apache-2.0 */
/* Annotations of GitHub Actions: workflow commands, a line a metric that is not well. */
#include "escape.h"
#include "result.h"

#include <stdio.h>

static const char *command_of(const struct tare_gate_line *line)
{
    enum tare_gate_word word = line->decision.word;
    return tare_gate_line_fails(line) || word == TARE_GATE_ERROR || word == TARE_GATE_INVALID ? "error"
           : word == TARE_GATE_INCONCLUSIVE || word == TARE_GATE_SKIPPED                      ? "warning"
                                                                                              : NULL;
}

static void add_command(struct tare_buf *to, const char *command, const char *file, const char *title,
                        const char *message)
{
    tare_buf_printf(to, "::%s ", command);
    if (file[0]) {
        tare_buf_add_str(to, "file=");
        tare_gate_add_github(to, file, 1);
        tare_buf_add_str(to, ",line=1,");
    }
    tare_buf_add_str(to, "title=");
    tare_gate_add_github(to, title, 1);
    tare_buf_add_str(to, "::");
    tare_gate_add_github(to, message, 0);
    tare_buf_add_str(to, "\n");
}

static int write_github(const struct tare_gate_result *result, struct tare_buf *to, struct tare_err *err)
{
    (void)err;
    for (size_t i = 0; i < result->n_lines; i++) {
        const struct tare_gate_line *line = &result->lines[i];
        char id[TARE_GATE_ID_MAX], text[400], change[120], message[600];
        const char *command = command_of(line);
        if (!command) {
            continue;
        }
        tare_gate_line_id(line, id);
        tare_gate_line_text(line, text, sizeof text);
        tare_gate_change_text(line, change, sizeof change);
        (void)snprintf(message, sizeof message, "%s (%s)", text, change);
        add_command(to, command, result->rules_path, id, message);
    }
    add_command(to, result->exit_status ? "error" : "notice", "", result->name, result->headline);
    return 0;
}

const struct tare_gate_output tare_gate_output_github = {.name = "github",
                                                         .summary = "annotations of GitHub Actions",
                                                         .media_type = "text/plain",
                                                         .write = write_github};
