/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An energy report in the manner of SustaiNLP 2020: quality and energy of inference as a pair, each against a
 * baseline. The workshop's ranking formula could not be verified, so there is none: systems stand or fall by
 * Pareto dominance of the pair.
 */
#include "draw.h"
#include "front.h"
#include "sheet.h"

struct options {
    char *quality;
    char *energy;
    char *baseline;
};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, quality), .def = "quality", .help = "figure[@task] of quality"},
    {MEMBER(TARE_OPT_STR, energy), .def = "energy_kwh", .help = "figure[@task] of energy while predicting"},
    {MEMBER(TARE_OPT_STR, baseline),
     .help = "model to compare with, untreated; without it the plan's baseline"},
    TARE_OPT_END};

static size_t find_baseline(const struct tare_score_matrix *m, const char *model)
{
    for (size_t i = 0; i < m->n_systems; i++) {
        if (model && strcmp(m->systems[i].model, model) == 0 && tare_score_untreated(&m->systems[i])) {
            return i;
        }
    }
    return m->n_systems;
}

/* a - b or a / b with an interval by draws. */
static struct tare_score_value against(const struct tare_score_value *a, const struct tare_score_value *b,
                                       bool ratio)
{
    double results[TARE_SCORE_DRAWS];
    struct tare_rng rng;
    tare_rng_init(&rng, 1);
    if (!isfinite(a->value) || !isfinite(b->value) || (ratio && !(b->value > 0))) {
        return tare_score_absent(!isfinite(a->value) ? a->why : "the baseline has no value");
    }
    struct tare_score_value v = tare_score_plain(
        ratio ? a->value / b->value : a->value - b->value, ratio ? "x" : a->unit,
        tare_score_weaker(a->kind, b->kind), ratio ? "ratio to the baseline" : "difference to the baseline");
    for (size_t i = 0; i < TARE_SCORE_DRAWS; i++) {
        double x = tare_draw_value(a, &rng), y = tare_draw_value(b, &rng);
        results[i] = ratio ? x / y : x - y;
    }
    if (tare_draw_known((const struct tare_score_value *const[]){a, b}, 2)) {
        tare_draw_interval(results, TARE_SCORE_DRAWS, &v);
    }
    return v;
}

/* 1 + the number of systems that dominate it beyond the intervals. */
static struct tare_score_value pareto_rank(const struct tare_score_matrix *m, size_t i)
{
    double rank = 1;
    if (!isfinite(tare_score_at(m, i, 0)->value) || !isfinite(tare_score_at(m, i, 1)->value)) {
        return tare_score_absent("quality or energy is absent");
    }
    for (size_t x = 0; x < m->n_systems; x++) {
        rank += x != i && tare_dominates(m, x, i).dominance == TARE_DOMINANCE_CLEAR &&
                isfinite(tare_score_at(m, x, 0)->value) && isfinite(tare_score_at(m, x, 1)->value);
    }
    struct tare_score_value v = tare_score_plain(
        rank, "1", tare_score_weaker(tare_score_at(m, i, 0)->kind, tare_score_at(m, i, 1)->kind),
        "dominance");
    return v;
}

static void put_row(struct tare_sheet *s, const struct tare_score_matrix *m, size_t i, size_t baseline)
{
    struct tare_score_value rank = pareto_rank(m, i),
                            none = tare_score_absent("no baseline in the selection");
    tare_sheet_text(s, m->systems[i].name);
    tare_sheet_values(s, m, i);
    for (int ratio = 0; ratio < 2; ratio++) {
        size_t column = ratio ? 1 : 0;
        struct tare_score_value v =
            baseline == m->n_systems ? none
            : baseline == i          ? tare_score_absent("this is the baseline")
                            : against(tare_score_at(m, i, column), tare_score_at(m, baseline, column), ratio);
        tare_sheet_value(s, &v);
    }
    tare_sheet_value(s, &rank);
}

static int build(const struct tare_report_input *input, const void *opts, struct tare_score_out *out,
                 struct tare_err *err)
{
    const struct options *o = opts;
    struct tare_score_matrix m = {0};
    struct tare_sheet s;
    tare_sheet_systems(&s, out, input);
    const char *metrics = tare_sheet_keep(&s, "%s,%s", o->quality, o->energy);
    int r = metrics ? tare_sheet_matrix(input, metrics, out, &m, err)
                    : tare_err_set(err, TARE_E_NOMEM, "score sustainlp: out of memory");
    if (r == 0 && m.n_metrics != 2) {
        r = tare_err_set(err, TARE_E_USAGE, "score sustainlp: quality and energy are one figure each");
    }
    if (r < 0) {
        return r;
    }
    size_t baseline = find_baseline(&m, o->baseline ? o->baseline : input->baseline);
    tare_sheet_metric_columns(&s, &m);
    tare_sheet_column(&s, "quality_change", "Quality change", m.metrics[0].unit, TARE_BETTER_HIGHER);
    tare_sheet_column(&s, "energy_ratio", "Energy ratio", "x", TARE_BETTER_LOWER);
    tare_sheet_column(&s, "pareto_rank", "Pareto rank", "1", TARE_BETTER_LOWER);
    for (size_t i = 0; i < m.n_systems; i++) {
        put_row(&s, &m, i, baseline);
    }
    tare_sheet_note(&s,
                    "Baseline: %s. Pareto rank: 1 + the number of systems that are no worse in quality and "
                    "energy and better in one beyond both intervals.",
                    baseline < m.n_systems ? m.systems[baseline].name : "none");
    tare_sheet_note_set(&s, &m, "The rank");
    tare_sheet_note(
        &s,
        "SustaiNLP 2020 took eight SuperGLUE tasks and the energy of predicting their test sets; its "
        "ranking formula is not reproduced here. Energies from software are less exact than wall meters.");
    return tare_sheet_end(&s, "Energy report (SustaiNLP)", err);
}

const struct tare_score tare_score_sustainlp = {
    .name = "sustainlp",
    .summary = "energy and quality of inference against a baseline, with a Pareto rank",
    .needs = "an energy meter, a quality, and a baseline among the systems",
    .options_size = sizeof(struct options),
    .options = options,
    .build = build};
