/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tracks of EfficientQA (NeurIPS 2020): the best system within a size, and the smallest that reaches a
 * quality. The competition weighed the whole self-contained image; here it is the weights, and what else is
 * needed must be declared.
 */
#include "sheet.h"

struct options {
    char *quality;
    char *size;
    int64_t extra_bytes;
    int64_t large_bytes;
    int64_t small_bytes;
    double least_quality;
};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct options, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, quality), .def = "quality",
     .help = "figure[@task] of quality: exact match of short answers"},
    {MEMBER(TARE_OPT_STR, size), .def = "stored_bytes", .help = "figure[@task] of the size of the weights"},
    {MEMBER(TARE_OPT_BYTES, extra_bytes), .def = "0", .min = 0, .max = INT64_MAX,
     .help = "declared: bytes of program, corpus and the like that every system needs beside its weights"},
    {MEMBER(TARE_OPT_BYTES, large_bytes), .def = "6GB", .min = 1, .max = INT64_MAX,
     .help = "the larger gate"},
    {MEMBER(TARE_OPT_BYTES, small_bytes), .def = "500MB", .min = 1, .max = INT64_MAX,
     .help = "the smaller gate"},
    {MEMBER(TARE_OPT_F64, least_quality), .def = "0.25",
     .help = "quality that the smallest system must reach"},
    TARE_OPT_END};

/* Does it pass a size gate (limit > 0), or the quality gate? */
static bool passes(const struct tare_score_matrix *m, size_t i, double limit, double least)
{
    const struct tare_score_value *q = tare_score_at(m, i, 0), *size = tare_score_at(m, i, 1);
    return isfinite(q->value) && isfinite(size->value) &&
           (limit > 0 ? size->value <= limit : q->value >= least);
}

/* The best in a column among those that pass; n_systems: none does. *out_clear: beyond all intervals. */
static size_t winner(const struct tare_score_matrix *m, double limit, double least, bool *out_clear)
{
    size_t best = m->n_systems, column = limit > 0 ? 0 : 1;
    enum tare_better better = column == 0 ? TARE_BETTER_HIGHER : TARE_BETTER_LOWER;
    for (size_t i = 0; i < m->n_systems; i++) {
        if (!passes(m, i, limit, least)) {
            continue;
        }
        double gain = best < m->n_systems
                          ? tare_score_at(m, i, column)->value - tare_score_at(m, best, column)->value
                          : 0;
        best = best == m->n_systems || (better == TARE_BETTER_LOWER ? gain < 0 : gain > 0) ? i : best;
    }
    *out_clear = best < m->n_systems;
    for (size_t i = 0; i < m->n_systems; i++) {
        if (i != best && passes(m, i, limit, least) &&
            !tare_score_clearly_better(tare_score_at(m, best, column), tare_score_at(m, i, column), better)) {
            *out_clear = false;
        }
    }
    return best;
}

static const char *gate_word(const struct tare_score_matrix *m, size_t i, double limit, double least)
{
    const struct tare_score_value *q = tare_score_at(m, i, 0);
    bool pass = passes(m, i, limit, least);
    if (limit <= 0 && pass && !(isfinite(q->low) && q->low >= least)) {
        return "passes, within the interval";
    }
    return pass ? "passes" : "does not pass";
}

static void put_rows(struct tare_sheet *s, const struct tare_score_matrix *m, const struct options *o)
{
    const struct {
        const char *name;
        double limit, least;
    } tracks[] = {{"best within the larger size", (double)o->large_bytes, 0},
                  {"best within the smaller size", (double)o->small_bytes, 0},
                  {"smallest with the quality", 0, o->least_quality},
                  {"unrestricted", (double)INFINITY, 0}};
    for (size_t i = 0; i < m->n_systems; i++) {
        bool known = isfinite(tare_score_at(m, i, 0)->value) && isfinite(tare_score_at(m, i, 1)->value);
        tare_sheet_text(s, m->systems[i].name);
        tare_sheet_values(s, m, i);
        for (size_t t = 0; t < 3; t++) {
            if (known) {
                tare_sheet_text(s, gate_word(m, i, tracks[t].limit, tracks[t].least));
            } else {
                tare_sheet_absent(s, "quality or size is absent");
            }
        }
    }
    for (size_t t = 0; t < 4; t++) {
        bool clear = false;
        size_t best = winner(m, tracks[t].limit, tracks[t].least, &clear);
        tare_sheet_note(
            s, "Track %s: %s%s", tracks[t].name, best < m->n_systems ? m->systems[best].name : "nobody",
            best == m->n_systems || clear ? "" : " by value; not ahead of all others beyond the intervals");
    }
}

static int build(const struct tare_report_input *input, const void *opts, struct tare_score_out *out,
                 struct tare_err *err)
{
    const struct options *o = opts;
    struct tare_score_matrix m = {0};
    struct tare_sheet s;
    tare_sheet_systems(&s, out, input);
    const char *metrics = tare_sheet_keep(&s, "%s:higher,%s:lower", o->quality, o->size);
    int r = metrics ? tare_sheet_matrix(input, metrics, out, &m, err)
                    : tare_err_set(err, TARE_E_NOMEM, "score efficientqa: out of memory");
    if (r < 0) {
        return r;
    }
    for (size_t i = 0; o->extra_bytes > 0 && i < m.n_systems; i++) {
        struct tare_score_value *v = &m.values[i * m.n_metrics + 1];
        v->value += (double)o->extra_bytes;
        v->low += (double)o->extra_bytes;
        v->high += (double)o->extra_bytes;
        v->kind = TARE_KIND_DECLARED;
        v->source = "weights, and the declared extra bytes";
    }
    tare_sheet_metric_columns(&s, &m);
    tare_sheet_column(&s, "large", tare_sheet_keep(&s, "<= %.4g MB", 1e-6 * (double)o->large_bytes), NULL,
                      TARE_BETTER_NONE);
    tare_sheet_column(&s, "small", tare_sheet_keep(&s, "<= %.4g MB ", 1e-6 * (double)o->small_bytes), NULL,
                      TARE_BETTER_NONE);
    tare_sheet_column(&s, "quality_gate", tare_sheet_keep(&s, "quality >= %g", o->least_quality), NULL,
                      TARE_BETTER_NONE);
    put_rows(&s, &m, o);
    tare_sheet_note(&s, "%s",
                    o->extra_bytes > 0
                        ? "Sizes are the weights and the declared extra bytes."
                        : "Sizes are the weights alone. The competition counts program, corpus and weights: "
                          "declare what else is needed as extra_bytes.");
    tare_sheet_note(
        &s, "The third track is the smallest system that reaches the quality, not a budget of 25 MB.");
    return tare_sheet_end(&s, "EfficientQA tracks", err);
}

const struct tare_score tare_score_efficientqa = {.name = "efficientqa",
                                                  .summary =
                                                      "size gates and the smallest system with a quality",
                                                  .needs = "a quality, and the stored bytes of the model",
                                                  .options_size = sizeof(struct options),
                                                  .options = options,
                                                  .build = build};
