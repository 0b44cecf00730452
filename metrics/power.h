/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Energy out of samples of power: the trapezoid over the times that the samples have, its standard
 * uncertainty, and what was missing. Not a counter: what happens between two samples is not seen. Plain
 * arithmetic, no I/O, no allocation; one thread.
 */
#ifndef TARE_METRICS_POWER_H
#define TARE_METRICS_POWER_H

#include <stdbool.h>
#include <stdint.h>

/* Zero it at the begin of a window; the first sample opens the window, the last one closes it. */
struct tare_power {
    int64_t n;        /* samples used */
    int64_t n_bad;    /* left out: not later than the one before, negative, or no number */
    int64_t first_ns; /* CLOCK_MONOTONIC */
    int64_t last_ns;
    double last_w;
    double joules;
    double peak_w;
    int64_t n_changes;  /* samples that differed from the one before */
    int64_t changed_ns; /* since when the last value has been seen */
    double square_j;    /* sum over the changes of (step of power x time since the change before)^2, in J^2 */
    double late_j;      /* sum over the changes of step x half of the time that the value was only repeated */
    int64_t longest_ns; /* longest span between two samples */
};

/* Takes a sample. One that is not later than the last, negative or no number is counted and left out. */
void tare_power_add(struct tare_power *p, int64_t now_ns, double watts);

/*
 * Standard uncertainty in J of the trapezoid. A sensor that is asked more often than it looks repeats its
 * value, so the time that counts is the time h between two changes, not between two samples. A step of power
 * of size d that falls anywhere in it makes an error of standard deviation d h / sqrt(12) around the middle
 * of h; steps are taken as independent, and two more of their mean size may lie at the edges. That the
 * trapezoid has put the step at the end of h, and not in the middle, adds up over all steps and stands beside
 * it. Only for loads that do not go up and down again between two changes. 0 where nothing changed: that says
 * nothing of how often it looks.
 */
double tare_power_u(const struct tare_power *p);

/* Mean power in W; NaN with fewer than two samples. */
double tare_power_mean(const struct tare_power *p);

#endif
