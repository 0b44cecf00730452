/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics and units of AIPerf, which its three forms share. */
#ifndef TARE_INTEROP_AIPERF_METRICS_H
#define TARE_INTEROP_AIPERF_METRICS_H

#include "interop.h"

#define TARE_AIPERF_TOOL "AIPerf"

struct tare_aiperf_metric {
    const char *tag, *title; /* in JSON, in CSV */
    const char *ours;
    bool single; /* one value, not a distribution */
};

/* By tag or title; NULL for one that is kept and not read. */
const struct tare_aiperf_metric *tare_aiperf_find(const char *name);
/* Factor to our unit, which *out is; 0 if the unit is not known. */
double tare_aiperf_unit(const char *theirs, const char **out);
/* Our name of one of their statistics; NULL if it is none. */
const char *tare_aiperf_stat(const char *theirs);

#endif
