/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all storages share: showing a product to an observer, replacing a storage, and the way by the
 * float32 image for many rows.
 */
#include "linear.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

#define PANEL_GRAIN 16u /* rows of a matrix that a thread takes at a time at least */
#define LINE_BYTES  64u
/* Telling other threads of a product, and getting its input and output across, takes about a microsecond.
 * What takes less than twice that, the caller does alone: in units of a packed weight, of which a vector
 * kernel does about a hundred a nanosecond; a weight that is widened takes three. */
#define ALONE_COST   180000u
#define WIDENED_COST 3u

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
    tare_pool_share(p->n, TARE_ROW_GRAIN, part, n_parts, &from, &to);
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

/* Products with the same input, computed with one start of the threads. All that a thread has to know lies
 * here, on cache lines that can come over from the caller at once. */
struct together {
    _Alignas(LINE_BYTES) const struct tare_exec *exec;
    const void *prepared;
    uint32_t n;
    const struct tare_linear *w[TARE_TOGETHER];
    struct tare_product p[TARE_TOGETHER];
};

static void fetch(const void *at, size_t bytes)
{
    for (size_t line = 0; line < bytes; line += LINE_BYTES) {
        __builtin_prefetch((const unsigned char *)at + line);
    }
}

/* The input was made by another thread: its lines come over together, not one after the other as the sums get
 * to them. */
static void fetch_input(const struct together *t)
{
    const struct tare_linear *w = t->w[0];
    if (w->storage->prepares) {
        fetch(t->prepared, t->p[0].n * tare_kernels_prepared_bytes(w->in));
        return;
    }
    for (uint32_t i = 0; i < t->p[0].n; i++) {
        fetch(t->p[0].from + (size_t)i * t->p[0].from_stride, w->in * sizeof(float));
    }
}

static void multiply_pieces(void *ctx, uint32_t part, uint32_t n_parts)
{
    const struct together *t = ctx;
    if (part > 0) {
        fetch(t, sizeof *t);
        fetch_input(t);
    }
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

/* What the other threads wrote of one row, for what the caller does next. */
static void fetch_output(const struct together *t, uint32_t n_parts)
{
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t from;
        uint32_t to;
        tare_pool_share(t->w[i]->out, PANEL_GRAIN, 0, n_parts, &from, &to);
        fetch(t->p[i].to + to, (t->w[i]->out - to) * sizeof(float));
    }
}

static void run_pieces(struct tare_exec *exec, struct together *t)
{
    if (t->n == 0) {
        return;
    }
    const struct tare_product *p = &t->p[0];
    uint32_t in = t->w[0]->in;
    size_t bytes = tare_kernels_prepared_bytes(in);
    size_t cost = 0;
    bool prepares = false;
    for (uint32_t i = 0; i < t->n; i++) {
        bool packed = t->w[i]->storage->prepares;
        cost += (size_t)t->w[i]->out * in * p->n * (packed ? 1 : WIDENED_COST);
        prepares = prepares || packed;
    }
    for (uint32_t i = 0; prepares && i < p->n; i++) {
        exec->kernels->prepare(exec->work + i * bytes, p->from + (size_t)i * p->from_stride, in);
    }
    if (cost <= ALONE_COST) {
        multiply_pieces(t, 0, 1);
        return;
    }
    tare_pool_run(exec->pool, multiply_pieces, t);
    if (tare_pool_threads(exec->pool) > 1) {
        fetch_output(t, tare_pool_threads(exec->pool));
    }
}

void tare_linear_by_pieces(struct tare_exec *exec, const struct tare_linear *w, const struct tare_product *p)
{
    if (p->n >= TARE_MANY_ROWS) {
        tare_linear_by_image(exec, w, p);
        return;
    }
    struct together t = {.exec = exec, .prepared = exec->work, .n = 1, .w = {w}, .p = {*p}};
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
    struct together t = {.exec = exec, .prepared = exec->work, .n = n};
    for (uint32_t i = 0; i < n; i++) {
        if (exec->observe) {
            exec->observe(exec->observer, w[i], &p[i]);
        }
        t.w[i] = w[i];
        t.p[i] = p[i];
    }
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
