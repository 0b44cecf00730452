/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loss against what a technique leaves of a model: bits of a weight, density (1 - sparsity) or the share of
 * the parameters that low rank keeps. The law is the saturating power law L = E + A / x^alpha, by the same
 * engine as scaling laws; it is a description of these points, with no theory behind it.
 */
#include "matrix.h"
#include "law_fit.h"
#include "sheet.h"

#include <stdlib.h>

enum { AXIS_BITS, AXIS_DENSITY, AXIS_RANK };

struct options {
    int64_t axis;
    char *loss, *model, *technique;
    int64_t resamples;
};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct options, member_)

static const char *const axes[] = {"bits", "sparsity", "rank", NULL};

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_CHOICE, axis), .def = "bits", .choices = axes,
     .help = "bits of a weight, sparsity, or rank (the share of the parameters that is kept)"},
    {MEMBER(TARE_OPT_STR, loss), .def = "bits_per_byte", .help = "figure[@task] of the loss"},
    {MEMBER(TARE_OPT_STR, model), .help = "model; without it the plan's baseline"},
    {MEMBER(TARE_OPT_STR, technique),
     .help = "only techniques whose tag begins so, such as infer.compress.quant.weight{method=rtn"},
    {MEMBER(TARE_OPT_I64, resamples), .def = "400", .min = 0, .max = 20000,
     .help = "resamples of the bootstrap"},
    TARE_OPT_END};

static const char *const families[] = {"infer.compress.quant", "infer.compress.prune",
                                       "infer.compress.low-rank"};
static const char *const names[] = {"bits of a weight", "density", "share of the parameters kept"};

/* A number of a tag, tag{key=0.5,...}; NaN if it has none of that name. */
static double tag_number(const char *tag, const char *key)
{
    const char *at = tag ? strchr(tag, '{') : NULL;
    size_t n = strlen(key);
    while (at) {
        at++;
        if (strncmp(at, key, n) == 0 && at[n] == '=') {
            char *end = NULL;
            double value = strtod(at + n + 1, &end);
            return end != at + n + 1 && (*end == ',' || *end == '}') ? value : (double)NAN;
        }
        at = strchr(at, ',');
    }
    return (double)NAN;
}

/* Bits: stored bits of a parameter, as counted. Density: 1 - sparsity of the tag, 1/2 of 2:4. Rank: the tag's
 * ratio, or the parameters against those of the untreated model. */
static double place_of(const struct tare_score_matrix *m, size_t i, size_t base, int64_t axis)
{
    const char *tag = m->systems[i].tag;
    double bits = tare_score_at(m, i, 1)->value, params = tare_score_at(m, i, 2)->value;
    if (axis == AXIS_BITS) {
        return bits;
    }
    if (axis == AXIS_DENSITY) {
        double sparsity = tag_number(tag, "sparsity");
        return i == base ? 1 : tag && strstr(tag, "pattern=2:4") ? 0.5 : 1 - sparsity;
    }
    double ratio = tag_number(tag, "ratio");
    return i == base ? 1 : isfinite(ratio) ? ratio : params / tare_score_at(m, base, 2)->value;
}

static bool belongs(const struct options *o, const struct tare_score_system *s)
{
    const char *tag = s->tag ? s->tag : s->technique;
    return strncmp(tag, families[o->axis], strlen(families[o->axis])) == 0 &&
           (!o->technique || strncmp(tag, o->technique, strlen(o->technique)) == 0);
}

static size_t find_base(const struct tare_score_matrix *m, const char *model)
{
    for (size_t i = 0; i < m->n_systems; i++) {
        if (tare_score_untreated(&m->systems[i]) && (!model || strcmp(m->systems[i].model, model) == 0)) {
            return i;
        }
    }
    return m->n_systems;
}

struct points {
    double *x, *loss;
    size_t *rows; /* systems, the untreated one among them */
    size_t n_rows;
    size_t n; /* of them with place and loss: points of the law */
};

/* The untreated model and its treated forms. */
static int gather(const struct options *o, const struct tare_score_matrix *m, size_t base,
                  struct tare_arena *arena, struct points *p, struct tare_err *err)
{
    p->x = tare_arena_array(arena, m->n_systems + 1, sizeof(double));
    p->loss = tare_arena_array(arena, m->n_systems + 1, sizeof(double));
    p->rows = tare_arena_array(arena, m->n_systems + 1, sizeof(size_t));
    if (!p->x || !p->loss || !p->rows) {
        return tare_err_set(err, TARE_E_NOMEM, "score compression-law: out of memory");
    }
    for (size_t i = 0; base < m->n_systems && i < m->n_systems; i++) {
        bool same = strcmp(m->systems[i].model, m->systems[base].model) == 0;
        if (!same || (i != base && !belongs(o, &m->systems[i]))) {
            continue;
        }
        double x = place_of(m, i, base, o->axis), loss = tare_score_at(m, i, 0)->value;
        p->rows[p->n_rows++] = i;
        if (x > 0 && loss > 0) {
            p->x[p->n] = x;
            p->loss[p->n++] = loss;
        }
    }
    return 0;
}

static struct tare_score_value modelled(double value, double low, double high, const char *unit,
                                        const struct tare_curve_fit *fit)
{
    struct tare_score_value v = tare_score_plain(value, unit, TARE_KIND_MODELLED, "fit");
    v.low = low;
    v.high = high;
    v.level = isfinite(low) ? 0.95 : (double)NAN;
    v.method = "percentile bootstrap over points, restarted from the grid";
    v.n = (int64_t)fit->n_points;
    v.n_what = "points";
    return v;
}

/* Rows of the systems: place, loss, and what the law says there (fit NULL: why there is none). */
static int put_systems(struct tare_sheet *s, const struct options *o, const struct tare_score_matrix *m,
                       size_t base, const struct points *p, const struct tare_curve_fit *fit, const char *why,
                       struct tare_err *err)
{
    int r = 0;
    for (size_t k = 0; r == 0 && k < p->n_rows; k++) {
        size_t i = p->rows[k];
        double x = place_of(m, i, base, o->axis), low = (double)NAN, high = (double)NAN;
        struct tare_score_value place =
            tare_score_plain(x, o->axis == AXIS_BITS ? "bit" : "1", TARE_KIND_COUNTED,
                             o->axis == AXIS_BITS ? "stored bits" : "tag");
        place.why = "its tag does not say";
        place.low = place.high = x;
        place.level = 1;
        place.method = "exact count";
        tare_sheet_text(s, m->systems[i].name);
        tare_sheet_value(s, &place);
        tare_sheet_value(s, tare_score_at(m, i, 0));
        if (!fit || !(x > 0)) {
            tare_sheet_absent(s, fit ? place.why : why);
            continue;
        }
        r = tare_curve_fit_band(fit, &x, &low, &high, err);
        struct tare_score_value v = modelled(tare_curve_fit_at(fit, &x), low, high, m->metrics[0].unit, fit);
        tare_sheet_value(s, &v);
    }
    return r;
}

static void put_law(struct tare_sheet *s, const struct options *o, const struct tare_curve_fit *fit,
                    const char *unit)
{
    for (size_t k = 0; k < fit->law->n_parameters; k++) {
        const struct tare_curve_parameter *p = &fit->parameters[k];
        struct tare_score_value v = modelled(p->value, p->low, p->high, k == 2 ? "1" : unit, fit);
        tare_sheet_textf(s, "law: %s", p->name);
        tare_sheet_absent(s, "a parameter of the law, no system");
        tare_sheet_absent(s, "a parameter of the law, no system");
        tare_sheet_value(s, &v);
    }
    if (fit->n_draws == 0) {
        tare_sheet_note(s, "Too few points for a bootstrap: the law has no intervals.");
    }
    if (fit->parameters[0].value < 0.01 * fit->parameters[1].value) {
        tare_sheet_note(s, "E is next to nothing: these points do not show where the loss would level off.");
    }
    tare_sheet_note(s,
                    "L = E + A / x^alpha, x the %s; %zu points, median |residual| of log loss %.3g, %zu "
                    "resamples.",
                    names[o->axis], fit->n_points, fit->residual, fit->n_draws);
}

/* Fits what can be fitted and prints everything. */
static int put_all(struct tare_sheet *s, const struct options *o, const struct tare_score_matrix *m,
                   size_t base, const struct points *p, struct tare_arena *arena, struct tare_err *err)
{
    struct tare_fit_points points = {.x = p->x, .loss = p->loss, .n = p->n};
    struct tare_fit_options fit_options = {.resamples = (size_t)o->resamples, .restarts = 3, .seed = 1};
    struct tare_curve_fit fit;
    const char *why = tare_law_refusal(&tare_law_saturating_1, &points);
    int r = why ? 0 : tare_law_fit(&tare_law_saturating_1, &points, &fit_options, arena, &fit, err);
    r = r == 0 ? put_systems(s, o, m, base, p, why ? NULL : &fit, why, err) : r;
    if (r == 0 && !why) {
        put_law(s, o, &fit, m->metrics[0].unit);
    }
    return r;
}

static int build(const struct tare_report_input *input, const void *opts, struct tare_score_out *out,
                 struct tare_err *err)
{
    const struct options *o = opts;
    struct tare_score_matrix m = {0};
    struct tare_sheet s;
    struct points p = {0};
    tare_sheet_systems(&s, out, input);
    const char *metrics = tare_sheet_keep(&s, "%s:lower,bits_per_weight,params_total", o->loss);
    int r = metrics ? tare_sheet_matrix(input, metrics, out, &m, err)
                    : tare_err_set(err, TARE_E_NOMEM, "score compression-law: out of memory");
    if (r < 0) {
        return r;
    }
    size_t base = find_base(&m, o->model ? o->model : input->baseline);
    tare_sheet_column(&s, "x", names[o->axis], o->axis == AXIS_BITS ? "bit" : "1", TARE_BETTER_LOWER);
    tare_sheet_column(&s, "loss", m.metrics[0].header, m.metrics[0].unit, TARE_BETTER_LOWER);
    tare_sheet_column(&s, "law", "Law", m.metrics[0].unit, TARE_BETTER_NONE);
    r = gather(o, &m, base, &out->arena, &p, err);
    r = r == 0 ? put_all(&s, o, &m, base, &p, &out->arena, err) : r;
    tare_sheet_or_why(&s, "the model is not among the systems untreated: name it with model=MODEL");
    tare_sheet_note(
        &s, "Techniques of one family but different methods share no curve: name one with technique=TAG. "
            "The untreated model is a point.");
    return r == 0 ? tare_sheet_end(&s, "Loss against what is left of the model", err) : r;
}

const struct tare_score tare_score_compression_law = {
    .name = "compression-law",
    .summary = "loss against bits, sparsity or rank: E + A / x^alpha",
    .needs = "a model untreated and at three settings or more of a technique of the family",
    .options_size = sizeof(struct options),
    .options = options,
    .build = build};
