/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the derivations on evidence that is cut down to one repeat at a time. */
#include "cmd/repeats.h"

#include "cmd/evidence_load.h"

#include <stdlib.h>
#include <string.h>

struct relay {
    struct tare_figures sink; /* first: figures come in through it */
    struct tare_repeat_context repeat;
    const char *const *wanted;
    tare_repeat_figure_fn fn;
    void *ctx;
};

static bool is_wanted(const char *const *wanted, const char *name)
{
    for (size_t i = 0; wanted && wanted[i]; i++) {
        if (strcmp(wanted[i], name) == 0) {
            return true;
        }
    }
    return !wanted;
}

static int pass_on(struct tare_figures *to, const struct tare_figure *figure, struct tare_err *err)
{
    struct relay *relay = (struct relay *)to;
    return is_wanted(relay->wanted, figure->name) ? relay->fn(relay->ctx, &relay->repeat, figure, err) : 0;
}

/* The readings of the repeat, behind each other. */
static size_t pick_readings(const struct tare_loaded_cell *c, int64_t repeat_id,
                            struct tare_evidence_reading *to)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_readings; i++) {
        if (c->readings[i].repeat_id == repeat_id) {
            to[n++] = c->readings[i];
        }
    }
    return n;
}

static int derive_one(const struct tare_loaded_cell *c, const struct tare_evidence_repeat *repeat,
                      struct tare_evidence_reading *readings, struct relay *relay, struct tare_err *err)
{
    struct tare_evidence alone = c->evidence;
    alone.repeats = repeat;
    alone.n_repeats = 1;
    alone.readings = readings;
    alone.n_readings = pick_readings(c, repeat->id, readings);
    relay->repeat = (struct tare_repeat_context){.cell_id = c->id,
                                                 .repeat_id = repeat->id,
                                                 .block = repeat->block,
                                                 .complete = repeat->complete,
                                                 .disturbed = tare_evidence_disturbed(&alone)};
    int r = relay->fn(relay->ctx, &relay->repeat, NULL, err);
    return r == 0 && repeat->complete ? tare_derive(&alone, &relay->sink, err) : r;
}

static int derive_cell(const struct tare_loaded_cell *c, struct relay *relay, struct tare_err *err)
{
    struct tare_evidence_reading *readings = calloc(c->n_readings + 1, sizeof *readings);
    int r = readings ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    for (size_t i = 0; r == 0 && i < c->n_repeats; i++) {
        r = derive_one(c, &c->repeats[i], readings, relay, err);
    }
    free(readings);
    return r;
}

int tare_repeat_figures_of(const struct tare_loaded_cell *cell, const char *const *wanted,
                           tare_repeat_figure_fn fn, void *ctx, struct tare_err *err)
{
    struct relay relay = {.sink = {pass_on}, .wanted = wanted, .fn = fn, .ctx = ctx};
    return derive_cell(cell, &relay, err);
}

int tare_repeat_figures(struct tare_store *store, int64_t run_id, const char *baseline,
                        const struct tare_declared *declared, const char *const *wanted,
                        tare_repeat_figure_fn fn, void *ctx, struct tare_err *err)
{
    struct tare_loaded_run run;
    int r = tare_evidence_load(store, run_id, NULL, &run, err);
    if (r < 0) {
        return r;
    }
    tare_evidence_judge(&run, baseline, declared);
    for (size_t i = 0; r == 0 && i < run.n; i++) {
        r = tare_repeat_figures_of(&run.cells[i], wanted, fn, ctx, err);
    }
    tare_evidence_free(&run);
    return r;
}
