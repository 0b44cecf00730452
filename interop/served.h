/* SPDX-License-Identifier: Apache-2.0 */
/* Files that hold one object, an array of them, or one a line: what vLLM and those who took its form write.
 */
#ifndef TARE_INTEROP_SERVED_H
#define TARE_INTEROP_SERVED_H

#include "records.h"

/* Reads whichever of the three it is. */
TARE_MUST_CHECK int tare_interop_read_objects(const struct tare_interop_in *in, tare_interop_object_fn fn,
                                              struct tare_err *err);

/* Percentile fields of a form like {mean,median,std,pNN}_METRIC: which of ours it is. */
struct tare_served_metric {
    const char *theirs; /* ttft */
    const char *ours;   /* ttft */
    bool never_zero;    /* a zero stands for "there were none" */
};
/* Every field "STAT_METRIC" + suffix of the object, as ours_STAT in seconds. */
TARE_MUST_CHECK int tare_served_latencies(const struct tare_interop_in *in, const struct tare_json *object,
                                          const struct tare_served_metric *metrics, size_t n_metrics,
                                          const char *suffix, double scale, int64_t n, struct tare_err *err);

#endif
