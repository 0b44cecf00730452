/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unstructured sparsity: a bit for each number and the halves that are not zero, in a file `X.weight.mask` U8
 * [out, in / 8] and `X.weight.nz` F16 [stored values], row after row.
 *
 * A decode step works on this form; many rows go by the dense image. The executed FLOPs are those of decode:
 * on machines whose kernel expands a bitmap into whole vectors, zeros are multiplied too and count as
 * executed.
 */
#include "storages.h"

#include "load.h"
#include "widen.h"
#include "rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { panel = TARE_PANEL_ROWS };

struct bitmap {
    uint32_t *masks;  /* owned, see packed.h */
    uint16_t *values; /* owned */
    uint32_t *begin;  /* owned, [panels + 1] */
};

/* As in a file: a mask by rows, and the values in the same order. */
struct by_rows {
    const unsigned char *mask;   /* [out, stride] */
    const unsigned char *values; /* halves, little-endian */
    uint64_t n_values;
};

static uint32_t stride_of(const struct tare_linear *w)
{
    return (w->in + 7) / 8;
}

static uint32_t panels_of(const struct tare_linear *w)
{
    return (w->out + panel - 1) / panel;
}

static void gemv(const struct tare_packed *kernels, const struct tare_linear *w, float *to, uint32_t row,
                 uint32_t n, const float *x, bool add)
{
    const struct bitmap *b = w->data;
    const struct tare_bitmap view = {
        .masks = b->masks, .values = b->values, .begin = b->begin, .cols = w->in};
    kernels->gemv_bitmap(to, &view, row, n, x, add);
}

static void piece(const struct tare_exec *exec, const struct tare_linear *w, const struct tare_product *p,
                  const void *prepared, uint32_t from, uint32_t to)
{
    (void)prepared;
    tare_storage_piece(exec, w, p, from, to, gemv);
}

/* Rows first .. last-1 of one panel; to begins with row `row`. */
static void unpack_panel(const struct tare_linear *w, uint32_t first, uint32_t last, uint32_t row, float *to)
{
    const struct bitmap *b = w->data;
    const uint32_t *masks = b->masks + first / panel * tare_panels_pairs(w->in);
    const uint16_t *value = b->values + b->begin[first / panel];
    uint32_t panel_row = first / panel * panel;
    memset(to + (size_t)(first - row) * w->in, 0, (size_t)(last - first) * w->in * sizeof *to);
    for (uint32_t c = 0; c < w->in; c++) {
        for (uint32_t mask = masks[c / 2] >> (16 * (c % 2)) & 0xffffu; mask != 0; mask &= mask - 1, value++) {
            uint32_t r = panel_row + (uint32_t)__builtin_ctz(mask);
            if (r >= first && r < last) {
                to[(size_t)(r - row) * w->in + c] = tare_widen_half(*value);
            }
        }
    }
}

static void unpack(const struct tare_linear *w, uint32_t row, uint32_t n, float *to)
{
    for (uint32_t r = row; r < row + n;) {
        uint32_t end = (r / panel + 1) * panel;
        end = end < row + n ? end : row + n;
        unpack_panel(w, r, end, row, to);
        r = end;
    }
}

static void facts(const struct tare_linear *w, struct tare_linear_facts *out)
{
    const struct bitmap *b = w->data;
    int64_t panels = panels_of(w);
    int64_t stored = b->begin[panels];
    int64_t non_zero = 0;
    for (int64_t i = 0; i < stored; i++) {
        non_zero += (b->values[i] & 0x7fffu) != 0;
    }
    tare_linear_dense_facts(w, (int64_t)w->out * stride_of(w) + 2 * stored, non_zero, out);
    out->resident_bytes = 4 * panels * (int64_t)tare_panels_pairs(w->in) + 2 * stored + 4 * (panels + 1);
    out->flops = 2 * non_zero;
    if (tare_packed_best()->skips_zeros) {
        out->executed_flops = 2 * stored;
    }
}

static void free_bitmap(struct bitmap *b)
{
    if (b) {
        free(b->masks);
        free(b->values);
        free(b->begin);
        free(b);
    }
}

static void close_layer(struct tare_linear *w)
{
    free_bitmap(w->data);
}

static int create(const struct tare_linear *w, uint64_t n_values, struct bitmap **out, struct tare_err *err)
{
    void *masks = NULL;
    void *values = NULL;
    void *begin = NULL;
    struct bitmap *b = calloc(1, sizeof *b);
    size_t n_masks = panels_of(w) * tare_panels_pairs(w->in);
    int rc = b ? tare_storage_reserve(&masks, n_masks * sizeof *b->masks, w->name, err)
               : tare_err_set(err, TARE_E_NOMEM, "no memory for %s", w->name);
    if (rc == 0) {
        b->masks = masks;
        rc = tare_storage_reserve(&values, n_values * sizeof *b->values, w->name, err);
    }
    if (rc == 0) {
        b->values = values;
        rc = tare_storage_reserve(&begin, ((size_t)panels_of(w) + 1) * sizeof *b->begin, w->name, err);
    }
    if (rc != 0) {
        free_bitmap(b);
        return rc;
    }
    b->begin = begin;
    *out = b;
    return 0;
}

/* One panel: its rows are read side by side, each from where it begins. */
static void pack_panel(const struct tare_linear *w, const struct by_rows *from, const uint64_t *row_at,
                       uint32_t p, struct bitmap *b)
{
    uint64_t at[panel];
    uint32_t rows = w->out - p * panel < panel ? w->out - p * panel : panel;
    uint32_t *masks = b->masks + p * tare_panels_pairs(w->in);
    uint16_t *value = b->values + b->begin[p];
    memcpy(at, row_at + (size_t)p * panel, rows * sizeof *at);
    for (uint32_t c = 0; c < w->in; c++) {
        for (uint32_t r = 0; r < rows; r++) {
            const unsigned char *mask = from->mask + (size_t)(p * panel + r) * stride_of(w);
            if ((mask[c / 8] >> (c % 8) & 1u) == 0) {
                continue;
            }
            const unsigned char *half = from->values + 2 * at[r]++;
            *value++ = (uint16_t)(half[0] | half[1] << 8);
            masks[c / 2] |= 1u << (panel * (c % 2) + r);
        }
    }
    b->begin[p + 1] = (uint32_t)(value - b->values);
}

static int pack(struct tare_linear *w, const struct by_rows *from, struct tare_err *err)
{
    struct bitmap *b = NULL;
    uint64_t *row_at = calloc((size_t)w->out + 1, sizeof *row_at);
    int rc = row_at ? create(w, from->n_values, &b, err)
                    : tare_err_set(err, TARE_E_NOMEM, "no memory for %s", w->name);
    if (rc != 0) {
        free(row_at);
        return rc;
    }
    for (uint32_t r = 0; r < w->out; r++) {
        row_at[r + 1] = row_at[r];
        for (uint32_t i = 0; i < stride_of(w); i++) {
            row_at[r + 1] += (uint64_t)__builtin_popcount(from->mask[(size_t)r * stride_of(w) + i]);
        }
    }
    for (uint32_t p = 0; p < panels_of(w); p++) {
        pack_panel(w, from, row_at, p, b);
    }
    free(row_at);
    w->data = b;
    w->storage = &tare_stored_bitmap;
    return 0;
}

/* No bit may stand beyond the last column, and there must be a value for each. */
static int check_mask(const struct tare_loader *loader, const struct tare_linear *w,
                      const struct tare_tensor *mask, const struct tare_tensor *nz)
{
    uint32_t stride = stride_of(w);
    uint64_t count = 0;
    for (uint64_t i = 0; i < mask->n_bytes; i++) {
        count += (uint64_t)__builtin_popcount(mask->data[i]);
        if (w->in % 8 != 0 && i % stride == stride - 1 && mask->data[i] >> (w->in % 8) != 0) {
            return tare_err_set(loader->err, TARE_E_FORMAT, "%s: '%s' has a bit set beyond column %u",
                                loader->what, mask->name, w->in);
        }
    }
    if (count != nz->n_elements) {
        return tare_err_set(loader->err, TARE_E_FORMAT,
                            "%s: '%s' has %" PRIu64 " bits set, but '%s' holds %" PRIu64 " values",
                            loader->what, mask->name, count, nz->name, nz->n_elements);
    }
    return 0;
}

static int check_tensors(struct tare_loader *loader, const char *name, const struct tare_linear *w,
                         const struct tare_tensor *mask, const struct tare_tensor *nz)
{
    if (!mask || !nz) {
        return tare_err_set(
            loader->err, TARE_E_FORMAT, "%s: '%s%s' has %s", loader->what, loader->prefix, name,
            mask ? "a mask but no values ('.weight.nz')" : "values but no mask ('.weight.mask')");
    }
    int rc = tare_load_take(loader, mask, TARE_DTYPE_U8, w->out, stride_of(w));
    if (rc == 0) {
        rc = tare_load_take(loader, nz, TARE_DTYPE_F16, nz->n_elements, 0);
    }
    return rc < 0 ? rc : check_mask(loader, w, mask, nz);
}

static int load(struct tare_loader *loader, const char *name, struct tare_linear *to)
{
    const struct tare_tensor *mask = tare_load_find(loader, name, ".weight.mask");
    const struct tare_tensor *nz = tare_load_find(loader, name, ".weight.nz");
    if (!mask && !nz) {
        return 0;
    }
    int rc = check_tensors(loader, name, to, mask, nz);
    if (rc == 0) {
        const struct by_rows from = {.mask = mask->data, .values = nz->data, .n_values = nz->n_elements};
        rc = pack(to, &from, loader->err);
    }
    return rc < 0 ? rc : 1;
}

int tare_storage_bitmap(struct tare_linear *w, const float *dense, struct tare_err *err)
{
    size_t n = (size_t)w->out * w->in;
    unsigned char *mask = calloc((size_t)w->out * stride_of(w), 1);
    unsigned char *values = malloc(2 * n + 1);
    struct by_rows from = {.mask = mask, .values = values};
    if (!mask || !values) {
        free(mask);
        free(values);
        return tare_err_set(err, TARE_E_NOMEM, "no memory for %s", w->name);
    }
    for (size_t i = 0; i < n; i++) {
        uint16_t half = tare_narrow_half(dense[i]);
        unsigned char *byte = mask + i / w->in * stride_of(w) + i % w->in / 8;
        if ((half & 0x7fffu) != 0) {
            *byte = (unsigned char)(*byte | 1u << (i % w->in % 8));
            values[2 * from.n_values] = (unsigned char)(half & 0xffu);
            values[2 * from.n_values++ + 1] = (unsigned char)(half >> 8);
        }
    }
    int rc = pack(w, &from, err);
    free(mask);
    free(values);
    return rc;
}

const struct tare_storage tare_stored_bitmap = {
    .name = "bitmap",
    .load = load,
    .apply = tare_linear_by_pieces,
    .unpack = unpack,
    .facts = facts,
    .close = close_layer,
    .piece = piece,
};
