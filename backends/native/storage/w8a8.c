/* SPDX-License-Identifier: Apache-2.0 */
/*
 * int8 weights with a float32 scale per row, times activations that are rounded to int8 per token.
 *
 * The scale of a token is max|x| / 127. Few rows are multiplied in integers: y = scale * token scale * (int32
 * sum), exact. Many rows go through one float32 matrix product of the rounded activations with the dense
 * image: the same numbers up to the rounding of float32, at the speed of BLAS and not of an int8 unit.
 */
#include "storages.h"

#include "rows.h"

#include <stdlib.h>
#include <string.h>

enum { panel = TARE_PANEL_ROWS };

struct w8a8 {
    int8_t *codes; /* owned, as all three see packed.h */
    float *scales; /* owned */
    int32_t *sums; /* owned */
};

static size_t code_at(const struct tare_linear *w, uint32_t row, uint32_t column)
{
    size_t four = (size_t)(row / panel) * (tare_panels_cols(w->in) / 4) + column / 4;
    return (four * panel + row % panel) * 4 + column % 4;
}

enum { few_rows = TARE_MANY_ROWS };

struct job {
    const struct tare_packed *kernels;
    const struct tare_linear *w;
    const struct tare_product *p;
    const int8_t *x; /* [n, tare_panels_cols(in)] */
    float x_scale[few_rows];
};

static void multiply_rows(void *ctx, uint32_t part, uint32_t n_parts)
{
    const struct job *job = ctx;
    const struct w8a8 *d = job->w->data;
    const struct tare_w8 view = {.codes = d->codes, .scales = d->scales, .sums = d->sums, .cols = job->w->in};
    uint32_t from;
    uint32_t to;
    tare_pool_share(job->w->out, panel, part, n_parts, &from, &to);
    for (uint32_t i = 0; i < job->p->n && from < to; i++) {
        job->kernels->gemv_w8a8(job->p->to + (size_t)i * job->p->to_stride + from, &view, from, to - from,
                                job->x + i * tare_panels_cols(job->w->in), job->x_scale[i], job->p->add);
    }
}

static void apply_few(struct tare_exec *exec, const struct tare_linear *w, const struct tare_product *p)
{
    int8_t *x = (int8_t *)exec->work;
    size_t stride = tare_panels_cols(w->in);
    struct job job = {.kernels = tare_packed_find(exec->kernels->name), .w = w, .p = p, .x = x};
    for (uint32_t i = 0; i < p->n; i++) {
        job.x_scale[i] = job.kernels->round_int8(p->from + (size_t)i * p->from_stride, w->in, x + i * stride);
        memset(x + i * stride + w->in, 0, stride - w->in);
    }
    tare_pool_run(exec->pool, multiply_rows, &job);
}

/* The rounded activations as float32, widened in place from the end on. */
static void round_to_floats(const struct tare_packed *kernels, const float *x, uint32_t n, float *to)
{
    int8_t *codes = (int8_t *)(void *)to;
    float scale = kernels->round_int8(x, n, codes);
    for (uint32_t i = n; i-- > 0;) {
        int8_t code = codes[i];
        to[i] = (float)code * scale;
    }
}

/* As many rows at a time as the scratch holds: all of a block, fewer only of a whole window. */
static void apply_many(struct tare_exec *exec, const struct tare_linear *w, const struct tare_product *p)
{
    const struct tare_packed *kernels = tare_packed_find(exec->kernels->name);
    float *x = (float *)(void *)exec->work;
    uint32_t most = (uint32_t)(exec->work_bytes / (w->in * sizeof *x));
    for (uint32_t at = 0; at < p->n; at += most) {
        struct tare_product rounded = *p;
        rounded.n = p->n - at < most ? p->n - at : most;
        for (uint32_t i = 0; i < rounded.n; i++) {
            round_to_floats(kernels, p->from + (size_t)(at + i) * p->from_stride, w->in,
                            x + (size_t)i * w->in);
        }
        rounded.to += (size_t)at * p->to_stride;
        rounded.from = x;
        rounded.from_stride = w->in;
        tare_linear_by_image(exec, w, &rounded);
    }
}

static void apply(struct tare_exec *exec, const struct tare_linear *w, const struct tare_product *p)
{
    if (p->n < few_rows) {
        apply_few(exec, w, p);
    } else {
        apply_many(exec, w, p);
    }
}

static void unpack(const struct tare_linear *w, uint32_t row, uint32_t n, float *to)
{
    const struct w8a8 *d = w->data;
    for (uint32_t r = row; r < row + n; r++) {
        const int8_t *codes = d->codes + code_at(w, r, 0);
        float scale = d->scales[r];
        for (uint32_t c = 0; c < w->in; c++) {
            *to++ = (float)codes[(size_t)(c / 4) * 4 * panel + c % 4] * scale;
        }
    }
}

static void facts(const struct tare_linear *w, struct tare_linear_facts *out)
{
    const struct w8a8 *d = w->data;
    int64_t rows = (int64_t)tare_panels_rows(w->out);
    int64_t non_zero = 0;
    for (uint32_t r = 0; r < w->out; r++) {
        for (uint32_t c = 0; c < w->in; c++) {
            non_zero += d->codes[code_at(w, r, c)] != 0 && d->scales[r] != 0.0F;
        }
    }
    tare_linear_dense_facts(w, (int64_t)w->out * (w->in + (int64_t)sizeof(float)), non_zero, out);
    out->resident_bytes = rows * (int64_t)(tare_panels_cols(w->in) + sizeof(float) + sizeof(int32_t));
}

static void free_layer(struct w8a8 *d)
{
    if (d) {
        free(d->codes);
        free(d->scales);
        free(d->sums);
        free(d);
    }
}

static void close_layer(struct tare_linear *w)
{
    free_layer(w->data);
}

static int create(const struct tare_linear *w, struct w8a8 **out, struct tare_err *err)
{
    void *codes = NULL;
    void *scales = NULL;
    void *sums = NULL;
    struct w8a8 *d = calloc(1, sizeof *d);
    int rc =
        d ? tare_storage_reserve(&codes, tare_panels_rows(w->out) * tare_panels_cols(w->in), w->name, err)
          : tare_err_set(err, TARE_E_NOMEM, "no memory for %s", w->name);
    if (rc == 0) {
        d->codes = codes;
        rc = tare_storage_reserve(&scales, tare_panels_rows(w->out) * sizeof(float), w->name, err);
    }
    if (rc == 0) {
        d->scales = scales;
        rc = tare_storage_reserve(&sums, tare_panels_rows(w->out) * sizeof(int32_t), w->name, err);
    }
    if (rc != 0) {
        free_layer(d);
        return rc;
    }
    d->sums = sums;
    *out = d;
    return 0;
}

int tare_storage_w8a8(struct tare_linear *w, const int8_t *codes, const float *scales, struct tare_err *err)
{
    struct w8a8 *d = NULL;
    int rc = create(w, &d, err);
    if (rc != 0) {
        return rc;
    }
    memcpy(d->scales, scales, w->out * sizeof *scales);
    for (uint32_t r = 0; r < w->out; r++) {
        for (uint32_t c = 0; c < w->in; c++) {
            int8_t code = codes[(size_t)r * w->in + c];
            d->codes[code_at(w, r, c)] = code;
            d->sums[r] += code;
        }
    }
    w->data = d;
    w->storage = &tare_stored_w8a8;
    return 0;
}

const struct tare_storage tare_stored_w8a8 = {
    .name = "w8a8",
    .apply = apply,
    .unpack = unpack,
    .facts = facts,
    .close = close_layer,
};
