/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The window that energy is derived from. Where a run asked its items again to give slow meters time (phase
 * sustain), that phase takes the place of the measure phase: its readings, and its counts of requests and
 * tokens, so that what is divided and what it is divided by are of one window.
 *
 * How many passes fit into that window follows from the speed of the cell. So what is a total of the window,
 * and not already a rate, is given for one pass: it then means what it means without that phase.
 */
#ifndef TARE_METRICS_DERIVE_ENERGY_VIEW_H
#define TARE_METRICS_DERIVE_ENERGY_VIEW_H

#include "derive.h"

struct tare_energy_view {
    struct tare_evidence e; /* the original, or one that points to what follows */
    bool sustained;
    struct tare_evidence_repeat *repeats;
    struct tare_evidence_reading *readings;
    double *correct; /* items answered right in the phase, by repeat; NULL: as the samples say */
    double *passes;  /* over the items, by repeat; NaN: a repeat that does not count; NULL: one each */
};

/* Fini after success. Strings and columns stay those of `e`. */
TARE_MUST_CHECK int tare_energy_view_init(struct tare_energy_view *view, const struct tare_evidence *e,
                                          struct tare_err *err);
void tare_energy_view_fini(struct tare_energy_view *view);
/* What a total of the window is multiplied with to be of one pass over the items. */
double tare_energy_view_once(const struct tare_energy_view *view, size_t repeat);
/* Said where a source tells how a total was made; "" where the window is one pass. */
const char *tare_energy_view_text(const struct tare_energy_view *view);
/* SUSTAINED, on a figure that is of the window. */
void tare_energy_view_flag(const struct tare_energy_view *view, struct tare_figure *f);

#endif
