/* SPDX-License-Identifier: Apache-2.0 */
/* Gathers what a figure is made of. Printing it for people is explain_print.c's. */
#include "cmd/explain.h"

#include "cmd/explain_inputs.h"
#include "cmd/formulas.h"
#include "cmd/repeats.h"
#include "core/plan.h"
#include "store/query.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { first_samples = 5 };

struct gather {
    struct tare_store *store;
    const struct tare_explain_cell *which;
    const char *figure;
    int64_t cell_id; /* TARE_ABSENT until found */
    int64_t n_cells; /* that match */
    struct tare_json *to;
    struct tare_figure stored; /* value and bounds alone stay valid */
    bool found;
    char *baseline; /* of the plan; NULL: none */
    char *task;     /* of the cell */
    struct tare_declared declared;
    int64_t run_id;
};

static bool fits(const char *wanted, const char *has)
{
    return !wanted || !*wanted || strcmp(wanted, has) == 0;
}

static int take_cell(void *ctx, const struct tare_cell_row *row, struct tare_err *err)
{
    struct gather *g = ctx;
    if ((g->which->ordinal != TARE_ABSENT && g->which->ordinal != row->ordinal) ||
        !fits(g->which->model, row->model) || !fits(g->which->technique, row->technique) ||
        !fits(g->which->task, row->task) || !fits(g->which->scenario, row->scenario)) {
        return 0;
    }
    if (g->n_cells++ > 0) {
        return 0;
    }
    g->cell_id = row->id;
    g->task = strdup(row->task);
    if (!g->task) {
        return tare_err_set(err, TARE_E_NOMEM, "explain: out of memory");
    }
    struct tare_json *o = tare_json_add_object(g->to, "cell");
    tare_json_add_i64(o, "cell", row->ordinal);
    tare_json_add_str(o, "backend", row->backend);
    tare_json_add_str(o, "model", row->model);
    tare_json_add_str(o, "technique", row->technique);
    tare_json_add_str(o, "task", row->task);
    tare_json_add_str(o, "scenario", row->scenario);
    tare_json_add_str(o, "verdict", row->verdict);
    tare_json_add_str(o, "reasons", row->reasons);
    tare_json_add_str(o, "spec", row->spec);
    return 0;
}

static int find_cell(struct gather *g, struct tare_err *err)
{
    int r = tare_query_cells(g->store, g->run_id, take_cell, g, err);
    if (r == 0 && g->n_cells == 0) {
        r = tare_err_set(err, TARE_E_USAGE,
                         "no such cell in run %lld: 'tare show --run %lld --json' lists them",
                         (long long)g->run_id, (long long)g->run_id);
    } else if (r == 0 && g->n_cells > 1) {
        r = tare_err_set(err, TARE_E_USAGE,
                         "%lld cells fit: say which by --cell, --model, --technique, --task or --scenario",
                         (long long)g->n_cells);
    }
    return r;
}

static void add_figure(struct tare_json *o, const struct tare_figure *f)
{
    tare_json_add_str(o, "name", f->name);
    tare_json_add_f64(o, "value", f->value);
    tare_json_add_str(o, "absent", f->absent);
    tare_json_add_str(o, "unit", f->unit);
    tare_json_add_str(o, "kind", tare_kind_name(f->kind));
    tare_json_add_str(o, "source", f->source);
    tare_json_add_str(o, "scope", f->scope);
    tare_json_add_i64(o, "n", f->n);
    tare_json_add_str(o, "n_what", f->n_what);
    tare_json_add_f64(o, "low", f->low);
    tare_json_add_f64(o, "high", f->high);
    tare_json_add_f64(o, "level", f->level);
    tare_json_add_str(o, "method", f->method);
    tare_json_add_str(o, "flags", f->flags);
}

static int take_stored(void *ctx, int64_t cell_id, const struct tare_figure *f, struct tare_err *err)
{
    struct gather *g = ctx;
    (void)cell_id;
    (void)err;
    if (strcmp(f->name, g->figure) == 0) {
        g->found = true;
        g->stored = *f;
        add_figure(tare_json_add_object(g->to, "figure"), f);
    }
    return 0;
}

static int find_figure(struct gather *g, struct tare_err *err)
{
    int r = tare_query_figures(g->store, g->cell_id, take_stored, g, err);
    return r == 0 && !g->found
               ? tare_err_set(err, TARE_E_USAGE,
                              "the cell has no figure \"%.60s\": 'tare report --view full' lists them",
                              g->figure)
               : r;
}

static int take_plan(void *ctx, const struct tare_run_row *row, struct tare_err *err)
{
    struct gather *g = ctx;
    struct tare_json *plan = NULL;
    if (row->id != g->run_id) {
        return 0;
    }
    tare_json_add_i64(g->to, "run", row->id);
    tare_json_add_str(g->to, "started", row->started_utc);
    tare_json_add_str(g->to, "plan_sha256", row->plan_sha256);
    tare_json_add_str(g->to, "tare", row->tare_version);
    int r = tare_json_parse(row->plan, strlen(row->plan), "stored plan", &plan, err);
    const char *baseline = tare_json_str(tare_json_get(plan, "baseline"));
    g->baseline = baseline ? strdup(baseline) : NULL;
    r = r == 0 ? tare_declared_read(plan, &g->declared, err) : r;
    tare_json_destroy(plan);
    return r;
}

static bool same_number(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static int add_recomputed(struct gather *g, const struct tare_evidence *e, struct tare_err *err)
{
    struct tare_figure now;
    int r = tare_explain_derive(e, g->figure, &now, err);
    if (r == 0) {
        struct tare_json *o = tare_json_add_object(g->to, "recomputed");
        tare_json_add_f64(o, "value", now.value);
        tare_json_add_f64(o, "low", now.low);
        tare_json_add_f64(o, "high", now.high);
        tare_json_add_bool(o, "same",
                           same_number(now.value, g->stored.value) && same_number(now.low, g->stored.low) &&
                               same_number(now.high, g->stored.high));
        r = tare_explain_inputs(e, g->figure, tare_json_add_array(g->to, "inputs"), err);
    }
    return r;
}

static int add_sample(void *ctx, const struct tare_sample *s, const char *error, struct tare_err *err)
{
    struct tare_json *o = tare_json_add_object(ctx, NULL);
    (void)err;
    tare_json_add_i64(o, "item", s->item);
    tare_json_add_str(o, "error", error);
    tare_json_add_i64(o, "requests", s->n_requests);
    tare_json_add_i64(o, "prompt_tok", s->prompt_tok);
    tare_json_add_i64(o, "output_tok", s->output_tok);
    tare_json_add_i64(o, "start_ns", s->start_ns);
    tare_json_add_i64(o, "latency_ns", s->latency_ns);
    tare_json_add_f64(o, "ttft_ns", s->ttft_ns == TARE_ABSENT ? (double)NAN : (double)s->ttft_ns);
    tare_json_add_f64(o, "num", s->num);
    tare_json_add_f64(o, "den", s->den == TARE_ABSENT ? (double)NAN : (double)s->den);
    tare_json_add_f64(o, "exact", s->exact < 0 ? (double)NAN : (double)s->exact);
    return 0;
}

struct repeats {
    struct gather *g;
    struct tare_json *to;
};

static int add_repeat(void *ctx, const struct tare_repeat_row *row, struct tare_err *err)
{
    struct repeats *all = ctx;
    struct tare_json *o = tare_json_add_object(all->to, NULL);
    tare_json_add_i64(o, "block", row->block);
    tare_json_add_i64(o, "repeat_id", row->id);
    tare_json_add_str(o, "outcome", row->outcome);
    tare_json_add_i64(o, "samples", row->samples);
    return tare_query_samples(all->g->store, row->id, first_samples, add_sample,
                              tare_json_add_array(o, "first_samples"), err);
}

static int add_seal(void *ctx, const struct tare_outcome_row *row, struct tare_err *err)
{
    struct tare_json *o = tare_json_add_object(ctx, NULL);
    (void)err;
    tare_json_add_i64(o, "repeat_id", row->id);
    tare_json_add_str(o, "sha256", row->sha256);
    return 0;
}

/* What each repeat gives by itself. */
static int add_alone(void *ctx, const struct tare_repeat_context *repeat, const struct tare_figure *f,
                     struct tare_err *err)
{
    (void)err;
    if (f) {
        struct tare_json *o = tare_json_add_object(ctx, NULL);
        tare_json_add_i64(o, "block", repeat->block);
        tare_json_add_f64(o, "value", f->value);
        tare_json_add_str(o, "absent", f->absent);
    }
    return 0;
}

/* What is derived anew: the figure of all repeats, and that of each alone. */
static int add_derived(struct gather *g, const struct tare_loaded_cell *c, struct tare_err *err)
{
    const char *const wanted[] = {g->figure, NULL};
    tare_json_add_i64(g->to, "broken_seals", c->facts.broken_seals);
    tare_json_add_str(g->to, "baseline", c->evidence.baseline ? g->baseline : NULL);
    int r = add_recomputed(g, &c->evidence, err);
    return r == 0 ? tare_repeat_figures_of(c, wanted, add_alone, tare_json_add_array(g->to, "of_each_repeat"),
                                           err)
                  : r;
}

static int add_evidence(struct gather *g, struct tare_err *err)
{
    struct tare_loaded_run run;
    int r = tare_evidence_load(g->store, g->run_id, g->task, &run, err);
    if (r < 0) {
        return r;
    }
    tare_evidence_judge(&run, g->baseline, &g->declared);
    for (size_t i = 0; r == 0 && i < run.n; i++) {
        if (run.cells[i].id == g->cell_id) {
            r = add_derived(g, &run.cells[i], err);
        }
    }
    tare_evidence_free(&run);
    return r;
}

static int add_repeats(struct gather *g, struct tare_err *err)
{
    struct repeats all = {g, tare_json_add_array(g->to, "repeats")};
    int r = tare_query_repeats(g->store, g->cell_id, add_repeat, &all, err);
    return r == 0
               ? tare_query_outcomes(g->store, g->cell_id, add_seal, tare_json_add_array(g->to, "seals"), err)
               : r;
}

static int add_file(void *ctx, const char *role, const char *value, struct tare_err *err)
{
    struct tare_json *o = tare_json_add_object(ctx, NULL);
    (void)err;
    tare_json_add_str(o, "role", role);
    tare_json_add_str(o, "file", value);
    return 0;
}

static int gather_all(struct gather *g, struct tare_err *err)
{
    int r = tare_query_runs(g->store, take_plan, g, err);
    r = r == 0 ? find_cell(g, err) : r;
    r = r == 0 ? find_figure(g, err) : r;
    (void)tare_formulas_add(g->figure, tare_json_add_array(g->to, "formula"));
    r = r == 0 ? add_evidence(g, err) : r;
    r = r == 0 ? add_repeats(g, err) : r;
    return r == 0 ? tare_query_artifacts(g->store, g->cell_id, add_file, tare_json_add_array(g->to, "files"),
                                         err)
                  : r;
}

int tare_explain(struct tare_store *store, int64_t run_id, const struct tare_explain_cell *which,
                 const char *figure, struct tare_json *to, struct tare_err *err)
{
    struct gather g = {
        .store = store, .run_id = run_id, .which = which, .figure = figure, .to = to, .cell_id = TARE_ABSENT};
    int r = gather_all(&g, err);
    free(g.baseline);
    free(g.task);
    return r;
}
