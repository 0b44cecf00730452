/* SPDX-License-Identifier: Apache-2.0 */
/*
 * int4 with a scale per 32 columns: in a file `X.weight` U8 [out, in / 2], byte j of a row with column 2j in
 * its low and 2j + 1 in its high nibble, and `X.weight.scale` F16 [out, in / 32]; w = (nibble - 8) * scale.
 * Activations keep the accuracy of float32. Other group sizes are grouped.c's.
 */
#include "storages.h"

#include "kernels/panels.h"
#include "load.h"
#include "widen.h"
#include "rows.h"

#include <stdlib.h>

#define GROUP 32u

struct int4 {
    uint8_t *panels;  /* owned */
    uint16_t *scales; /* owned, panels of halves */
};

static void piece(const struct tare_exec *exec, const struct tare_linear *w, const struct tare_product *p,
                  const void *prepared, uint32_t from, uint32_t to)
{
    const struct int4 *d = w->data;
    const unsigned char *x = prepared;
    size_t bytes = tare_kernels_prepared_bytes(w->in);
    for (uint32_t i = 0; i < p->n; i++) {
        exec->kernels->gemv_int4(
            p->to + (size_t)i * p->to_stride + from, d->panels + (size_t)from * w->in / 2,
            d->scales + (size_t)from * (w->in / GROUP), to - from, w->in, x + i * bytes, p->add);
    }
}

static void unpack_row(const struct tare_linear *w, uint32_t row, float *to)
{
    const struct int4 *d = w->data;
    uint8_t *codes = (uint8_t *)to;
    tare_panels_int4_row(codes, d->panels, row, w->in);
    for (uint32_t c = w->in; c-- > 0;) { /* from the end on: the codes lie where the first numbers go */
        int code = codes[c];
        to[c] =
            (float)(code - 8) * tare_widen_half(d->scales[tare_panels_int4_scale_at(row, c / GROUP, w->in)]);
    }
}

static void unpack(const struct tare_linear *w, uint32_t row, uint32_t n, float *to)
{
    const struct int4 *d = w->data;
    if (row % TARE_PANEL_ROWS == 0 && n >= TARE_PANEL_ROWS) {
        tare_kernels_best()->unpack_int4(to, d->panels + (size_t)row * w->in / 2,
                                         d->scales + (size_t)row * (w->in / GROUP), n, w->in);
        return;
    }
    for (uint32_t r = row; r < row + n; r++) {
        unpack_row(w, r, to + (size_t)(r - row) * w->in);
    }
}

/* Padding holds code 8, which is 0. */
static void facts(const struct tare_linear *w, struct tare_linear_facts *out)
{
    const struct int4 *d = w->data;
    size_t bytes = tare_panels_int4_bytes(w->out, w->in);
    size_t scales = tare_panels_int4_scales(w->out, w->in);
    int64_t non_zero = 0;
    for (size_t i = 0; i < bytes; i++) {
        /* Four steps of 16 rows and 4 bytes hold the 32 columns of 16 scales. */
        size_t scale = i / (4 * 4 * TARE_PANEL_ROWS) * TARE_PANEL_ROWS + i / 4 % TARE_PANEL_ROWS;
        int codes = ((d->panels[i] & 15) != 8) + (d->panels[i] >> 4 != 8);
        non_zero += (d->scales[scale] & 0x7fffu) != 0 ? codes : 0;
    }
    int64_t stored =
        (int64_t)w->out * w->in / 2 + (int64_t)w->out * (w->in / GROUP) * (int64_t)sizeof *d->scales;
    tare_linear_dense_facts(w, stored, non_zero, out);
    out->resident_bytes = (int64_t)(bytes + scales * sizeof *d->scales);
}

static void free_layer(struct int4 *d)
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

static int create(const struct tare_linear *w, struct int4 **out, struct tare_err *err)
{
    void *panels = NULL;
    void *scales = NULL;
    if (w->in % GROUP != 0) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "%s has %u columns: int4 has a scale per %u and needs a multiple of that",
                            w->name, w->in, GROUP);
    }
    struct int4 *d = calloc(1, sizeof *d);
    if (!d) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for %s", w->name);
    }
    int rc = tare_storage_reserve(&panels, tare_panels_int4_bytes(w->out, w->in), w->name, err);
    if (rc == 0) {
        rc = tare_storage_reserve(&scales, tare_panels_int4_scales(w->out, w->in) * sizeof *d->scales,
                                  w->name, err);
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

static int fill(struct tare_linear *w, const uint8_t *codes, const uint16_t *scales, struct tare_err *err)
{
    struct int4 *d = NULL;
    int rc = create(w, &d, err);
    if (d) {
        tare_panels_int4_pack(d->panels, codes, w->out, w->in);
        tare_panels_int4_pack_scales(d->scales, scales, w->out, w->in);
        w->data = d;
        w->storage = &tare_stored_int4;
    }
    return rc;
}

static int check_tensors(struct tare_loader *loader, const struct tare_linear *w,
                         const struct tare_tensor *codes, const struct tare_tensor *scale)
{
    if (!scale) {
        return tare_err_set(loader->err, TARE_E_FORMAT, "%s: '%s' is U8 without a '%s.scale' beside it",
                            loader->what, codes->name, codes->name);
    }
    if (w->in % GROUP != 0) {
        return tare_err_set(
            loader->err, TARE_E_FORMAT,
            "%s: '%s' is int4 with a scale per %u columns, which %u columns are no multiple of", loader->what,
            codes->name, GROUP, w->in);
    }
    int rc = tare_load_take(loader, codes, TARE_DTYPE_U8, w->out, w->in / 2);
    return rc < 0 ? rc : tare_load_take(loader, scale, TARE_DTYPE_F16, w->out, w->in / GROUP);
}

/* One code a byte, as the constructor takes them. */
static uint8_t *spread(const struct tare_tensor *t)
{
    uint8_t *codes = malloc(2 * (size_t)t->n_bytes + 1);
    for (uint64_t i = 0; codes && i < t->n_bytes; i++) {
        codes[2 * i] = t->data[i] & 15u;
        codes[2 * i + 1] = t->data[i] >> 4;
    }
    return codes;
}

static int load(struct tare_loader *loader, const char *name, struct tare_linear *to)
{
    const struct tare_tensor *t = tare_load_find(loader, name, ".weight");
    const struct tare_tensor *scale = tare_load_find(loader, name, ".weight.scale");
    uint16_t *halves = NULL;
    uint8_t *codes = NULL;
    if (!t || t->dtype != TARE_DTYPE_U8) {
        return 0;
    }
    int rc = check_tensors(loader, to, t, scale);
    if (rc == 0) {
        rc = tare_load_halves(loader, scale, &halves);
    }
    if (rc == 0) {
        codes = spread(t);
        rc = codes ? fill(to, codes, halves, loader->err)
                   : tare_err_set(loader->err, TARE_E_NOMEM, "no memory for the codes of %s", to->name);
    }
    free(halves);
    free(codes);
    return rc < 0 ? rc : 1;
}

int tare_storage_int4(struct tare_linear *w, const uint8_t *codes, const uint16_t *scales,
                      struct tare_err *err)
{
    return fill(w, codes, scales, err);
}

const struct tare_storage tare_stored_int4 = {
    .name = "int4",
    .load = load,
    .apply = tare_linear_by_pieces,
    .unpack = unpack,
    .facts = facts,
    .close = close_layer,
    .piece = piece,
    .prepares = true,
};
