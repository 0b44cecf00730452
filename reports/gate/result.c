/* SPDX-License-Identifier: Apache-2.0 */
/* What several outputs say alike, and the list of outputs. */
#include "result.h"

#include "base/nearest.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define X(name) extern const struct tare_gate_output tare_gate_output_##name;
#include "tare_gate_outputs.inc"
#undef X

const struct tare_gate_output *const tare_gate_outputs[] = {
#define X(name) &tare_gate_output_##name,
#include "tare_gate_outputs.inc"
#undef X
    NULL};

int tare_gate_find_output(const char *name, const struct tare_gate_output **out, struct tare_err *err)
{
    struct tare_nearest nearest = {.word = name};
    for (size_t i = 0; tare_gate_outputs[i]; i++) {
        if (strcmp(tare_gate_outputs[i]->name, name) == 0) {
            *out = tare_gate_outputs[i];
            return 0;
        }
        tare_nearest_offer(&nearest, tare_gate_outputs[i]->name);
    }
    const char *best = tare_nearest_best(&nearest);
    return tare_err_set(err, TARE_E_USAGE, "output \"%.40s\": unknown; %s%s%s", name,
                        best ? "did you mean " : "docs/check.md has a list", best ? best : "",
                        best ? "?" : "");
}

void tare_gate_line_id(const struct tare_gate_line *line, char out[TARE_GATE_ID_MAX])
{
    (void)snprintf(out, TARE_GATE_ID_MAX, "%.256s@%.256s%s%.256s%s", line->metric->figure, line->task,
                   line->model[0] ? " (" : "", line->model, line->model[0] ? ")" : "");
}

static double share(const struct tare_gate_line *line, double harm)
{
    double change = line->rule == TARE_GATE_TIMING ? (line->direction > 0 ? expm1(-harm) : expm1(harm))
                    : line->direction > 0          ? -harm
                                                   : harm;
    return change == 0 ? 0 : change; /* no minus before a zero */
}

struct tare_gate_change tare_gate_line_change(const struct tare_gate_line *line)
{
    const struct tare_gate_decision *d = &line->decision;
    double low = share(line, d->low), high = share(line, d->high);
    return (struct tare_gate_change){share(line, d->estimate), low < high ? low : high,
                                     low < high ? high : low};
}

void tare_gate_change_text(const struct tare_gate_line *line, char *out, size_t n_out)
{
    struct tare_gate_change c = tare_gate_line_change(line);
    bool points = line->rule == TARE_GATE_QUALITY;
    double scale = points ? 1 : 100;
    const char *unit = points ? "points" : "%";
    if (isnan(c.value)) {
        (void)snprintf(out, n_out, "-");
    } else if (line->rule == TARE_GATE_EXACT) {
        if (c.value != 0) {
            (void)snprintf(out, n_out, "%+.4g %s", scale * c.value, unit);
        } else {
            (void)snprintf(out, n_out, "0 %s", unit);
        }
    } else if (isnan(c.low) || isnan(c.high)) {
        (void)snprintf(out, n_out, "%+.2f %s [u?]", scale * c.value, unit);
    } else {
        (void)snprintf(out, n_out, "%+.2f %s [%+.2f, %+.2f]", scale * c.value, unit, scale * c.low,
                       scale * c.high);
    }
}

static void margin_text(const struct tare_gate_line *line, char *out, size_t n_out)
{
    const struct tare_gate_metric *m = line->metric;
    if (line->rule == TARE_GATE_QUALITY) {
        (void)snprintf(out, n_out, "%g points", tare_gate_margin(m, line->rule));
    } else if (line->rule == TARE_GATE_EXACT) {
        (void)snprintf(out, n_out, "%g %%", 100 * m->tolerance);
    } else if (m->demand > 0) {
        (void)snprintf(out, n_out, "%g %%", 100 * m->demand);
    } else {
        (void)snprintf(out, n_out, "%g %%",
                       100 * (line->decision.word == TARE_GATE_EQUIVALENT ? m->equivalence
                                                                          : tare_gate_margin(m, line->rule)));
    }
}

static const char *sentence(const struct tare_gate_line *line)
{
    bool demand = line->rule == TARE_GATE_TIMING && line->metric->demand > 0;
    switch (line->decision.word) {
    case TARE_GATE_FAILED:
        return demand                          ? "failed: not better by the %s that are demanded"
               : line->rule == TARE_GATE_EXACT ? "failed: worse, and %s would be tolerated"
                                               : "failed: worse by more than %s";
    case TARE_GATE_EQUIVALENT:
        return "equivalent within %s";
    case TARE_GATE_BETTER:
        return "better";
    case TARE_GATE_MET:
        return demand ? "met: better by at least %s" : "met: not worse by %s";
    case TARE_GATE_UNCHANGED:
        return "unchanged within %s";
    case TARE_GATE_INCONCLUSIVE:
        return "inconclusive";
    default:
        return NULL;
    }
}

void tare_gate_line_text(const struct tare_gate_line *line, char *out, size_t n_out)
{
    const struct tare_gate_decision *d = &line->decision;
    char margin[32];
    struct tare_buf buf;
    tare_buf_init(&buf, 4096);
    margin_text(line, margin, sizeof margin);
    const char *words = sentence(line);
    const char *place = words ? strstr(words, "%s") : NULL;
    if (words) {
        tare_buf_printf(&buf, "%.*s%s%s", place ? (int)(place - words) : (int)strlen(words), words,
                        place ? margin : "", place ? place + 2 : "");
    } else {
        tare_buf_add_str(&buf, tare_gate_word_text(d->word));
    }
    if (d->why[0]) {
        tare_buf_printf(&buf, ": %s", d->why);
    }
    if (d->word == TARE_GATE_INCONCLUSIVE && d->needed > 0) {
        tare_buf_printf(&buf, "; about %lld %s would decide", (long long)d->needed,
                        line->rule == TARE_GATE_QUALITY ? "items" : "blocks");
    }
    if (d->flips >= 0) {
        tare_buf_printf(&buf, " (%lld of %lld items differ)", (long long)d->flips, (long long)d->n);
    }
    (void)snprintf(out, n_out, "%s", tare_buf_str(&buf));
    tare_buf_fini(&buf);
}

bool tare_gate_line_fails(const struct tare_gate_line *line)
{
    enum tare_gate_word word = line->decision.word;
    return word == TARE_GATE_FAILED ||
           (line->strict && (word == TARE_GATE_INCONCLUSIVE || word == TARE_GATE_SKIPPED));
}

size_t tare_gate_count(const struct tare_gate_result *result, enum tare_gate_word word)
{
    size_t n = 0;
    for (size_t i = 0; i < result->n_lines; i++) {
        n += result->lines[i].decision.word == word;
    }
    return n;
}
