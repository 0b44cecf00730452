/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Codes of 1 to 8 bits by groups along a row: w = (level - zero) * scale, with linear or free levels.
 *
 * Stored are the codes, each group beginning on a byte; a half a group for the scale; where there are zero
 * points, as many bits as a code has for each, each row beginning on a byte; where levels are free, 4 bytes
 * each. In memory a zero point takes a byte and a group
 * whole eights of codes. It has no form in a file; the zoo's int8 and int4 are storages
 * of their own.
 */
#include "storages.h"

#include "widen.h"
#include "rows.h"

#include <stdlib.h>
#include <string.h>

enum { panel = TARE_PANEL_ROWS, levels_max = 256 };

struct grouped {
    struct tare_codes view;
    unsigned char *codes; /* owned, as all three see packed.h */
    uint16_t *scales;     /* owned */
    uint8_t *zeros;       /* owned; NULL: none */
    bool free_levels;
    float levels[levels_max];
};

static void gemv(const struct tare_packed *kernels, const struct tare_linear *w, float *to, uint32_t row,
                 uint32_t n, const float *x, bool add)
{
    const struct grouped *d = w->data;
    kernels->gemv_codes(to, &d->view, row, n, x, add);
}

static void piece(const struct tare_exec *exec, const struct tare_linear *w, const struct tare_product *p,
                  const void *prepared, uint32_t from, uint32_t to)
{
    (void)prepared;
    tare_storage_piece(exec, w, p, from, to, gemv);
}

static uint32_t eights_of(const struct tare_codes *v)
{
    return (v->group + 7) / 8;
}

/* Of the scale and the zero point of a group of a row. */
static size_t scale_at(const struct tare_codes *v, uint32_t row, uint32_t g)
{
    return ((size_t)(row / panel) * (v->cols / v->group) + g) * panel + row % panel;
}

/* Of the codes of columns 8 i .. 8 i + 7 of that group. */
static size_t codes_at(const struct tare_codes *v, uint32_t row, uint32_t g, uint32_t i)
{
    size_t group = (size_t)(row / panel) * (v->cols / v->group) + g;
    return ((group * eights_of(v) + i) * panel + row % panel) * v->bits;
}

static void unpack_group(const struct grouped *d, uint32_t row, uint32_t g, float *to)
{
    const struct tare_codes *v = &d->view;
    const unsigned char *codes = d->codes + codes_at(v, row, g, 0);
    float scale = tare_widen_half(d->scales[scale_at(v, row, g)]);
    float zero = d->zeros ? (float)d->zeros[scale_at(v, row, g)] : 0.0F;
    for (uint32_t c = 0; c < v->group; c += 8, codes += panel * v->bits) {
        uint32_t here = v->group - c < 8 ? v->group - c : 8;
        uint8_t code[8];
        tare_packed_decode(codes, v->bits, code);
        for (uint32_t i = 0; i < here; i++) {
            to[c + i] = (d->levels[code[i]] - zero) * scale;
        }
    }
}

static void unpack(const struct tare_linear *w, uint32_t row, uint32_t n, float *to)
{
    const struct grouped *d = w->data;
    for (uint32_t r = row; r < row + n; r++) {
        for (uint32_t g = 0; g < w->in / d->view.group; g++, to += d->view.group) {
            unpack_group(d, r, g, to);
        }
    }
}

static int64_t count_non_zero(const struct tare_linear *w)
{
    const struct grouped *d = w->data;
    const struct tare_codes *v = &d->view;
    int64_t count = 0;
    for (uint32_t r = 0; r < w->out; r++) {
        for (uint32_t c = 0; c < w->in; c++) {
            uint8_t code[8];
            size_t scale = scale_at(v, r, c / v->group);
            float zero = d->zeros ? (float)d->zeros[scale] : 0.0F;
            tare_packed_decode(d->codes + codes_at(v, r, c / v->group, c % v->group / 8), v->bits, code);
            count += d->levels[code[c % v->group % 8]] != zero && (d->scales[scale] & 0x7fffu) != 0;
        }
    }
    return count;
}

static void facts(const struct tare_linear *w, struct tare_linear_facts *out)
{
    const struct grouped *d = w->data;
    const struct tare_codes *v = &d->view;
    int64_t out_rows = w->out;
    int64_t held_rows = (int64_t)tare_panels_rows(w->out);
    int64_t groups = w->in / v->group;
    int64_t codes = groups * ((v->group * v->bits + 7) / 8);
    int64_t scales = groups * (int64_t)sizeof *d->scales;
    int64_t zeros = d->zeros ? (groups * v->bits + 7) / 8 : 0;
    int64_t levels = d->free_levels ? (int64_t)sizeof(float) << v->bits : 0;
    tare_linear_dense_facts(w, out_rows * (codes + scales + zeros) + levels, count_non_zero(w), out);
    int64_t held = groups * eights_of(v) * v->bits + scales + (d->zeros ? groups : 0);
    out->resident_bytes = held_rows * held + (int64_t)sizeof *d;
}

static void free_grouped(struct grouped *d)
{
    if (d) {
        free(d->codes);
        free(d->scales);
        free(d->zeros);
        free(d);
    }
}

static void close_layer(struct tare_linear *w)
{
    free_grouped(w->data);
}

static int check(const struct tare_linear *w, const struct tare_grouped *how, struct tare_err *err)
{
    if (how->bits < 1 || how->bits > 8) {
        return tare_err_set(err, TARE_E_USAGE, "%s: codes of %u bits; 1 to 8 can be stored", w->name,
                            how->bits);
    }
    if (how->group == 0 || w->in % how->group != 0) {
        return tare_err_set(err, TARE_E_USAGE,
                            "%s: groups of %u do not divide its %u columns; name a group that does", w->name,
                            how->group, w->in);
    }
    if (how->zeros && how->levels) {
        return tare_err_set(err, TARE_E_USAGE, "%s: zero points and levels together have no meaning",
                            w->name);
    }
    size_t n = (size_t)w->out * w->in;
    unsigned seen = 0;
    for (size_t i = 0; i < n; i++) {
        seen |= how->codes[i];
    }
    for (size_t i = 0; how->zeros && i < n / how->group; i++) {
        seen |= how->zeros[i];
    }
    if (seen >> how->bits != 0) {
        return tare_err_set(err, TARE_E_USAGE, "%s: a code or zero point does not fit %u bits", w->name,
                            how->bits);
    }
    return 0;
}

static void open_view(struct grouped *d, uint32_t cols, const struct tare_grouped *how)
{
    float first = how->zeros ? 0.0F : -(float)(1u << (how->bits - 1));
    for (uint32_t i = 0; i < 1u << how->bits; i++) {
        d->levels[i] = how->levels ? how->levels[i] : first + (float)i;
    }
    d->free_levels = how->levels != NULL;
    d->view = (struct tare_codes){
        .codes = d->codes,
        .scales = d->scales,
        .zeros = d->zeros,
        .levels = d->levels,
        .linear = !how->levels,
        .bits = how->bits,
        .group = how->group,
        .cols = cols,
    };
}

static int create(const struct tare_linear *w, const struct tare_grouped *how, struct grouped **out,
                  struct tare_err *err)
{
    void *codes = NULL;
    void *scales = NULL;
    void *zeros = NULL;
    size_t groups = tare_panels_rows(w->out) * (w->in / how->group);
    struct grouped *d = calloc(1, sizeof *d);
    int rc = d ? tare_storage_reserve(&codes, groups * ((how->group + 7) / 8) * how->bits, w->name, err)
               : tare_err_set(err, TARE_E_NOMEM, "no memory for %s", w->name);
    if (rc == 0) {
        d->codes = codes;
        rc = tare_storage_reserve(&scales, groups * sizeof *d->scales, w->name, err);
    }
    if (rc == 0) {
        d->scales = scales;
        rc = how->zeros ? tare_storage_reserve(&zeros, groups, w->name, err) : 0;
    }
    if (rc != 0) {
        free_grouped(d);
        return rc;
    }
    d->zeros = zeros;
    open_view(d, w->in, how);
    *out = d;
    return 0;
}

static void pack_group(struct grouped *d, uint32_t row, uint32_t g, const struct tare_grouped *how)
{
    const struct tare_codes *v = &d->view;
    size_t at = (size_t)row * (v->cols / v->group) + g;
    d->scales[scale_at(v, row, g)] = how->scales[at];
    if (d->zeros) {
        d->zeros[scale_at(v, row, g)] = how->zeros[at];
    }
    for (uint32_t c = 0; c < v->group; c += 8) {
        uint8_t code[8] = {0};
        memcpy(code, how->codes + at * v->group + c, v->group - c < 8 ? v->group - c : 8);
        tare_packed_encode(code, v->bits, d->codes + codes_at(v, row, g, c / 8));
    }
}

int tare_storage_grouped(struct tare_linear *w, const struct tare_grouped *how, struct tare_err *err)
{
    struct grouped *d = NULL;
    int rc = check(w, how, err);
    if (rc == 0) {
        rc = create(w, how, &d, err);
    }
    if (rc != 0) {
        return rc;
    }
    for (uint32_t r = 0; r < w->out; r++) {
        for (uint32_t g = 0; g < w->in / how->group; g++) {
            pack_group(d, r, g, how);
        }
    }
    w->data = d;
    w->storage = &tare_stored_grouped;
    return 0;
}

const struct tare_storage tare_stored_grouped = {
    .name = "grouped",
    .apply = tare_linear_by_pieces,
    .unpack = unpack,
    .facts = facts,
    .close = close_layer,
    .piece = piece,
};
