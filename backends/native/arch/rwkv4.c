/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RWKV-4: a weighted mean over all the past per channel, and a gated squared-relu MLP, both of which
 * see a blend of each row with the one before it.
 *
 * All rows of a block go through each matrix together; only the mean is a walk from row to row. The keys
 * are clamped by the model itself, so that plain exponentials need no running maximum. The state of a
 * layer is four rows of d: numerator, denominator, and the last input of either half.
 */
#include "arch.h"
#include "rowmath.h"
#include "mlp.h"
#include "scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_ROWS 256u
#define KEY_LEAST  (-60.0F)
#define KEY_MOST   30.0F

struct layer {
    const float *norm1;
    const float *norm1_bias;
    const float *mix_r; /* weight of the row itself in the blend with the one before it */
    const float *mix_k;
    const float *mix_v;
    const float *decay;
    const float *bonus;
    const struct tare_linear *r;
    const struct tare_linear *k;
    const struct tare_linear *v;
    const struct tare_linear *o;
    const float *norm2;
    const float *norm2_bias;
    const float *ffn_mix_k;
    const float *ffn_mix_r;
    const struct tare_linear *ffn_k;
    const struct tare_linear *ffn_v;
    const struct tare_linear *ffn_r;
};

static const struct tare_arch_key size_keys[] = {{NULL, 0}};

static void load(struct tare_loader *loader, void *layer)
{
    struct layer *l = layer;
    uint32_t d = loader->model->config.d_model;
    uint32_t ffn = loader->model->config.ffn;
    tare_load_vector(loader, "norm1.weight", d, 0, &l->norm1);
    tare_load_vector(loader, "norm1.bias", d, 0, &l->norm1_bias);
    tare_load_vector(loader, "att.mix_r", d, 0, &l->mix_r);
    tare_load_vector(loader, "att.mix_k", d, 0, &l->mix_k);
    tare_load_vector(loader, "att.mix_v", d, 0, &l->mix_v);
    tare_load_vector(loader, "att.decay", d, 0, &l->decay);
    tare_load_vector(loader, "att.bonus", d, 0, &l->bonus);
    tare_load_matrix(loader, "att.r", d, d, &l->r);
    tare_load_matrix(loader, "att.k", d, d, &l->k);
    tare_load_matrix(loader, "att.v", d, d, &l->v);
    tare_load_matrix(loader, "att.o", d, d, &l->o);
    tare_load_vector(loader, "norm2.weight", d, 0, &l->norm2);
    tare_load_vector(loader, "norm2.bias", d, 0, &l->norm2_bias);
    tare_load_vector(loader, "ffn.mix_k", d, 0, &l->ffn_mix_k);
    tare_load_vector(loader, "ffn.mix_r", d, 0, &l->ffn_mix_r);
    tare_load_matrix(loader, "ffn.k", ffn, d, &l->ffn_k);
    tare_load_matrix(loader, "ffn.v", d, ffn, &l->ffn_v);
    tare_load_matrix(loader, "ffn.r", d, d, &l->ffn_r);
}

/* For each layer what a key fades to in one step, e^-e^decay, and e^bonus: [n_layers][2][d]. */
static int open_tables(const struct tare_model *model, void **tables, struct tare_err *err)
{
    size_t d = model->config.d_model;
    float *at = malloc(model->config.n_layers * 2 * d * sizeof *at);
    if (!at) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the decays of %u layers",
                            model->config.n_layers);
    }
    *tables = at;
    for (uint32_t i = 0; i < model->config.n_layers; i++, at += 2 * d) {
        const struct layer *l = tare_model_layer(model, i);
        for (size_t c = 0; c < d; c++) {
            at[c] = tare_scan_faded(exp(-exp((double)l->decay[c])));
            at[d + c] = (float)exp((double)l->bonus[c]);
        }
    }
    return 0;
}

static size_t state_bytes(const struct tare_model *model, uint32_t layer, uint32_t n_tokens)
{
    (void)layer;
    (void)n_tokens;
    return (size_t)4 * model->config.d_model * sizeof(float);
}

struct buffers {
    float *blend; /* [n, d] */
    float *r;     /* [n, d] */
    float *v;     /* [n, d] */
    float *k;     /* [n, d or ffn] */
};

static size_t lay_out(const struct tare_model *model, uint32_t rows, float *memory, struct buffers *b)
{
    size_t d = model->config.d_model;
    size_t ffn = model->config.ffn;
    b->blend = memory;
    b->r = b->blend + rows * d;
    b->v = b->r + rows * d;
    b->k = b->v + rows * d;
    return rows * (3 * d + (ffn > d ? ffn : d));
}

static size_t scratch_floats(const struct tare_model *model, uint32_t rows)
{
    struct buffers b;
    static float nothing;
    return lay_out(model, rows, &nothing, &b);
}

/* Each normed row blended with the one before it; `before` is the one before row 0. */
static void blend(const struct tare_pass *p, const float *before, const float *weight, float *to)
{
    size_t d = p->model->config.d_model;
    tare_row_blend(to, p->a, before, weight, d);
    for (uint32_t i = 1; i < p->n; i++) {
        const float *a = p->a + i * d;
        tare_row_blend(to + i * d, a, a - d, weight, d);
    }
}

static void keep_last(const struct tare_pass *p, float *before)
{
    size_t d = p->model->config.d_model;
    memcpy(before, p->a + (p->n - 1) * d, d * sizeof *before);
}

static void scan_channels(void *ctx, uint32_t part, uint32_t n_parts)
{
    const struct tare_wkv *w = ctx;
    uint32_t from;
    uint32_t to;
    tare_pool_share(w->width, 16, part, n_parts, &from, &to);
    tare_scan_wkv(w, from, to);
}

static void mix(const struct tare_pass *p, const struct layer *l, const struct buffers *b)
{
    uint32_t d = p->model->config.d_model;
    float *state = (float *)(void *)p->state;
    float *before = state + (size_t)2 * d;
    const float *decay = (const float *)p->tables + (size_t)p->index * 2 * d;
    struct tare_wkv w = {.out = p->a,
                         .r = b->r,
                         .k = b->k,
                         .v = b->v,
                         .num = state,
                         .den = state + d,
                         .decay = decay,
                         .bonus = decay + d,
                         .n = p->n,
                         .width = d};
    tare_mlp_norm(p, l->norm1, l->norm1_bias);
    blend(p, before, l->mix_r, b->blend);
    tare_linear_apply(p->exec, l->r, &(struct tare_product){b->r, d, b->blend, d, p->n, false});
    blend(p, before, l->mix_k, b->blend);
    tare_linear_apply(p->exec, l->k, &(struct tare_product){b->k, d, b->blend, d, p->n, false});
    blend(p, before, l->mix_v, b->blend);
    tare_linear_apply(p->exec, l->v, &(struct tare_product){b->v, d, b->blend, d, p->n, false});
    keep_last(p, before);
    tare_row_sigmoid(b->r, (size_t)p->n * d);
    tare_row_exp_clamped(b->k, KEY_LEAST, KEY_MOST, (size_t)p->n * d);
    if (p->n == 1) {
        tare_scan_wkv(&w, 0, d);
    } else {
        tare_pool_run(p->exec->pool, scan_channels, &w);
    }
    tare_linear_apply(p->exec, l->o, &(struct tare_product){p->x, d, p->a, d, p->n, true});
}

static void feed_forward(const struct tare_pass *p, const struct layer *l, const struct buffers *b)
{
    uint32_t d = p->model->config.d_model;
    uint32_t ffn = l->ffn_k->out;
    float *before = (float *)(void *)p->state + (size_t)3 * d;
    tare_mlp_norm(p, l->norm2, l->norm2_bias);
    blend(p, before, l->ffn_mix_r, b->blend);
    tare_linear_apply(p->exec, l->ffn_r, &(struct tare_product){b->r, d, b->blend, d, p->n, false});
    blend(p, before, l->ffn_mix_k, b->blend);
    tare_linear_apply(p->exec, l->ffn_k, &(struct tare_product){b->k, ffn, b->blend, d, p->n, false});
    keep_last(p, before);
    tare_row_sigmoid(b->r, (size_t)p->n * d);
    tare_row_relu_square(b->k, (size_t)p->n * ffn);
    tare_linear_apply(p->exec, l->ffn_v, &(struct tare_product){b->v, d, b->k, ffn, p->n, false});
    tare_row_add_products(p->x, b->r, b->v, (size_t)p->n * d);
}

/* The same for one row and for many. */
static void forward(const struct tare_pass *pass)
{
    const struct layer *l = pass->layer;
    struct buffers b;
    (void)lay_out(pass->model, pass->n, pass->scratch, &b);
    mix(pass, l, &b);
    feed_forward(pass, l, &b);
}

static int64_t step_flops(const struct tare_model *model, uint32_t layer, int64_t t)
{
    (void)layer;
    (void)t;
    return 16 * (int64_t)model->config.d_model;
}

static int64_t prefill_flops(const struct tare_model *model, uint32_t layer, int64_t n)
{
    return n * step_flops(model, layer, n);
}

const struct tare_arch tare_arch_rwkv4 = {
    .name = "rwkv4",
    .keys = size_keys,
    .layer_size = sizeof(struct layer),
    .block_rows = BLOCK_ROWS,
    .layer_norm = true,
    .embed_norm = true,
    .load = load,
    .open = open_tables,
    .close = free,
    .state_bytes = state_bytes,
    .scratch_floats = scratch_floats,
    .prefill = forward,
    .step = forward,
    .prefill_flops = prefill_flops,
    .step_flops = step_flops,
    .convention = "weighted mean over time 16*d per token and layer, blends with the row before included",
};
