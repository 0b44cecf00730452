/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cells of a selection reduced to systems x metrics: what every score computes on. A system is a model
 * with a technique in a scenario; a metric is a figure of one task, or the mean of a quality over several.
 *
 * A column holds one class of values: what a model or a declaration says never stands with what was measured,
 * counted or reported, and no scope with another. A value of another class than its column's first is absent
 * with that reason. Strings are borrowed from the input or lie in the arena.
 */
#ifndef TARE_REPORTS_SCORES_MATRIX_H
#define TARE_REPORTS_SCORES_MATRIX_H

#include "core/arena.h"
#include "reports/input.h"

#include <tare/report.h>

struct tare_score_value {
    double value;            /* NaN: absent */
    double low, high, level; /* NaN: no interval is known */
    enum tare_kind kind;
    const char *unit, *source, *scope, *method, *flags;
    int64_t n;
    const char *n_what;
    const char *why;  /* the reason where it is absent */
    const char *mark; /* "-", "FAIL", "OOM" and the like */
    enum tare_cell_outcome outcome;
};

struct tare_score_metric {
    const char *figure; /* "quality": the tasks' headline metrics that are shares of 1 */
    const char *task;   /* shell pattern; NULL: any */
    const char *header, *unit;
    enum tare_better better;
    double weight; /* for scores that weigh; 1 */
    double offset; /* of Dynascore, for what is better low; NaN: none stated */
};

struct tare_score_system {
    const char *name; /* model, technique, scenario: as far as they tell systems apart */
    const char *model, *backend, *technique, *tag, *scenario, *tokenizer, *facts;
};

struct tare_score_matrix {
    size_t n_systems, n_metrics;
    struct tare_score_system *systems;
    struct tare_score_metric *metrics;
    struct tare_score_value *values; /* row-major: values[system * n_metrics + metric] */
    const char *const *tasks;        /* of each metric: which tasks it came from */
};

/* Metrics out of "figure[@task][:higher|:lower][:weight[:offset]]", commas between. */
TARE_MUST_CHECK int tare_score_metrics_parse(const char *text, struct tare_arena *arena,
                                             struct tare_score_metric **out, size_t *out_n,
                                             struct tare_err *err);
TARE_MUST_CHECK int tare_score_matrix(const struct tare_report_input *input,
                                      const struct tare_score_metric *metrics, size_t n_metrics,
                                      struct tare_arena *arena, struct tare_score_matrix *out,
                                      struct tare_err *err);

static inline const struct tare_score_value *tare_score_at(const struct tare_score_matrix *m, size_t system,
                                                           size_t metric)
{
    return &m->values[system * m->n_metrics + metric];
}

/* A value that is not there, and why. */
struct tare_score_value tare_score_absent(const char *why);
/* A value with no interval, of a kind, unit and source. */
struct tare_score_value tare_score_plain(double value, const char *unit, enum tare_kind kind,
                                         const char *source);
/* The weaker of two kinds: that of what is derived from both. */
enum tare_kind tare_score_weaker(enum tare_kind a, enum tare_kind b);
/* Is x better than y beyond both intervals? An exact value is its own interval. */
bool tare_score_clearly_better(const struct tare_score_value *x, const struct tare_score_value *y,
                               enum tare_better better);
/* Was the system left as it is? */
bool tare_score_untreated(const struct tare_score_system *system);

#endif
