/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all storages share: showing a product to an observer, replacing a storage, and the way by the
 * float32 image for many rows.
 */
#include "linear.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

#define ROW_GRAIN   4u  /* rows of a product that a thread takes at a time at least */
#define PANEL_GRAIN 16u /* rows of a matrix likewise */

void tare_linear_apply(struct tare_exec *exec, const struct tare_linear *w, const struct tare_product *p)
{
    if (exec->observe) {
        exec->observe(exec->observer, w, p);
    }
    w->storage->apply(exec, w, p);
}

void tare_linear_close(struct tare_linear *w)
{
    if (w->storage) {
        w->storage->close(w);
    }
    w->storage = NULL;
    w->data = NULL;
}

void tare_linear_replace(struct tare_linear *to, struct tare_linear *from)
{
    tare_linear_close(to);
    to->out = from->out;
    to->in = from->in;
    to->storage = from->storage;
    to->data = from->data;
    from->storage = NULL;
    from->data = NULL;
}

struct unpacking {
    const struct tare_linear *w;
    float *to;
};

static void unpack_part(void *ctx, uint32_t part, uint32_t n_parts)
{
    const struct unpacking *u = ctx;
    uint32_t from;
    uint32_t to;
    tare_pool_share(u->w->out, PANEL_GRAIN, part, n_parts, &from, &to);
    if (from < to) {
        u->w->storage->unpack(u->w, from, to - from, u->to + (size_t)from * u->w->in);
    }
}

static const float *image_of(struct tare_exec *exec, const struct tare_linear *w)
{
    for (uint32_t i = 0; i < exec->n_images; i++) {
        if (exec->images[i].of == w) {
            return exec->images[i].at;
        }
    }
    size_t floats = (size_t)w->out * w->in;
    if (exec->n_images == tare_exec_images_max || exec->image_floats - exec->image_used < floats) {
        tare_exec_forget(exec);
    }
    struct unpacking u = {.w = w, .to = exec->image_memory + exec->image_used};
    tare_pool_run(exec->pool, unpack_part, &u);
    exec->images[exec->n_images++] = (struct tare_image){.of = w, .at = u.to};
    exec->image_used += floats;
    return u.to;
}

struct gemm {
    const struct tare_linear *w;
    const struct tare_product *p;
    const float *image;
};

static void multiply_part(void *ctx, uint32_t part, uint32_t n_parts)
{
    const struct gemm *g = ctx;
    const struct tare_product *p = g->p;
    uint32_t from;
    uint32_t to;
    tare_pool_share(p->n, ROW_GRAIN, part, n_parts, &from, &to);
    if (from == to) {
        return;
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)(to - from), (int)g->w->out, (int)g->w->in,
                1.0F, p->from + (size_t)from * p->from_stride, (int)p->from_stride, g->image, (int)g->w->in,
                p->add ? 1.0F : 0.0F, p->to + (size_t)from * p->to_stride, (int)p->to_stride);
}

void tare_linear_by_image(struct tare_exec *exec, const struct tare_linear *w, const struct tare_product *p)
{
    struct gemm g = {.w = w, .p = p, .image = image_of(exec, w)};
    tare_pool_run(exec->pool, multiply_part, &g);
}

/* Products with the same input, computed with one start of the threads. */
struct together {
    const struct tare_exec *exec;
    const struct tare_linear *const *w;
    const struct tare_product *p;
    uint32_t n;
    const void *prepared;
};

static void multiply_pieces(void *ctx, uint32_t part, uint32_t n_parts)
{
    const struct together *t = ctx;
    for (uint32_t i = 0; i < t->n; i++) {
        const struct tare_linear *w = t->w[i];
        uint32_t from;
        uint32_t to;
        tare_pool_share(w->out, PANEL_GRAIN, part, n_parts, &from, &to);
        if (from < to) {
            w->storage->piece(t->exec, w, &t->p[i], t->prepared, from, to);
        }
    }
}

static void run_pieces(struct tare_exec *exec, struct together *t)
{
    bool prepares = false;
    for (uint32_t i = 0; i < t->n; i++) {
        prepares = prepares || t->w[i]->storage->prepares;
    }
    size_t bytes = tare_kernels_prepared_bytes(t->w[0]->in);
    for (uint32_t i = 0; prepares && i < t->p->n; i++) {
        exec->kernels->prepare(exec->work + i * bytes, t->p->from + (size_t)i * t->p->from_stride,
                               t->w[0]->in);
    }
    tare_pool_run(exec->pool, multiply_pieces, t);
}

void tare_linear_by_pieces(struct tare_exec *exec, const struct tare_linear *w, const struct tare_product *p)
{
    if (p->n >= TARE_MANY_ROWS) {
        tare_linear_by_image(exec, w, p);
        return;
    }
    struct together t = {.exec = exec, .w = &w, .p = p, .n = 1, .prepared = exec->work};
    run_pieces(exec, &t);
}

void tare_linear_apply_together(struct tare_exec *exec, const struct tare_linear *const *w,
                                const struct tare_product *p, uint32_t n)
{
    bool by_pieces = p->n < TARE_MANY_ROWS;
    for (uint32_t i = 0; i < n; i++) {
        by_pieces = by_pieces && w[i]->storage->piece;
    }
    if (!by_pieces) {
        for (uint32_t i = 0; i < n; i++) {
            tare_linear_apply(exec, w[i], &p[i]);
        }
        return;
    }
    for (uint32_t i = 0; exec->observe && i < n; i++) {
        exec->observe(exec->observer, w[i], &p[i]);
    }
    struct together t = {.exec = exec, .w = w, .p = p, .n = n, .prepared = exec->work};
    run_pieces(exec, &t);
}

void tare_linear_dense_facts(const struct tare_linear *w, int64_t bytes, int64_t non_zero,
                             struct tare_linear_facts *out)
{
    int64_t n = (int64_t)w->out * w->in;
    *out = (struct tare_linear_facts){
        .params = n,
        .non_zero = non_zero,
        .stored_bytes = bytes,
        .resident_bytes = bytes,
        .flops = 2 * n,
        .executed_flops = 2 * n,
    };
}

void tare_linear_add_facts(struct tare_linear_facts *to, const struct tare_linear_facts *more)
{
    to->params += more->params;
    to->non_zero += more->non_zero;
    to->stored_bytes += more->stored_bytes;
    to->resident_bytes += more->resident_bytes;
    to->flops += more->flops;
    to->executed_flops += more->executed_flops;
}
