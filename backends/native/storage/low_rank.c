/* SPDX-License-Identifier: Apache-2.0 */
/*
 * W = B A with a small inner size: in a file `X.a.weight` F16 [rank, in] and `X.b.weight` F16 [out, rank].
 *
 * The factors are linear layers of their own, whatever they are stored as, so that they can be quantized or
 * pruned in turn; y = B (A x) is two products through the scratch that exec keeps for it. A factor is never
 * of low rank itself, or both would want that scratch.
 */
#include "storages.h"

#include "load.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct factors {
    struct tare_linear a;
    struct tare_linear b;
    float *row; /* owned, [in + rank]: for unpack */
};

/* As many rows at a time as the scratch holds: all of a block, fewer only of a whole window. */
static void apply(struct tare_exec *exec, const struct tare_linear *w, const struct tare_product *p)
{
    const struct factors *f = w->data;
    uint32_t rank = f->a.out;
    uint32_t most = (uint32_t)(exec->rank_floats / rank);
    for (uint32_t at = 0; at < p->n; at += most) {
        uint32_t n = p->n - at < most ? p->n - at : most;
        const struct tare_product into = {.to = exec->rank,
                                          .to_stride = rank,
                                          .from = p->from + (size_t)at * p->from_stride,
                                          .from_stride = p->from_stride,
                                          .n = n};
        const struct tare_product out_of = {.to = p->to + (size_t)at * p->to_stride,
                                            .to_stride = p->to_stride,
                                            .from = exec->rank,
                                            .from_stride = rank,
                                            .n = n,
                                            .add = p->add};
        tare_linear_apply(exec, &f->a, &into);
        tare_linear_apply(exec, &f->b, &out_of);
    }
}

static void unpack(const struct tare_linear *w, uint32_t row, uint32_t n, float *to)
{
    const struct factors *f = w->data;
    float *of_a = f->row;
    float *of_b = f->row + w->in;
    memset(to, 0, (size_t)n * w->in * sizeof *to);
    for (uint32_t i = 0; i < n; i++, to += w->in) {
        f->b.storage->unpack(&f->b, row + i, 1, of_b);
        for (uint32_t k = 0; k < f->a.out; k++) {
            f->a.storage->unpack(&f->a, k, 1, of_a);
            for (uint32_t c = 0; c < w->in; c++) {
                to[c] += of_b[k] * of_a[c];
            }
        }
    }
}

static void facts(const struct tare_linear *w, struct tare_linear_facts *out)
{
    const struct factors *f = w->data;
    struct tare_linear_facts b;
    f->a.storage->facts(&f->a, out);
    f->b.storage->facts(&f->b, &b);
    tare_linear_add_facts(out, &b);
    out->resident_bytes += ((int64_t)w->in + f->a.out) * (int64_t)sizeof *f->row;
}

static uint32_t parts(struct tare_linear *w, struct tare_linear *out[2])
{
    struct factors *f = w->data;
    out[0] = &f->a;
    out[1] = &f->b;
    return 2;
}

static void free_factors(struct factors *f)
{
    if (f) {
        tare_linear_close(&f->a);
        tare_linear_close(&f->b);
        free(f->row);
        free(f);
    }
}

static void close_layer(struct tare_linear *w)
{
    free_factors(w->data);
}

static int create(const struct tare_linear *w, uint32_t rank, struct factors **out, struct tare_err *err)
{
    if (rank == 0 || rank > w->in || rank > w->out) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: rank %u of a matrix of %u by %u; it must lie in 1 to %u",
                            w->name, rank, w->out, w->in, w->out < w->in ? w->out : w->in);
    }
    struct factors *f = calloc(1, sizeof *f);
    float *row = calloc((size_t)w->in + rank, sizeof *row);
    if (!f || !row) {
        free(f);
        free(row);
        return tare_err_set(err, TARE_E_NOMEM, "no memory for %s", w->name);
    }
    f->row = row;
    f->a = (struct tare_linear){.out = rank, .in = w->in};
    f->b = (struct tare_linear){.out = w->out, .in = rank};
    (void)snprintf(f->a.name, sizeof f->a.name, "%.60s.a", w->name);
    (void)snprintf(f->b.name, sizeof f->b.name, "%.60s.b", w->name);
    *out = f;
    return 0;
}

static void give(struct tare_linear *w, struct factors *f)
{
    w->data = f;
    w->storage = &tare_stored_low_rank;
}

static int load_factor(struct tare_loader *loader, const char *name, const char *which,
                       struct tare_linear *to)
{
    char inner[80];
    int n = snprintf(inner, sizeof inner, "%s.%s", name, which);
    int rc = n < 0 || (size_t)n >= sizeof inner ? 0 : tare_stored_f16.load(loader, inner, to);
    if (rc == 0) {
        return tare_err_set(loader->err, TARE_E_FORMAT,
                            "%s: '%s%s' is of low rank but '.%s.weight' is missing or not F16", loader->what,
                            loader->prefix, name, which);
    }
    return rc < 0 ? rc : 0;
}

static int load(struct tare_loader *loader, const char *name, struct tare_linear *to)
{
    const struct tare_tensor *a = tare_load_find(loader, name, ".a.weight");
    const struct tare_tensor *b = tare_load_find(loader, name, ".b.weight");
    struct factors *f = NULL;
    if (!a && !b) {
        return 0;
    }
    uint64_t rank = a && a->rank == 2 ? a->shape[0] : 0;
    int rc = create(to, rank <= UINT32_MAX ? (uint32_t)rank : 0, &f, loader->err);
    if (rc == 0) {
        rc = load_factor(loader, name, "a", &f->a);
    }
    if (rc == 0) {
        rc = load_factor(loader, name, "b", &f->b);
    }
    if (rc < 0) {
        free_factors(f);
        return rc;
    }
    give(to, f);
    return 1;
}

int tare_storage_low_rank(struct tare_linear *w, uint32_t rank, const float *a, const float *b,
                          struct tare_err *err)
{
    struct factors *f = NULL;
    int rc = create(w, rank, &f, err);
    if (rc == 0) {
        rc = tare_storage_f16(&f->a, a, err);
    }
    if (rc == 0) {
        rc = tare_storage_f16(&f->b, b, err);
    }
    if (rc < 0) {
        free_factors(f);
        return rc;
    }
    give(w, f);
    return 0;
}

const struct tare_storage tare_stored_low_rank = {
    .name = "low_rank",
    .load = load,
    .apply = apply,
    .unpack = unpack,
    .facts = facts,
    .parts = parts,
    .close = close_layer,
};
