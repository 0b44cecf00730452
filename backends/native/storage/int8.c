/* SPDX-License-Identifier: Apache-2.0 */
/*
 * int8 with a scale per row: in a file `X.weight` I8 [out, in] and `X.weight.scale` F32 [out],
 * w = code * scale. Activations keep the accuracy of float32; see w8a8.c for those that do not.
 */
#include "storages.h"

#include "kernels/panels.h"
#include "load.h"
#include "widen.h"
#include "rows.h"

#include <stdlib.h>
#include <string.h>

struct int8 {
    uint8_t *panels; /* owned */
    float *scales;   /* owned, [out] */
};

static void piece(const struct tare_exec *exec, const struct tare_linear *w, const struct tare_product *p,
                  const void *prepared, uint32_t from, uint32_t to)
{
    const struct int8 *d = w->data;
    const unsigned char *x = prepared;
    size_t bytes = tare_kernels_prepared_bytes(w->in);
    for (uint32_t i = 0; i < p->n; i++) {
        exec->kernels->gemv_int8(p->to + (size_t)i * p->to_stride + from,
                                 d->panels + from * tare_panels_cols(w->in), d->scales + from, to - from,
                                 w->in, x + i * bytes, p->add);
    }
}

static void unpack_row(const struct tare_linear *w, uint32_t row, float *to)
{
    const struct int8 *d = w->data;
    int8_t *codes = (int8_t *)(void *)to;
    tare_panels_int8_row(codes, d->panels, row, w->in);
    for (uint32_t c = w->in; c-- > 0;) { /* from the end on: the codes lie where the first numbers go */
        int8_t code = codes[c];
        to[c] = (float)code * d->scales[row];
    }
}

static void unpack(const struct tare_linear *w, uint32_t row, uint32_t n, float *to)
{
    const struct int8 *d = w->data;
    if (row % TARE_PANEL_ROWS == 0 && n >= TARE_PANEL_ROWS) {
        tare_kernels_best()->unpack_int8(to, d->panels + row * tare_panels_cols(w->in), d->scales + row, n,
                                         w->in);
        return;
    }
    for (uint32_t r = row; r < row + n; r++) {
        unpack_row(w, r, to + (size_t)(r - row) * w->in);
    }
}

/* Padding holds code 0. */
static void facts(const struct tare_linear *w, struct tare_linear_facts *out)
{
    const struct int8 *d = w->data;
    size_t bytes = tare_panels_int8_bytes(w->out, w->in);
    size_t panel = TARE_PANEL_ROWS * tare_panels_cols(w->in);
    int64_t scales = (int64_t)w->out * (int64_t)sizeof(float);
    int64_t non_zero = 0;
    for (size_t i = 0; i < bytes; i++) {
        non_zero +=
            d->panels[i] != 128 && d->scales[i / panel * TARE_PANEL_ROWS + i / 4 % TARE_PANEL_ROWS] != 0.0F;
    }
    tare_linear_dense_facts(w, (int64_t)w->out * w->in + scales, non_zero, out);
    out->resident_bytes = (int64_t)bytes + scales;
}

static void free_layer(struct int8 *d)
{
    if (d) {
        free(d->panels);
        free(d->scales);
        free(d);
    }
}

static void close_layer(struct tare_linear *w)
{
    free_layer(w->data);
}

static int create(const struct tare_linear *w, struct int8 **out, struct tare_err *err)
{
    void *panels = NULL;
    void *scales = NULL;
    struct int8 *d = calloc(1, sizeof *d);
    if (!d) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for %s", w->name);
    }
    int rc = tare_storage_reserve(&panels, tare_panels_int8_bytes(w->out, w->in), w->name, err);
    if (rc == 0) {
        rc = tare_storage_reserve(&scales, w->out * sizeof(float), w->name, err);
    }
    d->panels = panels;
    d->scales = scales;
    if (!panels || !scales) {
        free_layer(d);
        return rc;
    }
    *out = d;
    return 0;
}

static int load(struct tare_loader *loader, const char *name, struct tare_linear *to)
{
    const struct tare_tensor *t = tare_load_find(loader, name, ".weight");
    const struct tare_tensor *scale = tare_load_find(loader, name, ".weight.scale");
    struct int8 *d = NULL;
    if (!t || t->dtype != TARE_DTYPE_I8) {
        return 0;
    }
    if (!scale) {
        return tare_err_set(loader->err, TARE_E_FORMAT, "%s: '%s' is I8 without a '%s.scale' beside it",
                            loader->what, t->name, t->name);
    }
    int rc = tare_load_take(loader, t, TARE_DTYPE_I8, to->out, to->in);
    if (rc == 0) {
        rc = tare_load_take(loader, scale, TARE_DTYPE_F32, to->out, 0);
    }
    if (rc == 0) {
        rc = create(to, &d, loader->err);
    }
    if (!d) {
        return rc;
    }
    tare_panels_int8_pack(d->panels, (const int8_t *)t->data, to->out, to->in);
    tare_widen_f32(d->scales, scale->data, to->out);
    to->data = d;
    to->storage = &tare_stored_int8;
    return 1;
}

int tare_storage_int8(struct tare_linear *w, const int8_t *codes, const float *scales, struct tare_err *err)
{
    struct int8 *d = NULL;
    int rc = create(w, &d, err);
    if (d) {
        tare_panels_int8_pack(d->panels, codes, w->out, w->in);
        memcpy(d->scales, scales, w->out * sizeof *scales);
        w->data = d;
        w->storage = &tare_stored_int8;
    }
    return rc;
}

const struct tare_storage tare_stored_int8 = {
    .name = "int8",
    .load = load,
    .apply = tare_linear_by_pieces,
    .unpack = unpack,
    .facts = facts,
    .close = close_layer,
    .piece = piece,
    .prepares = true,
};
