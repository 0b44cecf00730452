/* SPDX-License-Identifier: Apache-2.0 */
/*
 * W = W1 + W2 of one shape, each stored in its own way: low rank plus a sparse rest.
 *
 * A product is two, the second added. It has no form in a file.
 */
#include "storages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct terms {
    struct tare_linear first;
    struct tare_linear second;
    float *row; /* owned, [in]: for unpack */
};

static void apply(struct tare_exec *exec, const struct tare_linear *w, const struct tare_product *p)
{
    const struct terms *t = w->data;
    struct tare_product rest = *p;
    rest.add = true;
    tare_linear_apply(exec, &t->first, p);
    tare_linear_apply(exec, &t->second, &rest);
}

static void unpack(const struct tare_linear *w, uint32_t row, uint32_t n, float *to)
{
    const struct terms *t = w->data;
    t->first.storage->unpack(&t->first, row, n, to);
    for (uint32_t i = 0; i < n; i++, to += w->in) {
        t->second.storage->unpack(&t->second, row + i, 1, t->row);
        for (uint32_t c = 0; c < w->in; c++) {
            to[c] += t->row[c];
        }
    }
}

/* Beside other numbers, those that a sparse term leaves out describe nothing. */
static void facts_of_term(const struct tare_linear *term, struct tare_linear_facts *out)
{
    term->storage->facts(term, out);
    if (term->storage == &tare_stored_bitmap || term->storage == &tare_stored_two_four) {
        out->params = out->non_zero;
    }
}

static void facts(const struct tare_linear *w, struct tare_linear_facts *out)
{
    const struct terms *t = w->data;
    struct tare_linear_facts second;
    facts_of_term(&t->first, out);
    facts_of_term(&t->second, &second);
    tare_linear_add_facts(out, &second);
    out->resident_bytes += (int64_t)w->in * (int64_t)sizeof *t->row;
}

static uint32_t parts(struct tare_linear *w, struct tare_linear *out[2])
{
    struct terms *t = w->data;
    out[0] = &t->first;
    out[1] = &t->second;
    return 2;
}

static void close_layer(struct tare_linear *w)
{
    struct terms *t = w->data;
    tare_linear_close(&t->first);
    tare_linear_close(&t->second);
    free(t->row);
    free(t);
}

static void take_over(struct tare_linear *to, struct tare_linear *from, const struct tare_linear *w,
                      int number)
{
    *to = (struct tare_linear){.storage = NULL};
    tare_linear_replace(to, from);
    (void)snprintf(to->name, sizeof to->name, "%.60s.%d", w->name, number);
}

int tare_storage_sum(struct tare_linear *w, struct tare_linear *first, struct tare_linear *second,
                     struct tare_err *err)
{
    if (first->out != w->out || second->out != w->out || first->in != w->in || second->in != w->in) {
        return tare_err_set(err, TARE_E_USAGE,
                            "%s: the two terms of %u by %u and %u by %u do not fit %u by %u", w->name,
                            first->out, first->in, second->out, second->in, w->out, w->in);
    }
    struct terms *t = calloc(1, sizeof *t);
    float *row = calloc((size_t)w->in + 1, sizeof *row);
    if (!t || !row) {
        free(t);
        free(row);
        return tare_err_set(err, TARE_E_NOMEM, "no memory for %s", w->name);
    }
    t->row = row;
    take_over(&t->first, first, w, 1);
    take_over(&t->second, second, w, 2);
    w->data = t;
    w->storage = &tare_stored_sum;
    return 0;
}

const struct tare_storage tare_stored_sum = {
    .name = "sum",
    .apply = apply,
    .unpack = unpack,
    .facts = facts,
    .parts = parts,
    .close = close_layer,
};
