/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 2:4 sparsity: of each 4 columns two halves and their two places of 2 bits, so 9 bits a number.
 *
 * Places rise within a group; where fewer than two numbers differ from zero, a zero is stored. Decode
 * multiplies the stored values only, two of four; many rows go by the dense image. It has no form in a file:
 * such a file holds the bitmap.
 */
#include "storages.h"

#include "widen.h"
#include "rows.h"

#include <stdlib.h>

enum { panel = TARE_PANEL_ROWS };

struct two_four {
    uint16_t *values; /* owned, see packed.h */
    uint32_t *places; /* owned */
};

static size_t panels_of(const struct tare_linear *w)
{
    return ((size_t)w->out + panel - 1) / panel;
}

static size_t blocks_of(const struct tare_linear *w)
{
    return ((size_t)w->in + 31) / 32;
}

/* Of the first of the two values of a row in group g of 4 columns; the other lies a panel behind. */
static size_t value_at(const struct tare_linear *w, uint32_t row, uint32_t g)
{
    return ((size_t)(row / panel) * (w->in / 4) + g) * 2 * panel + row % panel;
}

static size_t places_at(const struct tare_linear *w, uint32_t row, uint32_t g)
{
    return ((size_t)(row / panel) * blocks_of(w) + g / 8) * panel + row % panel;
}

static void gemv(const struct tare_packed *kernels, const struct tare_linear *w, float *to, uint32_t row,
                 uint32_t n, const float *x, bool add)
{
    const struct two_four *t = w->data;
    const struct tare_two_four view = {.values = t->values, .places = t->places, .cols = w->in};
    kernels->gemv_two_four(to, &view, row, n, x, add);
}

static void piece(const struct tare_exec *exec, const struct tare_linear *w, const struct tare_product *p,
                  const void *prepared, uint32_t from, uint32_t to)
{
    (void)prepared;
    tare_storage_piece(exec, w, p, from, to, gemv);
}

static void unpack(const struct tare_linear *w, uint32_t row, uint32_t n, float *to)
{
    const struct two_four *t = w->data;
    for (uint32_t r = row; r < row + n; r++) {
        for (uint32_t g = 0; g < w->in / 4; g++, to += 4) {
            const uint16_t *value = t->values + value_at(w, r, g);
            uint32_t place = t->places[places_at(w, r, g)] >> (4 * (g % 8));
            to[0] = to[1] = to[2] = to[3] = 0.0F;
            to[place & 3u] = tare_widen_half(value[0]);
            to[place >> 2 & 3u] = tare_widen_half(value[panel]);
        }
    }
}

/* Values and places of the rows that fill up the last panel are held, but stored nowhere. */
static void facts(const struct tare_linear *w, struct tare_linear_facts *out)
{
    const struct two_four *t = w->data;
    int64_t stored = (int64_t)w->out * (w->in / 2);
    int64_t held = (int64_t)panels_of(w) * panel * (w->in / 2);
    int64_t non_zero = 0;
    for (int64_t i = 0; i < held; i++) {
        non_zero += (t->values[i] & 0x7fffu) != 0;
    }
    tare_linear_dense_facts(w, 2 * stored + (int64_t)w->out * ((w->in / 4 + 1) / 2), non_zero, out);
    out->resident_bytes = 2 * held + 4 * (int64_t)(panels_of(w) * blocks_of(w) * panel);
    out->flops = 2 * non_zero;
    out->executed_flops = 2 * stored;
}

static void free_layer(struct two_four *t)
{
    if (t) {
        free(t->values);
        free(t->places);
        free(t);
    }
}

static void close_layer(struct tare_linear *w)
{
    free_layer(w->data);
}

/* Four numbers into two; false if more than two differ from zero. */
static bool pack_group(const float *dense, uint16_t values[2], uint32_t *places)
{
    uint32_t place[2] = {0, 0};
    uint32_t n = 0;
    for (uint32_t c = 0; c < 4; c++) {
        uint16_t half = tare_narrow_half(dense[c]);
        if ((half & 0x7fffu) == 0) {
            continue;
        }
        if (n == 2) {
            return false;
        }
        values[n] = half;
        place[n++] = c;
    }
    if (n == 1 && place[0] == 3) { /* the zero goes before it */
        values[1] = values[0];
        values[0] = 0;
        place[0] = 0;
        place[1] = 3;
    } else if (n < 2) {
        place[1] = place[0] + 1;
    }
    *places = place[0] | place[1] << 2;
    return true;
}

static int create(const struct tare_linear *w, struct two_four **out, struct tare_err *err)
{
    void *values = NULL;
    void *places = NULL;
    struct two_four *t = calloc(1, sizeof *t);
    int rc = t ? tare_storage_reserve(&values, panels_of(w) * panel * w->in, w->name, err)
               : tare_err_set(err, TARE_E_NOMEM, "no memory for %s", w->name);
    if (rc == 0) {
        t->values = values;
        rc = tare_storage_reserve(&places, panels_of(w) * blocks_of(w) * panel * sizeof *t->places, w->name,
                                  err);
    }
    if (rc != 0) {
        free_layer(t);
        return rc;
    }
    t->places = places;
    *out = t;
    return 0;
}

static int pack(const struct tare_linear *w, const float *dense, struct two_four *t, struct tare_err *err)
{
    for (uint32_t r = 0; r < w->out; r++) {
        for (uint32_t g = 0; g < w->in / 4; g++) {
            uint16_t value[2] = {0, 0};
            uint32_t place = 0;
            if (!pack_group(dense + (size_t)r * w->in + 4 * g, value, &place)) {
                return tare_err_set(
                    err, TARE_E_FORMAT,
                    "%s: row %u has more than 2 numbers that are not zero in columns %u to %u", w->name, r,
                    4 * g, 4 * g + 3);
            }
            t->values[value_at(w, r, g)] = value[0];
            t->values[value_at(w, r, g) + panel] = value[1];
            t->places[places_at(w, r, g)] |= place << (4 * (g % 8));
        }
    }
    return 0;
}

int tare_storage_two_four(struct tare_linear *w, const float *dense, struct tare_err *err)
{
    struct two_four *t = NULL;
    if (w->in % 4 != 0) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "%s: %u columns are no multiple of 4", w->name, w->in);
    }
    int rc = create(w, &t, err);
    if (rc == 0) {
        rc = pack(w, dense, t, err);
    }
    if (rc < 0) {
        free_layer(t);
        return rc;
    }
    w->data = t;
    w->storage = &tare_stored_two_four;
    return 0;
}

const struct tare_storage tare_stored_two_four = {
    .name = "two_four",
    .apply = tare_linear_by_pieces,
    .unpack = unpack,
    .facts = facts,
    .close = close_layer,
    .piece = piece,
};
