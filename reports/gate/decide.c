/* SPDX-License-Identifier: Apache-2.0 */
/* The words, the two stages of a timing metric, and Holm. Exact and quality rules have files of their own. */
#include "decide.h"

#include "stats/discrete.h"
#include "stats/interval.h"
#include "stats/paired.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *tare_gate_word_text(enum tare_gate_word word)
{
    static const char *const words[TARE_GATE_N_WORDS] = {
        "inconclusive", "failed", "equivalent", "better", "met", "unchanged", "skipped", "invalid", "error"};
    return word < TARE_GATE_N_WORDS ? words[word] : "unknown";
}

double tare_gate_block_value(double *runs, size_t n)
{
    if (n == 0) {
        return (double)NAN;
    }
    tare_sort(runs, n);
    return n % 2 ? runs[n / 2] : (runs[n / 2 - 1] + runs[n / 2]) / 2;
}

double tare_gate_log_ratio(double base, double candidate, bool higher_is_better)
{
    if (!(base > 0) || !(candidate > 0)) {
        return (double)NAN;
    }
    return higher_is_better ? log(base / candidate) : log(candidate / base);
}

/* What is asked of the differences: their distance from a point, in one direction. Without a demand that is
 * no change at all, with one it is the change that was demanded. */
struct question {
    double *shifted;  /* + falls short of the demand, or is worse */
    double *mirrored; /* its negative */
    size_t n;
};

static int ask(struct question *q, const double *d, size_t n, double demand, struct tare_err *err)
{
    q->n = n;
    q->shifted = calloc(2 * n + 1, sizeof *q->shifted);
    if (!q->shifted) {
        return tare_err_set(err, TARE_E_NOMEM, "gate: out of memory");
    }
    q->mirrored = q->shifted + n;
    for (size_t i = 0; i < n; i++) {
        q->shifted[i] = d[i] + log1p(demand);
        q->mirrored[i] = -q->shifted[i];
    }
    return 0;
}

static double center_of(const double *d, size_t n, double *out_low, double *out_high, struct tare_interval *i,
                        int *r, struct tare_err *err)
{
    double estimate = 0;
    *r = tare_signed_rank_interval(d, n, TARE_GATE_LEVEL, &estimate, i, err);
    *out_low = *r == 0 && i->ok ? i->low : (double)NAN;
    *out_high = *r == 0 && i->ok ? i->high : (double)NAN;
    return estimate;
}

/* Is it proved, at this error, that the values lie above 0, and is their middle above `least`? */
static int is_above(const double *d, size_t n, double alpha, double least, bool *out, struct tare_err *err)
{
    double bound = 0, low, high;
    struct tare_interval interval;
    int r = tare_signed_rank_bound(d, n, alpha, &bound, err);
    *out = false;
    if (r < 0 || bound <= 0) {
        return r;
    }
    double estimate = center_of(d, n, &low, &high, &interval, &r, err);
    *out = r == 0 && estimate > least;
    return r;
}

int tare_gate_suspicious(const double *d, size_t n, const struct tare_gate_limits *limits, bool *out,
                         struct tare_err *err)
{
    struct question q = {0};
    bool worse = false, better = false;
    int r = ask(&q, d, n, limits->demand, err);
    double least = limits->demand > 0 ? 0 : log1p(limits->margin);
    r = r == 0 ? is_above(q.shifted, n, TARE_GATE_ALPHA_SUSPICIOUS, least, &worse, err) : r;
    if (r == 0 && limits->demand > 0) {
        r = is_above(q.mirrored, n, TARE_GATE_ALPHA_SUSPICIOUS, 0, &better, err);
    }
    free(q.shifted);
    if (r == 0) {
        *out = worse || better;
    }
    return r;
}

/* Blocks at which an interval that narrows with their root would decide: lie within +-equivalence, or let go
 * of no change. */
static int64_t needed_blocks(const struct tare_gate_decision *d, const struct tare_gate_limits *limits)
{
    double half = (d->high - d->low) / 2, target = log1p(limits->demand);
    double distance = limits->demand > 0 ? fabs(d->estimate + target) : fabs(d->estimate);
    double room = limits->demand > 0 ? 0 : log1p(limits->equivalence) - fabs(d->estimate);
    double reach = room > distance ? room : distance;
    if (!(half > 0) || !(reach > 0)) {
        return 0;
    }
    double n = ceil((double)d->n * (half / reach) * (half / reach));
    return n > 1e9 ? 0 : n > (double)d->n ? (int64_t)n : d->n + 1;
}

/* What both stages together prove. */
static int pool(const struct question *q, const struct tare_gate_limits *limits, struct tare_gate_decision *d,
                struct tare_err *err)
{
    bool worse = false, better = false;
    double least = limits->demand > 0 ? 0 : log1p(limits->margin);
    int r = is_above(q->shifted, q->n, TARE_GATE_ALPHA_FAILED, least, &worse, err);
    r = r == 0 ? tare_signed_rank_p(q->shifted, q->n, 0, &d->p, err) : r;
    if (r == 0 && limits->demand > 0) {
        r = is_above(q->mirrored, q->n, TARE_GATE_ALPHA_FAILED, 0, &better, err);
    }
    d->word = worse ? TARE_GATE_FAILED : better ? TARE_GATE_MET : TARE_GATE_INCONCLUSIVE;
    return r;
}

/* What the interval says of a metric that has neither failed nor met a demand. */
static void read_interval(struct tare_gate_decision *d, const struct tare_gate_limits *limits)
{
    double within = log1p(limits->equivalence);
    if (limits->demand > 0) {
        d->needed = needed_blocks(d, limits);
    } else if (d->low > -within && d->high < within) {
        d->word = TARE_GATE_EQUIVALENT;
    } else if (d->high < 0) {
        d->word = TARE_GATE_BETTER;
    } else {
        d->needed = needed_blocks(d, limits);
    }
}

int tare_gate_timing(const double *d, size_t n, size_t n_first, const struct tare_gate_limits *limits,
                     struct tare_gate_decision *out, struct tare_err *err)
{
    struct tare_gate_decision made = {
        .n = (int64_t)n, .bound = (double)NAN, .p = (double)NAN, .p_holm = (double)NAN, .flips = -1};
    struct tare_interval interval;
    struct question q = {0};
    int r = tare_gate_suspicious(d, n_first, limits, &made.suspicious, err);
    if (r < 0) {
        return r;
    }
    made.estimate = center_of(d, n, &made.low, &made.high, &interval, &r, err);
    made.level = interval.ok ? interval.level : 0;
    made.method = interval.ok ? interval.method : NULL;
    r = r == 0 ? ask(&q, d, n, limits->demand, err) : r;
    r = r == 0 ? tare_signed_rank_bound(q.shifted, n, TARE_GATE_ALPHA_FAILED, &made.bound, err) : r;
    r = r == 0 && made.suspicious && n > n_first ? pool(&q, limits, &made, err) : r;
    free(q.shifted);
    if (r < 0) {
        return r;
    }
    if (made.word == TARE_GATE_INCONCLUSIVE) {
        read_interval(&made, limits);
    }
    *out = made;
    return 0;
}

int tare_gate_holm(struct tare_gate_decision *const *list, size_t n, struct tare_err *err)
{
    double *p = calloc(n + 1, sizeof *p);
    if (!p) {
        return tare_err_set(err, TARE_E_NOMEM, "gate: out of memory");
    }
    for (size_t i = 0; i < n; i++) {
        p[i] = isnan(list[i]->p) ? 1 : list[i]->p; /* one that stopped in stage 1 was tested as well */
    }
    int r = tare_holm(p, n, err);
    for (size_t i = 0; r == 0 && i < n; i++) {
        bool taken_back = list[i]->word == TARE_GATE_FAILED && p[i] > TARE_GATE_ALPHA_CHECK;
        list[i]->p_holm = isnan(list[i]->p) ? (double)NAN : p[i];
        list[i]->word = taken_back ? TARE_GATE_INCONCLUSIVE : list[i]->word;
        if (taken_back) {
            (void)snprintf(list[i]->why, sizeof list[i]->why, "fails alone, but not among %zu metrics (Holm)",
                           n);
        }
    }
    free(p);
    return r;
}
