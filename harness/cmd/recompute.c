/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the one derivation that makes percentiles, on samples alone: nothing else of the evidence is loaded.
 */
#include "cmd/recompute.h"

#include "metrics/derive/derive.h"
#include "store/query.h"

#include <stdlib.h>
#include <string.h>

struct cell {
    struct tare_figures sink; /* first: figures come in through it */
    struct tare_store *store;
    struct tare_figure *figures; /* to be replaced */
    size_t n_figures;
    struct tare_evidence_repeat *repeats;
    size_t n_repeats, cap_repeats;
};

static int add_repeat(void *ctx, const struct tare_outcome_row *row, struct tare_err *err)
{
    struct cell *c = ctx;
    if (c->n_repeats == c->cap_repeats) {
        size_t cap = c->cap_repeats ? 2 * c->cap_repeats : 16;
        struct tare_evidence_repeat *more = realloc(c->repeats, cap * sizeof *more);
        if (!more) {
            return tare_err_set(err, TARE_E_NOMEM, "out of memory");
        }
        c->repeats = more;
        c->cap_repeats = cap;
    }
    c->repeats[c->n_repeats++] = (struct tare_evidence_repeat){
        .id = row->id, .block = row->block, .complete = strcmp(row->outcome, "ok") == 0};
    return 0;
}

static struct tare_figure *stored(const struct cell *c, const char *name)
{
    for (size_t i = 0; i < c->n_figures; i++) {
        if (strcmp(c->figures[i].name, name) == 0 && !c->figures[i].absent) {
            return &c->figures[i];
        }
    }
    return NULL;
}

static int replace(struct tare_figures *to, const struct tare_figure *figure, struct tare_err *err)
{
    struct cell *c = (struct cell *)to;
    struct tare_figure *old = stored(c, figure->name);
    (void)err;
    if (old) {
        old->value = figure->value;
        old->low = figure->low;
        old->high = figure->high;
        old->level = figure->level;
        old->method = figure->method;
        old->n = figure->n;
        old->absent = figure->absent;
    }
    return 0;
}

/* What no stored figure needs is not read at all. */
static int read_column(void *ctx, int64_t repeat_id, enum tare_column column, double **out, size_t *out_n,
                       struct tare_err *err)
{
    static const char *const needs[] = {[TARE_COLUMN_LATENCY_NS] = "latency_p50",
                                        [TARE_COLUMN_TTFT_NS] = "ttft_p50",
                                        [TARE_COLUMN_TPOT_NS] = "tpot_p50",
                                        [TARE_COLUMN_ITL_NS] = "itl_p50"};
    const struct cell *c = ctx;
    if (column > TARE_COLUMN_ITL_NS || !stored(c, needs[column])) {
        *out = NULL;
        *out_n = 0;
        return 0;
    }
    return tare_query_column(c->store, repeat_id, column, out, out_n, err);
}

static int recompute_cell(struct tare_store *store, int64_t cell_id, struct tare_figure *figures, size_t n,
                          struct tare_err *err)
{
    struct cell c = {.sink = {replace}, .store = store, .figures = figures, .n_figures = n};
    int r = tare_query_outcomes(store, cell_id, add_repeat, &c, err);
    struct tare_evidence e = {
        .repeats = c.repeats, .n_repeats = c.n_repeats, .column = read_column, .ctx = &c};
    r = r == 0 ? tare_derive_one("latency", &e, &c.sink, err) : r;
    free(c.repeats);
    return r;
}

int tare_recompute_percentiles(struct tare_loaded *loaded, struct tare_err *err)
{
    return tare_loaded_rework(loaded, recompute_cell, err);
}
