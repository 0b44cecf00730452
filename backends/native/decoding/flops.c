/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The matrices of a layer are found by their names, "blocks.N.", which stay in order when layers are taken
 * out.
 */
#include "flops.h"

#include "arch.h"

#include <stdlib.h>
#include <string.h>

/* Characters up to the second dot. */
static size_t prefix_of(const char *name)
{
    const char *dot = strchr(name, '.');
    dot = dot ? strchr(dot + 1, '.') : NULL;
    return dot ? (size_t)(dot - name) + 1 : 0;
}

static void add_layers(struct tare_flops *work)
{
    const struct tare_model *m = work->model;
    const char *last = "";
    uint32_t layer = 0;
    for (size_t i = 1; i < m->n_linears; i++) {
        const struct tare_linear *w = &m->linears[i];
        struct tare_linear_facts facts;
        size_t n = prefix_of(w->name);
        if (!w->storage || n == 0) {
            continue;
        }
        layer += last[0] != '\0' && strncmp(last, w->name, n) != 0;
        last = w->name;
        w->storage->facts(w, &facts);
        if (layer < m->config.n_layers) {
            work->layer[layer] += facts.flops;
        }
    }
}

int tare_flops_open(struct tare_flops *work, const struct tare_model *model, struct tare_err *err)
{
    struct tare_linear_facts head;
    struct tare_flops made = {.model = model,
                              .layer = calloc(model->config.n_layers + 1, sizeof *made.layer)};
    if (!made.layer) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for a count of %u layers", model->config.n_layers);
    }
    model->linears[0].storage->facts(&model->linears[0], &head);
    made.head = head.flops;
    add_layers(&made);
    *work = made;
    return 0;
}

void tare_flops_close(struct tare_flops *work)
{
    free(work->layer);
    memset(work, 0, sizeof *work);
}

int64_t tare_flops_layer(const struct tare_flops *work, uint32_t layer, uint32_t start, uint32_t n)
{
    const struct tare_model *m = work->model;
    int64_t rest = m->arch->prefill_flops(m, layer, (int64_t)start + n);
    rest -= start > 0 ? m->arch->prefill_flops(m, layer, start) : 0;
    return n * work->layer[layer] + rest;
}

int64_t tare_flops_rows(const struct tare_flops *work, uint32_t start, uint32_t n)
{
    int64_t sum = 0;
    for (uint32_t layer = 0; n > 0 && layer < work->model->config.n_layers; layer++) {
        sum += tare_flops_layer(work, layer, start, n);
    }
    return sum;
}
