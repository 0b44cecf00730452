/* SPDX-License-Identifier: Apache-2.0 */
/* Cells, repeats and figures of one repeat each, into arrays by block. */
#include "cmd/check_values.h"

#include "cmd/repeats.h"
#include "core/builtin.h"
#include "core/spec.h"
#include "store/query.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct loading {
    struct tare_check_values *to;
    struct tare_store *store;
    struct tare_check_cell *current;
    size_t cap;
};

static int no_memory(struct tare_err *err)
{
    return tare_err_set(err, TARE_E_NOMEM, "out of memory");
}

static int see_cell(void *ctx, const struct tare_cell_row *row, struct tare_err *err)
{
    struct loading *l = ctx;
    struct tare_check_values *to = l->to;
    if (to->n_cells == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 16;
        struct tare_check_cell *cells = realloc(to->cells, cap * sizeof *cells);
        if (!cells) {
            return no_memory(err);
        }
        to->cells = cells;
        l->cap = cap;
    }
    struct tare_check_cell *c = &to->cells[to->n_cells++];
    struct tare_spec spec;
    const struct tare_task *task = NULL;
    *c = (struct tare_check_cell){.id = row->id,
                                  .model = strdup(row->model),
                                  .technique = strdup(row->technique),
                                  .task = strdup(row->task),
                                  .scenario = strdup(row->scenario)};
    if (!c->model || !c->technique || !c->task || !c->scenario) {
        return no_memory(err);
    }
    c->arm = tare_check_arm_of(c->model, &c->label);
    int r = tare_spec_parse(row->spec, strlen(row->spec), &spec, err);
    if (r == 0) {
        r = tare_find_task(spec.task, &task, err);
        c->metrics = r == 0 ? task->metrics : NULL;
        tare_spec_fini(&spec);
    }
    return r;
}

static int count_blocks(void *ctx, const struct tare_repeat_row *row, struct tare_err *err)
{
    struct tare_check_values *to = ctx;
    (void)err;
    size_t end = (size_t)row->block + 1;
    to->n_blocks = end > to->n_blocks ? end : to->n_blocks;
    return 0;
}

static int see_repeat(void *ctx, const struct tare_repeat_row *row, struct tare_err *err)
{
    struct tare_check_repeat *r = &((struct loading *)ctx)->current->repeats[row->block];
    bool pending = strcmp(row->outcome, "pending") == 0;
    r->id = row->id;
    r->there = !pending;
    r->skipped = strcmp(row->outcome, "skip") == 0;
    bool failed = !pending && (strcmp(row->outcome, "ok") != 0 || row->errors > 0);
    if (failed) {
        r->failure = strdup(row->message ? row->message : row->errors ? "an item failed" : row->outcome);
        return r->failure ? 0 : no_memory(err);
    }
    return 0;
}

static void take_figure(const struct tare_check_values *to, struct tare_check_cell *c, int64_t block,
                        const struct tare_figure *figure)
{
    size_t i = 0;
    while (i < to->n_figures && strcmp(to->figures[i], figure->name) != 0) {
        i++;
    }
    if (i == to->n_figures) {
        return;
    }
    struct tare_check_series *s = &c->series[i];
    const char *kind = tare_kind_name(figure->kind);
    if (figure->absent) {
        (void)snprintf(s->absent, sizeof s->absent, "%s", figure->absent);
        return;
    }
    if (!s->known) {
        (void)snprintf(s->unit, sizeof s->unit, "%s", figure->unit);
        (void)snprintf(s->kind, sizeof s->kind, "%s", kind);
        (void)snprintf(s->scope, sizeof s->scope, "%s", figure->scope);
    }
    s->mixed = s->mixed || strcmp(s->unit, figure->unit) != 0 || strcmp(s->kind, kind) != 0 ||
               strcmp(s->scope, figure->scope) != 0;
    s->known = true;
    s->values[block] = figure->value;
}

static int see_figure(void *ctx, const struct tare_repeat_context *repeat, const struct tare_figure *figure,
                      struct tare_err *err)
{
    const struct tare_check_values *to = ctx;
    static const char mismatch[] = "DATA_MISMATCH";
    (void)err;
    for (size_t i = 0; i < to->n_cells; i++) {
        struct tare_check_cell *c = &to->cells[i];
        if (c->id != repeat->cell_id || repeat->block < 0 || (size_t)repeat->block >= to->n_blocks) {
            continue;
        }
        struct tare_check_repeat *r = &c->repeats[repeat->block];
        r->complete = repeat->complete;
        r->disturbed = repeat->disturbed;
        if (figure) {
            take_figure(to, c, repeat->block, figure);
            c->data_mismatch = c->data_mismatch || strstr(figure->flags, mismatch) != NULL;
        }
    }
    return 0;
}

static int make_room(struct tare_check_values *to, struct tare_err *err)
{
    for (size_t i = 0; i < to->n_cells; i++) {
        struct tare_check_cell *c = &to->cells[i];
        c->repeats = calloc(to->n_blocks + 1, sizeof *c->repeats);
        c->series = calloc(to->n_figures + 1, sizeof *c->series);
        for (size_t f = 0; c->series && f < to->n_figures; f++) {
            c->series[f].values = calloc(to->n_blocks + 1, sizeof *c->series[f].values);
            for (size_t b = 0; c->series[f].values && b < to->n_blocks; b++) {
                c->series[f].values[b] = (double)NAN;
            }
            if (!c->series[f].values) {
                return no_memory(err);
            }
        }
        if (!c->repeats || !c->series) {
            return no_memory(err);
        }
    }
    return 0;
}

static int list_figures(struct tare_check_values *to, struct tare_err *err)
{
    to->figures = calloc(to->rules->n_metrics + 1, sizeof *to->figures);
    for (size_t i = 0; to->figures && i < to->rules->n_metrics; i++) {
        bool known = false;
        for (size_t j = 0; j < to->n_figures; j++) {
            known = known || strcmp(to->figures[j], to->rules->metrics[i].figure) == 0;
        }
        if (!known) {
            to->figures[to->n_figures++] = to->rules->metrics[i].figure;
        }
    }
    return to->figures ? 0 : no_memory(err);
}

/* Where the arms are two techniques, their labels differ for that reason alone. */
static bool are_pair(const struct tare_gate_rules *rules, const struct tare_check_cell *a,
                     const struct tare_check_cell *b)
{
    bool treats = tare_json_get(rules->base, "technique") || tare_json_get(rules->candidate, "technique");
    return a->arm == TARE_CHECK_BASE && b->arm == TARE_CHECK_CANDIDATE && strcmp(a->label, b->label) == 0 &&
           (treats || strcmp(a->technique, b->technique) == 0) && strcmp(a->task, b->task) == 0 &&
           strcmp(a->scenario, b->scenario) == 0;
}

static int find_pairs(struct tare_check_values *to, struct tare_err *err)
{
    to->pairs = calloc(to->n_cells + 1, sizeof *to->pairs);
    for (size_t i = 0; to->pairs && i < to->n_cells; i++) {
        for (size_t j = 0; j < to->n_cells; j++) {
            if (are_pair(to->rules, &to->cells[i], &to->cells[j]) && to->n_pairs < to->n_cells) {
                to->pairs[to->n_pairs++] = (struct tare_check_pair){{&to->cells[i], &to->cells[j]}};
            }
        }
    }
    return to->pairs ? 0 : no_memory(err);
}

int tare_check_load(struct tare_store *store, int64_t run_id, const struct tare_gate_rules *rules,
                    struct tare_check_values *out, struct tare_err *err)
{
    struct tare_check_values values = {.rules = rules};
    struct loading l = {.to = &values, .store = store};
    int r = list_figures(&values, err);
    r = r == 0 ? tare_query_cells(store, run_id, see_cell, &l, err) : r;
    for (size_t i = 0; r == 0 && i < values.n_cells; i++) {
        r = tare_query_repeats(store, values.cells[i].id, count_blocks, &values, err);
    }
    r = r == 0 ? make_room(&values, err) : r;
    for (size_t i = 0; r == 0 && i < values.n_cells; i++) {
        l.current = &values.cells[i];
        r = tare_query_repeats(store, values.cells[i].id, see_repeat, &l, err);
    }
    r = r == 0 ? tare_repeat_figures(store, run_id, NULL, NULL, values.figures, see_figure, &values, err) : r;
    r = r == 0 ? find_pairs(&values, err) : r;
    if (r < 0) {
        tare_check_values_fini(&values);
        return tare_store_blame(store, r, err);
    }
    *out = values;
    return 0;
}

void tare_check_values_fini(struct tare_check_values *values)
{
    for (size_t i = 0; i < values->n_cells; i++) {
        struct tare_check_cell *c = &values->cells[i];
        for (size_t f = 0; c->series && f < values->n_figures; f++) {
            free(c->series[f].values);
        }
        for (size_t b = 0; c->repeats && b < values->n_blocks; b++) {
            free(c->repeats[b].failure);
        }
        free(c->series);
        free(c->repeats);
        free(c->model);
        free(c->technique);
        free(c->task);
        free(c->scenario);
    }
    free(values->cells);
    free(values->pairs);
    free(values->figures);
    memset(values, 0, sizeof *values);
}

/* Disturbances of the moment, which another block may be spared. A slow build and what is of the whole cell
 * are none; a sensor's gap takes its own figure away, and with it that figure's block. */
tare_noise_set tare_check_voiding(const struct tare_gate_rules *rules)
{
    tare_noise_set set = 0;
    for (size_t i = 0; rules->noise == TARE_GATE_VOIDS && i < tare_noise_n_rules; i++) {
        const struct tare_noise_rule *rule = &tare_noise_rules[i];
        bool passing = rule->basis != TARE_NOISE_FACT && rule->basis != TARE_NOISE_ABSENT_PREFIX;
        set |= (tare_noise_set)(rule->voids && passing) << i;
    }
    return set;
}
