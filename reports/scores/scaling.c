/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scaling laws: Kaplan's forms, Chinchilla's three approaches and the frontier, each with the intervals of
 * its parameters, or absent with the reason why the points cannot carry it.
 */
#include "isoflop.h"
#include "scaling_points.h"
#include "sheet.h"

#include <stdlib.h>

struct options {
    char *file, *curves;
    char *loss, *size, *tokens, *arch;
    double declared_tok;
    double compute;
    int64_t starts, resamples, restarts, seed;
};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, file),
     .help = "points from a file: a line \"n,d,loss\", then a finished run a row"},
    {MEMBER(TARE_OPT_STR, curves),
     .help = "training curves from a file of the same form, for approach 1: rows of equal n are a curve"},
    {MEMBER(TARE_OPT_STR, loss), .def = "bits_per_byte", .help = "figure[@task] of the loss"},
    {MEMBER(TARE_OPT_STR, size), .def = "params_non_embedding",
     .help = "figure of N; params_total for Chinchilla's"},
    {MEMBER(TARE_OPT_STR, tokens), .def = "train_tok", .help = "figure of D"},
    {MEMBER(TARE_OPT_STR, arch), .help = "architecture; without it that of most models"},
    {MEMBER(TARE_OPT_F64, declared_tok), .def = "0", .help = "declared D of all models; 0: the figure",
     .unit = "tok"},
    {MEMBER(TARE_OPT_F64, compute), .def = "5.76e23", .help = "budget of the frontier, C = 6ND",
     .unit = "FLOP"},
    {MEMBER(TARE_OPT_I64, starts), .def = "0", .min = 0, .max = 4500,
     .help = "starts of the grid; 0: all of it (4500)"},
    {MEMBER(TARE_OPT_I64, resamples), .def = "400", .min = 0, .max = 20000,
     .help = "resamples of the bootstrap"},
    {MEMBER(TARE_OPT_I64, restarts), .def = "3", .min = 0, .max = 1000,
     .help = "starts of the grid that each resample tries beside the best optima"},
    {MEMBER(TARE_OPT_I64, seed), .def = "1", .min = 0, .max = INT64_MAX, .help = "of the bootstrap"},
    TARE_OPT_END};

struct job {
    struct tare_sheet *s;
    const struct options *o;
    struct tare_arena *arena;
    const struct tare_scaling_points *points;
};

static void put_row(struct job *j, const char *law, const char *parameter, const struct tare_score_value *v)
{
    tare_sheet_text(j->s, law);
    tare_sheet_text(j->s, parameter);
    tare_sheet_value(j->s, v);
}

static void put_missing(struct job *j, const char *law, const char *why)
{
    struct tare_score_value v = tare_score_absent(why);
    put_row(j, law, "all", &v);
}

static struct tare_score_value fitted(double value, double low, double high, const char *unit,
                                      const char *method, size_t n)
{
    struct tare_score_value v = tare_score_plain(value, unit, TARE_KIND_MODELLED, "fit");
    v.low = low;
    v.high = high;
    v.level = isfinite(low) ? 0.95 : (double)NAN;
    v.method = method;
    v.n = (int64_t)n;
    v.n_what = "points";
    return v;
}

#define BOOTSTRAP "percentile bootstrap over points, restarted from the grid"

static void put_fit(struct job *j, const char *law, const struct tare_curve_fit *fit)
{
    bool few = fit->n_points < 10;
    for (size_t k = 0; k < fit->law->n_parameters; k++) {
        const struct tare_curve_parameter *p = &fit->parameters[k];
        struct tare_score_value v = fitted(p->value, p->low, p->high, "1", BOOTSTRAP, fit->n_points);
        v.flags = few && fit->n_draws > 0 ? "FEW_POINTS" : "";
        put_row(j, law, p->name, &v);
    }
    if (few && fit->n_draws > 0) {
        tare_sheet_note(j->s, "FEW_POINTS: a bootstrap of fewer than 10 points is too narrow (%s)", law);
    }
    if (fit->n_draws == 0 && j->o->resamples > 0) {
        tare_sheet_note(j->s, "%s: too few points for a bootstrap, so that its parameters have no intervals.",
                        law);
    }
    tare_sheet_note(j->s,
                    "%s: %s, %zu points, median |residual| of log loss %.3g; %zu of %zu starts ended in the "
                    "best optimum; %zu resamples.",
                    law, fit->law->formula, fit->n_points, fit->residual, fit->n_agree, fit->n_starts,
                    fit->n_draws);
}

/* Fits and prints a law, or says why not. *out_done: it was fitted. */
static int fit_law(struct job *j, const struct tare_law *law, const char *name, const double *x,
                   const double *loss, size_t n, struct tare_curve_fit *out, bool *out_done,
                   struct tare_err *err)
{
    struct tare_fit_points points = {.x = x, .loss = loss, .n = n};
    struct tare_fit_options o = {.starts = (size_t)j->o->starts,
                                 .resamples = (size_t)j->o->resamples,
                                 .restarts = (size_t)j->o->restarts,
                                 .seed = (uint64_t)j->o->seed};
    const char *why = tare_law_refusal(law, &points);
    *out_done = !why;
    if (why) {
        put_missing(j, name, why);
        return 0;
    }
    int r = tare_law_fit(law, &points, &o, j->arena, out, err);
    if (r == 0) {
        put_fit(j, name, out);
    }
    return r;
}

/* Points that no other with as little x undercuts: where x alone limits the loss. Returns how many. */
static size_t lower_envelope(const double *x, const double *loss, size_t n, double *out_x, double *out_loss)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        bool lowest = true;
        for (size_t k = 0; k < n && lowest; k++) {
            bool under = loss[k] < loss[i] || (loss[k] == loss[i] && (x[k] < x[i] || k < i));
            lowest = k == i || !(x[k] <= x[i] && under);
        }
        if (lowest) {
            out_x[kept] = x[i];
            out_loss[kept++] = loss[i];
        }
    }
    return kept;
}

static bool same_tokens(const struct tare_scaling_points *p)
{
    for (size_t i = 1; i < p->n_points; i++) {
        if (fabs(p->d[i] - p->d[0]) > 1e-9 * p->d[0]) {
            return false;
        }
    }
    return true;
}

static int fit_kaplan(struct job *j, struct tare_err *err)
{
    const struct tare_scaling_points *p = j->points;
    static const char *const names[] = {"Kaplan L(N)", "Kaplan L(D)", "Kaplan L(C), C = 6ND in FLOP"};
    double *x = tare_arena_array(j->arena, 3 * p->n_points + 1, sizeof *x);
    struct tare_curve_fit fit;
    bool done;
    int r = x ? 0 : tare_err_set(err, TARE_E_NOMEM, "score scaling: out of memory");
    for (size_t axis = 0; r == 0 && axis < 3; axis++) {
        double *ex = x + p->n_points, *loss = ex + p->n_points;
        for (size_t i = 0; i < p->n_points; i++) {
            x[i] = axis == 0 ? p->n[i] : axis == 1 ? p->d[i] : 6 * p->n[i] * p->d[i];
        }
        if (axis > 0 && !p->has_tokens) {
            put_missing(j, names[axis], "the tokens of training are not known of every model");
            continue;
        }
        if (axis > 0 && same_tokens(p)) {
            put_missing(j, names[axis],
                        axis == 1 ? "all models saw the same D"
                                  : "all models saw the same D: C is N in another unit");
            continue;
        }
        size_t n = lower_envelope(x, p->loss, p->n_points, ex, loss);
        r = fit_law(j, &tare_law_power, names[axis], ex, loss, n, &fit, &done, err);
    }
    if (r == 0 && !p->has_tokens) {
        put_missing(j, "Kaplan L(N, D)", "the tokens of training are not known of every model");
    } else if (r == 0) {
        r = fit_law(j, &tare_law_kaplan, "Kaplan L(N, D)", p->nd, p->loss, p->n_points, &fit, &done, err);
    }
    return r;
}

static struct tare_frontier frontier_of(const double *p, double compute)
{
    return tare_chinchilla_frontier(exp(p[1]), exp(p[3]), p[2], p[4], compute);
}

static double n_opt(const struct tare_law *law, const double *p, const void *ctx)
{
    (void)law;
    return frontier_of(p, *(const double *)ctx).n_opt;
}

static double d_opt(const struct tare_law *law, const double *p, const void *ctx)
{
    (void)law;
    return frontier_of(p, *(const double *)ctx).d_opt;
}

static double exponent_n(const struct tare_law *law, const double *p, const void *ctx)
{
    (void)law;
    return frontier_of(p, *(const double *)ctx).exponent_n;
}

static int put_frontier(struct job *j, const struct tare_curve_fit *fit, struct tare_err *err)
{
    static const struct {
        const char *name, *unit;
        double (*of)(const struct tare_law *law, const double *p, const void *ctx);
    } rows[] = {{"N_opt", "1", n_opt}, {"D_opt", "tok", d_opt}, {"exponent of N", "1", exponent_n}};
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof rows / sizeof *rows; i++) {
        double low, high;
        r = tare_curve_fit_quantiles(fit, rows[i].of, &j->o->compute, &low, &high, err);
        struct tare_score_value v = fitted(rows[i].of(fit->law, fit->p, &j->o->compute), low, high,
                                           rows[i].unit, BOOTSTRAP, fit->n_points);
        put_row(j, "Frontier of approach 3", rows[i].name, &v);
    }
    tare_sheet_note(j->s, "Frontier at C = 6ND = %.4g FLOP.", j->o->compute);
    return r;
}

static int fit_chinchilla(struct job *j, struct tare_err *err)
{
    const struct tare_scaling_points *p = j->points;
    struct tare_curve_fit fit;
    bool done = false;
    int r = 0;
    if (!p->has_tokens) {
        put_missing(j, "Chinchilla, approach 3", "the tokens of training are not known of every model");
    } else {
        r = fit_law(j, &tare_law_chinchilla, "Chinchilla, approach 3", p->nd, p->loss, p->n_points, &fit,
                    &done, err);
    }
    if (r == 0 && done) {
        return put_frontier(j, &fit, err);
    }
    return r == 0 ? fit_law(j, &tare_law_saturating_1, "E + A / N^alpha alone", p->n, p->loss, p->n_points,
                            &fit, &done, err)
                  : r;
}

static void put_growth(struct job *j, const char *law, const struct tare_growth *g, bool by_budget)
{
    struct tare_score_value a = fitted(g->a, g->a_low, g->a_high, "1", g->method, g->n_used);
    struct tare_score_value b = fitted(g->b, g->b_low, g->b_high, "1", g->method, g->n_used);
    double log_c = log(j->o->compute), log_n = g->log_k_n + g->a * log_c;
    double half = tare_line_band(&g->line, log_c);
    a.n_what = b.n_what = "budgets";
    put_row(j, law, "a (N_opt ~ C^a)", &a);
    put_row(j, law, "b (D_opt ~ C^b)", &b);
    if (by_budget) { /* the envelope's budgets share curves, so that a line through them knows no error */
        struct tare_score_value n = fitted(exp(log_n), exp(log_n - half), exp(log_n + half), "1",
                                           "Student's t about the line", g->n_used);
        n.n_what = "budgets";
        put_row(j, law, "N_opt at the budget", &n);
    }
    tare_sheet_note(j->s, "%s: %zu budgets used, %zu left out without a minimum among their sizes.", law,
                    g->n_used, g->n_left_out);
}

/* A refusal of the data is a row; anything else an error. */
static int judge(struct job *j, const char *law, int r, const struct tare_growth *growth,
                 struct tare_err *err)
{
    if (r == 0) {
        put_growth(j, law, growth, strstr(law, "2") != NULL);
    } else if (r == TARE_E_USAGE && err) {
        put_missing(j, law, tare_sheet_keep(j->s, "%s", err->msg));
        err->code = 0;
        r = 0;
    }
    return r;
}

static int fit_growth(struct job *j, const struct tare_report_input *input, struct tare_err *err)
{
    const struct tare_scaling_points *p = j->points;
    struct tare_growth growth;
    struct tare_scaling_points curves;
    struct tare_err own = {0};
    int r = 0;
    if (p->has_tokens) {
        r = tare_isoflop(p->n, p->d, p->loss, p->n_points, 0.1, &growth, &own);
        r = judge(j, "Chinchilla, approach 2", r, &growth, &own);
    } else {
        put_missing(j, "Chinchilla, approach 2", "the tokens of training are not known of every model");
    }
    if (r == 0 && !j->o->curves) {
        put_missing(j, "Chinchilla, approach 1",
                    "no training curves are stored: give a file with --set curves=FILE");
        return 0;
    }
    struct tare_scaling_from from = {.file = j->o->curves};
    r = r == 0 ? tare_scaling_points(input, &from, j->arena, &curves, &own) : r;
    if (r == 0) {
        r = tare_envelope(curves.n, curves.d, curves.loss, curves.n_points, 100, 5, (size_t)j->o->resamples,
                          (uint64_t)j->o->seed, &growth, &own);
        r = judge(j, "Chinchilla, approach 1", r, &growth, &own);
    }
    return r == 0 ? 0 : tare_err_set(err, own.code, "%s", own.msg);
}

static void note_points(struct job *j)
{
    const struct tare_scaling_points *p = j->points;
    tare_sheet_note(j->s, "Points: %zu; loss in %s; %s", p->n_points, p->unit ? p->unit : "?",
                    p->where ? p->where : "?");
    if (!j->o->file) {
        tare_sheet_note(j->s, "Architecture: %s; N: %s; D: %s.",
                        p->arch ? p->arch : "not told by the backend", j->o->size,
                        j->o->declared_tok > 0 ? "declared" : j->o->tokens);
    }
    if (p->n_left_out > 0) {
        tare_sheet_note(j->s, "%zu systems are no points: %s.", p->n_left_out, p->why_out);
    }
    if (!j->o->file) {
        if (isfinite(p->counted_low) && isfinite(p->counted_high)) {
            tare_sheet_note(
                j->s,
                "C is 6ND; counted training work (3 x forward FLOPs a token) is %.3g to %.3g times "
                "that, since heads and attention are no part of 6N.",
                p->counted_low, p->counted_high);
        }
        tare_sheet_note(j->s,
                        "A ladder of models this small shows the method, not physics. A point must be a run "
                        "whose schedule ended at its D; that is taken on trust.");
    }
    tare_sheet_note(
        j->s, "Kaplan's one-axis forms go through the lower envelope of the points. Fits minimise the sum "
              "of Huber losses (delta 0.001) of log loss over a grid of starts.");
}

static int build(const struct tare_report_input *input, const void *opts, struct tare_score_out *out,
                 struct tare_err *err)
{
    const struct options *o = opts;
    struct tare_scaling_points points;
    struct tare_sheet s;
    struct tare_scaling_from from = {.file = o->file,
                                     .loss = o->loss,
                                     .size = o->size,
                                     .tokens = o->tokens,
                                     .declared_tok = o->declared_tok,
                                     .arch = o->arch};
    struct job j = {.s = &s, .o = o, .arena = &out->arena, .points = &points};
    int r = o->compute > 0 ? tare_scaling_points(input, &from, &out->arena, &points, err)
                           : tare_err_set(err, TARE_E_USAGE, "score scaling: compute must be above 0");
    if (r < 0) {
        return r;
    }
    tare_sheet_begin(&s, out, input);
    tare_sheet_column(&s, "law", "Law", NULL, TARE_BETTER_NONE);
    tare_sheet_column(&s, "parameter", "Parameter", NULL, TARE_BETTER_NONE);
    tare_sheet_column(&s, "value", "Value", NULL, TARE_BETTER_NONE);
    note_points(&j);
    r = fit_kaplan(&j, err);
    r = r == 0 ? fit_chinchilla(&j, err) : r;
    r = r == 0 ? fit_growth(&j, input, err) : r;
    return r == 0 ? tare_sheet_end(&s, "Scaling laws", err) : r;
}

const struct tare_score tare_score_scaling = {
    .name = "scaling",
    .summary = "Kaplan's and Chinchilla's laws, fitted with intervals; the compute-optimal frontier",
    .needs = "loss, parameters and tokens of training of finished models, or a file of them",
    .options_size = sizeof(struct options),
    .options = options,
    .build = build};
