/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker's meters around its phases: begin and end of all that are available here, and where
 * their readings go. The stamps of a phase lie inside the meters' begin and end, so that reading a
 * meter is never part of what is timed.
 */
#ifndef TARE_CORE_METERING_H
#define TARE_CORE_METERING_H

#include "core/stream.h"

#include <tare/backend.h>
#include <tare/meter.h>

enum { tare_max_meters = 32 };

struct tare_metering {
    size_t n;
    struct {
        const struct tare_meter *ops;
        void *self;
        char absent[128]; /* why it cannot be read; "" if it can */
    } meters[tare_max_meters];
    struct tare_outbox *outbox;
    int64_t begin_ns;
};

/* Probes and opens every built-in meter; one that does not work here is remembered with its reason. */
TARE_MUST_CHECK int tare_metering_open(struct tare_metering *metering, struct tare_outbox *outbox,
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
