/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies between two workers: cooling down, and the machine at rest as a baseline. The supervisor's own
 * phases: no worker is there, so the idle power they show is that of the machine with nothing loaded.
 */
#ifndef TARE_CMD_REST_H
#define TARE_CMD_REST_H

#include "core/outside.h"

#include <tare/err.h>

struct tare_rest {
    struct tare_outside *outside; /* NULL: nothing is done */
    int64_t idle_ns;              /* 0: no baseline */
    double cool_to_c;             /* 0: no cooling down */
    int64_t cool_limit_ns;
    /* Where a phase of rest and what is known of it goes. */
    int (*phase)(void *ctx, enum tare_phase_name phase, int64_t begin_ns, int64_t end_ns,
                 struct tare_err *err);
    tare_outside_reading_fn reading;
    void *ctx;
};

/* Before a worker: waits for the temperature, then for the baseline. TARE_E_INTERRUPTED on a signal. */
TARE_MUST_CHECK int tare_rest_before(const struct tare_rest *rest, struct tare_err *err);
/* Behind it: the baseline alone. */
TARE_MUST_CHECK int tare_rest_after(const struct tare_rest *rest, struct tare_err *err);

#endif
