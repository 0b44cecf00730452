/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One channel of energy that is added up from samples of a power sensor: the samples of a phase and the
 * reading that comes of them. Always flagged SAMPLED: what happens between two samples is not seen, and a
 * load that keeps step with the sampling is seen wrongly. How often the sensor looks is told by interval_s or
 * by the times between changes of its value; where neither tells, the uncertainty is not known. A sensor that
 * fails at an edge, falls silent for half of the phase or says 0 W all the time gives no value. Arithmetic
 * only; no I/O; one thread.
 */
#ifndef TARE_METRICS_WATTS_H
#define TARE_METRICS_WATTS_H

#include "power.h"

#include <tare/meter.h>

struct tare_watts {
    /* Set by the owner. */
    char name[60]; /* energy_<channel> */
    char source[200];
    const char *scope;
    char flags[64];
    double gain;
    double interval_s; /* that each value is the mean of, or old by; 0: an instant, at times of its own */
    bool is_blurred;   /* each value is the mean of a time that nobody tells */
    int64_t gap_ns;    /* a time between two samples that is longer is a gap; 0: a second */
    char never[160];
    /* Kept here. */
    struct tare_power power;
    int error;        /* errno of the last read */
    int64_t n_errors; /* since the begin */
    bool begin_read;
    double first_w;
    double gaps_s; /* sum of the gaps */
    char why[200];
};

/* Forgets the phase before; the next sample is that of the begin. */
void tare_watts_begin(struct tare_watts *w);
/* One sample; code is 0 or a negative errno. */
void tare_watts_take(struct tare_watts *w, int code, double watts, int64_t now_ns);
struct tare_watts_outcome {
    double joules, seconds;
    double u;        /* J; NaN: not known */
    const char *why; /* NULL: there is a value */
    char flags[128];
};

/* The last sample was that of the phase's end: what came of it. */
void tare_watts_judge(struct tare_watts *w, struct tare_watts_outcome *o);
/* The same as a reading. */
void tare_watts_report(struct tare_watts *w, struct tare_readings *to);

#endif
