/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs the cells of two systems, their repeats by block and their items by place. Decides nothing. */
#include "cmd/compare_rows.h"

#include "cmd/repeats.h"
#include "cmd/score_items.h"
#include "reports/view/figures.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A figure of one repeat. */
struct value {
    int64_t cell_id, block;
    const char *figure; /* in the arena */
    double value;
};

struct values {
    struct tare_arena *arena;
    struct value *list; /* owned */
    size_t n, cap;
};

struct loader {
    const struct tare_compare_side *a, *b;
    const char *const *wanted;
    struct tare_compare_rows *out;
    struct values values_a, values_b; /* B's are A's where both are of one run */
    bool same_run;
};

static const char *const usual[] = {"prefill_throughput",
                                    "decode_throughput",
                                    "token_throughput",
                                    "output_throughput",
                                    "latency_p50",
                                    "ttft_p50",
                                    "tpot_p50",
                                    "load_time",
                                    "cpu_user",
                                    "peak_rss",
                                    "energy",
                                    "energy_per_tok",
                                    "energy_per_correct",
                                    "weights_stored_bytes",
                                    "weights_resident_bytes",
                                    "stored_bytes",
                                    "kv_bytes",
                                    "prefill_flops_per_tok",
                                    "decode_flops_per_tok"};

enum { n_usual = sizeof usual / sizeof *usual };

static int no_memory(struct tare_err *err)
{
    return tare_err_set(err, TARE_E_NOMEM, "compare: out of memory");
}

static int take_value(void *ctx, const struct tare_repeat_context *repeat, const struct tare_figure *figure,
                      struct tare_err *err)
{
    struct values *to = ctx;
    if (!figure || figure->absent) {
        return 0;
    }
    if (to->n == to->cap) {
        size_t cap = to->cap ? 2 * to->cap : 256;
        struct value *more = realloc(to->list, cap * sizeof *more);
        if (!more) {
            return no_memory(err);
        }
        to->list = more;
        to->cap = cap;
    }
    const char *name = to->n > 0 && strcmp(to->list[to->n - 1].figure, figure->name) == 0
                           ? to->list[to->n - 1].figure
                           : tare_arena_copy(to->arena, figure->name, strlen(figure->name) + 1);
    if (!name) {
        return no_memory(err);
    }
    to->list[to->n++] = (struct value){repeat->cell_id, repeat->block, name, figure->value};
    return 0;
}

static const struct value *find(const struct values *in, int64_t cell_id, const char *figure, int64_t block)
{
    for (size_t i = 0; i < in->n; i++) {
        const struct value *v = &in->list[i];
        if (v->cell_id == cell_id && v->block == block && strcmp(v->figure, figure) == 0) {
            return v;
        }
    }
    return NULL;
}

static const struct tare_metric *metric_of(const struct tare_report_cell *cell, const char *name)
{
    for (const struct tare_metric *m = cell->metrics; m && m->name; m++) {
        if (strcmp(m->name, name) == 0) {
            return m;
        }
    }
    return NULL;
}

static enum tare_better better_of(const struct tare_report_cell *cell, const char *figure)
{
    const struct tare_metric *m = metric_of(cell, figure);
    if (m) {
        return m->lower_is_better ? TARE_BETTER_LOWER : TARE_BETTER_HIGHER;
    }
    const struct tare_figure_look *look = tare_figure_look(figure);
    return look ? look->better : TARE_BETTER_NONE;
}

static bool is_exact(const struct tare_figure *f)
{
    return f->low == f->value && f->high == f->value && f->level >= 1;
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_valid(const struct tare_report_cell *c)
{
    return !c->verdict || strcmp(c->verdict, "VALID") == 0;
}

/* Why the two figures say nothing about each other; NULL: they do. */
static const char *unlike(const struct tare_report_cell *ca, const struct tare_report_cell *cb,
                          const struct tare_figure *a, const struct tare_figure *b)
{
    return !is_valid(ca)                                          ? "A is not valid"
           : !is_valid(cb)                                        ? "B is not valid"
           : !a || a->absent                                      ? "A has no value"
           : !b || b->absent                                      ? "B has no value"
           : a->kind != b->kind                                   ? "of different kinds"
           : !same(a->unit, b->unit) || !same(a->scope, b->scope) ? "of different units or scopes"
                                                                  : NULL;
}

static bool has_flag(const struct tare_figure *f, const char *flag)
{
    return strstr(f->flags, flag) != NULL;
}

static bool counts_tokens(const char *figure)
{
    return strstr(figure, "tok") || strncmp(figure, "tpot", 4) == 0 || strstr(figure, "_throughput");
}

/* Why no word may be said although there are numbers; NULL: none. */
static const char *doubt(const struct loader *l, const struct tare_report_cell *ca,
                         const struct tare_report_cell *cb, const struct tare_figure *a,
                         const struct tare_figure *b, bool paired)
{
    static const char *const flags[][2] = {{"SLOW_BUILD", "a sanitized or debug build"},
                                           {"UNEQUAL_WORK", "unequal work"},
                                           {"THROTTLED", "the machine throttled"},
                                           {"SETTINGS_CHANGED", "settings of the machine changed"},
                                           {"NONDETERMINISTIC", "answers differ between repeats"},
                                           {"NEVER_RANKED", "never ranked"}};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (has_flag(a, flags[i][0]) || has_flag(b, flags[i][0])) {
            return flags[i][1];
        }
    }
    if (a->kind > TARE_KIND_REPORTED) {
        return "modelled or declared, not measured";
    }
    if (counts_tokens(a->name) && !same(ca->tokenizer, cb->tokenizer)) {
        return "tokens of different tokenizers";
    }
    return paired && !l->same_run ? "two sessions, not interleaved: run both in one plan" : NULL;
}

static int pair_blocks(struct loader *l, const struct tare_report_cell *ca, const struct tare_report_cell *cb,
                       struct tare_compare_row *row, struct tare_err *err)
{
    const struct values *va = &l->values_a, *vb = l->same_run ? va : &l->values_b;
    double *a = tare_arena_array(&l->out->arena, va->n + 1, sizeof *a);
    double *b = tare_arena_array(&l->out->arena, va->n + 1, sizeof *b);
    if (!a || !b) {
        return no_memory(err);
    }
    for (size_t i = 0; i < va->n; i++) {
        const struct value *x = &va->list[i];
        const struct value *y = x->cell_id == ca->id && strcmp(x->figure, row->figure) == 0
                                    ? find(vb, cb->id, row->figure, x->block)
                                    : NULL;
        if (y) {
            a[row->n] = x->value;
            b[row->n++] = y->value;
        }
    }
    row->a = a;
    row->b = b;
    row->absent = row->n ? NULL : "no block has both";
    return 0;
}

/* The first `n` values of a cell's column: those of its first complete repeat. */
static int column(struct loader *l, const struct tare_compare_side *side, int64_t cell_id,
                  enum tare_column which, size_t n, const double **out, struct tare_err *err)
{
    double *values = NULL;
    size_t n_values = 0;
    int r = side->input->column(side->input->ctx, cell_id, which, &values, &n_values, err);
    *out =
        r == 0 && n_values >= n && n > 0 ? tare_arena_copy(&l->out->arena, values, n * sizeof *values) : NULL;
    free(values);
    return r;
}

static bool all_binary(const double *x, size_t n)
{
    for (size_t i = 0; x && i < n; i++) {
        if (x[i] != 0 && x[i] != 1) {
            return false;
        }
    }
    return true;
}

/* What A's and B's items scored, and out of how much: as many as both have graded. */
struct items {
    const double *a, *b, *den_a, *den_b;
    size_t n;
};

static int load_items(struct loader *l, const struct tare_report_cell *ca, const struct tare_report_cell *cb,
                      bool ratio, struct items *to, struct tare_err *err)
{
    enum tare_column scored = ratio ? TARE_COLUMN_NUM : TARE_COLUMN_EXACT;
    int r = column(l, l->a, ca->id, scored, to->n, &to->a, err);
    r = r == 0 ? column(l, l->b, cb->id, scored, to->n, &to->b, err) : r;
    r = r == 0 ? column(l, l->a, ca->id, TARE_COLUMN_DEN, to->n, &to->den_a, err) : r;
    return r == 0 ? column(l, l->b, cb->id, TARE_COLUMN_DEN, to->n, &to->den_b, err) : r;
}

static const char *why_no_pairs(const struct items *i, bool ratio)
{
    bool alike = !ratio || (i->den_a && i->den_b && memcmp(i->den_a, i->den_b, i->n * sizeof *i->den_a) == 0);
    return !i->a || !i->b ? "not the same number of graded items" : alike ? NULL : "not the same items";
}

/* One side of a metric of the task's own; NULL where there is nothing. */
static int load_scores(struct loader *l, const struct tare_compare_side *side,
                       const struct tare_report_cell *c, const struct tare_metric *m, size_t n,
                       const double **num, const double **den, struct tare_err *err)
{
    double *scored = NULL, *weights = NULL;
    size_t n_scored = 0;
    int r = side->input->scores
                ? side->input->scores(side->input->ctx, c->id, m, &scored, &weights, &n_scored, err)
                : 0;
    bool fits = r == 0 && n > 0 && n_scored == n;
    *num = fits ? tare_arena_copy(&l->out->arena, scored, n * sizeof *scored) : NULL;
    *den = fits ? tare_arena_copy(&l->out->arena, weights, n * sizeof *weights) : NULL;
    free(scored);
    free(weights);
    return r;
}

static int pair_scores(struct loader *l, const struct tare_report_cell *ca, const struct tare_report_cell *cb,
                       const struct tare_metric *m, struct tare_compare_row *row, struct tare_err *err)
{
    struct items i = {.n = row->a_figure->n == row->b_figure->n ? (size_t)row->a_figure->n : 0};
    row->absent = tare_score_unpaired(m);
    if (row->absent) {
        return 0;
    }
    int r = load_scores(l, l->a, ca, m, i.n, &i.a, &i.den_a, err);
    r = r == 0 ? load_scores(l, l->b, cb, m, i.n, &i.b, &i.den_b, err) : r;
    row->absent = r == 0 ? why_no_pairs(&i, true) : NULL;
    if (r < 0 || row->absent) {
        return r;
    }
    row->n = i.n;
    row->a = i.a;
    row->b = i.b;
    row->den = i.den_a;
    row->scale = m->scale;
    row->proportion =
        all_binary(row->a, row->n) && all_binary(row->b, row->n) && all_binary(row->den, row->n);
    return 0;
}

static int pair_items(struct loader *l, const struct tare_report_cell *ca, const struct tare_report_cell *cb,
                      const struct tare_metric *m, struct tare_compare_row *row, struct tare_err *err)
{
    bool ratio = m->rule == TARE_METRIC_RATIO;
    if (m->rule == TARE_METRIC_SCORES) {
        return pair_scores(l, ca, cb, m, row, err);
    }
    struct items items = {.n = row->a_figure->n == row->b_figure->n ? (size_t)row->a_figure->n : 0};
    int r = load_items(l, ca, cb, ratio, &items, err);
    row->absent = r == 0 ? why_no_pairs(&items, ratio) : NULL;
    if (r < 0 || row->absent) {
        return r;
    }
    row->n = items.n;
    row->a = items.a;
    row->b = items.b;
    row->den = items.den_a;
    row->scale = m->scale;
    row->proportion =
        all_binary(row->a, row->n) && all_binary(row->b, row->n) && (!ratio || all_binary(row->den, row->n));
    return 0;
}

static int pair_exact(struct loader *l, struct tare_compare_row *row, struct tare_err *err)
{
    double *values = tare_arena_array(&l->out->arena, 2, sizeof *values);
    if (!values) {
        return no_memory(err);
    }
    values[0] = row->a_figure->value;
    values[1] = row->b_figure->value;
    row->a = &values[0];
    row->b = &values[1];
    row->n = 1;
    return 0;
}

static struct tare_compare_row *new_row(struct loader *l)
{
    struct tare_compare_rows *to = l->out;
    if (to->n == to->cap) {
        size_t cap = to->cap ? 2 * to->cap : 64;
        struct tare_compare_row *rows = tare_arena_array(&to->arena, cap, sizeof *rows);
        if (!rows) {
            return NULL;
        }
        if (to->n) {
            memcpy(rows, to->rows, to->n * sizeof *rows);
        }
        to->rows = rows;
        to->cap = cap;
    }
    return &to->rows[to->n++];
}

/* What the row is of: "task", with the system before it where a side has several. */
static const char *label(struct loader *l, const struct tare_report_cell *c)
{
    char text[512];
    bool several = !l->a->model;
    (void)snprintf(text, sizeof text, "%s%s%s%s%s", several ? c->model : "", several ? "/" : "",
                   several ? c->technique : "", several ? " " : "", c->task);
    return tare_arena_copy(&l->out->arena, text, strlen(text) + 1);
}

static bool has_value(const struct tare_figure *f)
{
    return f && !f->absent;
}

static int pair(struct loader *l, const struct tare_report_cell *ca, const struct tare_report_cell *cb,
                struct tare_compare_row *row, struct tare_err *err)
{
    const struct tare_metric *metric = metric_of(ca, row->figure);
    const struct tare_figure *a = row->a_figure, *b = row->b_figure;
    if (!a || !b) {
        return 0;
    }
    bool exact = is_exact(a) && is_exact(b);
    row->unit = a->unit;
    row->kind = (enum tare_kind)a->kind;
    row->pairing = metric ? TARE_COMPARE_ITEMS : exact ? TARE_COMPARE_EXACT : TARE_COMPARE_BLOCKS;
    row->doubt = doubt(l, ca, cb, a, b, row->pairing == TARE_COMPARE_BLOCKS);
    return metric  ? pair_items(l, ca, cb, metric, row, err)
           : exact ? pair_exact(l, row, err)
                   : pair_blocks(l, ca, cb, row, err);
}

static int add_row(struct loader *l, const struct tare_report_cell *ca, const struct tare_report_cell *cb,
                   const char *figure, struct tare_err *err)
{
    const struct tare_figure *a = tare_report_figure(ca, figure), *b = tare_report_figure(cb, figure);
    if (!has_value(a) && !has_value(b) && !l->wanted) {
        return 0;
    }
    struct tare_compare_row *row = new_row(l);
    if (!row) {
        return no_memory(err);
    }
    *row = (struct tare_compare_row){.task = label(l, ca),
                                     .figure = tare_arena_copy(&l->out->arena, figure, strlen(figure) + 1),
                                     .a_figure = a,
                                     .b_figure = b,
                                     .better = better_of(ca, figure),
                                     .pairing = TARE_COMPARE_BLOCKS,
                                     .absent = unlike(ca, cb, a, b)};
    if (!row->task || !row->figure) {
        return no_memory(err);
    }
    return row->absent || !a || !b ? 0 : pair(l, ca, cb, row, err);
}

static int add_cell_rows(struct loader *l, const struct tare_report_cell *ca,
                         const struct tare_report_cell *cb, struct tare_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && l->wanted && l->wanted[i]; i++) {
        r = add_row(l, ca, cb, l->wanted[i], err);
    }
    if (l->wanted) {
        return r;
    }
    for (const struct tare_metric *m = ca->metrics; r == 0 && m && m->name; m++) {
        r = add_row(l, ca, cb, m->name, err);
    }
    for (size_t i = 0; r == 0 && i < n_usual; i++) {
        r = add_row(l, ca, cb, usual[i], err);
    }
    return r;
}

static bool is_of(const struct tare_compare_side *side, const struct tare_report_cell *c)
{
    return !side->model || (same(side->model, c->model) && same(side->technique, c->technique));
}

/* B's cell of the same work; of the same system too where the sides are whole runs. */
static const struct tare_report_cell *partner(const struct tare_compare_side *b,
                                              const struct tare_report_cell *ca)
{
    for (size_t i = 0; i < b->input->n_cells; i++) {
        const struct tare_report_cell *c = &b->input->cells[i];
        bool system = b->model ? is_of(b, c) : same(c->model, ca->model) && same(c->technique, ca->technique);
        if (system && same(c->task, ca->task) && same(c->scenario, ca->scenario)) {
            return c;
        }
    }
    return NULL;
}

static int load_values(struct loader *l, const struct tare_compare_side *side, struct values *to,
                       struct tare_err *err)
{
    const char *names[n_usual + 1];
    for (size_t i = 0; i < n_usual; i++) {
        names[i] = usual[i];
    }
    names[n_usual] = NULL;
    to->arena = &l->out->arena;
    return tare_repeat_figures(side->store, side->run_id, side->input->baseline, NULL,
                               l->wanted ? l->wanted : names, take_value, to, err);
}

static int load(struct loader *l, const char *task_pattern, struct tare_err *err)
{
    int r = load_values(l, l->a, &l->values_a, err);
    r = r == 0 && !l->same_run ? load_values(l, l->b, &l->values_b, err) : r;
    for (size_t i = 0; r == 0 && i < l->a->input->n_cells; i++) {
        const struct tare_report_cell *ca = &l->a->input->cells[i];
        const struct tare_report_cell *cb = is_of(l->a, ca) ? partner(l->b, ca) : NULL;
        if (cb && (!task_pattern || fnmatch(task_pattern, ca->task, 0) == 0)) {
            r = add_cell_rows(l, ca, cb, err);
        }
    }
    return r == 0 && l->out->n == 0
               ? tare_err_set(err, TARE_E_USAGE, "compare: A and B have no task in common%s%s",
                              task_pattern ? " that matches " : "", task_pattern ? task_pattern : "")
               : r;
}

int tare_compare_rows_load(const struct tare_compare_side *a, const struct tare_compare_side *b,
                           const char *task_pattern, const char *const *wanted, struct tare_compare_rows *out,
                           struct tare_err *err)
{
    *out = (struct tare_compare_rows){0};
    struct loader l = {.a = a, .b = b, .wanted = wanted, .out = out};
    l.same_run = a->store == b->store && a->run_id == b->run_id;
    int r = load(&l, task_pattern, err);
    free(l.values_a.list);
    free(l.values_b.list);
    if (r < 0) {
        tare_compare_rows_fini(out);
    }
    return r;
}

void tare_compare_rows_fini(struct tare_compare_rows *rows)
{
    tare_arena_fini(&rows->arena);
    *rows = (struct tare_compare_rows){0};
}
