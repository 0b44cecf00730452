/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Break-even: the tokens after which a technique's one-off cost is repaid by what it saves on each. Both
 * costs are in one unit; where nothing is saved it is never repaid, and where the interval of the saving
 * holds 0, it may never be.
 */
#include "draw.h"
#include "formulas.h"
#include "sheet.h"

#include "stats/interval.h"

double tare_break_even(double one_off, double cost_before, double cost_after)
{
    double saving = cost_before - cost_after;
    if (isnan(one_off) || isnan(saving)) {
        return (double)NAN;
    }
    return one_off <= 0 ? 0 : saving > 0 ? one_off / saving : (double)INFINITY;
}

struct options {
    char *cost;
    char *one_off;
    double declared;
};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, cost), .def = "tpot_p50",
     .help = "figure[@task] of what a token costs; of a throughput (name ends so) its inverse is taken"},
    {MEMBER(TARE_OPT_STR, one_off), .def = "apply_time",
     .help = "figure[@task] of the one-off cost, in its unit"},
    {MEMBER(TARE_OPT_F64, declared), .def = "-1",
     .help = "declared one-off cost in the unit of the cost, instead of the figure; negative: none"},
    TARE_OPT_END};

/* A rate as a cost: the inverse, its interval turned round. */
static void invert(struct tare_score_value *v)
{
    if (isfinite(v->value) && v->value > 0) {
        double low = v->high > 0 ? 1 / v->high : (double)NAN, high = v->low > 0 ? 1 / v->low : (double)NAN;
        v->value = 1 / v->value;
        v->low = low;
        v->high = high;
        v->unit = "s/tok";
    }
}

/* The same model, scenario and backend, untreated. */
static size_t untreated_of(const struct tare_score_matrix *m, size_t i)
{
    for (size_t j = 0; j < m->n_systems; j++) {
        const struct tare_score_system *a = &m->systems[i], *b = &m->systems[j];
        if (tare_score_untreated(b) && strcmp(a->model, b->model) == 0 &&
            strcmp(a->scenario, b->scenario) == 0 && strcmp(a->backend, b->backend) == 0) {
            return j;
        }
    }
    return m->n_systems;
}

struct answer {
    struct tare_score_value saving, tokens, least, most;
};

static void draw_answer(const struct tare_score_value *one_off, const struct tare_score_value *before,
                        const struct tare_score_value *after, struct answer *a)
{
    double tokens[TARE_SCORE_DRAWS], savings[TARE_SCORE_DRAWS];
    struct tare_rng rng;
    tare_rng_init(&rng, 1);
    for (size_t i = 0; i < TARE_SCORE_DRAWS; i++) {
        double cost = tare_draw_value(one_off, &rng), b = tare_draw_value(before, &rng),
               c = tare_draw_value(after, &rng);
        savings[i] = b - c;
        tokens[i] = tare_break_even(fmax(cost, 0), b, c);
    }
    tare_draw_interval(savings, TARE_SCORE_DRAWS, &a->saving);
    tare_sort(tokens, TARE_SCORE_DRAWS);
    double low = tokens[TARE_SCORE_DRAWS / 40], high = tokens[TARE_SCORE_DRAWS - 1 - TARE_SCORE_DRAWS / 40];
    a->least.value = low;
    a->most.value = high;
    a->least.method = a->most.method = TARE_SCORE_DRAW_METHOD;
    if (isfinite(low) && isfinite(high) && isfinite(a->tokens.value)) {
        a->tokens.low = low;
        a->tokens.high = high;
        a->tokens.level = 0.95;
        a->tokens.method = TARE_SCORE_DRAW_METHOD;
    }
    a->least.why = "never, at this confidence";
    a->most.why = "may never be: the interval of the saving holds 0";
}

static struct answer answer_of(const struct tare_score_value *one_off, const struct tare_score_value *before,
                               const struct tare_score_value *after)
{
    struct answer a;
    enum tare_kind kind = tare_score_weaker(one_off->kind, tare_score_weaker(before->kind, after->kind));
    a.saving = tare_score_plain(before->value - after->value, before->unit,
                                tare_score_weaker(before->kind, after->kind), "untreated less treated");
    a.tokens = tare_score_plain(tare_break_even(one_off->value, before->value, after->value), "tok", kind,
                                "one-off cost / saving a token");
    a.tokens.why = "never: a token does not cost less";
    a.tokens.mark = "never";
    a.least = a.most = tare_score_plain((double)NAN, "tok", kind, a.tokens.source);
    a.least.why = a.most.why = "an input has no interval";
    if (tare_draw_known((const struct tare_score_value *const[]){one_off, before, after}, 3)) {
        draw_answer(one_off, before, after, &a);
    }
    return a;
}

static void put_row(struct tare_sheet *s, const struct tare_score_matrix *m, size_t i)
{
    size_t base = untreated_of(m, i);
    const struct tare_score_value *one_off = tare_score_at(m, i, 1), *after = tare_score_at(m, i, 0);
    tare_sheet_text(s, m->systems[i].name);
    tare_sheet_value(s, one_off);
    tare_sheet_value(s, after);
    const char *why = base == m->n_systems ? "the untreated model is not among the systems"
                      : !isfinite(after->value) || !isfinite(tare_score_at(m, base, 0)->value)
                          ? "what a token costs is absent"
                      : !isfinite(one_off->value)
                          ? "the one-off cost is absent: declare it with declared=VALUE"
                          : NULL;
    if (why) {
        for (int k = 0; k < 4; k++) {
            tare_sheet_absent(s, why);
        }
        return;
    }
    struct answer a = answer_of(one_off, tare_score_at(m, base, 0), after);
    tare_sheet_value(s, &a.saving);
    tare_sheet_value(s, &a.tokens);
    tare_sheet_value(s, &a.least);
    tare_sheet_value(s, &a.most);
}

static void prepare(const struct options *o, struct tare_score_matrix *m)
{
    size_t n = strlen(o->cost), end = strcspn(o->cost, "@:");
    bool rate = end >= 10 && end <= n && strncmp(o->cost + end - 10, "throughput", 10) == 0;
    for (size_t i = 0; i < m->n_systems; i++) {
        if (rate) {
            invert(&m->values[i * m->n_metrics]);
        }
        if (o->declared >= 0) {
            struct tare_score_value v = tare_score_plain(o->declared, m->metrics[0].unit, TARE_KIND_DECLARED,
                                                         "declared one-off cost");
            v.low = v.high = o->declared;
            v.level = 1;
            m->values[i * m->n_metrics + 1] = v;
        }
    }
    m->metrics[0].unit = rate ? "s/tok" : m->metrics[0].unit;
}

static int build(const struct tare_report_input *input, const void *opts, struct tare_score_out *out,
                 struct tare_err *err)
{
    const struct options *o = opts;
    struct tare_score_matrix m = {0};
    struct tare_sheet s;
    tare_sheet_systems(&s, out, input);
    const char *metrics = tare_sheet_keep(&s, "%s,%s", o->cost, o->one_off);
    int r = metrics ? tare_sheet_matrix(input, metrics, out, &m, err)
                    : tare_err_set(err, TARE_E_NOMEM, "score break-even: out of memory");
    if (r == 0 && m.n_metrics != 2) {
        r = tare_err_set(err, TARE_E_USAGE, "score break-even: cost and one_off are one figure each");
    }
    if (r < 0) {
        return r;
    }
    prepare(o, &m);
    tare_sheet_column(&s, "one_off", "One-off cost", m.metrics[1].unit, TARE_BETTER_LOWER);
    tare_sheet_column(&s, "cost", tare_sheet_keep(&s, "Cost/token (%s)", m.metrics[0].header),
                      m.metrics[0].unit, TARE_BETTER_LOWER);
    tare_sheet_column(&s, "saving", "Saving/token", m.metrics[0].unit, TARE_BETTER_HIGHER);
    tare_sheet_column(&s, "tokens", "Repaid after", "tok", TARE_BETTER_LOWER);
    tare_sheet_column(&s, "least", "at least", "tok", TARE_BETTER_NONE);
    tare_sheet_column(&s, "most", "at most", "tok", TARE_BETTER_NONE);
    for (size_t i = 0; i < m.n_systems; i++) {
        if (!tare_score_untreated(&m.systems[i])) {
            put_row(&s, &m, i);
        }
    }
    tare_sheet_or_why(&s, "no technique was applied to any system");
    tare_sheet_note(
        &s,
        "Repaid after: one-off cost / (cost of a token untreated - treated); at least and at most are "
        "its 95 %% bounds. Costs of %s and %s must be in one unit (seconds a token and seconds). "
        "Quality that is lost is no cost here: see iso-quality.",
        m.metrics[0].header, m.metrics[1].header);
    return tare_sheet_end(&s, "Break-even", err);
}

const struct tare_score tare_score_break_even = {
    .name = "break-even",
    .summary = "tokens after which a technique's one-off cost is repaid, if ever",
    .needs = "a technique with its one-off cost, and the untreated model on the same task",
    .options_size = sizeof(struct options),
    .options = options,
    .build = build};
