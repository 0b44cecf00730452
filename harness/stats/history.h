/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The newest session of a history: is it like the sessions since the last change? One value a session, as
 * logs.
 *
 * The reference is the sessions of the current level but the one that is judged, ten at least. z is robust:
 * (x - median) over 1.4826 MAD, times n / (n - 0.8) for small n (Croux and Rousseeuw 1992) and sqrt(1 + pi /
 * 2n) for the median's own error; p is two-sided, Student's t with 0.37 (n - 1) degrees of freedom, for the
 * MAD has 37 % of a standard deviation's efficiency. A session is suspect with p < 0.01 and a shift beyond
 * delta; an independent session after a suspect one confirms it with p < 0.05 and a shift beyond delta to the
 * same side. Of many series some are off by chance: over all series of a report Benjamini and Hochberg (1995)
 * take back every suspicion whose adjusted p is not below 0.05. A report, never a gate. Pure functions.
 */
#ifndef TARE_STATS_HISTORY_H
#define TARE_STATS_HISTORY_H

#include <stddef.h>
#include <tare/err.h>

enum { TARE_HISTORY_LEAST = 10 }; /* sessions of a level that can judge another */

enum tare_alarm_state {
    TARE_ALARM_FEW = 0, /* too few sessions since the last change */
    TARE_ALARM_NONE,
    TARE_ALARM_CHANCE,  /* suspect alone; of so many series some are, without any change */
    TARE_ALARM_SUSPECT, /* rerun: one session alone is no change */
    TARE_ALARM_CONFIRMED
};
const char *tare_alarm_text(enum tare_alarm_state state);

struct tare_alarm {
    enum tare_alarm_state state;
    double shift;  /* of the newest session, log; NaN: not judged */
    double p;      /* two-sided; NaN: not judged */
    double first;  /* p of the session that raised the suspicion: the one before where it is confirmed */
    double q;      /* `first` adjusted for all series of a report; NaN: not judged or not adjusted */
    double spread; /* robust standard deviation of the sessions, log; NaN: not known */
    size_t n;      /* sessions of the reference */
};

/* logs[0 .. n): all sessions in order; level: the first of the current level. delta: a share, 0.02. */
void tare_history_alarm(const double *logs, size_t n, size_t level, double delta, struct tare_alarm *out);
/* The alarms of all series of one report: sets q of each that is judged, and takes back what does not hold.
 */
TARE_MUST_CHECK int tare_history_adjust(struct tare_alarm *alarms, size_t n, struct tare_err *err);
/* Probability that both stages find a change by `share` (0.05) of that direction in normal sessions of this
 * spread and number, in a series alone; NaN where nothing is judged. */
double tare_history_power(const struct tare_alarm *alarm, double delta, double share);

#endif
