/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenMetrics 1.0: a gauge a figure with samples for both arms and the bounds of the candidate, the verdicts
 * as a state set, and the run as an info. All samples of a family stand together, its name ends with its
 * unit.
 */
#include "candidate.h"
#include "escape.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { name_size = 200 };

/* Base units in words; what has none is named as it is written, in letters. */
static void unit_words(const char *unit, char *out, size_t n_out)
{
    static const struct {
        const char *unit, *words;
    } known[] = {{"s", "seconds"},
                 {"B", "bytes"},
                 {"J", "joules"},
                 {"W", "watts"},
                 {"1", "ratio"},
                 {"x", "ratio"},
                 {"tok/s", "tokens_per_second"},
                 {"J/tok", "joules_per_token"},
                 {"FLOP/tok", "flops_per_token"},
                 {"bit/B", "bits_per_byte"},
                 {"tok", "tokens"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(unit, known[i].unit) == 0) {
            (void)snprintf(out, n_out, "%s", known[i].words);
            return;
        }
    }
    size_t n = 0;
    for (const char *c = unit; *c && n + 6 < n_out; c++) {
        if (*c == '/') {
            n += (size_t)snprintf(out + n, n_out - n, "_per_");
        } else if (isalnum((unsigned char)*c)) {
            out[n++] = (char)tolower((unsigned char)*c);
        }
    }
    out[n] = '\0';
}

/* tare_FIGURE_UNIT, the unit not twice. */
static void name_family(const struct tare_gate_line *line, char out[name_size], char unit[64])
{
    char figure[100];
    size_t n = 0;
    for (const char *c = line->metric->figure; *c && n + 1 < sizeof figure; c++) {
        figure[n++] = isalnum((unsigned char)*c) ? *c : '_';
    }
    figure[n] = '\0';
    unit_words(line->unit, unit, 64);
    size_t m = strlen(unit);
    bool has = m == 0 || (n > m && figure[n - m - 1] == '_' && strcmp(figure + n - m, unit) == 0) ||
               strcmp(figure, unit) == 0;
    (void)snprintf(out, name_size, "tare_%.99s%s%.63s", figure, has ? "" : "_", has ? "" : unit);
}

static void add_labels(struct tare_buf *to, const struct tare_gate_line *line, const char *key,
                       const char *value)
{
    const char *const labels[][2] = {{"task", line->task},
                                     {"scenario", line->scenario},
                                     {"technique", line->technique},
                                     {"model", line->model},
                                     {key, value}};
    const char *between = "{";
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        if (labels[i][1][0]) {
            tare_buf_printf(to, "%s%s=\"", between, labels[i][0]);
            tare_gate_add_label(to, labels[i][1]);
            tare_buf_add_str(to, "\"");
            between = ",";
        }
    }
    tare_buf_add_str(to, "}");
}

static void add_sample(struct tare_buf *to, const char *family, const struct tare_gate_line *line,
                       const char *arm, double value)
{
    if (isfinite(value)) {
        tare_buf_add_str(to, family);
        add_labels(to, line, "arm", arm);
        tare_buf_printf(to, " %.17g\n", value);
    }
}

static bool same_family(const struct tare_gate_line *a, const struct tare_gate_line *b)
{
    char x[name_size], y[name_size], unit[64];
    name_family(a, x, unit);
    name_family(b, y, unit);
    return strcmp(x, y) == 0;
}

/* The same series twice would be no OpenMetrics: two rules may ask for one figure. */
static bool is_repeated(const struct tare_gate_result *result, size_t i)
{
    const struct tare_gate_line *a = &result->lines[i];
    for (size_t j = 0; j < i; j++) {
        const struct tare_gate_line *b = &result->lines[j];
        if (same_family(a, b) && strcmp(a->task, b->task) == 0 && strcmp(a->model, b->model) == 0 &&
            strcmp(a->scenario, b->scenario) == 0 && strcmp(a->technique, b->technique) == 0) {
            return true;
        }
    }
    return false;
}

static void add_family(struct tare_buf *to, const struct tare_gate_result *result, size_t first)
{
    char family[name_size], unit[64];
    const struct tare_gate_line *head = &result->lines[first];
    name_family(head, family, unit);
    tare_buf_printf(to, "# TYPE %s gauge\n", family);
    if (unit[0]) {
        tare_buf_printf(to, "# UNIT %s %s\n", family, unit);
    }
    tare_buf_printf(to, "# HELP %s %s of both arms of a gate, and the bounds of the candidate.\n", family,
                    head->metric->figure);
    for (size_t i = first; i < result->n_lines; i++) {
        const struct tare_gate_line *line = &result->lines[i];
        struct tare_gate_candidate c = tare_gate_candidate_of(line);
        if (!same_family(head, line) || is_repeated(result, i) || !tare_gate_has_candidate(line)) {
            continue;
        }
        add_sample(to, family, line, "base", line->base);
        add_sample(to, family, line, "candidate", c.value);
        add_sample(to, family, line, "candidate_low", c.low);
        add_sample(to, family, line, "candidate_high", c.high);
    }
}

static void add_families(struct tare_buf *to, const struct tare_gate_result *result)
{
    for (size_t i = 0; i < result->n_lines; i++) {
        bool known = !result->lines[i].unit[0];
        for (size_t j = 0; j < i && !known; j++) {
            known = result->lines[j].unit[0] && same_family(&result->lines[j], &result->lines[i]);
        }
        if (!known) {
            add_family(to, result, i);
        }
    }
}

static void add_verdicts(struct tare_buf *to, const struct tare_gate_result *result)
{
    static const char family[] = "tare_gate_verdict";
    tare_buf_printf(to, "# TYPE %s stateset\n# HELP %s What the gate says of a metric.\n", family, family);
    for (size_t i = 0; i < result->n_lines; i++) {
        char figure[300];
        const struct tare_gate_line *line = &result->lines[i];
        (void)snprintf(figure, sizeof figure, "%zu %.256s", i, line->metric->figure);
        for (int word = 0; word < TARE_GATE_N_WORDS; word++) {
            tare_buf_printf(to, "%s{metric=\"", family);
            tare_gate_add_label(to, figure);
            tare_buf_add_str(to, "\",task=\"");
            tare_gate_add_label(to, line->task);
            tare_buf_printf(to, "\",%s=\"%s\"} %d\n", family, tare_gate_word_text((enum tare_gate_word)word),
                            (int)line->decision.word == word);
        }
    }
}

static void add_info(struct tare_buf *to, const struct tare_gate_result *result)
{
    const char *const labels[][2] = {{"name", result->name},
                                     {"base", result->base},
                                     {"candidate", result->candidate},
                                     {"machine", result->machine},
                                     {"version", result->tare_version}};
    tare_buf_add_str(to,
                     "# TYPE tare_gate info\n# HELP tare_gate What was compared, and where.\ntare_gate_info");
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        tare_buf_printf(to, "%s%s=\"", i ? "," : "{", labels[i][0]);
        tare_gate_add_label(to, labels[i][1]);
        tare_buf_add_str(to, "\"");
    }
    tare_buf_add_str(to, "} 1\n");
}

static int write_openmetrics(const struct tare_gate_result *result, struct tare_buf *to, struct tare_err *err)
{
    (void)err;
    add_families(to, result);
    add_verdicts(to, result);
    add_info(to, result);
    tare_buf_printf(to,
                    "# TYPE tare_gate_exit gauge\n# HELP tare_gate_exit Exit status of the gate.\n"
                    "tare_gate_exit %d\n# EOF\n",
                    result->exit_status);
    return 0;
}

const struct tare_gate_output tare_gate_output_openmetrics = {
    .name = "openmetrics",
    .summary = "OpenMetrics 1.0, to be scraped or pushed",
    .media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8",
    .write = write_openmetrics};
