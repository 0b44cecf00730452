/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traffic of the measure phase, in all and a request; and what the ranks of a distributed backend have
 * sent to each other, held against the formula of its parallelism.
 *
 * The best source that all repeats have is taken, and named: what the backend counted of its payload,
 * else the TCP sockets of the process, else the interfaces of its network namespace (loopback left out).
 * They do not measure the same: payload, payload with what was sent again, and packets with headers. So
 * kind, scope and source stand with the figure, and flags of the readings are passed on.
 */
#include "derive.h"

#include "stats/collectives.h"

#include <stdlib.h>
#include <string.h>

enum { max_ranks = 4096 };

struct source {
    const char *sent, *received;
    bool own; /* among the readings of the backend itself */
};

static const struct source sources[] = {{"payload_sent_bytes", "payload_received_bytes", true},
                                        {"tcp_sent_bytes", "tcp_received_bytes", false},
                                        {"net_tx_bytes", "net_rx_bytes", false}};
enum { n_sources = sizeof sources / sizeof *sources };

static bool counts(const struct tare_evidence_repeat *r)
{
    return r->complete && r->attempts == 1;
}

static const struct tare_reading_record *find(const struct tare_evidence *e, int64_t repeat_id,
                                              const char *name, bool own)
{
    return own ? tare_evidence_find_own(e, repeat_id, "measure", name)
               : tare_evidence_find(e, repeat_id, "measure", name);
}

/* The best source that has a value in every repeat that counts; NULL and the reason if there is none. */
static const struct source *choose(const struct tare_evidence *e, bool received, const char **why)
{
    const char *told = NULL;
    bool any = false;
    for (size_t i = 0; i < n_sources; i++) {
        const char *name = received ? sources[i].received : sources[i].sent;
        size_t n = 0, present = 0;
        for (size_t k = 0; k < e->n_repeats; k++) {
            if (counts(&e->repeats[k])) {
                const struct tare_reading_record *r = find(e, e->repeats[k].id, name, sources[i].own);
                n++;
                present += r && !r->absent;
                told = r && r->absent && !told ? r->absent : told;
            }
        }
        any = n > 0;
        if (any && present == n) {
            return &sources[i];
        }
    }
    *why = !any ? "no repeat was completed by one process" : told ? told : "no meter reads this here";
    return NULL;
}

/* The weakest kind of all readings, in whatever order they come. */
static void take_kind(struct tare_figure *f, const struct tare_reading_record *r)
{
    int kind = tare_kind_of(r->kind);
    f->kind = kind > f->kind ? kind : f->kind;
}

static void take_identity(struct tare_figure *f, const struct tare_reading_record *r)
{
    take_kind(f, r);
    f->source = r->source;
    f->scope = r->scope;
    tare_figure_pass_flags(f, r->flags);
}

/* One direction: in all, and a request. */
static int derive_direction(const struct tare_evidence *e, bool received, bool each, double *values,
                            struct tare_figures *to, struct tare_err *err)
{
    static const char *const names[2][2] = {{"net_sent_bytes", "net_sent_bytes_per_request"},
                                            {"net_received_bytes", "net_received_bytes_per_request"}};
    struct tare_figure f = tare_figure_make(names[received][each], each ? "B/request" : "B",
                                            TARE_KIND_MEASURED, "not read", "process");
    const char *why = NULL;
    const struct source *s = choose(e, received, &why);
    size_t n = 0;
    for (size_t i = 0; s && i < e->n_repeats; i++) {
        const struct tare_evidence_repeat *repeat = &e->repeats[i];
        if (!counts(repeat)) {
            continue;
        }
        const struct tare_reading_record *r = find(e, repeat->id, received ? s->received : s->sent, s->own);
        f.kind = n == 0 ? 0 : f.kind; /* a figure that is made of readings has no kind of its own */
        take_identity(&f, r);
        if (each && repeat->sums.requests < 1) {
            return tare_figure_absent(&f, "no request was answered", to, err);
        }
        values[n++] = each ? r->value / (double)repeat->sums.requests : r->value;
    }
    return tare_figure_repeats(&f, values, n, why, to, err);
}

/* What the ranks of one repeat have sent. */
struct ranks {
    size_t n;
    double total, most;
    const char *absent; /* why there is no sum over all of them */
};

/* How many readings say that they are of a rank, whatever its number. */
static size_t count_ranks(const struct tare_evidence *e, int64_t repeat_id)
{
    size_t n = 0;
    for (size_t i = 0; i < e->n_readings; i++) {
        const struct tare_reading_record *r = &e->readings[i].r;
        int end = 0;
        n += e->readings[i].repeat_id == repeat_id && strcmp(r->meter, TARE_METER_OF_BACKEND) == 0 &&
             strcmp(r->phase, "measure") == 0 && sscanf(r->name, "comm_rank_%*d_sent_bytes%n", &end) == 0 &&
             end > 0 && r->name[end] == '\0';
    }
    return n;
}

/* A rank that is not known leaves no sum: that of the others is of another job. Kind and flags of all ranks
 * go to f. */
static struct ranks add_up(const struct tare_evidence *e, int64_t repeat_id, struct tare_figure *f)
{
    struct ranks sum = {0};
    for (int k = 0; k < max_ranks; k++) {
        char name[48];
        (void)snprintf(name, sizeof name, "comm_rank_%d_sent_bytes", k);
        const struct tare_reading_record *r = find(e, repeat_id, name, true);
        if (!r) {
            break;
        }
        sum.absent = sum.absent            ? sum.absent
                     : r->absent           ? r->absent
                     : !isfinite(r->value) ? "the backend gave no number for a rank"
                                           : NULL;
        sum.n++;
        sum.total += r->value;
        sum.most = r->value > sum.most ? r->value : sum.most;
        f->source = k == 0 ? r->source : f->source;
        take_kind(f, r);
        tare_figure_pass_flags(f, r->flags);
    }
    size_t claimed = count_ranks(e, repeat_id);
    sum.absent = sum.absent        ? sum.absent
                 : claimed == 0    ? "the backend reports no bytes of its ranks"
                 : claimed > sum.n ? "the backend's ranks are not numbered from 0 without gaps"
                                   : NULL;
    return sum;
}

enum comm { COMM_MOST, COMM_TOTAL, COMM_RATIO };

/* The largest over what the formula says; NaN where the backend gives no formula. */
static double over_formula(const struct tare_evidence *e, int64_t repeat_id, const struct ranks *ranks,
                           struct tare_figure *f)
{
    const struct tare_reading_record *formula = find(e, repeat_id, "comm_formula_bytes", true);
    if (!formula || formula->absent || !(formula->value > 0)) {
        return (double)NAN;
    }
    double ratio = ranks->most / formula->value;
    take_kind(f, formula);
    if (!tare_volume_explained(ratio)) {
        tare_figure_flag(f, "UNEXPLAINED");
    }
    return ratio;
}

/* One value a repeat that counts; the reason why there is none, or NULL. */
static const char *collect_comm(const struct tare_evidence *e, enum comm which, struct tare_figure *f,
                                double *values, size_t *n)
{
    size_t n_ranks = 0;
    for (size_t i = 0; i < e->n_repeats; i++) {
        if (!counts(&e->repeats[i])) {
            continue;
        }
        struct ranks ranks = add_up(e, e->repeats[i].id, f);
        if (ranks.absent || (*n > 0 && ranks.n != n_ranks)) {
            return ranks.absent ? ranks.absent : "the repeats have different numbers of ranks";
        }
        n_ranks = ranks.n;
        double value = which == COMM_MOST    ? ranks.most
                       : which == COMM_TOTAL ? ranks.total
                                             : over_formula(e, e->repeats[i].id, &ranks, f);
        if (isnan(value)) {
            return "the backend reports no comm_formula_bytes above 0";
        }
        values[(*n)++] = value;
    }
    return NULL;
}

static int derive_comm(const struct tare_evidence *e, enum comm which, double *values,
                       struct tare_figures *to, struct tare_err *err)
{
    static const char *const names[] = {"comm_bytes_rank_max", "comm_bytes_total", "comm_over_formula"};
    struct tare_figure f = tare_figure_make(names[which], which == COMM_RATIO ? "1" : "B", TARE_KIND_COUNTED,
                                            "not read", which == COMM_TOTAL ? "all ranks" : "rank");
    size_t n = 0;
    f.kind = 0; /* a figure that is made of readings has no kind of its own */
    const char *why = collect_comm(e, which, &f, values, &n);
    f.kind = f.kind ? f.kind : TARE_KIND_COUNTED;
    return why ? tare_figure_absent(&f, why, to, err)
               : tare_figure_repeats(&f, values, n, "no repeat was completed by one process", to, err);
}

int tare_derive_network(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

int tare_derive_network(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err)
{
    double *values = calloc(e->n_repeats + 1, sizeof *values);
    int r = values ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    for (int i = 0; r == 0 && i < 4; i++) {
        r = derive_direction(e, i >= 2, i % 2 == 1, values, to, err);
    }
    for (int which = COMM_MOST; r == 0 && which <= COMM_RATIO; which++) {
        r = derive_comm(e, (enum comm)which, values, to, err);
    }
    free(values);
    return r;
}
