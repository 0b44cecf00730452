/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One channel of energy that a counter gives: the reads of a phase, and the two readings that come of them
 * (energy_<channel> in J, and energy_<channel>_period, the time between the counter's steps).
 *
 * What cannot be known is absent with a reason: a counter that did not move (it is never 0 J, and never the
 * counter's absolute value), one that was reset or may have gone round unseen, one that could not be read at
 * the phase's begin or end. A read that failed between the two loses nothing: the next one carries the
 * counter over, if it cannot have gone round since. Arithmetic only; no I/O, no allocation; one thread.
 */
#ifndef TARE_METRICS_JOULES_H
#define TARE_METRICS_JOULES_H

#include "counter.h"

#include <tare/meter.h>

/* Where the counter stood at a phase's begin. */
struct tare_joules_mark {
    bool read; /* the read at the begin worked */
    int64_t at_ns;
    double half_s; /* half of the time that the read took */
    double total;
    int64_t n_lost, n_resets, n_moves;
};

struct tare_joules {
    /* Set by the owner. */
    char name[56]; /* energy_<channel>; leaves room for _period in the 64 that a name may have */
    char source[200];
    const char *scope;
    char flags[64]; /* what is always to be said of it */
    double joule;   /* of one count */
    double gain;    /* relative standard uncertainty */
    /* Of a counter without a known modulus: the fewest values it may have, in counts. A gap in which it
     * could have gone that far is lost. 0: it does not wrap. */
    double least_modulus;
    double period_s; /* time between its steps as found in a burst of reads; 0: not known */
    /* Why it cannot be read at all: the reading is absent with that. "": it can. */
    char never[160];
    struct tare_counter counter;
    /* Kept here. */
    int error;          /* errno of the last read; 0: it worked */
    int64_t at_ns;      /* of the last read that worked: midpoint of the times before and after */
    double half_s;      /* of that read */
    int64_t n_errors;   /* reads that failed since the begin */
    int64_t n_still;    /* reads since the begin that should have seen it move and did not */
    int64_t longest_ns; /* longest time between two reads since the begin */
    struct tare_joules_mark begin;
    char why[200];
};

/* One read: code is 0 or a negative errno (raw is not looked at then); the times are those before and after
 * it. */
void tare_joules_take(struct tare_joules *j, int code, uint64_t raw, int64_t before_ns, int64_t after_ns);
/* The last read was that of a phase's begin. */
void tare_joules_begin(struct tare_joules *j);
/* The last read was that of the phase's end: the two readings. */
void tare_joules_report(struct tare_joules *j, struct tare_readings *to);

/* Appends a word to a list of flags; no more than fits, and no word twice. */
void tare_joules_flag(char *flags, size_t n_flags, const char *word);
/* Copies what a name may have: a-z, 0-9 and '_'; capitals are made small, all else becomes '_'. */
void tare_joules_word(char *to, size_t n_to, const char *text);

#endif
