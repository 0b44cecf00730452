/* SPDX-License-Identifier: Apache-2.0 */
/* A refused event keeps its place in the list and its reason; it is reported absent in every phase. */
#include "papi_events.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { n_name = tare_papi_n_name, n_why = tare_papi_n_why };

/* papi_tot_ins of PAPI_TOT_INS, papi_perf_cycles of perf::CYCLES. */
static void name_reading(const char *name, char *reading)
{
    bool prefixed = strncmp(name, "PAPI_", 5) == 0;
    char *to = reading;
    for (const char *from = prefixed ? "" : "papi_"; *from; from++) {
        *to++ = *from;
    }
    for (const char *from = name; *from && to < reading + n_name - 1; from++) {
        bool word = isalnum((unsigned char)*from);
        if (word || (to > reading && to[-1] != '_')) {
            *to++ = word ? (char)tolower((unsigned char)*from) : '_';
        }
    }
    *to = '\0';
}

static bool has_reading(const struct tare_papi_events *e, const char *reading)
{
    for (size_t i = 0; i < e->n; i++) {
        if (strcmp(e->list[i].reading, reading) == 0) {
            return true;
        }
    }
    return false;
}

int tare_papi_events_parse(struct tare_papi_events *e, const char *list, struct tare_err *err)
{
    for (const char *at = list; *at || e->n == 0;) {
        char name[n_name], reading[n_name];
        size_t n = strcspn(at, ",+");
        if (n == 0 || n >= n_name || e->n == tare_papi_max_events) {
            return tare_err_set(err, TARE_E_USAGE,
                                "events: 1 to %d names of up to %d bytes, ',' or '+' between",
                                tare_papi_max_events, n_name - 1);
        }
        (void)snprintf(name, sizeof name, "%.*s", (int)n, at);
        name_reading(name, reading);
        if (has_reading(e, reading)) {
            return tare_err_set(err, TARE_E_USAGE, "events: %s is named twice", name);
        }
        struct tare_papi_event *one = &e->list[e->n++];
        (void)snprintf(one->name, sizeof one->name, "%s", name);
        (void)snprintf(one->reading, sizeof one->reading, "%s", reading);
        (void)snprintf(one->source, sizeof one->source, "PAPI %s, %s mode", name,
                       e->user_only ? "user" : "user and kernel");
        one->kind = tare_papi_kind_of(name);
        one->at = -1;
        at += n;
        at += *at && at[1];
    }
    return 0;
}

static double truth_of(enum tare_papi_kind kind, const struct tare_papi_work *done)
{
    switch (kind) {
    case TARE_PAPI_INSTRUCTIONS:
        return done->instructions;
    case TARE_PAPI_BRANCHES:
        return done->branches;
    case TARE_PAPI_LOADS:
        return done->loads;
    case TARE_PAPI_FLOPS_SP:
        return done->flops_sp;
    case TARE_PAPI_FLOPS_DP:
        return done->flops_dp;
    case TARE_PAPI_FLOPS:
        return done->flops_sp + done->flops_dp;
    case TARE_PAPI_OTHER:
    case TARE_PAPI_CYCLES:
        break;
    }
    return (double)NAN;
}

void tare_papi_events_judge(struct tare_papi_events *e, const long long *read,
                            const struct tare_papi_work *done)
{
    int stay = 0;
    for (size_t i = 0; i < e->n; i++) {
        struct tare_papi_event *one = &e->list[i];
        if (one->at >= 0) {
            bool good = tare_papi_accept(one->kind, truth_of(one->kind, done), (double)read[one->at],
                                         one->why, sizeof one->why);
            one->at = good ? stay++ : -1;
        }
    }
    e->n_counted = stay;
}

void tare_papi_events_take(struct tare_papi_events *e, const long long *begin, const long long *end,
                           const char *fault)
{
    for (size_t i = 0; i < e->n; i++) {
        struct tare_papi_event *one = &e->list[i];
        const char *why = one->at < 0 ? one->why : fault;
        (void)snprintf(one->fault, sizeof one->fault, "%.127s", why ? why : "");
        one->value = one->at >= 0 ? (double)(end[one->at] - begin[one->at]) : 0;
    }
}

static const struct tare_papi_event *find(const struct tare_papi_events *e, enum tare_papi_kind kind)
{
    for (size_t i = 0; i < e->n; i++) {
        if (e->list[i].kind == kind) {
            return &e->list[i];
        }
    }
    return NULL;
}

static void refuse(struct tare_papi_events *e, enum tare_papi_kind kind, const char *why)
{
    for (size_t i = 0; i < e->n; i++) {
        if (e->list[i].kind == kind && !e->list[i].fault[0]) {
            (void)snprintf(e->list[i].fault, n_why, "%.127s", why);
        }
    }
}

static bool known(const struct tare_papi_event *one)
{
    return one && !one->fault[0];
}

/* FLOPs of both precisions; NaN with the reason if they are not known. */
static double all_flops(const struct tare_papi_events *e, const char **why)
{
    const struct tare_papi_event *all = find(e, TARE_PAPI_FLOPS);
    const struct tare_papi_event *sp = find(e, TARE_PAPI_FLOPS_SP), *dp = find(e, TARE_PAPI_FLOPS_DP);
    if (known(all)) {
        return all->value;
    }
    if (known(sp) && known(dp)) {
        return sp->value + dp->value;
    }
    *why = !sp && !dp && !all ? "no event of FLOPs was asked for"
           : all              ? all->fault
           : !sp || !dp       ? "PAPI_SP_OPS and PAPI_DP_OPS are both needed"
           : known(sp)        ? dp->fault
                              : sp->fault;
    return (double)NAN;
}

void tare_papi_events_bound(struct tare_papi_events *e, double seconds, double peak_flops)
{
    char why[n_why];
    const char *none = NULL;
    const struct tare_papi_event *ins = find(e, TARE_PAPI_INSTRUCTIONS), *cyc = find(e, TARE_PAPI_CYCLES);
    if (known(ins) && known(cyc) && !tare_papi_accept_ipc(ins->value, cyc->value, why, sizeof why)) {
        refuse(e, TARE_PAPI_INSTRUCTIONS, why);
        refuse(e, TARE_PAPI_CYCLES, why);
    }
    double flops = all_flops(e, &none);
    if (isfinite(flops) && !tare_papi_accept_rate(flops, seconds, peak_flops, why, sizeof why)) {
        refuse(e, TARE_PAPI_FLOPS, why);
        refuse(e, TARE_PAPI_FLOPS_SP, why);
        refuse(e, TARE_PAPI_FLOPS_DP, why);
    }
}

static void put(const struct tare_papi_events *e, struct tare_readings *to, struct tare_reading reading,
                const char *flags)
{
    const struct tare_doubt doubt = {(double)NAN, (double)NAN, flags};
    reading.kind = TARE_KIND_MEASURED;
    reading.scope = e->scope;
    reading.absent = !isfinite(reading.value);
    to->add_doubted(to, &reading, &doubt);
}

static void put_events(const struct tare_papi_events *e, struct tare_readings *to)
{
    for (size_t i = 0; i < e->n; i++) {
        const struct tare_papi_event *one = &e->list[i];
        bool checked = isfinite(tare_papi_tolerance(one->kind));
        put(e, to,
            (struct tare_reading){.name = one->reading,
                                  .unit = "1",
                                  .source = one->source,
                                  .value = known(one) ? one->value : (double)NAN,
                                  .why = one->fault},
            checked ? (e->multiplexed ? "MULTIPLEXED" : "")
                    : (e->multiplexed ? "UNCHECKED,MULTIPLEXED" : "UNCHECKED"));
    }
}

static void put_ipc(const struct tare_papi_events *e, struct tare_readings *to)
{
    const struct tare_papi_event *ins = find(e, TARE_PAPI_INSTRUCTIONS), *cyc = find(e, TARE_PAPI_CYCLES);
    bool both = known(ins) && known(cyc);
    put(e, to,
        (struct tare_reading){.name = "papi_ipc",
                              .unit = "1",
                              .source = "PAPI_TOT_INS / PAPI_TOT_CYC",
                              .value = both ? ins->value / cyc->value : (double)NAN,
                              .why = !ins || !cyc ? "PAPI_TOT_INS and PAPI_TOT_CYC are both needed"
                                     : known(ins) ? cyc->fault
                                                  : ins->fault},
        e->multiplexed ? "MULTIPLEXED" : "");
}

void tare_papi_events_put(const struct tare_papi_events *e, double ratio, struct tare_readings *to)
{
    const char *no_flops = "";
    double flops = all_flops(e, &no_flops);
    put_events(e, to);
    put_ipc(e, to);
    put(e, to,
        (struct tare_reading){.name = "papi_flops",
                              .unit = "FLOP",
                              .source = "PAPI, both precisions, checked against known work",
                              .value = flops,
                              .why = no_flops},
        e->multiplexed ? "MULTIPLEXED" : "");
    put(e, to,
        (struct tare_reading){.name = "papi_running_ratio",
                              .unit = "1",
                              .source = "running / enabled time of the perf event that counted least",
                              .value = ratio,
                              .why =
                                  e->multiplexed ? "no multiplexed event ran" : "counters were not shared"},
        "");
}
