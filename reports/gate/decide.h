/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decisions of a gate over arrays of numbers: the very code that `tare check` runs, and that the
 * simulation of its error rates runs 40,000 times. Nothing here knows what a model, a file or a database is.
 *
 * A time, rate or energy is decided in two stages (docs/validity.md): n blocks of both arms; if they look
 * like a regression, n more; and it has failed only if all of them together prove it. What repeats exactly is
 * compared exactly. Quality is compared item by item. A result that proves nothing is called inconclusive,
 * never a pass.
 */
#ifndef TARE_REPORTS_GATE_DECIDE_H
#define TARE_REPORTS_GATE_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

/* The only words of a gate. */
enum tare_gate_word {
    TARE_GATE_INCONCLUSIVE = 0, /* the default: nothing is proved, `needed` would decide */
    TARE_GATE_FAILED,           /* worse beyond the margin, or less than what was demanded */
    TARE_GATE_EQUIVALENT,       /* the whole interval lies within the equivalence margin */
    TARE_GATE_BETTER,           /* the whole interval lies on the better side */
    TARE_GATE_MET,              /* a demand was proved: better by so much, or not worse by so much */
    TARE_GATE_UNCHANGED,        /* exact: within the tolerance */
    TARE_GATE_SKIPPED,          /* there is no value, with a reason */
    TARE_GATE_INVALID,          /* the values are not what their rule needs */
    TARE_GATE_ERROR,            /* an arm crashed, hung or failed */
    TARE_GATE_N_WORDS
};
const char *tare_gate_word_text(enum tare_gate_word word);

/* Error rates, all one-sided but for the level. */
#define TARE_GATE_ALPHA_SUSPICIOUS 0.01
#define TARE_GATE_ALPHA_FAILED     0.001
#define TARE_GATE_ALPHA_CHECK      0.01 /* of all timing metrics of a check together, by Holm */
#define TARE_GATE_LEVEL            0.99 /* of the interval that equivalence is read from */

/* Limits of a timing metric, as ratios less 1: 0.02 is 2 %. */
struct tare_gate_limits {
    double margin;      /* a smaller change is no regression, however certain */
    double equivalence; /* an interval within it is called equivalent */
    double demand;      /* the candidate must be better by this much; 0: it must not be worse */
};

struct tare_gate_decision {
    enum tare_gate_word word;
    bool suspicious;  /* stage 1 asks for stage 2 */
    int64_t n;        /* blocks or items that were looked at */
    double estimate;  /* + is worse. Timing: ln ratio; exact: relative change; quality: points */
    double low, high; /* its two-sided interval; NaN: none */
    double level;
    const char *method; /* constant text; NULL: no interval */
    double bound;       /* one-sided lower bound of the harm at TARE_GATE_ALPHA_FAILED; NaN: none */
    double p, p_holm;   /* of the pooled test; NaN: it was not reached */
    int64_t needed;     /* n that would decide, for an inconclusive one; 0: cannot be said */
    int64_t flips;      /* quality of right and wrong answers: items that differ; -1: not of that kind */
    char why[200];      /* of words that need a reason; "" for none */
};

/* The arm's value of a block: the median of its runs. Sorts them. NaN for none. */
double tare_gate_block_value(double *runs, size_t n);
/* ln ratio of two block values with the sign set so that + is worse; NaN unless both are positive. */
double tare_gate_log_ratio(double base, double candidate, bool higher_is_better);
/* Does stage 1 ask for n more blocks? d: log ratios, + is worse. */
TARE_MUST_CHECK int tare_gate_suspicious(const double *d, size_t n, const struct tare_gate_limits *limits,
                                         bool *out, struct tare_err *err);
/* Both stages: the first n_first of the n values are those of stage 1. n = n_first: there was no second. Only
 * what was suspicious in stage 1 can fail, or meet a demand. */
TARE_MUST_CHECK int tare_gate_timing(const double *d, size_t n, size_t n_first,
                                     const struct tare_gate_limits *limits, struct tare_gate_decision *out,
                                     struct tare_err *err);
/* Holm over the timing decisions of one check: what failed and does not hold at TARE_GATE_ALPHA_CHECK is
 * inconclusive. With up to 10 metrics it takes nothing back: 10 times 0.001 is 0.01. */
TARE_MUST_CHECK int tare_gate_holm(struct tare_gate_decision *const *list, size_t n, struct tare_err *err);

/* Values that must repeat exactly. tolerance: relative. direction: +1 higher is better, -1 lower is, 0: any
 * change is one for the worse. Values of one arm that differ by more than the tolerance are INVALID. */
void tare_gate_exact(const double *base, size_t n_base, const double *candidate, size_t n_candidate,
                     int direction, double tolerance, struct tare_gate_decision *out);
/* d: differences of items in points, + is worse. margin in points. Not worse by the margin, but not
 * equivalent or better either, is called met: that is what the rule demands. */
TARE_MUST_CHECK int tare_gate_quality(const double *d, size_t n, double margin,
                                      struct tare_gate_decision *out, struct tare_err *err);

#endif
