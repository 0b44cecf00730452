/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rule file of a gate (docs/check.md): what both arms run, in what the arms differ, and what is asked of
 * the candidate. Read and checked here; nothing is run, and paths are not looked at.
 */
#ifndef TARE_REPORTS_GATE_RULES_H
#define TARE_REPORTS_GATE_RULES_H

#include "decide.h"

#include <tare/json.h>

enum tare_gate_rule { TARE_GATE_AUTO = 0, TARE_GATE_TIMING, TARE_GATE_EXACT, TARE_GATE_QUALITY };
enum tare_gate_direction { TARE_GATE_BY_FIGURE = 0, TARE_GATE_HIGHER, TARE_GATE_LOWER, TARE_GATE_NEITHER };
enum tare_gate_noise { TARE_GATE_VOIDS = 0, TARE_GATE_FLAGS };

/* One line of "metrics". Strings are owned. */
struct tare_gate_metric {
    char *figure;
    char *task;        /* shell pattern of labels */
    char *model;       /* of the label in the plan part */
    int64_t rule;      /* enum tare_gate_rule */
    int64_t direction; /* enum tare_gate_direction */
    double margin;     /* timing: relative; quality: points; negative: the rule's default */
    double equivalence;
    double tolerance; /* exact: relative */
    double demand;    /* timing: the candidate must be better by this much */
    bool strict;      /* inconclusive fails */
};

struct tare_gate_rules {
    char *name;
    int64_t blocks;
    int64_t runs_per_block;
    bool strict;
    int64_t noise;          /* enum tare_gate_noise: what a disturbance does to a block */
    struct tare_json *json; /* owned: the whole file */
    const struct tare_json *plan, *base, *candidate; /* within it; arms may be NULL */
    struct tare_gate_metric *metrics;
    size_t n_metrics;
};

/* `json` becomes the rules' own, also after a failure. */
TARE_MUST_CHECK int tare_gate_rules_read(struct tare_json *json, const char *what,
                                         struct tare_gate_rules *out, struct tare_err *err);
void tare_gate_rules_fini(struct tare_gate_rules *rules);
/* The metric's margin, or the rule's: 2 % for timing, 1 point for quality. */
double tare_gate_margin(const struct tare_gate_metric *metric, enum tare_gate_rule rule);
/* By the unit and name of a figure: +1 higher is better, -1 lower is, 0 not known. */
int tare_gate_direction_of(const char *figure, const char *unit);

#endif
