/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Llama-style Transformer: RMSNorm, rotary attention over all heads, SwiGLU.
 *
 * Later rows attend only to earlier ones, so a block of rows needs nothing from those behind it; its
 * activations and the scores of a head stay in cache, and the keys beyond the block are never
 * multiplied. The state of a layer is its cache of rotated keys and values (kv.h), w numbers each, with w
 * the width of all heads together.
 */
#include "arch.h"
#include "attention.h"
#include "rope.h"
#include "rowmath.h"

#include <stdlib.h>
#include <string.h>

/* Of 64 .. 512: on one core as fast as 128, on two faster (d = 128, 2 MiB of L2 a core). */
#define BLOCK_ROWS 256u

enum { n_heads_key, head_dim_key };

struct layer {
    const float *norm1;
    const float *norm2;
    const struct tare_linear *q; /* [w, d], w = heads * head_dim; heads may have been taken out */
    const struct tare_linear *k;
    const struct tare_linear *v;
    const struct tare_linear *o; /* [d, w] */
    const struct tare_linear *gate;
    const struct tare_linear *up;
    const struct tare_linear *down;
};

static const struct tare_arch_key size_keys[] = {{"n_heads", 1024}, {"head_dim", 1024}, {NULL, 0}};

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

static void load(struct tare_loader *loader, void *layer)
{
    struct layer *l = layer;
    uint32_t d = loader->model->config.d_model;
    uint32_t ffn = loader->model->config.ffn;
    tare_load_vector(loader, "norm1.weight", d, 0, &l->norm1);
    tare_load_matrix(loader, "attn.q", d, d, &l->q);
    tare_load_matrix(loader, "attn.k", d, d, &l->k);
    tare_load_matrix(loader, "attn.v", d, d, &l->v);
    tare_load_matrix(loader, "attn.o", d, d, &l->o);
    tare_load_vector(loader, "norm2.weight", d, 0, &l->norm2);
    tare_load_matrix(loader, "mlp.gate", ffn, d, &l->gate);
    tare_load_matrix(loader, "mlp.up", ffn, d, &l->up);
    tare_load_matrix(loader, "mlp.down", d, ffn, &l->down);
}

static int open_tables(const struct tare_model *model, void **tables, struct tare_err *err)
{
    return tare_rope_open(model->config.n_ctx, model->config.size[head_dim_key], tables, err);
}

static const struct layer *layer_of(const struct tare_model *model, uint32_t index)
{
    return tare_model_layer(model, index);
}

static struct tare_kv kv_of(const struct tare_model *model, uint32_t index)
{
    uint32_t head_dim = model->config.size[head_dim_key];
    return (struct tare_kv){
        .how = model->kv, .n_heads = layer_of(model, index)->k->out / head_dim, .head_dim = head_dim};
}

static size_t state_bytes(const struct tare_model *model, uint32_t layer, uint32_t n_tokens)
{
    struct tare_kv kv = kv_of(model, layer);
    return tare_kv_rows(&kv, n_tokens) * tare_kv_row_bytes(&kv);
}

/* Not a power of two, or the rows of a block would share a few sets of the cache. */
static size_t score_stride(const struct tare_model *model)
{
    return ((size_t)model->config.n_ctx + 15) / 16 * 16 + 16;
}

struct buffers {
    float *q;        /* [n, w] */
    float *gate;     /* [n, ffn] */
    float *up;       /* [n, ffn] */
    float *fresh;    /* [n, 2 w] keys and values of these rows, where the cache holds no floats */
    float *gathered; /* [2 w n_ctx] likewise */
    float *scores;   /* [heads, n, score_stride] */
};

static size_t lay_out(const struct tare_model *model, uint32_t rows, float *memory, struct buffers *b)
{
    size_t w = model->config.d_model;
    size_t ffn = model->config.ffn;
    size_t copied = model->kv.bits > 0 || model->kv.window > 0 ? 2 * w : 0;
    b->q = memory;
    b->gate = b->q + rows * w;
    b->up = b->gate + rows * ffn;
    b->fresh = b->up + rows * ffn;
    b->gathered = b->fresh + rows * copied;
    b->scores = b->gathered + model->config.n_ctx * copied;
    return rows * (w + 2 * ffn + copied) + model->config.n_ctx * copied +
           model->config.size[n_heads_key] * rows * score_stride(model);
}

static size_t scratch_floats(const struct tare_model *model, uint32_t rows)
{
    struct buffers b;
    static float nothing;
    return lay_out(model, rows, &nothing, &b);
}

/* One step between two products, for some of the rows. */
struct between {
    const struct tare_pass *pass;
    const float *weight; /* of a norm */
    float *x;            /* what is rotated, or gated by `up` */
    const float *up;
    uint32_t stride;
    uint32_t n_heads;
};

static void norm_rows(void *ctx, uint32_t from, uint32_t to)
{
    const struct between *b = ctx;
    size_t d = b->pass->model->config.d_model;
    tare_rows_rmsnorm(b->pass->a + from * d, b->pass->x + from * d, b->weight, d, to - from);
}

static void normalise(const struct tare_pass *p, const float *weight)
{
    tare_exec_rows(p->exec, p->n, norm_rows, &(struct between){.pass = p, .weight = weight});
}

static void rotate_rows(void *ctx, uint32_t from, uint32_t to)
{
    const struct between *b = ctx;
    for (uint32_t i = from; i < to; i++) {
        tare_rope_rotate(b->pass->tables, b->x + (size_t)i * b->stride, b->n_heads, b->pass->start + i);
    }
}

static void rotate(const struct tare_pass *p, float *x, uint32_t stride, uint32_t n_heads)
{
    tare_exec_rows(p->exec, p->n, rotate_rows,
                   &(struct between){.pass = p, .x = x, .stride = stride, .n_heads = n_heads});
}

static void gate_rows(void *ctx, uint32_t from, uint32_t to)
{
    const struct between *b = ctx;
    size_t at = (size_t)from * b->stride;
    tare_row_swiglu(b->x + at, b->up + at, (size_t)(to - from) * b->stride);
}

/* Rotated keys, and values, of these rows out of their norm in `a`: into the cache or beside it. Queries, not
 * rotated yet, into `q`. */
static struct tare_attention remember(const struct tare_pass *p, const struct buffers *b, bool with_queries)
{
    const struct layer *l = p->layer;
    uint32_t d = p->model->config.d_model;
    uint32_t w = l->k->out;
    struct tare_attention a = {.kv = kv_of(p->model, p->index),
                               .state = p->state,
                               .fresh = b->fresh,
                               .n_ctx = p->model->config.n_ctx,
                               .start = p->start,
                               .n = p->n};
    if (tare_kv_in_place(&a.kv, p->start, p->n)) {
        a.fresh = (float *)(void *)p->state + (size_t)tare_kv_row_of(&a.kv, p->start) * 2 * w;
    }
    const struct tare_linear *const made[] = {l->k, l->v, l->q};
    const struct tare_product products[] = {{a.fresh, 2 * w, p->a, d, p->n, false},
                                            {a.fresh + w, 2 * w, p->a, d, p->n, false},
                                            {b->q, w, p->a, d, p->n, false}};
    normalise(p, l->norm1);
    tare_linear_apply_together(p->exec, made, products, with_queries ? 3 : 2);
    rotate(p, a.fresh, 2 * w, a.kv.n_heads);
    return a;
}

static void mix(const struct tare_pass *p, const struct layer *l, const struct buffers *b)
{
    uint32_t d = p->model->config.d_model;
    uint32_t w = l->q->out;
    struct tare_attention a = remember(p, b, true);
    rotate(p, b->q, w, a.kv.n_heads);
    a.q = b->q;
    a.gathered = b->gathered;
    a.scores = b->scores;
    a.stride = (uint32_t)score_stride(p->model);
    a.out = p->a;
    a.received = p->received;
    tare_attention_run(&a, p->exec);
    tare_linear_apply(p->exec, l->o, &(struct tare_product){p->x, d, p->a, w, p->n, true});
}

/* For tokens that leave before this layer: their keys and values, and nothing else of it. */
static void fill(const struct tare_pass *pass)
{
    struct buffers b;
    (void)lay_out(pass->model, pass->n, pass->scratch, &b);
    struct tare_attention a = remember(pass, &b, false);
    tare_attention_store(&a);
}

static int64_t fill_flops(const struct tare_model *model, uint32_t layer)
{
    const struct layer *l = layer_of(model, layer);
    struct tare_linear_facts k;
    struct tare_linear_facts v;
    l->k->storage->facts(l->k, &k);
    l->v->storage->facts(l->v, &v);
    return k.flops + v.flops;
}

static void feed_forward(const struct tare_pass *p, const struct layer *l, const struct buffers *b)
{
    uint32_t d = p->model->config.d_model;
    uint32_t ffn = l->gate->out;
    normalise(p, l->norm2);
    tare_linear_apply_together(p->exec, (const struct tare_linear *const[]){l->gate, l->up},
                               (const struct tare_product[]){{b->gate, ffn, p->a, d, p->n, false},
                                                             {b->up, ffn, p->a, d, p->n, false}},
                               2);
    tare_exec_rows(p->exec, p->n, gate_rows,
                   &(struct between){.pass = p, .x = b->gate, .up = b->up, .stride = ffn});
    tare_linear_apply(p->exec, l->down, &(struct tare_product){p->x, d, b->gate, ffn, p->n, true});
}

/* The same for one row and for many: attention alone differs. */
static void forward(const struct tare_pass *pass)
{
    const struct layer *l = pass->layer;
    struct buffers b;
    (void)lay_out(pass->model, pass->n, pass->scratch, &b);
    mix(pass, l, &b);
    feed_forward(pass, l, &b);
}

/* Scores and values together, without what is hidden: 4 w for each token that a token sees. */
static int64_t prefill_flops(const struct tare_model *model, uint32_t layer, int64_t n)
{
    struct tare_kv kv = kv_of(model, layer);
    return 4 * (int64_t)layer_of(model, layer)->q->out * tare_attention_seen(&kv, 0, n);
}

static int64_t step_flops(const struct tare_model *model, uint32_t layer, int64_t t)
{
    struct tare_kv kv = kv_of(model, layer);
    return 4 * (int64_t)layer_of(model, layer)->q->out * tare_attention_seen(&kv, t - 1, 1);
}

const struct tare_arch tare_arch_llama = {
    .name = "llama",
    .keys = size_keys,
    .layer_size = sizeof(struct layer),
    .block_rows = BLOCK_ROWS,
    .cuts = true,
    .keeps_kv = true,
    .check = check,
    .load = load,
    .open = open_tables,
    .close = tare_rope_close,
    .state_bytes = state_bytes,
    .scratch_floats = scratch_floats,
    .prefill = forward,
    .step = forward,
    .fill = fill,
    .fill_flops = fill_flops,
    .prefill_flops = prefill_flops,
    .step_flops = step_flops,
    .convention = "attention causal exact, scores and values together: 2*w*S*(S+1) per layer for a prompt of "
                  "S, 4*w*t per layer for a decode step with t tokens in context, w the width of all heads; "
                  "with a window only what a token sees",
};
