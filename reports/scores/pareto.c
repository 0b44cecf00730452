/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pareto front: who is better in nothing without being worse in something. A difference counts as shown only
 * beyond both intervals; what is dominated within them is undecided, not dominated. Hypervolume against a
 * reference point that is printed.
 */
#include "draw.h"
#include "front.h"
#include "sheet.h"

#include <stdlib.h>

struct options {
    char *metrics;
    char *reference;
};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, metrics), .def = "quality,token_throughput,peak_rss",
     .help = "metrics as figure[@task][:higher|:lower], commas between"},
    {MEMBER(TARE_OPT_STR, reference),
     .help = "reference point of the hypervolume, a number a metric; without it the worst value of each"},
    TARE_OPT_END};

/* Numbers with commas between, one a metric. */
static int parse_reference(const char *text, size_t n, double *out, struct tare_err *err)
{
    for (size_t j = 0; j < n; j++) {
        char *end = NULL;
        out[j] = strtod(text, &end);
        bool last = j + 1 == n;
        if (end == text || !isfinite(out[j]) || *end != (last ? '\0' : ',')) {
            return tare_err_set(
                err, TARE_E_USAGE,
                "score pareto: reference is not %zu numbers with commas between, one a metric", n);
        }
        text = last ? end : end + 1;
    }
    return 0;
}

static double oriented(const struct tare_score_metric *metric, double value)
{
    return metric->better == TARE_BETTER_LOWER ? -value : value;
}

static bool complete(const struct tare_score_matrix *m, size_t system)
{
    for (size_t j = 0; j < m->n_metrics; j++) {
        if (!isfinite(tare_score_at(m, system, j)->value)) {
            return false;
        }
    }
    return true;
}

/* The worst value of each metric among the systems that have all. */
static void worst_point(const struct tare_score_matrix *m, double *out)
{
    for (size_t j = 0; j < m->n_metrics; j++) {
        out[j] = (double)NAN;
        for (size_t i = 0; i < m->n_systems; i++) {
            double v = oriented(&m->metrics[j], tare_score_at(m, i, j)->value);
            if (complete(m, i) && (isnan(out[j]) || v < out[j])) {
                out[j] = v;
            }
        }
    }
}

/* Volume of the systems that have all metrics, as they are or drawn within their intervals. */
static double volume_of(const struct tare_score_matrix *m, const double *reference, double *points,
                        struct tare_rng *rng)
{
    size_t n = 0;
    for (size_t i = 0; i < m->n_systems; i++) {
        for (size_t j = 0; complete(m, i) && j < m->n_metrics; j++) {
            const struct tare_score_value *v = tare_score_at(m, i, j);
            points[n * m->n_metrics + j] = oriented(&m->metrics[j], rng ? tare_draw_value(v, rng) : v->value);
        }
        n += complete(m, i);
    }
    return n > 0 ? tare_hypervolume(points, n, m->n_metrics, reference) : (double)NAN;
}

static enum tare_kind weakest(const struct tare_score_matrix *m)
{
    enum tare_kind kind = TARE_KIND_MEASURED;
    for (size_t i = 0; i < m->n_systems * m->n_metrics; i++) {
        kind = isfinite(m->values[i].value) ? tare_score_weaker(kind, m->values[i].kind) : kind;
    }
    return kind;
}

static bool intervals_known(const struct tare_score_matrix *m)
{
    for (size_t i = 0; i < m->n_systems * m->n_metrics; i++) {
        const struct tare_score_value *v = &m->values[i];
        if (complete(m, i / m->n_metrics) && !tare_draw_known(&v, 1)) {
            return false;
        }
    }
    return true;
}

static int note_volume(struct tare_sheet *s, const struct tare_score_matrix *m, const double *reference,
                       struct tare_err *err)
{
    enum { draws = 400 };
    double *points = malloc((m->n_systems * m->n_metrics + 1) * sizeof *points);
    double results[draws];
    if (!points) {
        return tare_err_set(err, TARE_E_NOMEM, "score pareto: out of memory");
    }
    struct tare_score_value v = tare_score_plain(volume_of(m, reference, points, NULL), "product of units",
                                                 weakest(m), "hypervolume");
    struct tare_rng rng;
    tare_rng_init(&rng, 1);
    bool known = intervals_known(m);
    for (size_t i = 0; known && i < draws; i++) {
        results[i] = volume_of(m, reference, points, &rng);
    }
    if (known) {
        tare_draw_interval(results, draws, &v);
    }
    free(points);
    const char *at = "";
    for (size_t j = 0; j < m->n_metrics && at; j++) {
        at = tare_sheet_keep(s, "%s%s%s %.6g %s", at, j ? ", " : "", m->metrics[j].header,
                             oriented(&m->metrics[j], reference[j]), m->metrics[j].unit);
    }
    if (!isfinite(v.value)) {
        tare_sheet_note(s, "Hypervolume: absent; no system has a value of every metric.");
    } else if (isfinite(v.low)) {
        tare_sheet_note(
            s,
            "Hypervolume %.6g (95 %%: %.6g to %.6g, 400 draws within the inputs' intervals), %s, in "
            "the product of the metrics' units, against the reference point: %s.",
            v.value, v.low, v.high, tare_kind_name(v.kind), at);
    } else {
        tare_sheet_note(
            s,
            "Hypervolume %.6g (no interval: an input has none), %s, in the product of the metrics' "
            "units, against the reference point: %s.",
            v.value, tare_kind_name(v.kind), at);
    }
    return 0;
}

/* "a; b" of the systems that stand so to system y; NULL for none. */
static const char *list_above(struct tare_sheet *s, const struct tare_score_matrix *m, size_t y,
                              enum tare_dominance dominance)
{
    const char *list = NULL;
    for (size_t x = 0; x < m->n_systems; x++) {
        struct tare_standing standing = tare_dominates(m, x, y);
        if (x == y || standing.dominance != dominance) {
            continue;
        }
        bool part = standing.n_common < m->n_metrics;
        list = list ? tare_sheet_keep(s, "%s; %s", list, m->systems[x].name) : m->systems[x].name;
        if (part && list) {
            list = tare_sheet_keep(s, "%s (on %zu of %zu metrics)", list, standing.n_common, m->n_metrics);
        }
    }
    return list;
}

static bool has_any(const struct tare_score_matrix *m, size_t system)
{
    for (size_t j = 0; j < m->n_metrics; j++) {
        if (isfinite(tare_score_at(m, system, j)->value)) {
            return true;
        }
    }
    return false;
}

static void put_row(struct tare_sheet *s, const struct tare_score_matrix *m, size_t i)
{
    const char *clear = list_above(s, m, i, TARE_DOMINANCE_CLEAR);
    const char *within = list_above(s, m, i, TARE_DOMINANCE_WITHIN);
    tare_sheet_text(s, m->systems[i].name);
    if (!has_any(m, i)) {
        tare_sheet_absent(s, "no value of any metric");
    } else {
        tare_sheet_text(s, clear ? "dominated" : within ? "undecided" : "front");
    }
    tare_sheet_text(s, clear ? clear : "");
    tare_sheet_text(s, within ? within : "");
    tare_sheet_values(s, m, i);
}

static int build(const struct tare_report_input *input, const void *opts, struct tare_score_out *out,
                 struct tare_err *err)
{
    const struct options *o = opts;
    struct tare_score_metric *metrics = NULL;
    struct tare_score_matrix m = {0};
    struct tare_sheet s;
    double reference[TARE_SHEET_COLUMNS] = {0};
    size_t n = 0;
    int r = tare_score_metrics_parse(o->metrics, &out->arena, &metrics, &n, err);
    if (r == 0 && (n < 2 || n > 8)) {
        r = tare_err_set(err, TARE_E_USAGE, "score pareto: %zu metrics; name 2 to 8", n);
    }
    r = r == 0 ? tare_score_matrix(input, metrics, n, &out->arena, &m, err) : r;
    if (r == 0 && o->reference) {
        r = parse_reference(o->reference, n, reference, err);
        for (size_t j = 0; r == 0 && j < n; j++) {
            reference[j] = oriented(&m.metrics[j], reference[j]);
        }
    } else if (r == 0) {
        worst_point(&m, reference);
    }
    if (r < 0) {
        return r;
    }
    tare_sheet_begin(&s, out, input);
    tare_sheet_column(&s, "system", "System", NULL, TARE_BETTER_NONE);
    tare_sheet_column(&s, "standing", "Standing", NULL, TARE_BETTER_NONE);
    tare_sheet_column(&s, "dominated_by", "Dominated by", NULL, TARE_BETTER_NONE);
    tare_sheet_column(&s, "undecided_against", "Within intervals of", NULL, TARE_BETTER_NONE);
    tare_sheet_metric_columns(&s, &m);
    for (size_t i = 0; i < m.n_systems; i++) {
        put_row(&s, &m, i);
    }
    tare_sheet_note(
        &s, "dominated: another system is worse in no metric and better in one beyond both intervals; "
            "undecided: better by values alone, or better in one metric and worse in another within "
            "the intervals; front: neither. Two systems are compared on the metrics that both have.");
    tare_sheet_note_set(&s, &m, "The front");
    r = note_volume(&s, &m, reference, err);
    return r == 0 ? tare_sheet_end(&s, "Pareto front", err) : r;
}

const struct tare_score tare_score_pareto = {
    .name = "pareto",
    .summary = "the front, who dominates whom beyond the intervals, hypervolume",
    .needs = "two metrics or more of which some systems have values with intervals",
    .options_size = sizeof(struct options),
    .options = options,
    .build = build};
