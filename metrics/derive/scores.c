/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures over a task's own numbers (tare/task.h, `grade`): means, perplexities, scores of a whole set.
 *
 * Value and standard error are those of lm-evaluation-harness (stats/lm_eval.h), so that they can be set
 * beside its; the standard error is a figure of its own, NAME_stderr. The interval is ours: over documents,
 * Wilson for shares of right and wrong, a ratio's for the other means and for perplexities; where only a
 * bootstrap's standard error is known, value +- its normal quantile.
 */
#include "derive.h"

#include "stats/lm_eval.h"

#include <stdlib.h>
#include <string.h>

/* One repeat's numbers of a metric: rows of `width`, an item each. */
struct rows {
    double *values;
    size_t n, width;
};

static int place(const struct tare_metric *m, uint32_t column, const double *values, size_t n,
                 struct rows *to, struct tare_err *err)
{
    if (column == 0) {
        to->n = n;
        to->values = malloc((n * to->width + 1) * sizeof *to->values);
    }
    if (!to->values) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    if (n != to->n) {
        return tare_err_set(err, TARE_E_FORMAT, "the columns of %s have %zu and %zu numbers", m->name, to->n,
                            n);
    }
    for (size_t i = 0; i < n; i++) {
        to->values[i * to->width + column] = values[i];
    }
    return 0;
}

/* An item that has no number in one column of a metric has none in any. */
static int load(const struct tare_evidence *e, const struct tare_metric *m, int64_t repeat_id,
                struct rows *out, struct tare_err *err)
{
    struct rows rows = {.width = m->n_columns};
    int r = 0;
    for (uint32_t i = 0; r == 0 && i < m->n_columns; i++) {
        double *values = NULL;
        size_t n = 0;
        r = e->scores(e->ctx, repeat_id, e->task->columns[m->column + i], &values, &n, err);
        r = r == 0 ? place(m, i, values, n, &rows, err) : r;
        free(values);
    }
    if (r < 0) {
        free(rows.values);
        return r;
    }
    *out = rows;
    return 0;
}

static bool all_right_or_wrong(const struct rows *x)
{
    for (size_t i = 0; i < x->n; i++) {
        if (x->values[i * x->width] != 0 && x->values[i * x->width] != 1) {
            return false;
        }
    }
    return true;
}

/* Of sum(sign x first column) / sum(second column), or / number of items. */
static int ratio_range(const struct tare_evidence *e, const struct rows *x, double sign,
                       struct tare_interval *out, struct tare_err *err)
{
    double *num = malloc((x->n + 1) * sizeof *num), *den = malloc((x->n + 1) * sizeof *den);
    int r = num && den ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    for (size_t i = 0; r == 0 && i < x->n; i++) {
        num[i] = sign * x->values[i * x->width];
        den[i] = x->width > 1 ? x->values[i * x->width + 1] : 1;
    }
    r = r == 0 ? tare_ratio_interval(num, den, x->n, TARE_LEVEL, e->seed, out, err) : r;
    free(num);
    free(den);
    return r;
}

static struct tare_interval wilson(const struct rows *x)
{
    double right = 0;
    for (size_t i = 0; i < x->n; i++) {
        right += x->values[i * x->width];
    }
    return tare_wilson((int64_t)right, (int64_t)x->n, TARE_LEVEL);
}

static struct tare_interval by_error(double value, const struct tare_lm_eval_value *error)
{
    double reach = tare_normal_quantile(0.5 + TARE_LEVEL / 2) * error->value;
    return (struct tare_interval){.ok = error->ok,
                                  .low = value - reach,
                                  .high = value + reach,
                                  .level = TARE_LEVEL,
                                  .method = "normal, standard error of lm-evaluation-harness"};
}

static int interval(const struct tare_evidence *e, enum tare_lm_eval_rule rule, const struct rows *x,
                    double value, const struct tare_lm_eval_value *error, struct tare_interval *out,
                    struct tare_err *err)
{
    static const double bits_per_nat = 1.4426950408889634;
    bool mean = rule == TARE_LM_EVAL_MEAN || rule == TARE_LM_EVAL_BRIER;
    bool perplexity = rule == TARE_LM_EVAL_PERPLEXITY || rule == TARE_LM_EVAL_WEIGHTED_PERPLEXITY;
    bool bits = rule == TARE_LM_EVAL_BITS_PER_BYTE;
    if (mean && all_right_or_wrong(x)) {
        *out = wilson(x);
        return 0;
    }
    if (!mean && !perplexity && !bits) {
        *out = by_error(value, error);
        return 0;
    }
    int r = ratio_range(e, x, mean ? 1 : -1, out, err);
    if (r == 0 && out->ok) {
        out->low = perplexity ? exp(out->low) : bits ? out->low * bits_per_nat : out->low;
        out->high = perplexity ? exp(out->high) : bits ? out->high * bits_per_nat : out->high;
    }
    return r;
}

static bool same_answers(const struct rows *a, const struct rows *b)
{
    return a->n == b->n && memcmp(a->values, b->values, a->n * a->width * sizeof *a->values) == 0;
}

/* Do the other complete repeats give every item the same number? */
static int check_repeats(const struct tare_evidence *e, const struct tare_metric *m, size_t first,
                         const struct rows *answers, struct tare_figure *f, struct tare_err *err)
{
    int r = 0;
    for (size_t i = first + 1; r == 0 && i < e->n_repeats; i++) {
        struct rows other = {0};
        if (e->repeats[i].complete) {
            r = load(e, m, e->repeats[i].id, &other, err);
            if (r == 0 && !same_answers(answers, &other)) {
                tare_figure_flag(f, "NONDETERMINISTIC");
            }
            free(other.values);
        }
    }
    return r;
}

static int put_stderr(const struct tare_metric *m, const struct rows *x,
                      const struct tare_lm_eval_value *error, struct tare_figures *to, struct tare_err *err)
{
    char name[128];
    (void)snprintf(name, sizeof name, "%.110s_stderr", m->name);
    struct tare_figure f = tare_figure_make(name, m->unit, TARE_KIND_COUNTED, "samples", "task");
    f.n = (int64_t)x->n;
    f.method = error->ok ? error->method : NULL;
    return tare_figure_exact(&f, error->ok ? error->value * m->scale : (double)NAN, "items", error->method,
                             to, err);
}

static int put_all(const struct tare_evidence *e, const struct tare_metric *m, enum tare_lm_eval_rule rule,
                   const struct rows *x, struct tare_figure *f, struct tare_figures *to, struct tare_err *err)
{
    struct tare_lm_eval_value value = {0}, error = {0};
    struct tare_interval range = {0};
    int r = tare_lm_eval_aggregate(rule, x->values, x->n, &value, err);
    r = r == 0 ? tare_lm_eval_stderr(rule, x->values, x->n, TARE_LM_EVAL_DRAWS, &error, err) : r;
    if (r == 0 && !value.ok) {
        return tare_figure_absent(f, value.method, to, err);
    }
    r = r == 0 ? interval(e, rule, x, value.value, &error, &range, err) : r;
    if (r < 0) {
        return r;
    }
    range.low *= m->scale;
    range.high *= m->scale;
    f->value = value.value * m->scale;
    tare_figure_interval(f, &range);
    r = to->put(to, f, err);
    return r == 0 ? put_stderr(m, x, &error, to, err) : r;
}

static int fill(const struct tare_evidence *e, const struct tare_metric *m, size_t repeat,
                struct tare_figure *f, struct tare_figures *to, struct tare_err *err)
{
    struct rows x;
    enum tare_lm_eval_rule rule = tare_lm_eval_rule_of(m->aggregation);
    const struct tare_lm_eval_about *about = rule ? tare_lm_eval_about(rule) : NULL;
    if (!about || about->width != m->n_columns) {
        return tare_figure_absent(
            f, "its aggregation is not one of lm-evaluation-harness, or has not as many columns", to, err);
    }
    int r = load(e, m, e->repeats[repeat].id, &x, err);
    if (r < 0) {
        return r;
    }
    f->n = (int64_t)x.n;
    if (f->n < e->items) { /* a number that is none: probabilities that are all 0, say */
        tare_figure_flag(f, "ITEMS_WITHOUT_VALUE");
    }
    r = x.n == 0 ? 0 : check_repeats(e, m, repeat, &x, f, err);
    r = r < 0      ? r
        : x.n == 0 ? tare_figure_absent(f, "no item was graded by this metric", to, err)
                   : put_all(e, m, rule, &x, f, to, err);
    free(x.values);
    return r;
}

int tare_derive_scores(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

int tare_derive_scores(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err)
{
    int r = 0;
    for (const struct tare_metric *m = e->task->metrics; r == 0 && m && m->name; m++) {
        if (m->rule != TARE_METRIC_SCORES) {
            continue;
        }
        struct tare_figure f = tare_figure_make(m->name, m->unit, TARE_KIND_COUNTED, "samples", "task");
        f.n_what = "items";
        size_t i = 0;
        while (i < e->n_repeats && !e->repeats[i].complete) {
            i++;
        }
        r = i == e->n_repeats ? tare_figure_absent(&f, "no repeat was completed", to, err)
            : !e->scores      ? tare_figure_absent(&f, "the items' own numbers are not at hand", to, err)
                              : fill(e, m, i, &f, to, err);
    }
    return r;
}
