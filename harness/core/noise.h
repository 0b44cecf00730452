/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of what disturbs a measurement: which reading or fact shows it, from where on, what it is
 * called, and what follows. Figures take their flags from it and verdicts their reasons, so that the two can
 * never disagree. Not here: how a repeat ended (core/verdict.c), and what a statistic needs (FEW_REPEATS).
 *
 * What follows depends on the plan's `noise`: with "flag" a disturbance is a flag on every time, rate and
 * energy of the cell; with "void" it makes the cell INVALID, with the code among the reasons.
 */
#ifndef TARE_CORE_NOISE_H
#define TARE_CORE_NOISE_H

#include "base/record.h"

#include <stddef.h>

enum tare_noise_policy { TARE_NOISE_FLAG = 0, TARE_NOISE_VOID };
/* "flag", "void", NULL: the choices of the plan's key, in the order of the policies. */
extern const char *const tare_noise_policies[];

enum tare_noise_basis {
    TARE_NOISE_ABOVE = 1,     /* a reading of a measuring phase is above the limit */
    TARE_NOISE_AWAY,          /* its magnitude is */
    TARE_NOISE_BELOW,         /* it is below */
    TARE_NOISE_SHARE,         /* a time in s is above this share of the phase's length */
    TARE_NOISE_ABSENT_PREFIX, /* some reading is absent, and its reason begins with `reading` */
    TARE_NOISE_FACT           /* enum tare_noise_fact, of the cell or the repeat */
};

enum tare_noise_fact {
    TARE_FACT_SLOW_BUILD = 1,
    TARE_FACT_SETTINGS_CHANGED,
    TARE_FACT_DATA_MISMATCH,
    TARE_FACT_TOO_FEW_REQUESTS
};

struct tare_noise_rule {
    const char *code; /* flag word and reason code; several rules may share one */
    enum tare_noise_basis basis;
    const char *reading; /* name, or the prefix; NULL for facts */
    double limit;
    enum tare_noise_fact fact;
    bool flags_times; /* a flag on times, rates and energies; else only on what it takes away */
    bool voids;       /* a reason where the policy is "void" */
    bool always;      /* a reason whatever the policy is */
    const char *text; /* what it means, for a reader of the table */
};

extern const struct tare_noise_rule tare_noise_rules[];
extern const size_t tare_noise_n_rules; /* at most 64 */

/* A set of rules: bit i is rule i. */
typedef uint64_t tare_noise_set;

/* Is the rule about a reading of that name? */
bool tare_noise_names(const struct tare_noise_rule *rule, const char *reading);
/* Does the rule speak on this reading of a phase? wall_s is the phase's length, NaN if unknown. An
 * absent reading is no sign of a disturbance but for TARE_NOISE_ABSENT_PREFIX. */
bool tare_noise_raised(const struct tare_noise_rule *rule, const struct tare_reading_record *reading,
                       double wall_s);
/* The rules of a fact. */
tare_noise_set tare_noise_of_fact(enum tare_noise_fact fact);
/* The table's text for a code; NULL if it has none. */
const char *tare_noise_text(const char *code);

#endif
