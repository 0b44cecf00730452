/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mamba: a gated layer around a recurrence whose step sizes, inputs and outputs depend on the row. There
 * is no MLP; the zoo has no such model, the tests make one.
 *
 * Metadata: `ffn` is the inner width, and `d_state`, `d_conv`, `dt_rank`. Tensors of a layer: norm1 (RMS),
 * ssm.in [2 ffn, d], ssm.conv.weight [ffn, d_conv] and .bias, ssm.x [dt_rank + 2 d_state, ffn],
 * ssm.dt [ffn, dt_rank], ssm.dt.bias [ffn], ssm.a_log [ffn, d_state], ssm.skip [ffn], ssm.out [d, ffn]:
 *
 *     (u, z) = Win norm(x)    u = silu(bias + sum_j conv[:, j] u_{t-j})    (r, B, C) = Wx u
 *     D = softplus(Wdt r + dt.bias)    S_n = exp(-D exp(a_log_n)) S_n + B_n D u
 *     x += Wout (silu(z) (sum_n C_n S_n + skip u))
 *
 * All rows of a block go through each matrix together; only the recurrence is a walk from row to row, over
 * all channels at once. The state of a layer is S, [d_state, ffn], and the last d_conv - 1 rows of u.
 */
#include "arch.h"
#include "rowmath.h"
#include "mlp.h"
#include "scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_ROWS 64u

enum { d_state_key, d_conv_key, dt_rank_key };

struct layer {
    const float *norm1;
    const struct tare_linear *in;
    const float *conv;
    const float *conv_bias;
    const struct tare_linear *x;
    const struct tare_linear *dt;
    const float *dt_bias;
    const float *a_log;
    const float *skip;
    const struct tare_linear *out;
};

struct sizes {
    uint32_t d;
    uint32_t inner;
    uint32_t n;    /* memories a channel */
    uint32_t m;    /* taps */
    uint32_t rank; /* of the step sizes */
    uint32_t wide; /* rank + 2 n: what ssm.x makes */
};

static const struct tare_arch_key size_keys[] = {
    {"d_state", 1024}, {"d_conv", 64}, {"dt_rank", 16384}, {NULL, 0}};

static struct sizes sizes_of(const struct tare_model *model)
{
    const struct tare_model_config *c = &model->config;
    return (struct sizes){.d = c->d_model,
                          .inner = c->ffn,
                          .n = c->size[d_state_key],
                          .m = c->size[d_conv_key],
                          .rank = c->size[dt_rank_key],
                          .wide = c->size[dt_rank_key] + 2 * c->size[d_state_key]};
}

static void load(struct tare_loader *loader, void *layer)
{
    struct layer *l = layer;
    struct sizes z = sizes_of(loader->model);
    tare_load_vector(loader, "norm1.weight", z.d, 0, &l->norm1);
    tare_load_matrix(loader, "ssm.in", 2 * z.inner, z.d, &l->in);
    tare_load_vector(loader, "ssm.conv.weight", z.inner, z.m, &l->conv);
    tare_load_vector(loader, "ssm.conv.bias", z.inner, 0, &l->conv_bias);
    tare_load_matrix(loader, "ssm.x", z.wide, z.inner, &l->x);
    tare_load_matrix(loader, "ssm.dt", z.inner, z.rank, &l->dt);
    tare_load_vector(loader, "ssm.dt.bias", z.inner, 0, &l->dt_bias);
    tare_load_vector(loader, "ssm.a_log", z.inner, z.n, &l->a_log);
    tare_load_vector(loader, "ssm.skip", z.inner, 0, &l->skip);
    tare_load_matrix(loader, "ssm.out", z.d, z.inner, &l->out);
}

/* Of each layer, turned so that channels lie side by side: taps [d_conv, inner], -e^a_log [d_state, inner].
 */
static int open_tables(const struct tare_model *model, void **tables, struct tare_err *err)
{
    struct sizes z = sizes_of(model);
    float *at = malloc((size_t)model->config.n_layers * (z.m + z.n) * z.inner * sizeof *at);
    if (!at) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the filters of %u layers",
                            model->config.n_layers);
    }
    *tables = at;
    for (uint32_t i = 0; i < model->config.n_layers; i++) {
        const struct layer *l = tare_model_layer(model, i);
        for (uint32_t j = 0; j < z.m + z.n; j++) {
            for (uint32_t c = 0; c < z.inner; c++) {
                *at++ = j < z.m ? l->conv[(size_t)c * z.m + j]
                                : (float)-exp((double)l->a_log[(size_t)c * z.n + (j - z.m)]);
            }
        }
    }
    return 0;
}

static size_t state_bytes(const struct tare_model *model, uint32_t layer, uint32_t n_tokens)
{
    (void)layer;
    (void)n_tokens;
    struct sizes z = sizes_of(model);
    return (size_t)(z.n + z.m - 1) * z.inner * sizeof(float);
}

struct buffers {
    float *both; /* [n, 2 inner]: before the filter, gate */
    float *past; /* [d_conv - 1 + n, inner] before the filter, rows of the past first */
    float *u;    /* [n, inner] after it */
    float *mid;  /* [n, wide] */
    float *dt;   /* [n, inner] step sizes */
    float *dx;   /* [inner] step size times u, of one row */
    float *y;    /* [n, inner] */
    float *fade; /* [d_state, inner] of one row */
};

static size_t lay_out(const struct tare_model *model, uint32_t rows, float *memory, struct buffers *b)
{
    struct sizes z = sizes_of(model);
    size_t block = (size_t)rows * z.inner;
    b->both = memory;
    b->past = b->both + 2 * block;
    b->u = b->past + block + (size_t)(z.m - 1) * z.inner;
    b->mid = b->u + block;
    b->dt = b->mid + (size_t)rows * z.wide;
    b->dx = b->dt + block;
    b->y = b->dx + z.inner;
    b->fade = b->y + block;
    return 6 * block + (size_t)rows * z.wide + (size_t)(z.m + z.n) * z.inner;
}

static size_t scratch_floats(const struct tare_model *model, uint32_t rows)
{
    struct buffers b;
    static float nothing;
    return lay_out(model, rows, &nothing, &b);
}

static void silu(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = x[i] / (1.0F + expf(-x[i]));
    }
}

/* log(1 + e^x), without overflow */
static float softplus(float x)
{
    return x > 20.0F ? x : log1pf(expf(x));
}

/* What the threads of one recurrence share. */
struct job {
    const struct tare_pass *pass;
    const struct layer *layer;
    const struct buffers *b;
    const float *taps;
    const float *a;
    struct sizes z;
};

/* Channels from .. to-1 of one row. */
static void one_row(const struct job *j, uint32_t row, uint32_t from, uint32_t to)
{
    size_t inner = j->z.inner;
    const float *dt = j->b->dt + row * inner;
    const float *u = j->b->u + row * inner;
    const float *mid = j->b->mid + (size_t)row * j->z.wide;
    for (uint32_t i = 0; i < j->z.n; i++) {
        float *fade = j->b->fade + i * inner;
        for (uint32_t c = from; c < to; c++) {
            fade[c] = dt[c] * j->a[i * inner + c];
        }
        tare_row_exp_clamped(fade + from, -87.0F, 0.0F, to - from);
    }
    for (uint32_t c = from; c < to; c++) {
        j->b->dx[c] = dt[c] * u[c];
    }
    tare_scan_selective(&(struct tare_selective){.s = (float *)(void *)j->pass->state,
                                                 .y = j->b->y + row * inner,
                                                 .fade = j->b->fade,
                                                 .b = mid + j->z.rank,
                                                 .c = mid + j->z.rank + j->z.n,
                                                 .dx = j->b->dx,
                                                 .x = u,
                                                 .skip = j->layer->skip,
                                                 .n = j->z.n,
                                                 .width = j->z.inner},
                        from, to);
}

static void walk(void *ctx, uint32_t part, uint32_t n_parts)
{
    const struct job *j = ctx;
    size_t inner = j->z.inner;
    uint32_t from;
    uint32_t to;
    tare_pool_share(j->z.inner, 16, part, n_parts, &from, &to);
    for (uint32_t row = 0; row < j->pass->n; row++) {
        float *dt = j->b->dt + row * inner;
        for (uint32_t c = from; c < to; c++) {
            dt[c] = softplus(dt[c] + j->layer->dt_bias[c]);
        }
        one_row(j, row, from, to);
        tare_row_swiglu(j->b->both + (2 * row + 1) * inner + from, j->b->y + row * inner + from, to - from);
    }
}

/* u = silu(filter(u)), with the rows before the block out of the state. */
static void filter(const struct job *j)
{
    const struct tare_pass *p = j->pass;
    size_t inner = j->z.inner;
    size_t past = (j->z.m - 1) * inner;
    float *kept = (float *)(void *)p->state + j->z.n * inner;
    memcpy(j->b->past, kept, past * sizeof *kept);
    for (uint32_t i = 0; i < p->n; i++) {
        memcpy(j->b->past + past + i * inner, j->b->both + 2 * i * inner, inner * sizeof *kept);
    }
    tare_scan_fir(&(struct tare_fir){.to = j->b->u,
                                     .from = j->b->past,
                                     .taps = j->taps,
                                     .bias = j->layer->conv_bias,
                                     .m = j->z.m,
                                     .width = j->z.inner},
                  p->n);
    memcpy(kept, j->b->past + p->n * inner, past * sizeof *kept);
    silu(j->b->u, p->n * inner);
}

/* The same for one row and for many. */
static void forward(const struct tare_pass *pass)
{
    const struct layer *l = pass->layer;
    struct tare_exec *exec = pass->exec;
    uint32_t n = pass->n;
    struct buffers b;
    struct sizes z = sizes_of(pass->model);
    const float *taps = (const float *)pass->tables + (size_t)pass->index * (z.m + z.n) * z.inner;
    struct job j = {
        .pass = pass, .layer = l, .b = &b, .taps = taps, .a = taps + (size_t)z.m * z.inner, .z = z};
    (void)lay_out(pass->model, n, pass->scratch, &b);
    tare_mlp_norm(pass, l->norm1, NULL);
    tare_linear_apply(exec, l->in, &(struct tare_product){b.both, 2 * z.inner, pass->a, z.d, n, false});
    filter(&j);
    tare_linear_apply(exec, l->x, &(struct tare_product){b.mid, z.wide, b.u, z.inner, n, false});
    tare_linear_apply(exec, l->dt, &(struct tare_product){b.dt, z.inner, b.mid, z.wide, n, false});
    tare_pool_run(exec->pool, walk, &j);
    tare_linear_apply(exec, l->out,
                      &(struct tare_product){pass->x, z.d, b.both + z.inner, 2 * z.inner, n, true});
}

/* Filter, 9 per memory (an exponential as 1) and the skip; the gate is elementwise and not counted. */
static int64_t step_flops(const struct tare_model *model, uint32_t layer, int64_t t)
{
    (void)layer;
    (void)t;
    struct sizes z = sizes_of(model);
    return (int64_t)z.inner * (2 * (int64_t)z.m + 9 * (int64_t)z.n + 2);
}

static int64_t prefill_flops(const struct tare_model *model, uint32_t layer, int64_t n)
{
    return n * step_flops(model, layer, n);
}

const struct tare_arch tare_arch_mamba = {
    .name = "mamba",
    .keys = size_keys,
    .layer_size = sizeof(struct layer),
    .block_rows = BLOCK_ROWS,
    .load = load,
    .open = open_tables,
    .close = free,
    .state_bytes = state_bytes,
    .scratch_floats = scratch_floats,
    .prefill = forward,
    .step = forward,
    .prefill_flops = prefill_flops,
    .step_flops = step_flops,
    .convention = "selective recurrence 9*ffn*d_state, short filter 2*d_conv*ffn, skip 2*ffn, per token and "
                  "layer, for prefill too",
};
