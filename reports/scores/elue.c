/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ELUE (2110.07038): how far a submission lies above a reference curve of performance against FLOPs, at its
 * own FLOPs. Here the curve goes through the untreated models of the selection unless another is named, and a
 * submission is a technique on a model, with a point for each setting of its parameters.
 */
#include "draw.h"
#include "formulas.h"
#include "sheet.h"

#include <fnmatch.h>

double tare_interpolate(const double *x, const double *y, size_t n, double at, bool *out_clamped)
{
    size_t i = 0;
    *out_clamped = n == 0 || at < x[0] || at > x[n - 1];
    if (n == 0) {
        return (double)NAN;
    }
    if (at <= x[0] || n == 1) {
        return y[0];
    }
    if (at >= x[n - 1]) {
        return y[n - 1];
    }
    while (x[i + 1] < at) {
        i++;
    }
    double width = x[i + 1] - x[i];
    return width > 0 ? y[i] + (y[i + 1] - y[i]) * (at - x[i]) / width : y[i + 1];
}

double tare_elue(const double *flops, const double *performance, size_t n, const double *curve_flops,
                 const double *curve_performance, size_t n_curve, size_t *out_clamped)
{
    double sum = 0;
    *out_clamped = 0;
    for (size_t i = 0; i < n; i++) {
        bool clamped = false;
        sum += performance[i] - tare_interpolate(curve_flops, curve_performance, n_curve, flops[i], &clamped);
        *out_clamped += clamped;
    }
    return n > 0 ? sum / (double)n : (double)NAN;
}

struct options {
    char *performance;
    char *flops;
    char *reference;
};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, performance), .def = "quality", .help = "figure[@task], larger is better"},
    {MEMBER(TARE_OPT_STR, flops), .def = "prefill_flops_per_tok",
     .help = "figure[@task] of the average FLOPs; executed_flops where a technique stops early"},
    {MEMBER(TARE_OPT_STR, reference),
     .help = "shell pattern of the systems that the curve goes through; without it the untreated ones"},
    TARE_OPT_END};

enum { MOST = 256 };

struct curve {
    size_t rows[MOST]; /* by FLOPs */
    size_t n;
};

static bool both(const struct tare_score_matrix *m, size_t i)
{
    return isfinite(tare_score_at(m, i, 0)->value) && isfinite(tare_score_at(m, i, 1)->value);
}

static bool on_curve(const struct options *o, const struct tare_score_system *system)
{
    return o->reference ? fnmatch(o->reference, system->name, 0) == 0 : tare_score_untreated(system);
}

static void find_curve(const struct options *o, const struct tare_score_matrix *m, struct curve *out)
{
    for (size_t i = 0; i < m->n_systems && out->n < MOST; i++) {
        if (!both(m, i) || !on_curve(o, &m->systems[i])) {
            continue;
        }
        size_t j = out->n++;
        for (; j > 0 && tare_score_at(m, out->rows[j - 1], 1)->value > tare_score_at(m, i, 1)->value; j--) {
            out->rows[j] = out->rows[j - 1];
        }
        out->rows[j] = i;
    }
}

/* Same model and the same technique but for its parameters: tags up to the brace. */
static bool same_submission(const struct tare_score_system *a, const struct tare_score_system *b)
{
    const char *x = a->tag ? a->tag : a->technique, *y = b->tag ? b->tag : b->technique;
    size_t n = strcspn(x, "{");
    return strcmp(a->model, b->model) == 0 && strcmp(a->backend, b->backend) == 0 &&
           strcmp(a->scenario, b->scenario) == 0 && n == strcspn(y, "{") && strncmp(x, y, n) == 0;
}

/* The score over the points in rows[], as they are or drawn. */
static double score_once(const struct tare_score_matrix *m, const struct curve *curve, const size_t *rows,
                         size_t n, struct tare_rng *rng, size_t *clamped)
{
    double flops[MOST], performance[MOST], x[MOST], y[MOST];
    for (size_t i = 0; i < curve->n; i++) {
        x[i] = tare_score_at(m, curve->rows[i], 1)->value;
        y[i] = rng ? tare_draw_value(tare_score_at(m, curve->rows[i], 0), rng)
                   : tare_score_at(m, curve->rows[i], 0)->value;
    }
    for (size_t i = 0; i < n; i++) {
        flops[i] = tare_score_at(m, rows[i], 1)->value;
        performance[i] =
            rng ? tare_draw_value(tare_score_at(m, rows[i], 0), rng) : tare_score_at(m, rows[i], 0)->value;
    }
    return tare_elue(flops, performance, n, x, y, curve->n, clamped);
}

static struct tare_score_value score_of(const struct tare_score_matrix *m, const struct curve *curve,
                                        const size_t *rows, size_t n)
{
    double results[TARE_SCORE_DRAWS];
    size_t clamped = 0, ignored = 0;
    struct tare_rng rng;
    tare_rng_init(&rng, 1);
    struct tare_score_value v = tare_score_plain(
        score_once(m, curve, rows, n, NULL, &clamped), m->metrics[0].unit,
        tare_score_weaker(tare_score_at(m, rows[0], 0)->kind, tare_score_at(m, rows[0], 1)->kind),
        "ELUE score");
    for (size_t i = 0; i < TARE_SCORE_DRAWS; i++) {
        results[i] = score_once(m, curve, rows, n, &rng, &ignored);
    }
    const struct tare_score_value *known = tare_score_at(m, rows[0], 0);
    if (tare_draw_known(&known, 1)) {
        tare_draw_interval(results, TARE_SCORE_DRAWS, &v);
    }
    v.flags = clamped ? "CLAMPED" : "";
    v.n = (int64_t)n;
    v.n_what = "points";
    return v;
}

static void put_rows(struct tare_sheet *s, const struct tare_score_matrix *m, const struct options *o,
                     const struct curve *curve)
{
    for (size_t i = 0; i < m->n_systems; i++) {
        size_t rows[MOST], n = 0;
        for (size_t j = 0; j < m->n_systems && n < MOST; j++) {
            if (both(m, j) && same_submission(&m->systems[i], &m->systems[j])) {
                rows[n++] = j;
            }
        }
        tare_sheet_text(s, m->systems[i].name);
        if (on_curve(o, &m->systems[i])) {
            tare_sheet_absent(s, "on the reference curve");
        } else if (curve->n < 2 || n == 0) {
            tare_sheet_absent(s, n == 0 ? "no performance or no FLOPs"
                                        : "the reference curve needs two systems with performance and FLOPs");
        } else {
            struct tare_score_value v = score_of(m, curve, rows, n);
            tare_sheet_value(s, &v);
        }
        tare_sheet_values(s, m, i);
    }
}

static int build(const struct tare_report_input *input, const void *opts, struct tare_score_out *out,
                 struct tare_err *err)
{
    const struct options *o = opts;
    struct tare_score_matrix m = {0};
    struct tare_sheet s;
    struct curve curve = {.n = 0};
    tare_sheet_systems(&s, out, input);
    const char *metrics = tare_sheet_keep(&s, "%s,%s", o->performance, o->flops);
    int r = metrics ? tare_sheet_matrix(input, metrics, out, &m, err)
                    : tare_err_set(err, TARE_E_NOMEM, "score elue: out of memory");
    if (r == 0 && m.n_metrics != 2) {
        r = tare_err_set(err, TARE_E_USAGE, "score elue: performance and flops are one figure each");
    }
    if (r < 0) {
        return r;
    }
    find_curve(o, &m, &curve);
    tare_sheet_column(&s, "elue", "ELUE score", m.metrics[0].unit, TARE_BETTER_HIGHER);
    tare_sheet_metric_columns(&s, &m);
    put_rows(&s, &m, o, &curve);
    const char *names = "";
    for (size_t i = 0; i < curve.n && names; i++) {
        names = tare_sheet_keep(&s, "%s%s%s", names, i ? "; " : "", m.systems[curve.rows[i]].name);
    }
    tare_sheet_note(
        &s,
        "Mean over a submission's points of performance less that of the reference curve at the same "
        "FLOPs, piecewise linear, through: %s. ELUE's own reference is ElasticBERT-base on its six "
        "data sets; scores against another curve do not compare with its leaderboard.",
        names ? names : "?");
    tare_sheet_note(&s, "CLAMPED: a point lies outside of the reference curve, whose nearest end stands in");
    return tare_sheet_end(&s, "ELUE score", err);
}

const struct tare_score tare_score_elue = {
    .name = "elue",
    .summary = "performance above a reference curve at the same FLOPs",
    .needs = "performance and FLOPs of two reference systems or more, and of a treated one",
    .options_size = sizeof(struct options),
    .options = options,
    .build = build};
