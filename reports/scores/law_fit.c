/* SPDX-License-Identifier: Apache-2.0 */
/* Huber losses, starts from a grid, bootstrap. */
#include "law_fit.h"

#include "minimise.h"

#include "stats/interval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <tare/rng.h>

/* What the minimiser needs: logarithms, and how often each point counts. */
struct problem {
    const struct tare_law *law;
    double *log_x, *log_loss, *weight;
    size_t n;
    double delta;
    double middle[TARE_LAW_AXES]; /* mean of log x, which is taken off; parameters are those about it */
};

/* In units of delta^2, so that the library's tolerances bite where the fit is decided. */
static double objective(void *ctx, const double *p, double *g, size_t n)
{
    const struct problem *b = ctx;
    double sum = 0, slope[TARE_LAW_PARAMETERS];
    memset(g, 0, n * sizeof *g);
    for (size_t i = 0; i < b->n; i++) {
        if (!(b->weight[i] > 0)) {
            continue;
        }
        double r = (b->law->log_loss(p, b->log_x + i * b->law->n_axes, slope) - b->log_loss[i]) / b->delta;
        double clipped = fmin(fmax(r, -1), 1) * b->weight[i];
        sum += b->weight[i] * (fabs(r) <= 1 ? r * r / 2 : fabs(r) - 0.5);
        for (size_t k = 0; k < n; k++) {
            g[k] += clipped * slope[k] / b->delta;
        }
    }
    return sum;
}

enum { KEPT = 8 }; /* different optima that resamples start from */

struct optimum {
    double p[TARE_LAW_PARAMETERS];
    double value;
};

/* Best first, no two that are as good as equal. */
static void keep_optimum(struct optimum *best, size_t *n, const struct optimum *new)
{
    size_t i = 0;
    while (i < *n && best[i].value < new->value) {
        i++;
    }
    double near = 1e-6 * (1 + fabs(new->value));
    bool twin =
        (i < *n && best[i].value - new->value < near) || (i > 0 && new->value - best[i - 1].value < near);
    if (twin) {
        if (i < *n && best[i].value - new->value < near) {
            best[i] = *new;
        }
        return;
    }
    if (i < KEPT) {
        size_t last = *n < KEPT ? (*n)++ : KEPT - 1;
        memmove(best + i + 1, best + i, (last - i) * sizeof *best);
        best[i] = *new;
    }
}

static bool is_sane(const struct problem *b, const double *p)
{
    for (size_t k = 0; k < b->law->n_parameters; k++) {
        if (!isfinite(p[k])) {
            return false;
        }
    }
    return true;
}

/* From start number i of the grid. A start from which nothing finite is found is no error. */
static int try_start(struct problem *b, size_t i, int most, struct optimum *out, struct tare_err *err)
{
    struct tare_err ignored = {0};
    tare_law_start(b->law, i, out->p);
    b->law->shift(out->p, b->middle);
    int r = tare_minimise(objective, b, out->p, b->law->n_parameters, most, &out->value, &ignored);
    if (r == TARE_E_NOMEM) {
        return tare_err_set(err, r, "%s", ignored.msg);
    }
    if (r < 0 || !is_sane(b, out->p)) {
        out->value = (double)INFINITY;
    }
    return 0;
}

static size_t spread(size_t i, size_t n, size_t grid)
{
    return n >= grid ? i : (size_t)((double)i / (double)n * (double)grid);
}

static int search(struct problem *b, const struct tare_fit_options *o, struct optimum *best, size_t *n_best,
                  struct tare_curve_fit *fit, struct tare_err *err)
{
    size_t grid = tare_law_grid(b->law), n = o->starts > 0 && o->starts < grid ? o->starts : grid;
    double *values = malloc(n * sizeof *values);
    int r = values ? 0 : tare_err_set(err, TARE_E_NOMEM, "fit: out of memory");
    *n_best = 0;
    for (size_t i = 0; r == 0 && i < n; i++) {
        struct optimum found;
        r = try_start(b, spread(i, n, grid), 0, &found, err);
        values[i] = r == 0 ? found.value : 0;
        if (r == 0 && isfinite(found.value)) {
            keep_optimum(best, n_best, &found);
        }
    }
    if (r == 0 && *n_best == 0) {
        r = tare_err_set(err, TARE_E_FORMAT, "fit: no start led to a finite optimum");
    }
    fit->n_starts = n;
    fit->n_agree = 0;
    for (size_t i = 0; r == 0 && i < n; i++) {
        fit->n_agree += values[i] - best[0].value < 1e-6 * (1 + best[0].value);
    }
    free(values);
    return r;
}

static void resample(struct problem *b, struct tare_rng *rng)
{
    memset(b->weight, 0, b->n * sizeof *b->weight);
    for (size_t i = 0; i < b->n; i++) {
        b->weight[tare_rng_below(rng, b->n)]++;
    }
}

/* The best over the full data's optima and a few starts of the grid. */
static int fit_resample(struct problem *b, const struct tare_fit_options *o, const struct optimum *best,
                        size_t n_best, struct tare_rng *rng, double *out, struct tare_err *err)
{
    struct optimum winner = {.value = (double)INFINITY};
    int r = 0;
    for (size_t i = 0; r == 0 && i < (n_best < 2 ? n_best : 2) + o->restarts; i++) {
        struct optimum found;
        if (i < n_best && i < 2) {
            struct tare_err ignored = {0};
            found = best[i];
            if (tare_minimise(objective, b, found.p, b->law->n_parameters, 0, &found.value, &ignored) < 0) {
                found.value = (double)INFINITY;
            }
        } else {
            r = try_start(b, (size_t)tare_rng_below(rng, tare_law_grid(b->law)), 0, &found, err);
        }
        if (r == 0 && found.value < winner.value && is_sane(b, found.p)) {
            winner = found;
        }
    }
    if (r == 0) {
        memcpy(out, isfinite(winner.value) ? winner.p : best[0].p, b->law->n_parameters * sizeof *out);
    }
    return r;
}

/* Parameters about the middle become those of the law itself. */
static void move_back(const struct problem *b, double *p)
{
    double by[TARE_LAW_AXES];
    for (size_t k = 0; k < TARE_LAW_AXES; k++) {
        by[k] = -b->middle[k];
    }
    b->law->shift(p, by);
}

static bool resample_carries(const struct problem *b)
{
    /* A resample with too few different places has no single best law. */
    size_t places = 0;
    for (size_t i = 0; i < b->n; i++) {
        places += b->weight[i] > 0;
    }
    return places > b->law->n_parameters;
}

static int bootstrap(struct problem *b, const struct tare_fit_options *o, const struct optimum *best,
                     size_t n_best, struct tare_arena *arena, struct tare_curve_fit *fit,
                     struct tare_err *err)
{
    size_t n = b->law->n_parameters, made = 0;
    struct tare_rng rng;
    tare_rng_init(&rng, o->seed);
    double *draws = tare_arena_array(arena, o->resamples * n + 1, sizeof *draws);
    int r = draws ? 0 : tare_err_set(err, TARE_E_NOMEM, "fit: out of memory");
    for (size_t i = 0; r == 0 && i < o->resamples; i++) {
        resample(b, &rng);
        if (resample_carries(b)) {
            r = fit_resample(b, o, best, n_best, &rng, draws + made * n, err);
            made++;
        }
    }
    for (size_t i = 0; r == 0 && i < made; i++) {
        move_back(b, draws + i * n);
    }
    fit->draws = draws;
    fit->n_draws = 2 * made >= o->resamples ? made : 0; /* else the points are too few for it */
    return r;
}

/* Standard deviation of what lies within the inner 98 %: single resamples run away along a ridge. */
static double inner_se(const double *sorted, size_t n)
{
    size_t cut = n / 100, kept = n - 2 * cut;
    double mean = tare_mean(sorted + cut, kept), sum = 0;
    for (size_t i = cut; i < n - cut; i++) {
        sum += (sorted[i] - mean) * (sorted[i] - mean);
    }
    return kept > 1 ? sqrt(sum / (double)(kept - 1)) : (double)NAN;
}

static int describe(struct tare_curve_fit *fit, struct tare_err *err)
{
    const struct tare_law *law = fit->law;
    double *values = malloc((fit->n_draws + 1) * sizeof *values);
    if (!values) {
        return tare_err_set(err, TARE_E_NOMEM, "fit: out of memory");
    }
    for (size_t k = 0; k < law->n_parameters; k++) {
        struct tare_curve_parameter *to = &fit->parameters[k];
        *to = (struct tare_curve_parameter){.name = law->parameters[k],
                                            .value = law->shown(fit->p, k),
                                            .low = (double)NAN,
                                            .high = (double)NAN,
                                            .se = (double)NAN};
        for (size_t i = 0; i < fit->n_draws; i++) {
            values[i] = law->shown(fit->draws + i * law->n_parameters, k);
        }
        if (fit->n_draws > 1) {
            tare_sort(values, fit->n_draws);
            to->low = tare_quantile(values, fit->n_draws, 0.025);
            to->high = tare_quantile(values, fit->n_draws, 0.975);
            to->se = inner_se(values, fit->n_draws);
        }
    }
    free(values);
    return 0;
}

static int measure_residual(const struct problem *b, struct tare_curve_fit *fit, struct tare_err *err)
{
    double *residuals = malloc((b->n + 1) * sizeof *residuals);
    if (!residuals) {
        return tare_err_set(err, TARE_E_NOMEM, "fit: out of memory");
    }
    for (size_t i = 0; i < b->n; i++) {
        residuals[i] = fabs(b->law->log_loss(fit->p, b->log_x + i * b->law->n_axes, NULL) - b->log_loss[i]);
    }
    tare_sort(residuals, b->n);
    fit->residual = tare_quantile(residuals, b->n, 0.5);
    free(residuals);
    return 0;
}

static int prepare(struct problem *b, const struct tare_law *law, const struct tare_fit_points *points,
                   struct tare_arena *arena, struct tare_err *err)
{
    b->law = law;
    b->n = points->n;
    b->log_x = tare_arena_array(arena, points->n * law->n_axes + 1, sizeof(double));
    b->log_loss = tare_arena_array(arena, points->n + 1, sizeof(double));
    b->weight = tare_arena_array(arena, points->n + 1, sizeof(double));
    if (!b->log_x || !b->log_loss || !b->weight) {
        return tare_err_set(err, TARE_E_NOMEM, "fit: out of memory");
    }
    for (size_t i = 0; i < points->n; i++) {
        b->log_loss[i] = log(points->loss[i]);
        b->weight[i] = 1;
        for (size_t k = 0; k < law->n_axes; k++) {
            b->log_x[i * law->n_axes + k] = log(points->x[i * law->n_axes + k]);
            b->middle[k] += b->log_x[i * law->n_axes + k] / (double)points->n;
        }
    }
    for (size_t i = 0; i < points->n * law->n_axes; i++) {
        b->log_x[i] -= b->middle[i % law->n_axes];
    }
    return 0;
}

int tare_law_fit(const struct tare_law *law, const struct tare_fit_points *points,
                 const struct tare_fit_options *options, struct tare_arena *arena, struct tare_curve_fit *out,
                 struct tare_err *err)
{
    struct problem b = {.delta = options->huber_delta > 0 ? options->huber_delta : 1e-3};
    struct tare_curve_fit fit = {.law = law, .n_points = points->n};
    struct optimum best[KEPT];
    size_t n_best = 0;
    const char *why = tare_law_refusal(law, points);
    if (why) {
        return tare_err_set(err, TARE_E_USAGE, "%s: %s", law->name, why);
    }
    int r = prepare(&b, law, points, arena, err);
    r = r == 0 ? search(&b, options, best, &n_best, &fit, err) : r;
    if (r == 0) {
        memcpy(fit.p, best[0].p, sizeof fit.p);
        fit.objective = best[0].value * b.delta * b.delta;
        r = measure_residual(&b, &fit, err);
    }
    r = r == 0 && options->resamples > 0 ? bootstrap(&b, options, best, n_best, arena, &fit, err) : r;
    if (r == 0) {
        move_back(&b, fit.p);
        r = describe(&fit, err);
    }
    if (r == 0) {
        *out = fit;
    }
    return r;
}

static bool same_place(const double *a, const double *b, size_t axes)
{
    for (size_t k = 0; k < axes; k++) {
        if (fabs(a[k] - b[k]) > 1e-9 * fabs(a[k])) {
            return false;
        }
    }
    return true;
}

static size_t distinct_places(const struct tare_law *law, const struct tare_fit_points *points)
{
    size_t n = 0;
    for (size_t i = 0; i < points->n; i++) {
        bool known = false;
        for (size_t j = 0; j < i && !known; j++) {
            known = same_place(points->x + i * law->n_axes, points->x + j * law->n_axes, law->n_axes);
        }
        n += !known;
    }
    return n;
}

/* Do log N and log D lie on a line? By the correlation of the two. */
static bool along_a_line(const struct tare_fit_points *points)
{
    double mx = 0, my = 0, sxx = 0, syy = 0, sxy = 0, n = (double)points->n;
    for (size_t i = 0; i < points->n; i++) {
        mx += log(points->x[2 * i]) / n;
        my += log(points->x[2 * i + 1]) / n;
    }
    for (size_t i = 0; i < points->n; i++) {
        double x = log(points->x[2 * i]) - mx, y = log(points->x[2 * i + 1]) - my;
        sxx += x * x;
        syy += y * y;
        sxy += x * y;
    }
    return sxx < 1e-9 * n || syy < 1e-9 * n || sxy * sxy > 0.999 * sxx * syy;
}

const char *tare_law_refusal(const struct tare_law *law, const struct tare_fit_points *points)
{
    for (size_t i = 0; i < points->n; i++) {
        bool good = isfinite(points->loss[i]) && points->loss[i] > 0;
        for (size_t k = 0; k < law->n_axes; k++) {
            double x = points->x[i * law->n_axes + k];
            good = good && isfinite(x) && x > 0;
        }
        if (!good) {
            return "a size or loss is not a positive number";
        }
    }
    size_t n = distinct_places(law, points);
    if (law->n_axes == 2 && n < 6) {
        return "fewer than 6 different (N, D)";
    }
    if (law->n_axes == 1 && n < law->n_parameters + 1) {
        return "too few different sizes: one more than the law has parameters is the least";
    }
    return law->n_axes == 2 && along_a_line(points) ? "all (N, D) lie along one line" : NULL;
}

static double loss_at(const struct tare_law *law, const double *p, const void *ctx)
{
    const double *log_x = ctx;
    return exp(law->log_loss(p, log_x, NULL));
}

double tare_curve_fit_at(const struct tare_curve_fit *fit, const double *x)
{
    double log_x[TARE_LAW_AXES];
    for (size_t k = 0; k < fit->law->n_axes; k++) {
        log_x[k] = log(x[k]);
    }
    return loss_at(fit->law, fit->p, log_x);
}

int tare_curve_fit_quantiles(const struct tare_curve_fit *fit,
                             double (*of)(const struct tare_law *law, const double *p, const void *ctx),
                             const void *ctx, double *out_low, double *out_high, struct tare_err *err)
{
    *out_low = *out_high = (double)NAN;
    if (fit->n_draws < 2) {
        return 0;
    }
    double *values = malloc(fit->n_draws * sizeof *values);
    if (!values) {
        return tare_err_set(err, TARE_E_NOMEM, "fit: out of memory");
    }
    for (size_t i = 0; i < fit->n_draws; i++) {
        values[i] = of(fit->law, fit->draws + i * fit->law->n_parameters, ctx);
    }
    tare_sort(values, fit->n_draws);
    *out_low = tare_quantile(values, fit->n_draws, 0.025);
    *out_high = tare_quantile(values, fit->n_draws, 0.975);
    free(values);
    return 0;
}

int tare_curve_fit_band(const struct tare_curve_fit *fit, const double *x, double *out_low, double *out_high,
                        struct tare_err *err)
{
    double log_x[TARE_LAW_AXES];
    for (size_t k = 0; k < fit->law->n_axes; k++) {
        log_x[k] = log(x[k]);
    }
    return tare_curve_fit_quantiles(fit, loss_at, log_x, out_low, out_high, err);
}
