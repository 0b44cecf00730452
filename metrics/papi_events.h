/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The events of the meter papi, and what is to be believed of their counts: names, self-check, multiplexing,
 * bounds, readings. Numbers go in, readings come out; nothing here knows PAPI or touches a counter.
 */
#ifndef TARE_METRICS_PAPI_EVENTS_H
#define TARE_METRICS_PAPI_EVENTS_H

#include "papi_check.h"
#include "papi_work.h"

#include <tare/meter.h>

enum { tare_papi_max_events = 16, tare_papi_n_name = 64, tare_papi_n_why = 128 };

struct tare_papi_event {
    char name[tare_papi_n_name];    /* as PAPI knows it */
    char reading[tare_papi_n_name]; /* as it is reported: papi_tot_ins */
    char source[tare_papi_n_name + 48];
    enum tare_papi_kind kind;
    int code;                    /* PAPI's */
    int at;                      /* place among those that are counted; -1: refused */
    char why[tare_papi_n_why];   /* if so */
    double value;                /* of the last phase */
    char fault[tare_papi_n_why]; /* why that is not believed; "" if it is */
};

struct tare_papi_events {
    size_t n;
    struct tare_papi_event list[tare_papi_max_events];
    int n_counted;
    bool multiplexed;
    bool user_only;
    const char *scope;
};

/* Takes a list of names with ',' or '+' between. */
int tare_papi_events_parse(struct tare_papi_events *e, const char *list, struct tare_err *err);
/* Refuses what has read `done` wrongly, and renumbers what stays; `read` is by the old places. */
void tare_papi_events_judge(struct tare_papi_events *e, const long long *read,
                            const struct tare_papi_work *done);
/* The values of a phase; with a fault (NULL: none) they are refused, all of them. */
void tare_papi_events_take(struct tare_papi_events *e, const long long *begin, const long long *end,
                           const char *fault);
/* Refuses of them what no processor can do. */
void tare_papi_events_bound(struct tare_papi_events *e, double seconds, double peak_flops);
/* Reports them, and what follows from them. ratio: share of the time that the one counted that counted least;
 * NaN if counters were not shared. */
void tare_papi_events_put(const struct tare_papi_events *e, double ratio, struct tare_readings *to);

#endif
