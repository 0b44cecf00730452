/* SPDX-License-Identifier: Apache-2.0 */
/* Changes one input of the evidence at a time and looks whether the figure follows. */
#include "cmd/explain_inputs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* By so much is an input changed: no ratio of whole numbers that could hide it. */
#define CHANGE 1.1376

struct catch_one {
    struct tare_figures sink; /* first: figures come in through it */
    const char *name;
    struct tare_figure figure;
    bool found;
};

static int catch_figure(struct tare_figures *to, const struct tare_figure *figure, struct tare_err *err)
{
    struct catch_one *c = (struct catch_one *)to;
    (void)err;
    if (strcmp(figure->name, c->name) == 0) {
        c->figure = *figure;
        c->found = true;
    }
    return 0;
}

int tare_explain_derive(const struct tare_evidence *e, const char *figure, struct tare_figure *out,
                        struct tare_err *err)
{
    struct catch_one c = {.sink = {catch_figure}, .name = figure};
    int r = tare_derive(e, &c.sink, err);
    if (r == 0 && !c.found) {
        r = tare_err_set(err, TARE_E_USAGE, "no derivation makes a figure \"%.60s\" of this cell", figure);
    }
    if (r == 0) {
        *out = c.figure;
        out->name = figure;
    }
    return r;
}

static bool same_number(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static bool is_another(const struct tare_figure *a, const struct tare_figure *b)
{
    return !same_number(a->value, b->value) || !same_number(a->low, b->low) ||
           !same_number(a->high, b->high) || !a->absent != !b->absent;
}

enum { producers_max = 4 };

struct explainer {
    const struct tare_evidence *e;
    const char *figure;
    const char *producers[producers_max]; /* derivations that give it, in their order */
    size_t n_producers;
    struct tare_figure before;
    struct tare_json *to;
    enum tare_column changed;  /* of the samples; 0: none */
    const char *changed_score; /* of the task's own numbers; NULL: none */
};

static int changed_column(void *ctx, int64_t repeat_id, enum tare_column column, double **out, size_t *out_n,
                          struct tare_err *err)
{
    const struct explainer *x = ctx;
    int r = x->e->column(x->e->ctx, repeat_id, column, out, out_n, err);
    for (size_t i = 0; r == 0 && column == x->changed && i < *out_n; i++) {
        (*out)[i] = (*out)[i] != 0 && column != TARE_COLUMN_EXACT ? (*out)[i] * CHANGE : 1 - (*out)[i];
    }
    return r;
}

static int changed_scores(void *ctx, int64_t repeat_id, const char *name, double **out, size_t *out_n,
                          struct tare_err *err)
{
    const struct explainer *x = ctx;
    int r = x->e->scores(x->e->ctx, repeat_id, name, out, out_n, err);
    bool changed = r == 0 && x->changed_score && strcmp(name, x->changed_score) == 0;
    for (size_t i = 0; changed && i < *out_n; i++) {
        (*out)[i] = (*out)[i] != 0 ? (*out)[i] * CHANGE : 1;
    }
    return r;
}

/* The evidence with one column changed, of samples or of scores. */
static struct tare_evidence with_changes(struct explainer *x)
{
    struct tare_evidence changed = *x->e;
    changed.column = changed_column;
    changed.scores = changed_scores;
    changed.ctx = x;
    return changed;
}

/* A derivation gives the same names whatever the values are: only those that give this one are asked again
 * for every input that is tried. */
static int find_producers(struct explainer *x, struct tare_err *err)
{
    const char *name = NULL;
    int r = 0;
    for (size_t i = 0; r == 0 && (name = tare_derivation_name(i)); i++) {
        struct catch_one c = {.sink = {catch_figure}, .name = x->figure};
        r = tare_derive_one(name, x->e, &c.sink, err);
        if (r == 0 && c.found && x->n_producers == producers_max) {
            return tare_err_set(err, TARE_E_LIMIT, "explain: \"%.60s\" comes from more than %d derivations",
                                x->figure, (int)producers_max);
        }
        if (r == 0 && c.found) {
            x->producers[x->n_producers++] = name;
        }
    }
    return r;
}

/* Does the figure follow when the evidence is `changed`? */
static int follows(const struct explainer *x, const struct tare_evidence *changed, bool *out,
                   struct tare_err *err)
{
    struct catch_one c = {.sink = {catch_figure}, .name = x->figure};
    int r = 0;
    for (size_t i = 0; r == 0 && i < x->n_producers; i++) {
        r = tare_derive_one(x->producers[i], changed, &c.sink, err);
    }
    *out = r == 0 && (!c.found || is_another(&x->before, &c.figure));
    return r;
}

static int try_columns(struct explainer *x, struct tare_err *err)
{
    static const char *const names[] = {[TARE_COLUMN_LATENCY_NS] = "latency_ns",
                                        [TARE_COLUMN_TTFT_NS] = "ttft_ns",
                                        [TARE_COLUMN_TPOT_NS] = "(latency_ns - ttft_ns) / (output_tok - 1)",
                                        [TARE_COLUMN_ITL_NS] = "gaps of token_ns",
                                        [TARE_COLUMN_NUM] = "num",
                                        [TARE_COLUMN_DEN] = "den",
                                        [TARE_COLUMN_EXACT] = "exact"};
    int r = 0;
    for (int c = TARE_COLUMN_LATENCY_NS; r == 0 && c <= TARE_COLUMN_EXACT; c++) {
        bool input = false;
        x->changed = (enum tare_column)c;
        const struct tare_evidence changed = with_changes(x);
        r = follows(x, &changed, &input, err);
        if (r == 0 && input) {
            struct tare_json *o = tare_json_add_object(x->to, NULL);
            tare_json_add_str(o, "input", "samples");
            tare_json_add_str(o, "name", names[c]);
        }
    }
    return r;
}

static int try_scores(struct explainer *x, struct tare_err *err)
{
    int r = 0;
    x->changed = (enum tare_column)0;
    for (const char *const *c = x->e->task->columns; r == 0 && c && *c; c++) {
        bool input = false;
        x->changed_score = *c;
        const struct tare_evidence changed = with_changes(x);
        r = follows(x, &changed, &input, err);
        if (r == 0 && input) {
            struct tare_json *o = tare_json_add_object(x->to, NULL);
            tare_json_add_str(o, "input", "score");
            tare_json_add_str(o, "name", *c);
        }
    }
    x->changed_score = NULL;
    return r;
}

#define SUM(member_)                                         \
    {                                                        \
#member_, offsetof(struct tare_repeat_sums, member_) \
    }

static const struct {
    const char *name;
    size_t offset;
} sums[] = {SUM(samples),      SUM(requests),      SUM(prompt_tok),  SUM(output_tok), SUM(window_ns),
            SUM(busy_ns),      SUM(decode_tok),    SUM(decode_ns),   SUM(max_tok),    SUM(prefill_flops),
            SUM(decode_flops), SUM(prefill_bytes), SUM(decode_bytes)};

static int try_sums(struct explainer *x, struct tare_evidence_repeat *copy, struct tare_err *err)
{
    int r = 0;
    for (size_t s = 0; r == 0 && s < sizeof sums / sizeof *sums; s++) {
        struct tare_evidence changed = *x->e;
        bool input = false;
        memcpy(copy, x->e->repeats, x->e->n_repeats * sizeof *copy);
        for (size_t i = 0; i < x->e->n_repeats; i++) {
            int64_t *sum = (int64_t *)(void *)((char *)&copy[i].sums + sums[s].offset);
            *sum = *sum > 0 ? *sum + *sum / 3 + 1 : *sum;
        }
        changed.repeats = copy;
        r = follows(x, &changed, &input, err);
        if (r == 0 && input) {
            struct tare_json *o = tare_json_add_object(x->to, NULL);
            tare_json_add_str(o, "input", "sum over samples");
            tare_json_add_str(o, "name", sums[s].name);
        }
    }
    return r;
}

static bool same_source(const struct tare_reading_record *a, const struct tare_reading_record *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->phase, b->phase) == 0 &&
           strcmp(a->meter, b->meter) == 0;
}

static bool seen_before(const struct tare_evidence *e, size_t which)
{
    for (size_t i = 0; i < which; i++) {
        if (same_source(&e->readings[i].r, &e->readings[which].r)) {
            return true;
        }
    }
    return false;
}

static void add_reading(const struct explainer *x, const struct tare_reading_record *reading)
{
    struct tare_json *o = tare_json_add_object(x->to, NULL);
    tare_json_add_str(o, "input", "reading");
    tare_json_add_str(o, "name", reading->name);
    tare_json_add_str(o, "meter", reading->meter);
    tare_json_add_str(o, "phase", reading->phase);
    tare_json_add_str(o, "unit", reading->unit);
    tare_json_add_str(o, "kind", reading->kind);
    tare_json_add_str(o, "scope", reading->scope);
    tare_json_add_str(o, "source", reading->source);
    struct tare_json *values = tare_json_add_array(o, "values");
    for (size_t i = 0; i < x->e->n_readings; i++) {
        const struct tare_evidence_reading *other = &x->e->readings[i];
        if (same_source(&other->r, reading)) {
            struct tare_json *v = tare_json_add_object(values, NULL);
            tare_json_add_i64(v, "repeat_id", other->repeat_id);
            tare_json_add_f64(v, "value", other->r.value);
            tare_json_add_str(v, "absent", other->r.absent);
            tare_json_add_str(v, "flags", other->r.flags);
        }
    }
}

static int try_readings(struct explainer *x, struct tare_evidence_reading *copy, struct tare_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < x->e->n_readings; i++) {
        const struct tare_reading_record *reading = &x->e->readings[i].r;
        struct tare_evidence changed = *x->e;
        bool input = false;
        if (seen_before(x->e, i)) {
            continue;
        }
        memcpy(copy, x->e->readings, x->e->n_readings * sizeof *copy);
        for (size_t j = i; j < x->e->n_readings; j++) {
            if (same_source(&copy[j].r, reading)) {
                copy[j].r.value = copy[j].r.value != 0 ? copy[j].r.value * CHANGE : 1;
            }
        }
        changed.readings = copy;
        r = follows(x, &changed, &input, err);
        if (r == 0 && input) {
            add_reading(x, reading);
        }
    }
    return r;
}

/* That derivation sees nothing else, and its standard errors may take seconds each. */
static bool follows_scores_alone(const struct explainer *x)
{
    return x->n_producers == 1 && strcmp(x->producers[0], "scores") == 0;
}

int tare_explain_inputs(const struct tare_evidence *e, const char *figure, struct tare_json *to_array,
                        struct tare_err *err)
{
    struct explainer x = {.e = e, .figure = figure, .to = to_array};
    struct tare_evidence_repeat *repeats = calloc(e->n_repeats + 1, sizeof *repeats);
    struct tare_evidence_reading *readings = calloc(e->n_readings + 1, sizeof *readings);
    int r = repeats && readings ? 0 : tare_err_set(err, TARE_E_NOMEM, "explain: out of memory");
    r = r == 0 ? tare_explain_derive(e, figure, &x.before, err) : r;
    r = r == 0 ? find_producers(&x, err) : r;
    r = r == 0 ? try_scores(&x, err) : r;
    if (!follows_scores_alone(&x)) {
        r = r == 0 ? try_columns(&x, err) : r;
        r = r == 0 ? try_sums(&x, repeats, err) : r;
        r = r == 0 ? try_readings(&x, readings, err) : r;
    }
    free(repeats);
    free(readings);
    return r;
}
