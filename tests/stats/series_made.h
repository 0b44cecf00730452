/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Series with known changes, made at random: what histories of performance look like, one family each, and
 * how found changes are scored. Values are logs about ln 100. Nothing here is measured or taken from
 * anywhere; a seed fixes everything.
 */
#ifndef TARE_TESTS_SERIES_MADE_H
#define TARE_TESTS_SERIES_MADE_H

#include <stddef.h>
#include <stdint.h>

enum { MADE_LONGEST = 2000, MADE_CHANGES = 8 };

enum made_noise {
    MADE_NORMAL = 0,
    MADE_SKEWED,                /* log-normal, long tail above */
    MADE_BIMODAL,               /* two modes, drawn anew for every value, 30 % in the upper */
    MADE_OUTLIERS,              /* normal, and 3 % of the values 5 to 25 noise units above */
    MADE_AR,                    /* AR(1) of 0.3 */
    MADE_TIES,                  /* integers: rounded to about one noise unit */
    MADE_PROMISED,              /* those above are what alarms are promised for; below, what goes beyond it */
    MADE_HEAVY = MADE_PROMISED, /* t of 3 degrees of freedom */
    MADE_AR6,                   /* AR(1) of 0.6 */
    MADE_KEPT,                  /* two modes, each kept for 4 values on average */
    MADE_NOISES
};

enum made_family {
    MADE_STEPS = 0, /* 1 to 5 steps of either sign, at least 10 values apart */
    MADE_TREND,     /* steps on a line that rises by 1 to 4 noise units in all */
    MADE_BUMP,      /* a plateau of 12 to 40 values, then back */
    MADE_SHORT,     /* a plateau of 6 to 11 values, then back: reverted soon */
    MADE_END,       /* one step, 6 to 12 values before the end */
    MADE_LOUDER,    /* one or two steps; behind the first the noise is three times as large */
    MADE_STAIRS,    /* 3 to 5 steps of one sign */
    MADE_SEASON,    /* steps, and a wave of 7 values and one noise unit */
    MADE_MODES,     /* steps, and a machine with two modes half a step apart, kept for 1 to 4 values */
    MADE_DRIFT,     /* one step, and a drift of 3 noise units over the last 40 % */
    MADE_SAW,       /* a slow rise that falls back twice: a leak and its restarts */
    MADE_COUNTS,    /* an integer that hardly ever moves, 1 % of the values one off; steps of one or two */
    MADE_LONE,      /* steps, and single values, pairs and triples far off, 4 % of all */
    MADE_QUIETER,   /* noise falls to a fifth, and what steps behind it, steps by the smaller noise */
    MADE_RAMP,      /* a change that takes 8 values to arrive; its middle is the truth */
    MADE_FAMILIES
};
const char *made_family_name(enum made_family family);
const char *made_noise_name(enum made_noise noise);

struct made {
    size_t n, n_truth;
    size_t truth[MADE_CHANGES]; /* first values of new levels, in order */
    double noise;               /* standard deviation of the noise */
    double x[MADE_LONGEST];
};

/* Steps of low to high noise units (2 to 20 % where that leaves room); n 0: 60 to 500 at random. */
void made_series(enum made_family family, enum made_noise noise, size_t n, double low, double high,
                 uint64_t seed, uint64_t index, struct made *out);
/* No change: noise of coefficient `cv` alone. */
void made_quiet(enum made_noise noise, size_t n, double cv, uint64_t seed, uint64_t index, struct made *out);

struct made_score {
    size_t hits, found, truths; /* hits: found within the margin of a truth, one to one */
};
void made_match(const size_t *found, size_t n_found, const struct made *made, size_t margin,
                struct made_score *to);
double made_precision(const struct made_score *s);
double made_recall(const struct made_score *s);
double made_f1(const struct made_score *s);

#endif
