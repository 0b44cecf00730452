/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two systems, A and B, on the same work: one row a task and figure, each with its estimate of B against A,
 * interval, p and word. Pure: rows come in as arrays, a table goes out. What was paired, and from where, is
 * the caller's business (cmd/compare.c).
 *
 * Times, rates and resources are paired by block and compared as ratios B / A on the log scale:
 * Hodges-Lehmann estimate, exact signed-rank interval (validity sheet, E.5). Quality is paired by item:
 * McNemar's exact test and flips for right and wrong answers, the linearised ratio of sums for anything else
 * (E.6). Counts that leave nothing uncertain are compared exactly. Equivalence is shown by two one-sided
 * tests, never assumed. P values of a table are adjusted together (Benjamini-Hochberg); a word other than
 * "undecided" needs the adjusted one to be at most alpha.
 */
#ifndef TARE_REPORTS_COMPARE_H
#define TARE_REPORTS_COMPARE_H

#include "base/record.h"
#include "core/arena.h"
#include "stats/paired.h"

#include <tare/report.h>

enum tare_compare_pairing {
    TARE_COMPARE_BLOCKS = 1, /* a[i] and b[i]: the figure in block i */
    TARE_COMPARE_ITEMS,      /* num and den of each item, A's and B's, den alike */
    TARE_COMPARE_EXACT       /* one value each, without uncertainty */
};

struct tare_compare_row {
    const char *task, *figure, *unit;
    enum tare_kind kind;
    enum tare_better better;
    enum tare_compare_pairing pairing;
    const struct tare_figure *a_figure, *b_figure; /* as stored, for show; NULL: never derived */
    /* BLOCKS: n pairs in a, b. ITEMS: n items; a, b: what each scored; den: out of how much. */
    size_t n;
    const double *a, *b, *den;
    bool proportion;    /* ITEMS: right or wrong answers; else a ratio of sums such as bits per byte */
    double scale;       /* ITEMS: of the figure to sum(a) / sum(den) */
    const char *doubt;  /* why no word may be said (other sessions, unequal work, disturbed); NULL: none */
    const char *absent; /* why there is nothing to compare; NULL: the arrays hold */
};

struct tare_compare_options {
    double alpha;          /* of the adjusted p, two-sided */
    double margin;         /* relative: a resource within +-margin is equivalent */
    double quality_margin; /* proportions: absolute, in 1; other quality: relative */
};

struct tare_compare_result {
    double estimate;               /* BLOCKS, EXACT: ratio B / A; ITEMS: difference B - A */
    struct tare_interval interval; /* of it, level 1 - alpha */
    struct tare_interval tost;     /* of it, level 1 - 2 alpha */
    double p, p_equivalent;        /* raw; NaN: none */
    double p_adjusted, p_equivalent_adjusted;
    double flips;     /* proportions: share of items answered otherwise; NaN: no notion */
    double lost, won; /* of those: items that A alone has right, and that B alone has; NaN with flips */
    double needed; /* blocks or items at which the present estimate and spread would decide; NaN: not known */
    enum tare_word word;
    const char *why; /* for "undecided": what is missing; constant or of the row */
};

/* Results beside rows, as many. Rows that are absent or doubtful are undecided and not part of the family. */
TARE_MUST_CHECK int tare_compare_decide(const struct tare_compare_row *rows, size_t n,
                                        const struct tare_compare_options *options,
                                        struct tare_compare_result *out, struct tare_err *err);

/* The table of it, in memory of the arena. Names are those of the two systems. */
TARE_MUST_CHECK int tare_compare_table(const struct tare_compare_row *rows,
                                       const struct tare_compare_result *results, size_t n,
                                       const struct tare_compare_options *options, const char *name_a,
                                       const char *name_b, const char *caption, struct tare_arena *arena,
                                       struct tare_table *out, struct tare_err *err);

#endif
