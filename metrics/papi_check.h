/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is what a processor's counter reads to be believed? Rules only: which event counts what, how far a reading
 * may lie from known work, how much of the time a shared counter must have run, what no processor can do.
 * Pure functions; nothing here touches a counter or knows PAPI.
 */
#ifndef TARE_METRICS_PAPI_CHECK_H
#define TARE_METRICS_PAPI_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* What an event counts, and so which truth it is held against. */
enum tare_papi_kind {
    TARE_PAPI_OTHER = 0, /* no known work for it: it only has to move */
    TARE_PAPI_INSTRUCTIONS,
    TARE_PAPI_BRANCHES,
    TARE_PAPI_LOADS,
    TARE_PAPI_FLOPS_SP,
    TARE_PAPI_FLOPS_DP,
    TARE_PAPI_FLOPS, /* both precisions */
    TARE_PAPI_CYCLES /* no truth either, but instructions bound it */
};

/* By the name of a preset; native events are TARE_PAPI_OTHER. */
enum tare_papi_kind tare_papi_kind_of(const char *event);
/* Largest relative distance from the truth: 1 % for instructions, branches and loads, 2 % for FLOPs; NaN
 * where there is no truth. */
double tare_papi_tolerance(enum tare_papi_kind kind);

/* Each returns true if the value is to be believed, else false with the reason in why[]. */

/* Of known work of `truth` events `reading` were seen. */
bool tare_papi_accept(enum tare_papi_kind kind, double truth, double reading, char *why, size_t n_why);
/* A counter that shared its place ran for `running` of `enabled` (any unit): below a half, value x
 * enabled / running is a guess. *ratio is set in either case, NaN if it was never enabled. */
bool tare_papi_accept_share(double enabled, double running, double *ratio, char *why, size_t n_why);
/* 0.05 to 8 instructions a cycle. */
bool tare_papi_accept_ipc(double instructions, double cycles, char *why, size_t n_why);
/* Not above `peak` FLOP/s. */
bool tare_papi_accept_rate(double flops, double seconds, double peak, char *why, size_t n_why);

#endif
