/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures of a model that runs elsewhere: behind a server, out of the sight of our meters. What this process
 * took is not what the model took, and says so; tokens are what the server reports, and so are rates by them.
 */
#ifndef TARE_METRICS_ELSEWHERE_H
#define TARE_METRICS_ELSEWHERE_H

#include "derive.h"

struct tare_elsewhere {
    struct tare_figures sink; /* first */
    struct tare_figures *to;
};

/* What to give to a derivation in place of `to`: that itself if the model ran in the worker. */
struct tare_figures *tare_elsewhere_around(struct tare_elsewhere *around, const struct tare_evidence *e,
                                           struct tare_figures *to);

#endif
