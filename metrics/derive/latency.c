/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Latency: percentiles of requests, first tokens and gaps between tokens.
 *
 * A percentile is taken within each repeat and the median of the repeats is shown, with an interval
 * over the repeats, for requests of one repeat share its fate. Only with a single repeat is the
 * interval over its requests, and flagged so. A percentile is withheld (TOO_FEW_SAMPLES) when a repeat has
 * fewer values than a finite 95 % interval of order statistics with equal tails needs: the least n with
 * q^n <= 2.5 % and (1 - q)^n <= 2.5 %.
 *
 * Gaps are between stamps. Where a repeat has another number of gaps than its tokens must have, what was
 * stamped were events of a server and not tokens (EVENTS_NOT_TOKENS); where stamps are equal, several came in
 * one read, and those gaps of 0 say nothing of a token (COALESCED).
 */
#include "derive.h"

#include <stdlib.h>

enum { n_quantiles = 5 };

struct series {
    enum tare_column column;
    const char *names[n_quantiles]; /* in the order of `quantiles` */
    const char *none;               /* why there is nothing */
};

static const struct {
    double q;
    size_t min_n;
    const char *too_few;
} quantiles[n_quantiles] = {{0.5, 6, "n too small: fewer than 6 values in a repeat"},
                            {0.9, 36, "n too small: fewer than 36 values in a repeat"},
                            {0.95, 72, "n too small: fewer than 72 values in a repeat"},
                            {0.99, 368, "n too small: fewer than 368 values in a repeat"},
                            {0.999, 3688, "n too small: fewer than 3688 values in a repeat"}};

/* Series of all complete repeats: values[q][repeat]. */
struct matrix {
    double *values; /* n_quantiles rows of `used` */
    size_t used, max;
    struct tare_interval last[n_quantiles];
    size_t last_n;
    bool events, coalesced; /* of gaps: see above */
};

/* What was stamped? The values are sorted. */
static void look_at_gaps(const struct tare_evidence_repeat *repeat, const double *values, size_t n,
                         struct matrix *m)
{
    m->events = m->events || (n > 0 && (int64_t)n != repeat->sums.decode_tok);
    m->coalesced = m->coalesced || (n > 0 && !(values[0] > 0));
}

/* The quantiles of one repeat; NaN where there are too few values. */
static int one_repeat(const struct tare_evidence *e, const struct series *s,
                      const struct tare_evidence_repeat *repeat, double *out, struct matrix *m,
                      struct tare_err *err)
{
    double *values = NULL;
    size_t n = 0;
    struct tare_interval *intervals = m->last;
    int r = e->column(e->ctx, repeat->id, s->column, &values, &n, err);
    if (r < 0) {
        return r;
    }
    tare_sort(values, n);
    if (s->column == TARE_COLUMN_ITL_NS) {
        look_at_gaps(repeat, values, n, m);
    }
    for (size_t q = 0; q < n_quantiles; q++) {
        out[q] = n >= quantiles[q].min_n ? tare_quantile(values, n, quantiles[q].q) / 1e9 : (double)NAN;
        intervals[q] = tare_quantile_interval(values, n, quantiles[q].q, TARE_LEVEL);
        intervals[q].low /= 1e9;
        intervals[q].high /= 1e9;
    }
    m->last_n = n;
    free(values);
    return 0;
}

static int put_single(struct tare_figure *f, double value, const struct tare_interval *interval, size_t n,
                      struct tare_figures *to, struct tare_err *err)
{
    f->value = value;
    f->n = (int64_t)n;
    f->n_what = "requests";
    tare_figure_interval(f, interval);
    tare_figure_flag(f, "ONE_REPEAT");
    return to->put(to, f, err);
}

static int collect(const struct tare_evidence *e, const struct series *s, struct matrix *m,
                   struct tare_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < e->n_repeats; i++) {
        double all[n_quantiles];
        if (!e->repeats[i].complete) {
            continue;
        }
        r = one_repeat(e, s, &e->repeats[i], all, m, err);
        for (size_t q = 0; r == 0 && q < n_quantiles; q++) {
            m->values[q * m->max + m->used] = all[q];
        }
        m->used += r == 0;
    }
    return r;
}

static int put_one(const struct tare_evidence *e, const struct series *s, struct matrix *m, size_t q,
                   struct tare_figures *to, struct tare_err *err)
{
    struct tare_figure f =
        tare_figure_make(s->names[q], "s", TARE_KIND_MEASURED, "CLOCK_MONOTONIC", "request");
    double *row = m->values + q * m->max;
    tare_figure_flag_noise(&f, e);
    if (m->events) {
        tare_figure_flag(&f, "EVENTS_NOT_TOKENS");
    }
    if (m->coalesced) {
        tare_figure_flag(&f, "COALESCED");
    }
    if (m->used == 0 || m->last_n == 0) {
        return tare_figure_absent(&f, m->used ? s->none : "no repeat was completed", to, err);
    }
    for (size_t i = 0; i < m->used; i++) {
        if (isnan(row[i])) {
            f.n = (int64_t)m->used;
            tare_figure_flag(&f, "TOO_FEW_SAMPLES");
            return tare_figure_absent(&f, quantiles[q].too_few, to, err);
        }
    }
    return m->used == 1 ? put_single(&f, row[0], &m->last[q], m->last_n, to, err)
                        : tare_figure_repeats(&f, row, m->used, s->none, to, err);
}

static int derive_series(const struct tare_evidence *e, const struct series *s, struct tare_figures *to,
                         struct tare_err *err)
{
    struct matrix m = {.max = e->n_repeats + 1};
    m.values = calloc(n_quantiles * m.max, sizeof *m.values);
    if (!m.values) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    int r = collect(e, s, &m, err);
    for (size_t q = 0; r == 0 && q < n_quantiles; q++) {
        r = put_one(e, s, &m, q, to, err);
    }
    free(m.values);
    return r;
}

int tare_derive_latency(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

#define NAMES(of)                                              \
    {                                                          \
        of "_p50", of "_p90", of "_p95", of "_p99", of "_p999" \
    }

int tare_derive_latency(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err)
{
    static const struct series all[] = {
        {TARE_COLUMN_LATENCY_NS, NAMES("latency"), "no request was answered"},
        {TARE_COLUMN_TTFT_NS, NAMES("ttft"), "no token was stamped as it came"},
        {TARE_COLUMN_TPOT_NS, NAMES("tpot"), "no request generated two tokens"},
        {TARE_COLUMN_ITL_NS, NAMES("itl"), "no request generated two tokens"},
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof all / sizeof *all; i++) {
        r = derive_series(e, &all[i], to, err);
    }
    return r;
}
