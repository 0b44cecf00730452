/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker's side of measuring a phase: begin and end of the meters that are in the worker, the word to
 * those outside, and where readings go.
 *
 * The stamps of a phase lie inside everything else: those outside, the worker's own meters, the stamp; the
 * stamp, the worker's, those outside, and last the worker's that take long. So reading a meter is never part
 * of what is timed; waiting for those outside is no waiting for a CPU that the worker's meters would see; and
 * the window of those outside is wider than the phase by what the worker's take, some tenths of a
 * millisecond.
 */
#ifndef TARE_CORE_METERING_H
#define TARE_CORE_METERING_H

#include "core/meters.h"
#include "core/stream.h"

#include <tare/backend.h>

struct tare_metering {
    struct tare_meters meters;
    struct tare_outbox *outbox;
    int outside_fd; /* to the thread of core/outside.h; -1: there is none */
    int64_t begin_ns;
    int64_t edge_ns;   /* what the begin of the phase took, outside of its stamps */
    bool outside_lost; /* those outside gave no answer; they are not asked again */
    bool elsewhere;    /* the model is in another process: what this one does is not its doing */
};

struct tare_metering_args {
    struct tare_outbox *outbox;
    int outside_fd;                  /* or -1 */
    bool off;                        /* no meter in the worker */
    bool elsewhere;                  /* the backend has TARE_CAP_ELSEWHERE */
    const struct tare_json *choices; /* the plan's "meters", or NULL */
};

TARE_MUST_CHECK int tare_metering_open(struct tare_metering *metering, const struct tare_metering_args *args,
                                       struct tare_err *err);
void tare_metering_close(struct tare_metering *metering);
/* Announces the phase; returns its begin stamp. */
int64_t tare_metering_begin(struct tare_metering *metering, enum tare_phase_name phase);
/* Ends it at end_ns (or now, if 0) and sends the readings. */
void tare_metering_end(struct tare_metering *metering, enum tare_phase_name phase, int64_t end_ns);
/* The readings hook of a backend, about the phase that has just ended; meter "backend". A reading
 * that breaks the contract is an error, and none of those behind it is sent. */
TARE_MUST_CHECK int tare_metering_ask_backend(struct tare_metering *metering, enum tare_phase_name phase,
                                              const struct tare_backend *ops, void *self,
                                              struct tare_err *err);
/* A reading of the harness itself, about a phase. */
void tare_metering_add(struct tare_metering *metering, enum tare_phase_name phase, const char *meter,
                       const struct tare_reading *reading);

#endif
