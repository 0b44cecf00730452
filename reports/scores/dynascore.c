/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dynascore (Ma et al., NeurIPS 2021): metrics turned into points of performance by the rate at which systems
 * trade them against it, then averaged by weight. The rates, and so every score, depend on the set.
 */
#include "draw.h"
#include "formulas.h"
#include "sheet.h"

#include <stdlib.h>

static size_t *order_by_performance(const double *x, size_t n, size_t n_metrics)
{
    size_t *order = malloc((n + 1) * sizeof *order);
    for (size_t i = 0; order && i < n; i++) {
        size_t j = i;
        for (; j > 0 && x[order[j - 1] * n_metrics] > x[i * n_metrics]; j--) {
            order[j] = order[j - 1];
        }
        order[j] = i;
    }
    return order;
}

/* Means over the pairs of neighbours whose performances differ; false for none. */
static bool find_rates(const double *x, const size_t *order, size_t n, size_t n_metrics, double *rates)
{
    size_t pairs = 0;
    double largest = n > 0 ? x[order[n - 1] * n_metrics] : 0;
    memset(rates, 0, n_metrics * sizeof *rates);
    for (size_t i = 0; i + 1 < n; i++) {
        const double *a = &x[order[i] * n_metrics], *b = &x[order[i + 1] * n_metrics];
        double step = b[0] - a[0];
        if (!(step > 1e-4 * largest)) {
            continue;
        }
        pairs++;
        for (size_t m = 0; m < n_metrics; m++) {
            rates[m] += fabs(b[m] - a[m]) / step;
        }
    }
    for (size_t m = 0; pairs > 0 && m < n_metrics; m++) {
        rates[m] /= (double)pairs;
    }
    return pairs > 0;
}

int tare_dynascore(const double *x, const double *weights, size_t n_systems, size_t n_metrics, double *rates,
                   double *scores, struct tare_err *err)
{
    size_t *order = order_by_performance(x, n_systems, n_metrics);
    if (!order) {
        return tare_err_set(err, TARE_E_NOMEM, "Dynascore: out of memory");
    }
    bool known = find_rates(x, order, n_systems, n_metrics, rates);
    double total = 0;
    free(order);
    for (size_t m = 0; m < n_metrics; m++) {
        total += weights[m];
        rates[m] = known ? rates[m] : (double)NAN;
    }
    for (size_t i = 0; i < n_systems; i++) {
        scores[i] = known && total > 0 ? 0 : (double)NAN;
        for (size_t m = 0; m < n_metrics; m++) {
            double term = weights[m] / total * x[i * n_metrics + m] / rates[m];
            scores[i] += weights[m] > 0 ? (rates[m] > 0 ? term : (double)NAN) : 0;
        }
    }
    return 0;
}

struct options {
    char *performance;
    double performance_weight;
    char *metrics;
};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, performance), .def = "quality",
     .help = "figure[@task] of performance, larger is better; quality: mean of all shares of right answers"},
    {MEMBER(TARE_OPT_F64, performance_weight), .def = "4", .help = "its weight"},
    {MEMBER(TARE_OPT_STR, metrics), .def = "token_throughput,peak_rss",
     .help =
         "the others: figure[@task][:higher|:lower][:weight[:offset]], commas between; offset: of what is "
         "better low, a stated maximum"},
    TARE_OPT_END};

struct set {
    const struct tare_score_matrix *m; /* metric 0: performance */
    const size_t *rows;                /* the systems that have all */
    size_t n;
    double *x, *rates, *scores, *weights, *offsets;
};

/* Offsets that were not stated are the largest value of the set, so that no term is negative. */
static void find_offsets(struct set *set)
{
    const struct tare_score_matrix *m = set->m;
    for (size_t j = 0; j < m->n_metrics; j++) {
        bool low = m->metrics[j].better == TARE_BETTER_LOWER;
        set->offsets[j] = isfinite(m->metrics[j].offset) ? m->metrics[j].offset : 0;
        for (size_t i = 0; low && !isfinite(m->metrics[j].offset) && i < set->n; i++) {
            set->offsets[j] = fmax(set->offsets[j], tare_score_at(m, set->rows[i], j)->value);
        }
        set->weights[j] = m->metrics[j].weight;
    }
}

static int score_once(struct set *set, struct tare_rng *rng, struct tare_err *err)
{
    const struct tare_score_matrix *m = set->m;
    for (size_t i = 0; i < set->n; i++) {
        for (size_t j = 0; j < m->n_metrics; j++) {
            const struct tare_score_value *v = tare_score_at(m, set->rows[i], j);
            double value = rng ? tare_draw_value(v, rng) : v->value;
            set->x[i * m->n_metrics + j] =
                (m->metrics[j].better == TARE_BETTER_LOWER ? -value : value) + set->offsets[j];
        }
    }
    return tare_dynascore(set->x, set->weights, set->n, m->n_metrics, set->rates, set->scores, err);
}

static bool intervals_known(const struct set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        for (size_t j = 0; j < set->m->n_metrics; j++) {
            const struct tare_score_value *v = tare_score_at(set->m, set->rows[i], j);
            if (!tare_draw_known(&v, 1)) {
                return false;
            }
        }
    }
    return true;
}

/* Scores with intervals into values[0 .. n), rates as they are without draws. */
static int score_set(struct set *set, struct tare_score_value *values, struct tare_err *err)
{
    enum { draws = 1000 };
    struct tare_rng rng;
    tare_rng_init(&rng, 1);
    double *results = malloc((set->n + 1) * draws * sizeof *results);
    if (!results) {
        return tare_err_set(err, TARE_E_NOMEM, "Dynascore: out of memory");
    }
    bool known = intervals_known(set);
    int r = 0;
    for (size_t d = 0; known && r == 0 && d < draws; d++) {
        r = score_once(set, &rng, err);
        for (size_t i = 0; i < set->n; i++) {
            results[i * draws + d] = set->scores[i];
        }
    }
    r = r == 0 ? score_once(set, NULL, err) : r;
    for (size_t i = 0; r == 0 && i < set->n; i++) {
        enum tare_kind kind = TARE_KIND_MEASURED;
        for (size_t j = 0; j < set->m->n_metrics; j++) {
            kind = tare_score_weaker(kind, tare_score_at(set->m, set->rows[i], j)->kind);
        }
        values[i] = tare_score_plain(set->scores[i], set->m->metrics[0].unit, kind, "Dynascore");
        values[i].why =
            "undefined: a metric is the same for all systems, or no two systems differ in performance";
        values[i].mark = "undefined";
        if (known && isfinite(set->scores[i])) {
            tare_draw_interval(results + i * draws, draws, &values[i]);
            values[i].method = "1000 draws within the inputs' intervals, quantiles";
        }
    }
    free(results);
    return r;
}

static void put_rows(struct tare_sheet *s, const struct set *set, const struct tare_score_value *values)
{
    const struct tare_score_matrix *m = set->m;
    for (size_t i = 0, at = 0; i < m->n_systems; i++) {
        bool in = at < set->n && set->rows[at] == i;
        tare_sheet_text(s, m->systems[i].name);
        if (in) {
            tare_sheet_value(s, &values[at++]);
        } else {
            tare_sheet_absent(s, "left out: a metric has no value");
        }
        tare_sheet_values(s, m, i);
    }
    const char *rates = "", *names = "";
    for (size_t j = 0; j < m->n_metrics && rates; j++) {
        rates = tare_sheet_keep(s, "%s%s%s: rate %.6g, weight %g, offset %.6g", rates, j ? "; " : "",
                                m->metrics[j].header, set->rates[j], set->weights[j], set->offsets[j]);
    }
    for (size_t i = 0; i < set->n && names; i++) {
        names = tare_sheet_keep(s, "%s%s%s", names, i ? "; " : "", m->systems[set->rows[i]].name);
    }
    tare_sheet_note(s,
                    "Rates are the mean change of a metric per unit of performance between neighbours in the "
                    "order of performance: %s.",
                    rates ? rates : "?");
    tare_sheet_note(s, "Rates and scores depend on the set of systems, which was: %s.", names ? names : "?");
    tare_sheet_note(
        s, "An offset adds the same to every system; where none is stated it is the largest value of the "
           "set. Fairness and robustness are left out unless named: they need perturbed copies of "
           "the data.");
}

static int make_set(struct set *set, struct tare_arena *arena, struct tare_err *err)
{
    const struct tare_score_matrix *m = set->m;
    size_t *rows = tare_arena_array(arena, m->n_systems + 1, sizeof *rows);
    set->x = tare_arena_array(arena, (m->n_systems + 1) * m->n_metrics, sizeof(double));
    set->rates = tare_arena_array(arena, m->n_metrics, sizeof(double));
    set->weights = tare_arena_array(arena, m->n_metrics, sizeof(double));
    set->offsets = tare_arena_array(arena, m->n_metrics, sizeof(double));
    set->scores = tare_arena_array(arena, m->n_systems + 1, sizeof(double));
    if (!rows || !set->x || !set->rates || !set->weights || !set->offsets || !set->scores) {
        return tare_err_set(err, TARE_E_NOMEM, "Dynascore: out of memory");
    }
    for (size_t i = 0; i < m->n_systems; i++) {
        bool all = true;
        for (size_t j = 0; j < m->n_metrics; j++) {
            all = all && isfinite(tare_score_at(m, i, j)->value);
        }
        if (all) {
            rows[set->n++] = i;
        }
    }
    set->rows = rows;
    find_offsets(set);
    return 0;
}

static int print_set(const struct tare_report_input *input, const struct tare_score_matrix *m,
                     struct tare_score_out *out, struct tare_err *err)
{
    struct tare_sheet s;
    struct set set = {.m = m};
    int r = make_set(&set, &out->arena, err);
    struct tare_score_value *values =
        r == 0 ? tare_arena_array(&out->arena, m->n_systems + 1, sizeof *values) : NULL;
    if (r == 0 && !values) {
        r = tare_err_set(err, TARE_E_NOMEM, "Dynascore: out of memory");
    }
    r = r == 0 ? score_set(&set, values, err) : r;
    if (r < 0) {
        return r;
    }
    tare_sheet_begin(&s, out, input);
    tare_sheet_column(&s, "system", "System", NULL, TARE_BETTER_NONE);
    tare_sheet_column(&s, "dynascore", "Dynascore", m->metrics[0].unit, TARE_BETTER_HIGHER);
    tare_sheet_metric_columns(&s, m);
    put_rows(&s, &set, values);
    return tare_sheet_end(&s, "Dynascore", err);
}

static int build(const struct tare_report_input *input, const void *opts, struct tare_score_out *out,
                 struct tare_err *err)
{
    const struct options *o = opts;
    struct tare_score_metric *metrics = NULL, *performance = NULL;
    struct tare_score_matrix m = {0};
    size_t n = 0, n_performance = 0;
    int r = tare_score_metrics_parse(o->metrics, &out->arena, &metrics, &n, err);
    r = r == 0 ? tare_score_metrics_parse(o->performance, &out->arena, &performance, &n_performance, err) : r;
    if (r == 0 && (n_performance != 1 || n > 31)) {
        r = tare_err_set(err, TARE_E_USAGE, "score dynascore: one performance and at most 31 other metrics");
    }
    struct tare_score_metric *all = r == 0 ? tare_arena_array(&out->arena, n + 1, sizeof *all) : NULL;
    if (r == 0 && !all) {
        r = tare_err_set(err, TARE_E_NOMEM, "Dynascore: out of memory");
    }
    if (r == 0) {
        all[0] = performance[0];
        all[0].weight = o->performance_weight;
        memcpy(all + 1, metrics, n * sizeof *metrics);
        r = tare_score_matrix(input, all, n + 1, &out->arena, &m, err);
    }
    return r == 0 ? print_set(input, &m, out, err) : r;
}

const struct tare_score tare_score_dynascore = {
    .name = "dynascore",
    .summary = "weighted sum of metrics, each turned into points of performance (Dynaboard)",
    .needs = "a performance and one other metric, of two systems that differ in both",
    .options_size = sizeof(struct options),
    .options = options,
    .build = build};
