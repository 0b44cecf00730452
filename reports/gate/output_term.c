/* SPDX-License-Identifier: Apache-2.0 */
/* For people at a terminal: a line a metric, in columns. */
#include "result.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { n_columns = 5, cell_size = 320 };

typedef char row[n_columns][cell_size];

static void value_text(double value, const char *unit, char *out, size_t n_out)
{
    if (isnan(value)) {
        (void)snprintf(out, n_out, "-");
    } else {
        (void)snprintf(out, n_out, "%.6g%s%.20s", value, strcmp(unit, "1") == 0 ? "" : " ",
                       strcmp(unit, "1") == 0 ? "" : unit);
    }
}

static void fill(const struct tare_gate_line *line, row to)
{
    char id[TARE_GATE_ID_MAX];
    tare_gate_line_id(line, id);
    (void)snprintf(to[0], cell_size, "%.300s", id);
    value_text(line->base, line->unit, to[1], cell_size);
    value_text(line->candidate, line->unit, to[2], cell_size);
    tare_gate_change_text(line, to[3], cell_size);
    tare_gate_line_text(line, to[4], cell_size);
}

static void print_rows(row *rows, size_t n, struct tare_buf *to)
{
    size_t width[n_columns] = {0};
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c + 1 < n_columns; c++) {
            size_t length = strlen(rows[i][c]);
            width[c] = length > width[c] ? length : width[c];
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < n_columns; c++) {
            int pad = c + 1 < n_columns ? (int)width[c] : 0;
            tare_buf_printf(to, "  %-*s", pad, rows[i][c]);
        }
        tare_buf_add_str(to, "\n");
    }
}

static int write_term(const struct tare_gate_result *result, struct tare_buf *to, struct tare_err *err)
{
    static const char *const heads[n_columns] = {"metric", "base", "candidate", "change", "verdict"};
    row *rows = calloc(result->n_lines + 1, sizeof *rows);
    if (!rows) {
        return tare_err_set(err, TARE_E_NOMEM, "gate: out of memory");
    }
    for (size_t c = 0; c < n_columns; c++) {
        (void)snprintf(rows[0][c], cell_size, "%s", heads[c]);
    }
    for (size_t i = 0; i < result->n_lines; i++) {
        fill(&result->lines[i], rows[i + 1]);
    }
    tare_buf_printf(to, "%s\n  base: %s\n  candidate: %s\n\n", result->name, result->base, result->candidate);
    print_rows(rows, result->n_lines + 1, to);
    free(rows);
    tare_buf_printf(to, "\n%s\n", result->headline);
    if (result->blocks_run > 0) {
        tare_buf_printf(to, "%lld blocks, %lld voided%s%s; stage %d; run %lld of %s\n",
                        (long long)result->blocks_run, (long long)result->blocks_voided,
                        result->disturbances[0] ? "; seen: " : "", result->disturbances, result->stage,
                        (long long)result->run_id, result->db);
    }
    return 0;
}

const struct tare_gate_output tare_gate_output_term = {
    .name = "term", .summary = "columns for a terminal", .media_type = "text/plain", .write = write_term};
