/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cost at equal quality: what the untreated models would cost at the quality of a treated one, read off their
 * front. The ratio says whether the technique beats taking a smaller model. The front is interpolated between
 * neighbours, linear in quality and in the logarithm of cost; never beyond its ends.
 */
#include "draw.h"
#include "sheet.h"

#include "stats/interval.h"

#include <stdlib.h>

struct options {
    char *quality;
    char *cost;
    double target;
};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, quality), .def = "quality", .help = "figure[@task][:lower] of quality"},
    {MEMBER(TARE_OPT_STR, cost), .def = "stored_bytes", .help = "figure[@task] of cost, smaller is better"},
    {MEMBER(TARE_OPT_F64, target), .help = "a quality at which the front's cost is given too; 0: none"},
    TARE_OPT_END};

enum { MOST = 256 };

struct point {
    double quality, cost; /* quality oriented: larger is better */
};

static int by_cost(const void *a, const void *b)
{
    const struct point *x = a, *y = b;
    return (x->cost > y->cost) - (x->cost < y->cost);
}

/* Cost at a quality on the front of n points; NaN outside. Sorts the points. */
static double cost_at(struct point *points, size_t n, double quality)
{
    const struct point *last = NULL;
    qsort(points, n, sizeof *points, by_cost);
    for (size_t i = 0; i < n; i++) {
        if (last && points[i].quality <= last->quality) {
            continue; /* dominated */
        }
        if (last && quality >= last->quality && quality <= points[i].quality) {
            double part = (quality - last->quality) / (points[i].quality - last->quality);
            return exp(log(last->cost) + part * (log(points[i].cost) - log(last->cost)));
        }
        last = &points[i];
    }
    return (double)NAN;
}

struct front {
    const struct tare_score_matrix *m;
    size_t rows[MOST]; /* untreated systems with quality and cost */
    size_t n;
    bool lower; /* quality is better low */
};

static bool both(const struct tare_score_matrix *m, size_t i)
{
    return isfinite(tare_score_at(m, i, 0)->value) && tare_score_at(m, i, 1)->value > 0;
}

static double pick(const struct tare_score_value *v, struct tare_rng *rng)
{
    return rng ? tare_draw_value(v, rng) : v->value;
}

/* The front's cost at a quality, as it is or with every input drawn anew. */
static double front_cost(const struct front *f, double quality, struct tare_rng *rng)
{
    struct point points[MOST];
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++) {
        double q = pick(tare_score_at(f->m, f->rows[i], 0), rng);
        double c = pick(tare_score_at(f->m, f->rows[i], 1), rng);
        if (c > 0) {
            points[n++] = (struct point){f->lower ? -q : q, c};
        }
    }
    return cost_at(points, n, f->lower ? -quality : quality);
}

/* Quantiles of what was inside of the front; with over a twentieth outside there is no band. */
static void set_band(double *results, size_t n, struct tare_score_value *to)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (isfinite(results[i])) {
            results[kept++] = results[i];
        }
    }
    if (kept >= n - n / 20) {
        tare_draw_interval(results, kept, to);
    } else {
        to->flags = "NEAR_END";
    }
}

/* Cost of the front at the system's quality, and the system's over it. */
static void compare(const struct front *f, const struct tare_score_value *quality,
                    const struct tare_score_value *cost, struct tare_score_value out[2])
{
    static const char outside[] = "outside of the front of the untreated systems";
    double costs[TARE_SCORE_DRAWS], ratios[TARE_SCORE_DRAWS];
    struct tare_rng rng;
    tare_rng_init(&rng, 1);
    double at = front_cost(f, quality->value, NULL);
    enum tare_kind kind = tare_score_weaker(quality->kind, cost->kind);
    for (size_t i = 0; i < f->n; i++) {
        kind = tare_score_weaker(kind, tare_score_at(f->m, f->rows[i], 1)->kind);
    }
    out[0] = tare_score_plain(at, cost->unit, kind, "interpolated on the front");
    out[1] = tare_score_plain(cost->value / at, "x", kind, "cost / cost of the front at this quality");
    out[0].why = out[1].why = outside;
    if (!isfinite(at)) {
        return;
    }
    for (size_t i = 0; i < TARE_SCORE_DRAWS; i++) {
        costs[i] = front_cost(f, tare_draw_value(quality, &rng), &rng);
        ratios[i] = tare_draw_value(cost, &rng) / costs[i];
    }
    if (tare_draw_known((const struct tare_score_value *const[]){quality, cost}, 2)) {
        set_band(costs, TARE_SCORE_DRAWS, &out[0]);
        set_band(ratios, TARE_SCORE_DRAWS, &out[1]);
    }
}

static void put_target(struct tare_sheet *s, const struct front *f, double target)
{
    struct tare_score_value quality =
        tare_score_plain(target, f->m->metrics[0].unit, TARE_KIND_DECLARED, "declared target");
    quality.low = quality.high = target;
    quality.level = 1;
    struct tare_score_value cost = quality, out[2];
    cost.value = cost.low = cost.high = 1;
    cost.unit = f->m->metrics[1].unit;
    compare(f, &quality, &cost, out);
    tare_sheet_text(s, "front at the target");
    tare_sheet_value(s, &quality);
    tare_sheet_absent(s, "a point on the front, no system");
    tare_sheet_value(s, &out[0]);
    tare_sheet_absent(s, "a point on the front, no system");
}

static void put_rows(struct tare_sheet *s, const struct front *f)
{
    for (size_t i = 0; i < f->m->n_systems; i++) {
        struct tare_score_value out[2];
        if (tare_score_untreated(&f->m->systems[i])) {
            continue;
        }
        tare_sheet_text(s, f->m->systems[i].name);
        tare_sheet_values(s, f->m, i);
        if (f->n < 2 || !both(f->m, i)) {
            const char *why = f->n < 2 ? "fewer than two untreated systems" : "quality or cost is absent";
            tare_sheet_absent(s, why);
            tare_sheet_absent(s, why);
            continue;
        }
        compare(f, tare_score_at(f->m, i, 0), tare_score_at(f->m, i, 1), out);
        tare_sheet_value(s, &out[0]);
        tare_sheet_value(s, &out[1]);
    }
}

static int build(const struct tare_report_input *input, const void *opts, struct tare_score_out *out,
                 struct tare_err *err)
{
    const struct options *o = opts;
    struct tare_score_matrix m = {0};
    struct tare_sheet s;
    struct front f = {.m = &m};
    tare_sheet_systems(&s, out, input);
    const char *metrics = tare_sheet_keep(&s, "%s,%s:lower", o->quality, o->cost), *names = "";
    int r = metrics ? tare_sheet_matrix(input, metrics, out, &m, err)
                    : tare_err_set(err, TARE_E_NOMEM, "score iso-quality: out of memory");
    if (r == 0 && m.n_metrics != 2) {
        r = tare_err_set(err, TARE_E_USAGE, "score iso-quality: quality and cost are one figure each");
    }
    if (r < 0) {
        return r;
    }
    f.lower = m.metrics[0].better == TARE_BETTER_LOWER;
    for (size_t i = 0; i < m.n_systems && f.n < MOST; i++) {
        if (both(&m, i) && tare_score_untreated(&m.systems[i])) {
            names = names ? tare_sheet_keep(&s, "%s%s%s", names, f.n ? "; " : "", m.systems[i].name) : NULL;
            f.rows[f.n++] = i;
        }
    }
    tare_sheet_metric_columns(&s, &m);
    tare_sheet_column(&s, "front_cost", "Front's cost there", m.metrics[1].unit, TARE_BETTER_NONE);
    tare_sheet_column(&s, "cost_ratio", "Cost ratio", "x", TARE_BETTER_LOWER);
    put_rows(&s, &f);
    if (o->target != 0) {
        put_target(&s, &f, o->target);
    }
    tare_sheet_or_why(&s, "no technique was applied to any system");
    tare_sheet_note(
        &s,
        "Cost ratio: cost over that of the front at the same quality; below 1 the technique beats an "
        "untreated model of that quality. The front goes through the untreated systems that no other "
        "untreated one dominates, linear in quality and in log cost, out of: %s.",
        names && *names ? names : "none");
    tare_sheet_note(&s, "NEAR_END: over a twentieth of the draws left the front, so that no band is given");
    return tare_sheet_end(&s, "Cost at equal quality", err);
}

const struct tare_score tare_score_iso_quality = {
    .name = "iso-quality",
    .summary = "a technique's cost over that of the untreated front at its quality",
    .needs = "two untreated systems or more that span its quality, and a technique",
    .options_size = sizeof(struct options),
    .options = options,
    .build = build};
