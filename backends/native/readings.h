/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the native backend tells of its own doing: what applying a technique took, what weights and state
 * hold. What a way of decoding counts, it tells itself through `tare_reading_put`.
 */
#ifndef TARE_NATIVE_READINGS_H
#define TARE_NATIVE_READINGS_H

#include "session.h"

#include <tare/meter.h>

/* One application of techniques, from begin to end. */
struct tare_applied {
    bool asked; /* false: no technique was named */
    double time_s;
    int64_t calibration_tok;
    int64_t rss_bytes;    /* VmRSS at begin; below 0: not known */
    int64_t peak_bytes;   /* VmHWM at begin */
    int64_t growth_bytes; /* of VmHWM over rss_bytes; below 0: the peak was not exceeded, or is not known */
};

void tare_applied_begin(struct tare_applied *applied);
void tare_applied_end(struct tare_applied *applied, int64_t calibration_tok);

/* Seconds on the monotonic clock, for differences. */
double tare_seconds_now(void);

/* A value of this process; `source` says who counted and what. */
void tare_reading_put(struct tare_readings *to, enum tare_kind kind, const char *name, const char *unit,
                      const char *source, double value);
/* The same for a quotient: absent with `why` when `below` is not above 0. */
void tare_reading_ratio(struct tare_readings *to, enum tare_kind kind, const char *name, const char *unit,
                        const char *source, double above, double below, const char *why);
void tare_reading_absent(struct tare_readings *to, enum tare_kind kind, const char *name, const char *unit,
                         const char *source, const char *why);

/* Of the load phase: the application, and the weights as they are now. */
void tare_readings_of_load(struct tare_readings *to, const struct tare_applied *applied,
                           const struct tare_model *model);
/* Of the measure phase: the longest state, and a token's work in matrices. */
void tare_readings_of_session(struct tare_readings *to, const struct tare_session *session);

#endif
