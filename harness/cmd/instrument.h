/* SPDX-License-Identifier: Apache-2.0 */
/* What a run knows of its instruments: the peaks to divide by, and why meters of energy could not be used. */
#ifndef TARE_CMD_INSTRUMENT_H
#define TARE_CMD_INSTRUMENT_H

#include "store/store.h"

struct tare_instrument {
    double peak_flops;       /* FLOP/s; 0: not known */
    double peak_bytes_per_s; /* of memory; 0: not known */
    int peak_kind;           /* enum tare_kind; 0: no peak is known */
    char peak_source[200];
    char no_meter[512]; /* "powercap: ...; nvml: ..."; "" if nothing is to be said */
};

/* A declared peak (0: none) goes before what the run's certificate measured; each of the two for itself, and
 * the kind is the weaker one. */
TARE_MUST_CHECK int tare_instrument_load(struct tare_store *store, int64_t run_id, double declared_flops,
                                         double declared_bytes_per_s, struct tare_instrument *out,
                                         struct tare_err *err);

#endif
