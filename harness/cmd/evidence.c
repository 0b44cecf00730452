/* SPDX-License-Identifier: Apache-2.0 */
/* Derives figures out of loaded evidence, and stores them with the verdicts. */
#include "cmd/evidence.h"

#include "cmd/evidence_load.h"

struct figures {
    struct tare_figures sink;
    struct tare_store *store;
    int64_t cell_id;
};

static int put_figure(struct tare_figures *to, const struct tare_figure *figure, struct tare_err *err)
{
    struct figures *f = (struct figures *)to;
    return tare_store_put_figure(f->store, f->cell_id, figure, err);
}

static void count(const struct tare_loaded_cell *c, struct tare_judged *out)
{
    out->valid += c->verdict == TARE_VALID;
    out->skipped += c->verdict == TARE_SKIPPED;
    out->invalid += c->verdict == TARE_INVALID;
    int64_t faults =
        c->facts.crash + c->facts.timeout + c->facts.oom + c->facts.error + c->facts.failed_samples;
    out->failed = out->failed || (c->verdict == TARE_INVALID && faults > 0);
}

static int store_cell(struct tare_loaded_run *run, const struct tare_loaded_cell *c, struct tare_err *err)
{
    struct figures figures = {{put_figure}, run->store, c->id};
    int r = tare_store_drop_figures(run->store, c->id, err);
    r = r == 0 ? tare_derive(&c->evidence, &figures.sink, err) : r;
    return r == 0 ? tare_store_set_verdict(run->store, c->id, tare_verdict_text(c->verdict),
                                           c->reasons[0] ? c->reasons : NULL, err)
                  : r;
}

static int derive_all(struct tare_loaded_run *run, struct tare_judged *out, struct tare_err *err)
{
    int r = tare_store_begin(run->store, err);
    if (r < 0) {
        return r;
    }
    for (size_t i = 0; r == 0 && i < run->n; i++) {
        count(&run->cells[i], out);
        r = store_cell(run, &run->cells[i], err);
    }
    if (r == 0) {
        return tare_store_commit(run->store, err);
    }
    tare_store_rollback(run->store);
    return r;
}

int tare_derive_run(struct tare_store *store, int64_t run_id, const char *baseline,
                    const struct tare_declared *declared, struct tare_judged *out, struct tare_err *err)
{
    struct tare_loaded_run run;
    struct tare_judged judged = {0};
    int r = tare_evidence_load(store, run_id, NULL, &run, err);
    if (r < 0) {
        return r;
    }
    tare_evidence_judge(&run, baseline, declared);
    r = derive_all(&run, &judged, err);
    tare_evidence_free(&run);
    if (r == 0) {
        *out = judged;
    }
    return r;
}
