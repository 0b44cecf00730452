/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that derive energy, carbon and cost share of one cell while they work on it. */
#ifndef TARE_METRICS_DERIVE_ENERGY_H
#define TARE_METRICS_DERIVE_ENERGY_H

#include "energy_parts.h"
#include "energy_view.h"

#include <string.h>

struct tare_energy_work {
    const struct tare_evidence *whole;  /* as it was given */
    const struct tare_evidence *e;      /* the view's */
    struct tare_energy_view view, base; /* of the cell and of its baseline */
    struct tare_energy en;
    double *room;    /* a value for each repeat; used by one figure at a time */
    double *correct; /* items answered right in each repeat; NaN: the task has no such notion */
};

/* `w` refers to itself: it is not to be copied. Free with fini after success. */
TARE_MUST_CHECK int tare_energy_work_init(struct tare_energy_work *w, const struct tare_evidence *e,
                                          struct tare_err *err);
void tare_energy_work_fini(struct tare_energy_work *w);
/* Why nothing is there per right answer. */
const char *tare_energy_no_correct(const struct tare_energy_work *w);

/* idle_power, energy_net. */
TARE_MUST_CHECK int tare_energy_put_idle(const struct tare_energy_work *w, struct tare_figures *to,
                                         struct tare_err *err);
/* energy_process. */
TARE_MUST_CHECK int tare_energy_put_process(const struct tare_energy_work *w, struct tare_figures *to,
                                            struct tare_err *err);
/* energy_ratio. */
TARE_MUST_CHECK int tare_energy_put_ratio(const struct tare_energy_work *w, struct tare_figures *to,
                                          struct tare_err *err);

#endif
