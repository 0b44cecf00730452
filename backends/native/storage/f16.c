/* SPDX-License-Identifier: Apache-2.0 */
/* Half precision as in the file: `X.weight` F16 [out, in]. Kept as panels of halves, which are widened
 * exactly in the inner loop. */
#include "storages.h"

#include "kernels/panels.h"
#include "load.h"
#include "widen.h"
#include "rows.h"

#include <stdlib.h>

static void piece(const struct tare_exec *exec, const struct tare_linear *w, const struct tare_product *p,
                  const void *prepared, uint32_t from, uint32_t to)
{
    const uint16_t *panels = w->data;
    const struct tare_vectors v = {p->to + from, p->to_stride, p->from, p->from_stride, p->n, p->add};
    (void)prepared;
    exec->kernels->panels_f16(&v, panels + (size_t)from * w->in, to - from, w->in);
}

static void unpack(const struct tare_linear *w, uint32_t row, uint32_t n, float *to)
{
    const uint16_t *panels = w->data;
    if (row % TARE_PANEL_ROWS == 0 && n >= TARE_PANEL_ROWS) {
        tare_kernels_best()->unpack_f16(to, panels + (size_t)row * w->in, n, w->in);
        return;
    }
    for (uint32_t r = row; r < row + n; r++) {
        tare_panels_f16_row(to + (size_t)(r - row) * w->in, panels, r, w->in);
    }
}

static void facts(const struct tare_linear *w, struct tare_linear_facts *out)
{
    const uint16_t *panels = w->data;
    size_t bytes = tare_panels_f16_bytes(w->out, w->in);
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

static int fill(struct tare_linear *w, const uint16_t *halves, struct tare_err *err)
{
    void *panels = NULL;
    int rc = tare_storage_reserve(&panels, tare_panels_f16_bytes(w->out, w->in), w->name, err);
    if (rc == 0) {
        tare_panels_f16_pack(panels, halves, w->out, w->in);
        w->data = panels;
        w->storage = &tare_stored_f16;
    }
    return rc;
}

static int load(struct tare_loader *loader, const char *name, struct tare_linear *to)
{
    const struct tare_tensor *t = tare_load_find(loader, name, ".weight");
    uint16_t *halves = NULL;
    if (!t || t->dtype != TARE_DTYPE_F16) {
        return 0;
    }
    int rc = tare_load_take(loader, t, TARE_DTYPE_F16, to->out, to->in);
    if (rc == 0) {
        rc = tare_load_halves(loader, t, &halves);
    }
    if (rc == 0) {
        rc = fill(to, halves, loader->err);
    }
    free(halves);
    return rc < 0 ? rc : 1;
}

int tare_storage_f16(struct tare_linear *w, const float *dense, struct tare_err *err)
{
    size_t n = (size_t)w->out * w->in;
    uint16_t *halves = malloc(n * sizeof *halves + 1);
    if (!halves) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the %zu weights of %s", n, w->name);
    }
    for (size_t i = 0; i < n; i++) {
        halves[i] = tare_narrow_half(dense[i]);
    }
    int rc = fill(w, halves, err);
    free(halves);
    return rc;
}

const struct tare_storage tare_stored_f16 = {
    .name = "f16",
    .load = load,
    .apply = tare_linear_by_pieces,
    .unpack = unpack,
    .facts = facts,
    .close = close_layer,
    .piece = piece,
};
