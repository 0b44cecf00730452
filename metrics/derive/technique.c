/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a backend says of its own doing, and what a technique saves. Every reading of the backend's own
 * hook becomes a figure of the same name, of the kind that the backend states: counted values are exact
 * and must agree between repeats, others give the median. The compression ratio sets stored bytes against
 * those of the baseline. Nothing here knows any technique by name.
 */
#include "derive.h"

#include <stdlib.h>
#include <string.h>

/* The reading of that name, whichever of the two calls gave it. What a resumed repeat's last process
 * answered is not all of the repeat, so of its measure phase nothing is taken. */
static const struct tare_reading_record *own(const struct tare_evidence *e,
                                             const struct tare_evidence_repeat *repeat, const char *name)
{
    const struct tare_reading_record *r =
        repeat->attempts == 1 ? tare_evidence_find_own(e, repeat->id, "measure", name) : NULL;
    return r ? r : tare_evidence_find_own(e, repeat->id, "load", name);
}

static bool agree(const double *values, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (values[i] != values[0]) {
            return false;
        }
    }
    return n > 0;
}

static int put(struct tare_figure *f, double *values, size_t n, struct tare_figures *to, struct tare_err *err)
{
    f->n = (int64_t)n;
    /* A model of measured times differs between repeats as they do. */
    bool varies = f->kind == TARE_KIND_MEASURED || f->kind == TARE_KIND_MODELLED;
    if (varies || (n > 0 && !agree(values, n))) {
        if (!varies) {
            tare_figure_flag(f, "DISAGREE");
        }
        return tare_figure_repeats(f, values, n, "every repeat was resumed, so no process saw all of it", to,
                                   err);
    }
    if (f->kind == TARE_KIND_COUNTED || n == 0) {
        return tare_figure_exact(f, n ? values[0] : (double)NAN, "repeats",
                                 "every repeat was resumed, so no process saw all of it", to, err);
    }
    f->value = values[0]; /* told by somebody: there is nothing to make an interval of */
    return to->put(to, f, err);
}

static int derive_reading(const struct tare_evidence *e, const struct tare_reading_record *any,
                          double *values, struct tare_figures *to, struct tare_err *err)
{
    struct tare_figure f = tare_figure_make(any->name, any->unit, (enum tare_kind)tare_kind_of(any->kind),
                                            any->source, any->scope);
    size_t n = 0;
    if (f.kind == TARE_KIND_MEASURED && strcmp(any->phase, "measure") == 0) {
        tare_figure_flag_noise(&f, e);
    }
    for (size_t i = 0; i < e->n_repeats; i++) {
        const struct tare_reading_record *r =
            e->repeats[i].complete ? own(e, &e->repeats[i], any->name) : NULL;
        if (r && r->absent) {
            return tare_figure_absent(&f, r->absent, to, err);
        }
        if (r) {
            int kind = tare_kind_of(r->kind);
            f.kind = kind > f.kind ? kind : f.kind;
            values[n++] = r->value;
        }
    }
    return put(&f, values, n, to, err);
}

static bool is_own(const struct tare_reading_record *r)
{
    return strcmp(r->meter, TARE_METER_OF_BACKEND) == 0;
}

/* Is it the first reading of its name? Each name is derived once. */
static bool is_first(const struct tare_evidence *e, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (is_own(&e->readings[i].r) && strcmp(e->readings[i].r.name, e->readings[at].r.name) == 0) {
            return false;
        }
    }
    return is_own(&e->readings[at].r);
}

/* Bytes of the weights as stored: the backend's reading, which knows of an applied technique, or the
 * model's fact. */
static const struct tare_reading_record *stored(const struct tare_evidence *e, bool from_reading)
{
    const struct tare_reading_record *r = NULL;
    for (size_t i = 0; i < e->n_repeats && !r; i++) {
        r = from_reading ? tare_evidence_find_own(e, e->repeats[i].id, "load", "weights_stored_bytes")
                         : tare_evidence_find(e, e->repeats[i].id, "load", "stored_bytes");
        r = r && !r->absent ? r : NULL;
    }
    return r;
}

static int derive_compression(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err)
{
    struct tare_figure f = tare_figure_make("compression_ratio", "x", TARE_KIND_COUNTED,
                                            "stored bytes of the baseline over these", "model");
    const char *why = tare_evidence_no_baseline(e);
    if (why) {
        return tare_figure_absent(&f, why, to, err);
    }
    const struct tare_reading_record *here = stored(e, true), *there = stored(e->baseline, true);
    if (!here || !there) { /* both by the same account */
        here = stored(e, false);
        there = stored(e->baseline, false);
    }
    if (!here || !there || here->value <= 0) {
        return tare_figure_absent(&f, "the backend does not know the stored bytes of both", to, err);
    }
    int kind = tare_kind_of(here->kind), other = tare_kind_of(there->kind);
    f.kind = kind > other ? kind : other;
    f.n = 1;
    return tare_figure_exact(&f, there->value / here->value, "model", NULL, to, err);
}

int tare_derive_technique(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

int tare_derive_technique(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err)
{
    double *values = calloc(e->n_repeats + 1, sizeof *values);
    if (!values) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    int r = 0;
    for (size_t i = 0; r == 0 && tare_evidence_complete(e) && i < e->n_readings; i++) {
        if (is_first(e, i)) {
            r = derive_reading(e, &e->readings[i].r, values, to, err);
        }
    }
    free(values);
    return r == 0 ? derive_compression(e, to, err) : r;
}
