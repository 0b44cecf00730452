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
    double square_j;    /* sum over the spans of (step of power x length)^2, in J^2 */
    int64_t longest_ns; /* longest span between two samples */
};

/* Takes a sample. One that is not later than the last, negative or no number is counted and left out. */
void tare_power_add(struct tare_power *p, int64_t now_ns, double watts);

/*
 * Standard uncertainty in J of the trapezoid: a step of power of size d that falls anywhere between two
 * samples h apart makes an error of standard deviation d h / sqrt(12); steps are taken as independent.
 */
double tare_power_u(const struct tare_power *p);

/* Mean power in W; NaN with fewer than two samples. */
double tare_power_mean(const struct tare_power *p);

#endif
