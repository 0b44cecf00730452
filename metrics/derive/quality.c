/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quality: the task's own metrics over its items, each item counted once however often it was
 * repeated. Intervals are over items: Wilson for proportions of items, Wilson with an effective n for
 * tokens within items, what tare_ratio_interval finds fit for other ratios. If repeats of the same items
 * disagree, the figure is flagged NONDETERMINISTIC.
 */
#include "derive.h"

#include <stdlib.h>
#include <string.h>

struct columns {
    double *num, *den;
    size_t n;
};

static void columns_fini(struct columns *c)
{
    free(c->num);
    free(c->den);
    memset(c, 0, sizeof *c);
}

/* num and den (RATIO), or exact and ones (EXACT), of one repeat. */
static int load(const struct tare_evidence *e, const struct tare_metric *metric, int64_t repeat_id,
                struct columns *out, struct tare_err *err)
{
    bool ratio = metric->rule == TARE_METRIC_RATIO;
    size_t n_den = 0;
    memset(out, 0, sizeof *out);
    int r =
        e->column(e->ctx, repeat_id, ratio ? TARE_COLUMN_NUM : TARE_COLUMN_EXACT, &out->num, &out->n, err);
    if (r == 0 && ratio) {
        r = e->column(e->ctx, repeat_id, TARE_COLUMN_DEN, &out->den, &n_den, err);
        if (r == 0 && n_den != out->n) {
            columns_fini(out); /* they belong together: then there is nothing to show */
        }
    } else if (r == 0) {
        out->den = malloc((out->n + 1) * sizeof *out->den);
        for (size_t i = 0; out->den && i < out->n; i++) {
            out->den[i] = 1;
        }
        r = out->den ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    if (r < 0) {
        columns_fini(out);
    }
    return r;
}

static double ratio(const struct columns *c)
{
    double top = 0, bottom = 0;
    for (size_t i = 0; i < c->n; i++) {
        top += c->num[i];
        bottom += c->den[i];
    }
    return bottom > 0 ? top / bottom : (double)NAN;
}

/* What the items are, for the choice of the interval. */
struct shape {
    bool trials; /* successes out of a number of trials each */
    bool single; /* one trial each */
    double successes;
};

static struct shape shape_of(const struct columns *c)
{
    struct shape s = {.trials = true, .single = true};
    for (size_t i = 0; i < c->n; i++) {
        s.trials = s.trials && c->num[i] >= 0 && c->num[i] <= c->den[i] && floor(c->num[i]) == c->num[i];
        s.single = s.single && c->den[i] == 1;
        s.successes += c->num[i];
    }
    s.single = s.single && s.trials;
    return s;
}

static int interval(const struct tare_evidence *e, const struct tare_metric *metric, const struct columns *c,
                    struct tare_interval *out, struct tare_err *err)
{
    struct shape shape = shape_of(c);
    if (!shape.trials || strcmp(metric->unit, "1") != 0) { /* nats that happen to be whole are no successes */
        return tare_ratio_interval(c->num, c->den, c->n, TARE_LEVEL, e->seed, out, err);
    }
    *out = shape.single ? tare_wilson((int64_t)shape.successes, (int64_t)c->n, TARE_LEVEL)
                        : tare_cluster_proportion(c->num, c->den, c->n, TARE_LEVEL);
    return 0;
}

static bool same_answers(const struct columns *a, const struct columns *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; same && i < a->n; i++) {
        same = fabs(a->num[i] - b->num[i]) <= 1e-9 * fabs(a->num[i]);
    }
    return same;
}

/* Do the other complete repeats answer every item alike? Equal sums could hide flips. */
static int check_repeats(const struct tare_evidence *e, const struct tare_metric *metric, size_t first,
                         const struct columns *answers, struct tare_figure *f, struct tare_err *err)
{
    for (size_t i = first + 1; i < e->n_repeats; i++) {
        struct columns c;
        if (!e->repeats[i].complete) {
            continue;
        }
        int r = load(e, metric, e->repeats[i].id, &c, err);
        if (r < 0) {
            return r;
        }
        if (!same_answers(answers, &c)) {
            tare_figure_flag(f, "NONDETERMINISTIC");
        }
        columns_fini(&c);
    }
    return 0;
}

static int fill(const struct tare_evidence *e, const struct tare_metric *metric, size_t repeat,
                struct tare_figure *f, struct tare_figures *to, struct tare_err *err)
{
    struct columns c;
    struct tare_interval range = {0};
    int r = load(e, metric, e->repeats[repeat].id, &c, err);
    if (r < 0) {
        return r;
    }
    double value = ratio(&c);
    if (c.n == 0 || !isfinite(value)) {
        columns_fini(&c);
        return tare_figure_absent(f, "no item was graded by this metric", to, err);
    }
    r = interval(e, metric, &c, &range, err);
    f->n = (int64_t)c.n;
    r = r == 0 ? check_repeats(e, metric, repeat, &c, f, err) : r;
    columns_fini(&c);
    if (r < 0) {
        return r;
    }
    f->value = value * metric->scale;
    range.low *= metric->scale;
    range.high *= metric->scale;
    tare_figure_interval(f, &range);
    return to->put(to, f, err);
}

int tare_derive_quality(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

int tare_derive_quality(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err)
{
    int r = 0;
    for (const struct tare_metric *m = e->task->metrics; r == 0 && m && m->name; m++) {
        if (m->rule == TARE_METRIC_SCORES) { /* derive/scores.c */
            continue;
        }
        struct tare_figure f = tare_figure_make(m->name, m->unit, TARE_KIND_COUNTED, "samples", "task");
        f.n_what = "items";
        size_t i = 0;
        while (i < e->n_repeats && !e->repeats[i].complete) {
            i++;
        }
        r = i < e->n_repeats ? fill(e, m, i, &f, to, err)
                             : tare_figure_absent(&f, "no repeat was completed", to, err);
    }
    return r;
}
