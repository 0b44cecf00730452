/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a gate has found, as its outputs see it: one line a metric and pair of cells, and what was run. The
 * outputs know no database; what they print is all in here. Strings are borrowed.
 */
#ifndef TARE_REPORTS_GATE_RESULT_H
#define TARE_REPORTS_GATE_RESULT_H

#include "base/buf.h"
#include "rules.h"

enum { TARE_GATE_ID_MAX = 1100 };

struct tare_gate_line {
    const struct tare_gate_metric *metric;
    enum tare_gate_rule rule; /* never AUTO */
    int direction;            /* +1 higher is better, -1 lower is, 0 neither */
    const char *model;        /* label in the plan part; "" where there is one model alone */
    const char *task, *scenario, *technique;
    const char *unit, *kind, *scope; /* "" where there is no value */
    double base, candidate;          /* medians of the blocks; quality: over all items; NaN: absent */
    struct tare_gate_decision decision;
    bool strict;
};

struct tare_gate_result {
    const char *name;             /* of the rule file */
    const char *base, *candidate; /* the arms in words */
    const char *rules_path;       /* "" for the command line */
    const char *db;
    int64_t run_id;
    const char *started_utc, *tare_version, *machine;
    double seconds; /* that the measuring took; NaN: unknown */
    const struct tare_gate_line *lines;
    size_t n_lines;
    int64_t blocks_run, blocks_voided;
    int stage;                /* 1 or 2 */
    bool noise_flagged;       /* disturbed blocks count: the rules say so */
    const char *disturbances; /* codes of what disturbed blocks, with commas; "" for none */
    bool unfit;               /* more than a fifth of the blocks was voided */
    bool slow_build;          /* times of a debug or sanitizer build */
    int exit_status;
    const char *headline; /* one line: what follows */
};

struct tare_gate_output {
    const char *name; /* as in --output NAME=FILE */
    const char *summary;
    const char *media_type;
    TARE_MUST_CHECK int (*write)(const struct tare_gate_result *result, struct tare_buf *to,
                                 struct tare_err *err);
};

/* NULL-terminated, in the order of meson.build. */
extern const struct tare_gate_output *const tare_gate_outputs[];
/* An unknown name is an error that names the nearest. */
TARE_MUST_CHECK int tare_gate_find_output(const char *name, const struct tare_gate_output **out,
                                          struct tare_err *err);

/* What several outputs say alike. */
/* "decode_throughput@decode-128", with the model behind it where there are several. */
void tare_gate_line_id(const struct tare_gate_line *line, char out[TARE_GATE_ID_MAX]);
/* The change of the candidate against the base in the figure's own direction: a share for timing and exact,
 * points for quality; its interval NaN where there is none. */
struct tare_gate_change {
    double value, low, high;
};
struct tare_gate_change tare_gate_line_change(const struct tare_gate_line *line);
/* "-5.2 % [-6.0, -4.4]"; "+0.3 points [..]"; "-" for none. */
void tare_gate_change_text(const struct tare_gate_line *line, char *out, size_t n_out);
/* One sentence: the word, why, and what would decide. */
void tare_gate_line_text(const struct tare_gate_line *line, char *out, size_t n_out);
/* Does the line make the gate fail? Inconclusive and skipped do under strict. */
bool tare_gate_line_fails(const struct tare_gate_line *line);
size_t tare_gate_count(const struct tare_gate_result *result, enum tare_gate_word word);

#endif
