/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HELM's model of runtime: t = f(n_in) + g (n_out - 1), fitted by least squares to our own requests, of which
 * the median (idealized: one stack, one machine) or the minimum (denoised: without contention) of equal work
 * is taken. Predictions for a stated request come with the interval of the fit.
 */
#include "formulas.h"
#include "sheet.h"
#include "stats/discrete.h"
#include "stats/line.h"

#include "stats/interval.h"

#include <fnmatch.h>
#include <stdlib.h>

enum { MOST_PROMPTS = sizeof((struct tare_runtime_fit *)0)->f_s / sizeof(double), MOST_POINTS = 256 };

/* Place of a prompt length; put in by size if it is new. MOST_PROMPTS: there is no room. */
static size_t place_of(struct tare_runtime_fit *fit, double n_in)
{
    size_t i = 0;
    while (i < fit->n_f && fit->prompt_tok[i] < n_in) {
        i++;
    }
    if ((i == fit->n_f || fit->prompt_tok[i] > n_in) && fit->n_f < MOST_PROMPTS) {
        memmove(fit->prompt_tok + i + 1, fit->prompt_tok + i, (fit->n_f - i) * sizeof(double));
        fit->prompt_tok[i] = n_in;
        fit->n_f++;
    }
    return i;
}

static double behind_first(double n_out)
{
    return n_out > 1 ? n_out - 1 : 0;
}

/* Within each prompt length x and t are taken from their means; the common slope is that of all. */
bool tare_runtime_fit(const double *n_in, const double *n_out, const double *t_s, size_t n,
                      struct tare_runtime_fit *out)
{
    struct tare_runtime_fit fit = {.g_se_s = (double)NAN, .residual_s = (double)NAN};
    double count[MOST_PROMPTS] = {0}, x_mean[MOST_PROMPTS] = {0}, sxx = 0, sxy = 0, rss = 0;
    for (size_t i = 0; i < n; i++) {
        if (place_of(&fit, n_in[i]) == MOST_PROMPTS) {
            return false;
        }
    }
    for (size_t i = 0; i < n; i++) {
        size_t k = place_of(&fit, n_in[i]);
        count[k]++;
        x_mean[k] += (behind_first(n_out[i]) - x_mean[k]) / count[k];
        fit.f_s[k] += (t_s[i] - fit.f_s[k]) / count[k];
    }
    for (size_t i = 0; i < n; i++) {
        size_t k = place_of(&fit, n_in[i]);
        double x = behind_first(n_out[i]) - x_mean[k];
        sxx += x * x;
        sxy += x * (t_s[i] - fit.f_s[k]);
    }
    if (!(sxx > 0)) {
        return false;
    }
    fit.g_s = sxy / sxx;
    for (size_t i = 0; i < n; i++) {
        size_t k = place_of(&fit, n_in[i]);
        double r = t_s[i] - fit.f_s[k] - fit.g_s * (behind_first(n_out[i]) - x_mean[k]);
        rss += r * r;
    }
    fit.df = n > fit.n_f + 1 ? n - fit.n_f - 1 : 0;
    if (fit.df > 0) {
        fit.residual_s = sqrt(rss / (double)fit.df);
        fit.g_se_s = fit.residual_s / sqrt(sxx);
    }
    for (size_t k = 0; k < fit.n_f; k++) {
        fit.f_s[k] -= fit.g_s * x_mean[k];
        fit.f_se_s[k] = fit.residual_s * sqrt(1 / count[k] + x_mean[k] * x_mean[k] / sxx);
    }
    *out = fit;
    return true;
}

double tare_runtime_predict(const struct tare_runtime_fit *fit, double n_in, double n_out)
{
    size_t k = 0;
    while (k + 1 < fit->n_f && fit->prompt_tok[k] < n_in) {
        k++;
    }
    if (fit->n_f == 0 || !(fit->prompt_tok[k] > 0)) {
        return (double)NAN;
    }
    return fit->f_s[k] * n_in / fit->prompt_tok[k] + fit->g_s * behind_first(n_out);
}

struct options {
    char *task;
    int64_t prompt_tok;
    int64_t output_tok;
};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, task), .def = "*", .help = "shell pattern of the tasks; those that generate count"},
    {MEMBER(TARE_OPT_I64, prompt_tok), .def = "128", .min = 1, .max = 1 << 20, .unit = "tok",
     .help = "prompt of the request that is predicted"},
    {MEMBER(TARE_OPT_I64, output_tok), .def = "32", .min = 0, .max = 1 << 20, .unit = "tok",
     .help = "output of the request that is predicted"},
    TARE_OPT_END};

struct points {
    double n_in[MOST_POINTS], n_out[MOST_POINTS], median_s[MOST_POINTS], minimum_s[MOST_POINTS];
    size_t n, requests;
};

/* Sorted times of equal work become a point. */
static void add_point(struct points *to, double n_in, double n_out, double *times_ns, size_t n)
{
    if (n == 0 || to->n == MOST_POINTS) {
        return;
    }
    tare_sort(times_ns, n);
    to->n_in[to->n] = n_in;
    to->n_out[to->n] = n_out;
    to->median_s[to->n] = 1e-9 * tare_quantile(times_ns, n, 0.5);
    to->minimum_s[to->n++] = 1e-9 * times_ns[0];
    to->requests += n;
}

/* A column's number of work is 2^21 tokens fed + 2 tokens put out (base/record.h). */
static void split_work(double work, double *n_in, double *n_out)
{
    *n_in = floor(work / 2097152);
    *n_out = floor((work - *n_in * 2097152) / 2);
}

/* Latencies grouped by work; moves what is taken to the front. */
static void add_latencies(struct points *to, double *latency, double *work, size_t n)
{
    for (size_t from = 0; from < n;) {
        size_t end = from;
        for (size_t i = from; i < n; i++) {
            if (work[i] == work[from]) {
                double l = latency[i], w = work[i];
                latency[i] = latency[end];
                work[i] = work[end];
                latency[end] = l;
                work[end++] = w;
            }
        }
        double n_in, n_out;
        split_work(work[from], &n_in, &n_out);
        add_point(to, n_in, n_out, latency + from, end - from);
        from = end;
    }
}

static bool all_equal(const double *x, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (x[i] != x[0]) {
            return false;
        }
    }
    return n > 0;
}

static int add_cell(const struct tare_report_input *in, const struct tare_report_cell *c, struct points *to,
                    struct tare_err *err)
{
    double *latency = NULL, *work = NULL, *first = NULL;
    size_t n = 0, n_work = 0, n_first = 0;
    int r = in->column(in->ctx, c->id, TARE_COLUMN_LATENCY_NS, &latency, &n, err);
    r = r == 0 ? in->column(in->ctx, c->id, TARE_COLUMN_WORK, &work, &n_work, err) : r;
    r = r == 0 ? in->column(in->ctx, c->id, TARE_COLUMN_TTFT_NS, &first, &n_first, err) : r;
    if (r == 0 && n_first > 0 && n == n_work) { /* it generates */
        double n_in = 0, n_out = 0;
        bool uniform = all_equal(work, n);
        split_work(uniform ? work[0] : 0, &n_in, &n_out);
        add_latencies(to, latency, work, n);
        if (uniform && n_out > 1) {
            add_point(to, n_in, 1, first, n_first);
        }
    }
    free(latency);
    free(work);
    free(first);
    return r;
}

static bool is_valid(const struct tare_report_cell *c)
{
    return !c->verdict || strcmp(c->verdict, "VALID") == 0;
}

static int gather(const struct tare_report_input *in, const struct options *o,
                  const struct tare_score_system *system, struct points *to, struct tare_err *err)
{
    int r = 0;
    memset(to, 0, sizeof *to);
    for (size_t i = 0; r == 0 && in->column && i < in->n_cells; i++) {
        const struct tare_report_cell *c = &in->cells[i];
        bool mine = strcmp(c->model, system->model) == 0 && strcmp(c->technique, system->technique) == 0 &&
                    strcmp(c->scenario, system->scenario) == 0 && strcmp(c->backend, system->backend) == 0;
        if (mine && is_valid(c) && fnmatch(o->task, c->task, 0) == 0) {
            r = add_cell(in, c, to, err);
        }
    }
    return r;
}

static struct tare_score_value with_error(double value, double half, const struct points *p, const char *unit)
{
    struct tare_score_value v = tare_score_plain(value, unit, TARE_KIND_MEASURED, "least squares");
    if (isfinite(half)) {
        v.low = value - half;
        v.high = value + half;
        v.level = 0.95;
        v.method = "Student's t about the fit";
    }
    v.n = (int64_t)p->n;
    v.n_what = "kinds of request";
    return v;
}

static void put_fit(struct tare_sheet *s, const struct options *o, const struct points *p,
                    const struct tare_runtime_fit *fit)
{
    double t = tare_t_quantile(0.975, (double)(fit->df)), n_in = (double)o->prompt_tok,
           n_out = (double)o->output_tok;
    struct tare_score_value values[] = {
        with_error(fit->f_s[0], t * fit->f_se_s[0], p, "s"),
        with_error(fit->f_s[fit->n_f - 1], t * fit->f_se_s[fit->n_f - 1], p, "s"),
        with_error(fit->g_s, t * fit->g_se_s, p, "s/tok"),
        with_error(fit->residual_s, (double)NAN, p, "s"),
        with_error(tare_runtime_predict(fit, n_in, n_out), t * fit->residual_s, p, "s"),
    };
    values[3].why = "as many unknowns as kinds of request";
    values[4].kind = TARE_KIND_MODELLED;
    values[4].flags = n_in > fit->prompt_tok[fit->n_f - 1] ? "BEYOND" : "";
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        tare_sheet_value(s, &values[i]);
    }
}

static void put_rows(struct tare_sheet *s, const struct options *o, const struct tare_score_system *system,
                     const struct points *p)
{
    for (int denoised = 0; denoised < 2; denoised++) {
        struct tare_runtime_fit fit;
        tare_sheet_text(s, system->name);
        tare_sheet_text(s, denoised ? "denoised: minimum" : "idealized: median");
        if (tare_runtime_fit(p->n_in, p->n_out, denoised ? p->minimum_s : p->median_s, p->n, &fit)) {
            tare_sheet_textf(s, "%g to %g", fit.prompt_tok[0], fit.prompt_tok[fit.n_f - 1]);
            put_fit(s, o, p, &fit);
            continue;
        }
        for (int i = 0; i < 6; i++) {
            tare_sheet_absent(s,
                              p->n == 0 ? "no request that generated" : "one number of output tokens only");
        }
    }
}

static int build(const struct tare_report_input *input, const void *opts, struct tare_score_out *out,
                 struct tare_err *err)
{
    const struct options *o = opts;
    struct tare_score_matrix m = {0};
    struct tare_sheet s;
    int r = tare_sheet_matrix(input, "latency_p50", out, &m, err);
    if (r < 0) {
        return r;
    }
    tare_sheet_systems(&s, out, input);
    tare_sheet_column(&s, "statistic", "Runtime", NULL, TARE_BETTER_NONE);
    tare_sheet_column(&s, "prompts", "Prompts (tok)", NULL, TARE_BETTER_NONE);
    tare_sheet_column(&s, "f_short", "f at the shortest", "s", TARE_BETTER_LOWER);
    tare_sheet_column(&s, "f_long", "f at the longest", "s", TARE_BETTER_LOWER);
    tare_sheet_column(&s, "g", "g", "s/tok", TARE_BETTER_LOWER);
    tare_sheet_column(&s, "residual", "Residual", "s", TARE_BETTER_NONE);
    tare_sheet_column(
        &s, "predicted",
        tare_sheet_keep(&s, "Predicted, %lld + %lld tok", (long long)o->prompt_tok, (long long)o->output_tok),
        "s", TARE_BETTER_LOWER);
    for (size_t i = 0; r == 0 && i < m.n_systems; i++) {
        struct points p;
        r = gather(input, o, &m.systems[i], &p, err);
        put_rows(&s, o, &m.systems[i], &p);
    }
    tare_sheet_note(
        &s, "t = f(n_in) + g (n_out - 1), f at each prompt length that was asked and one g; a prompt in "
            "between takes the next longer one's f in proportion. HELM's idealized runtime is one uniform "
            "stack for all models, here this machine; its denoised one is the provider's own, without "
            "contention, here the fastest of all requests of equal work.");
    tare_sheet_note(
        &s, "Intervals are of the fit's residuals; they hold only if runs on another day vary no more. "
            "BEYOND: the prompt is longer than any that was asked.");
    return r == 0 ? tare_sheet_end(&s, "Runtime fits (HELM)", err) : r;
}

const struct tare_score tare_score_helm = {
    .name = "helm",
    .summary = "idealized and denoised runtime: f of the prompt and g a token, with predictions",
    .needs = "tasks that generate, with outputs of two lengths or times to the first token",
    .options_size = sizeof(struct options),
    .options = options,
    .build = build};
