/* SPDX-License-Identifier: Apache-2.0 */
/* bfloat16 as in the file: `X.weight` BF16 [out, in]. Kept as panels; the upper half of a float32, so that
 * widening is exact and costs a shift. */
#include "storages.h"

#include "kernels/panels.h"
#include "load.h"
#include "rows.h"

#include <stdlib.h>

static void piece(const struct tare_exec *exec, const struct tare_linear *w, const struct tare_product *p,
                  const void *prepared, uint32_t from, uint32_t to)
{
    const uint16_t *panels = w->data;
    const struct tare_vectors v = {p->to + from, p->to_stride, p->from, p->from_stride, p->n, p->add};
    (void)prepared;
    exec->kernels->panels_bf16(&v, panels + from * tare_panels_pairs(w->in) * 2, to - from, w->in);
}

static void unpack(const struct tare_linear *w, uint32_t row, uint32_t n, float *to)
{
    for (uint32_t r = row; r < row + n; r++) {
        tare_panels_bf16_row(to + (size_t)(r - row) * w->in, w->data, r, w->in);
    }
}

static void facts(const struct tare_linear *w, struct tare_linear_facts *out)
{
    const uint16_t *panels = w->data;
    size_t bytes = tare_panels_bf16_bytes(w->out, w->in);
    int64_t non_zero = 0;
    for (size_t i = 0; i < bytes / sizeof *panels; i++) {
        non_zero += (panels[i] & 0x7fffu) != 0;
    }
    tare_linear_dense_facts(w, (int64_t)w->out * w->in * (int64_t)sizeof *panels, non_zero, out);
    out->resident_bytes = (int64_t)bytes;
}

static void close_layer(struct tare_linear *w)
{
    free(w->data);
}

static int load(struct tare_loader *loader, const char *name, struct tare_linear *to)
{
    const struct tare_tensor *t = tare_load_find(loader, name, ".weight");
    uint16_t *halves = NULL;
    void *panels = NULL;
    if (!t || t->dtype != TARE_DTYPE_BF16) {
        return 0;
    }
    int rc = tare_load_take(loader, t, TARE_DTYPE_BF16, to->out, to->in);
    if (rc == 0) {
        rc = tare_load_halves(loader, t, &halves);
    }
    if (rc == 0) {
        rc = tare_storage_reserve(&panels, tare_panels_bf16_bytes(to->out, to->in), to->name, loader->err);
    }
    if (rc == 0) {
        tare_panels_bf16_pack(panels, halves, to->out, to->in);
        to->data = panels;
        to->storage = &tare_stored_bf16;
    }
    free(halves);
    return rc < 0 ? rc : 1;
}

const struct tare_storage tare_stored_bf16 = {
    .name = "bf16",
    .load = load,
    .apply = tare_linear_by_pieces,
    .unpack = unpack,
    .facts = facts,
    .close = close_layer,
    .piece = piece,
};
