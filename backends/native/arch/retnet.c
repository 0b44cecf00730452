/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RetNet: multi-scale retention, a matrix memory per head that fades at a fixed rate, and a gelu MLP.
 *
 * One row is the recurrent form. A block is the chunkwise form: rows of the block meet each other by
 * matrix products under a mask of decays, and the memory of all earlier rows beside it. A block as long
 * as the context is the parallel form. The state of a layer is the memories, [heads][head_dim][v_head_dim].
 */
#include "arch.h"
#include "rope.h"
#include "rowmath.h"
#include "chunk.h"
#include "mlp.h"
#include "scan.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_ROWS 64u

enum { n_heads_key, head_dim_key, v_head_dim_key };

struct layer {
    const float *norm1;
    const struct tare_linear *q;
    const struct tare_linear *k;
    const struct tare_linear *v;
    const struct tare_linear *g;
    const struct tare_linear *o;
    struct tare_mlp mlp;
};

/* The same for all layers. */
struct tables {
    void *rope;
    uint32_t n_ctx;
    float *ones;   /* [v_head_dim] */
    float *decays; /* [heads][n_ctx + 1], backwards: gamma^n_ctx .. gamma^0 */
};

static const struct tare_arch_key size_keys[] = {
    {"n_heads", 1024}, {"head_dim", 1024}, {"v_head_dim", 1024}, {NULL, 0}};

static int check(const struct tare_model_config *c, const char *what, struct tare_err *err)
{
    if (c->size[n_heads_key] * c->size[head_dim_key] != c->d_model) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: %u heads of %u do not make d_model %u", what,
                            c->size[n_heads_key], c->size[head_dim_key], c->d_model);
    }
    if (c->size[head_dim_key] % 2 != 0) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: head_dim %u is odd and cannot be rotated in pairs", what,
                            c->size[head_dim_key]);
    }
    return 0;
}

static uint32_t v_width_of(const struct tare_model *model)
{
    return model->config.size[n_heads_key] * model->config.size[v_head_dim_key];
}

static void load(struct tare_loader *loader, void *layer)
{
    struct layer *l = layer;
    uint32_t d = loader->model->config.d_model;
    uint32_t wide = v_width_of(loader->model);
    tare_load_vector(loader, "norm1.weight", d, 0, &l->norm1);
    tare_load_matrix(loader, "ret.q", d, d, &l->q);
    tare_load_matrix(loader, "ret.k", d, d, &l->k);
    tare_load_matrix(loader, "ret.v", wide, d, &l->v);
    tare_load_matrix(loader, "ret.g", wide, d, &l->g);
    tare_load_matrix(loader, "ret.o", d, wide, &l->o);
    tare_mlp_load(loader, &l->mlp, false);
}

static void close_tables(void *tables)
{
    struct tables *t = tables;
    tare_rope_close(t->rope);
    free(t->ones);
    free(t->decays);
    free(t);
}

static void fill_decays(const struct tare_model *model, struct tables *t)
{
    float *at = t->decays;
    for (uint32_t head = 0; head < model->config.size[n_heads_key]; head++) {
        double gamma = 1.0 - exp2(-5.0 - head);
        for (uint32_t i = 0; i <= t->n_ctx; i++) {
            *at++ = tare_scan_faded(pow(gamma, t->n_ctx - i));
        }
    }
    for (uint32_t i = 0; i < model->config.size[v_head_dim_key]; i++) {
        t->ones[i] = 1.0F;
    }
}

static int open_tables(const struct tare_model *model, void **tables, struct tare_err *err)
{
    const struct tare_model_config *c = &model->config;
    struct tables *t = calloc(1, sizeof *t);
    if (t) {
        t->n_ctx = c->n_ctx;
        t->ones = calloc(c->size[v_head_dim_key], sizeof *t->ones);
        t->decays = calloc((size_t)c->size[n_heads_key] * (c->n_ctx + 1), sizeof *t->decays);
    }
    if (!t || !t->ones || !t->decays || tare_rope_open(c->n_ctx, c->size[head_dim_key], &t->rope, err) < 0) {
        if (t) {
            close_tables(t);
        }
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the decays of %u positions", c->n_ctx);
    }
    fill_decays(model, t);
    *tables = t;
    return 0;
}

/* Weight of t rows ago at [-t]. */
static const float *decays_of(const struct tables *t, uint32_t head)
{
    return t->decays + (size_t)head * (t->n_ctx + 1) + t->n_ctx;
}

static size_t state_bytes(const struct tare_model *model, uint32_t layer, uint32_t n_tokens)
{
    (void)layer;
    (void)n_tokens;
    return (size_t)v_width_of(model) * model->config.size[head_dim_key] * sizeof(float);
}

struct buffers {
    float *q;      /* [n, d] */
    float *k;      /* [n, d] */
    float *v;      /* [n, wide] */
    float *g;      /* [n, wide] */
    float *out;    /* [n, wide] */
    float *scores; /* [heads][tare_chunk_floats] */
    float *hidden;
};

static size_t lay_out(const struct tare_model *model, uint32_t rows, float *memory, struct buffers *b)
{
    size_t d = model->config.d_model;
    size_t wide = v_width_of(model);
    size_t scores = model->config.size[n_heads_key] * tare_chunk_floats(rows);
    b->q = memory;
    b->k = b->q + rows * d;
    b->v = b->k + rows * d;
    b->g = b->v + rows * wide;
    b->out = b->g + rows * wide;
    b->scores = b->out + rows * wide;
    b->hidden = b->scores + scores;
    return rows * (2 * d + 3 * wide) + scores + tare_mlp_floats(model, rows);
}

static size_t scratch_floats(const struct tare_model *model, uint32_t rows)
{
    struct buffers b;
    static float nothing;
    return lay_out(model, rows, &nothing, &b);
}

/* What the threads of one retention share. */
struct retention {
    const struct tare_pass *pass;
    const struct buffers *b;
    uint32_t d;
    uint32_t wide;
    uint32_t head_dim;
    uint32_t v_dim;
};

static float *memory_of(const struct retention *r, uint32_t head)
{
    return (float *)(void *)r->pass->state + (size_t)head * r->head_dim * r->v_dim;
}

static void retain_one(const struct retention *r, uint32_t head)
{
    tare_scan_retain(&(struct tare_retain){.s = memory_of(r, head),
                                           .out = r->b->out + (size_t)head * r->v_dim,
                                           .q = r->b->q + (size_t)head * r->head_dim,
                                           .k = r->b->k + (size_t)head * r->head_dim,
                                           .v = r->b->v + (size_t)head * r->v_dim,
                                           .decay = decays_of(r->pass->tables, head)[-1],
                                           .rows = r->head_dim,
                                           .width = r->v_dim});
}

/* out = decayed query of the memory + rows of the block among each other; then the memory takes the block
 * in. The keys are scaled in place by how long ago they will have been. */
static void retain_block(const struct retention *r, uint32_t head)
{
    uint32_t n = r->pass->n;
    const float *decays = decays_of(r->pass->tables, head);
    float *memory = memory_of(r, head);
    const float *q = r->b->q + (size_t)head * r->head_dim;
    float *k = r->b->k + (size_t)head * r->head_dim;
    const float *v = r->b->v + (size_t)head * r->v_dim;
    float *out = r->b->out + (size_t)head * r->v_dim;
    int head_dim = (int)r->head_dim;
    int v_dim = (int)r->v_dim;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, v_dim, head_dim, 1.0F, q, (int)r->d,
                memory, v_dim, 0.0F, out, (int)r->wide);
    for (uint32_t i = 0; i < n; i++) {
        tare_row_scale(out + (size_t)i * r->wide, *(decays - i - 1), r->v_dim);
    }
    tare_chunk_add(&(struct tare_chunk){.q = q,
                                        .k = k,
                                        .v = v,
                                        .out = out,
                                        .qk_stride = r->d,
                                        .v_stride = r->wide,
                                        .width = r->head_dim,
                                        .v_width = r->v_dim,
                                        .n = n,
                                        .weights = decays,
                                        .scores = r->b->scores + head * tare_chunk_floats(n)});
    for (uint32_t i = 0; i < n; i++) {
        tare_row_scale(k + (size_t)i * r->d, *(decays - (n - 1 - i)), r->head_dim);
    }
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, head_dim, v_dim, (int)n, 1.0F, k, (int)r->d, v,
                (int)r->wide, *(decays - n), memory, v_dim);
}

static void retain_heads(void *ctx, uint32_t part, uint32_t n_parts)
{
    const struct retention *r = ctx;
    const struct tables *t = r->pass->tables;
    uint32_t from;
    uint32_t to;
    tare_pool_share(r->wide / r->v_dim, 1, part, n_parts, &from, &to);
    for (uint32_t head = from; head < to; head++) {
        if (r->pass->n == 1) {
            retain_one(r, head);
        } else {
            retain_block(r, head);
        }
        for (uint32_t i = 0; i < r->pass->n; i++) {
            float *out = r->b->out + (size_t)i * r->wide + (size_t)head * r->v_dim;
            tare_row_rmsnorm(out, out, t->ones, r->v_dim);
        }
    }
}

static void rotate(const struct tare_pass *p, float *x)
{
    const struct tables *t = p->tables;
    uint32_t d = p->model->config.d_model;
    for (uint32_t i = 0; i < p->n; i++) {
        tare_rope_rotate(t->rope, x + (size_t)i * d, p->model->config.size[n_heads_key], p->start + i);
    }
}

static void mix(const struct tare_pass *p, const struct layer *l, const struct buffers *b)
{
    uint32_t d = p->model->config.d_model;
    uint32_t wide = v_width_of(p->model);
    struct retention r = {.pass = p,
                          .b = b,
                          .d = d,
                          .wide = wide,
                          .head_dim = p->model->config.size[head_dim_key],
                          .v_dim = p->model->config.size[v_head_dim_key]};
    tare_mlp_norm(p, l->norm1, NULL);
    tare_linear_apply(p->exec, l->q, &(struct tare_product){b->q, d, p->a, d, p->n, false});
    tare_linear_apply(p->exec, l->k, &(struct tare_product){b->k, d, p->a, d, p->n, false});
    tare_linear_apply(p->exec, l->v, &(struct tare_product){b->v, wide, p->a, d, p->n, false});
    tare_linear_apply(p->exec, l->g, &(struct tare_product){b->g, wide, p->a, d, p->n, false});
    rotate(p, b->q);
    rotate(p, b->k);
    tare_row_scale(b->k, 1.0F / sqrtf((float)r.head_dim), (size_t)p->n * d);
    tare_pool_run(p->exec->pool, retain_heads, &r);
    tare_row_swiglu(b->g, b->out, (size_t)p->n * wide);
    tare_linear_apply(p->exec, l->o, &(struct tare_product){p->x, d, b->g, wide, p->n, true});
}

/* The same for one row and for many: retention alone differs. */
static void forward(const struct tare_pass *pass)
{
    const struct layer *l = pass->layer;
    struct buffers b;
    (void)lay_out(pass->model, pass->n, pass->scratch, &b);
    mix(pass, l, &b);
    tare_mlp_forward(pass, &l->mlp, b.hidden);
}

static int64_t step_flops(const struct tare_model *model, uint32_t layer, int64_t t)
{
    (void)layer;
    (void)t;
    return 5 * (int64_t)v_width_of(model) * model->config.size[head_dim_key];
}

static int64_t prefill_flops(const struct tare_model *model, uint32_t layer, int64_t n)
{
    return n * step_flops(model, layer, n);
}

const struct tare_arch tare_arch_retnet = {
    .name = "retnet",
    .keys = size_keys,
    .layer_size = sizeof(struct layer),
    .block_rows = BLOCK_ROWS,
    .check = check,
    .load = load,
    .open = open_tables,
    .close = close_tables,
    .state_bytes = state_bytes,
    .scratch_floats = scratch_floats,
    .prefill = forward,
    .step = forward,
    .prefill_flops = prefill_flops,
    .step_flops = step_flops,
    .convention = "retention in its recurrent form, 5*heads*head_dim*v_head_dim per token and layer, for "
                  "prefill too",
};
