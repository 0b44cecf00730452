/* SPDX-License-Identifier: Apache-2.0 */
/*
 * H3: keys through a short filter, their products with the values through a bank of complex one-pole
 * memories per head, read out by the queries; and a gelu MLP.
 *
 * One row is the recurrent form. A block is the chunkwise form: what rows of the block do to each other is
 * the memories' impulse response, K(t) = Re(sum of c lambda^t) (+ skip at 0), so they meet by matrix
 * products under a mask of it; the memories of all earlier rows stand beside it. The state of a layer is
 * the memories, [heads][n][re, im][head_dim, head_dim], and the last shift - 1 keys.
 */
#include "arch.h"
#include "rowmath.h"
#include "chunk.h"
#include "mlp.h"
#include "scan.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_ROWS 128u

enum { n_heads_key, head_dim_key, d_state_key, shift_key };

struct layer {
    const float *norm1;
    const float *norm1_bias;
    const struct tare_linear *q;
    const struct tare_linear *k;
    const struct tare_linear *v;
    const struct tare_linear *o;
    const float *shift;   /* [d, shift] */
    const float *lam_log; /* [heads, d_state], as the next three */
    const float *lam_arg;
    const float *c_re;
    const float *c_im;
    const float *skip; /* [heads] */
    struct tare_mlp mlp;
};

struct sizes {
    uint32_t d;
    uint32_t heads;
    uint32_t dim; /* of a head */
    uint32_t n;   /* memories of a head */
    uint32_t m;   /* taps */
};

/* Tables of one layer. */
struct table {
    float *taps;     /* [shift, d] */
    float *c;        /* [heads][d_state][re, im] */
    float *powers;   /* [heads][n_ctx + 1][d_state][re, im]: lambda^t */
    float *response; /* [heads][n_ctx + 1], backwards: K(n_ctx) .. K(0) */
};

struct tables {
    uint32_t n_ctx;
    uint32_t n_layers;
    struct table layers[];
};

static const struct tare_arch_key size_keys[] = {
    {"n_heads", 1024}, {"head_dim", 256}, {"d_state", 256}, {"shift", 64}, {NULL, 0}};

static int check(const struct tare_model_config *c, const char *what, struct tare_err *err)
{
    if (c->size[n_heads_key] * c->size[head_dim_key] != c->d_model) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: %u heads of %u do not make d_model %u", what,
                            c->size[n_heads_key], c->size[head_dim_key], c->d_model);
    }
    return 0;
}

static struct sizes sizes_of(const struct tare_model *model)
{
    const struct tare_model_config *c = &model->config;
    return (struct sizes){.d = c->d_model,
                          .heads = c->size[n_heads_key],
                          .dim = c->size[head_dim_key],
                          .n = c->size[d_state_key],
                          .m = c->size[shift_key]};
}

static void load(struct tare_loader *loader, void *layer)
{
    struct layer *l = layer;
    struct sizes z = sizes_of(loader->model);
    tare_load_vector(loader, "norm1.weight", z.d, 0, &l->norm1);
    tare_load_vector(loader, "norm1.bias", z.d, 0, &l->norm1_bias);
    tare_load_matrix(loader, "mix.q", z.d, z.d, &l->q);
    tare_load_matrix(loader, "mix.k", z.d, z.d, &l->k);
    tare_load_matrix(loader, "mix.v", z.d, z.d, &l->v);
    tare_load_matrix(loader, "mix.o", z.d, z.d, &l->o);
    tare_load_vector(loader, "mix.shift", z.d, z.m, &l->shift);
    tare_load_vector(loader, "mix.ssm.lam_log", z.heads, z.n, &l->lam_log);
    tare_load_vector(loader, "mix.ssm.lam_arg", z.heads, z.n, &l->lam_arg);
    tare_load_vector(loader, "mix.ssm.c_re", z.heads, z.n, &l->c_re);
    tare_load_vector(loader, "mix.ssm.c_im", z.heads, z.n, &l->c_im);
    tare_load_vector(loader, "mix.ssm.skip", z.heads, 0, &l->skip);
    tare_mlp_load(loader, &l->mlp, true);
}

/* Training has a step size per head beside four numbers per memory; the file holds these four only, in the
 * form that they take together. */
static int64_t derived_params(const struct tare_model_config *c)
{
    return (int64_t)c->n_layers * c->size[n_heads_key];
}

static void close_tables(void *tables)
{
    struct tables *t = tables;
    for (uint32_t i = 0; i < t->n_layers; i++) {
        free(t->layers[i].taps);
        free(t->layers[i].c);
        free(t->layers[i].powers);
        free(t->layers[i].response);
    }
    free(t);
}

static void fill_head(const struct layer *l, struct sizes z, uint32_t n_ctx, uint32_t head, struct table *t)
{
    float *powers = t->powers + (size_t)head * (n_ctx + 1) * 2 * z.n;
    float *response = t->response + (size_t)head * (n_ctx + 1) + n_ctx;
    for (uint32_t at = 0; at <= n_ctx; at++) {
        double sum = at == 0 ? (double)l->skip[head] : 0;
        for (uint32_t i = head * z.n; i < (head + 1) * z.n; i++) {
            double size = exp(at * (double)l->lam_log[i]);
            double re = size * cos(at * (double)l->lam_arg[i]);
            double im = size * sin(at * (double)l->lam_arg[i]);
            *powers++ = tare_scan_faded(re);
            *powers++ = tare_scan_faded(im);
            sum += (double)l->c_re[i] * re - (double)l->c_im[i] * im;
        }
        *response-- = tare_scan_faded(sum);
    }
}

static void fill_layer(const struct layer *l, struct sizes z, uint32_t n_ctx, struct table *t)
{
    for (uint32_t j = 0; j < z.m; j++) {
        for (uint32_t c = 0; c < z.d; c++) {
            t->taps[(size_t)j * z.d + c] = l->shift[(size_t)c * z.m + j];
        }
    }
    for (uint32_t i = 0; i < z.heads * z.n; i++) {
        t->c[2 * i] = l->c_re[i];
        t->c[2 * i + 1] = l->c_im[i];
    }
    for (uint32_t head = 0; head < z.heads; head++) {
        fill_head(l, z, n_ctx, head, t);
    }
}

static int open_tables(const struct tare_model *model, void **tables, struct tare_err *err)
{
    const struct tare_model_config *c = &model->config;
    struct sizes z = sizes_of(model);
    size_t steps = (size_t)z.heads * (c->n_ctx + 1);
    struct tables *t = calloc(1, sizeof *t + c->n_layers * sizeof t->layers[0]);
    bool complete = t != NULL;
    for (uint32_t i = 0; complete && i < c->n_layers; i++) {
        struct table *at = &t->layers[i];
        t->n_layers = i + 1;
        at->taps = malloc((size_t)z.m * z.d * sizeof *at->taps);
        at->c = malloc((size_t)z.heads * 2 * z.n * sizeof *at->c);
        at->powers = malloc(steps * 2 * z.n * sizeof *at->powers);
        at->response = malloc(steps * sizeof *at->response);
        complete = at->taps && at->c && at->powers && at->response;
        if (complete) {
            fill_layer(tare_model_layer(model, i), z, c->n_ctx, at);
        }
    }
    if (!complete) {
        if (t) {
            close_tables(t);
        }
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the responses of %u positions", c->n_ctx);
    }
    t->n_ctx = c->n_ctx;
    *tables = t;
    return 0;
}

static size_t memory_floats(struct sizes z)
{
    return (size_t)z.heads * 2 * z.n * z.dim * z.dim;
}

static size_t state_bytes(const struct tare_model *model, uint32_t layer, uint32_t n_tokens)
{
    (void)layer;
    (void)n_tokens;
    struct sizes z = sizes_of(model);
    return (memory_floats(z) + (size_t)(z.m - 1) * z.d) * sizeof(float);
}

struct buffers {
    float *q;    /* [n, d] */
    float *k;    /* [shift - 1 + n, d], those of the past first */
    float *kb;   /* [n, d], filtered */
    float *v;    /* [n, d] */
    float *head; /* [heads][head_floats] */
    float *hidden;
};

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* A step needs an outer product and the sum over memories; a block its rows' queries or keys times each
 * memory's power, and scores. */
static size_t head_floats(struct sizes z, uint32_t rows)
{
    return most((size_t)2 * z.dim * z.dim, (size_t)rows * 2 * z.n * z.dim + tare_chunk_floats(rows));
}

static size_t lay_out(const struct tare_model *model, uint32_t rows, float *memory, struct buffers *b)
{
    struct sizes z = sizes_of(model);
    b->q = memory;
    b->k = b->q + (size_t)rows * z.d;
    b->kb = b->k + (size_t)(rows + z.m - 1) * z.d;
    b->v = b->kb + (size_t)rows * z.d;
    b->head = b->v + (size_t)rows * z.d;
    b->hidden = b->head + z.heads * head_floats(z, rows);
    return (size_t)(4 * (size_t)rows + z.m - 1) * z.d + z.heads * head_floats(z, rows) +
           tare_mlp_floats(model, rows);
}

static size_t scratch_floats(const struct tare_model *model, uint32_t rows)
{
    struct buffers b;
    static float nothing;
    return lay_out(model, rows, &nothing, &b);
}

/* What the threads share. */
struct job {
    const struct tare_pass *pass;
    const struct layer *layer;
    const struct table *table;
    const struct buffers *b;
    struct sizes z;
    uint32_t n_ctx;
};

static float *memory_of(const struct job *j, uint32_t head)
{
    return (float *)(void *)j->pass->state + (size_t)head * 2 * j->z.n * j->z.dim * j->z.dim;
}

static const float *powers_of(const struct job *j, uint32_t head, uint32_t t)
{
    return j->table->powers + ((size_t)head * (j->n_ctx + 1) + t) * 2 * j->z.n;
}

static void one_row(const struct job *j, uint32_t head)
{
    uint32_t dim = j->z.dim;
    size_t at = (size_t)head * dim;
    const float *q = j->b->q + at;
    const float *k = j->b->kb + at;
    const float *v = j->b->v + at;
    float *out = j->pass->a + at;
    float *z = j->b->head + head * head_floats(j->z, 1);
    float *y = z + (size_t)dim * dim;
    for (uint32_t a = 0; a < dim; a++) {
        for (uint32_t c = 0; c < dim; c++) {
            z[(size_t)a * dim + c] = k[a] * v[c];
        }
    }
    tare_scan_modes(&(struct tare_modes){.s = memory_of(j, head),
                                         .y = y,
                                         .z = z,
                                         .lambda = powers_of(j, head, 1),
                                         .c = j->table->c + (size_t)head * 2 * j->z.n,
                                         .skip = j->layer->skip[head],
                                         .n = j->z.n,
                                         .width = dim * dim});
    memset(out, 0, dim * sizeof *out);
    for (uint32_t a = 0; a < dim; a++) {
        for (uint32_t c = 0; c < dim; c++) {
            out[c] += q[a] * y[(size_t)a * dim + c];
        }
    }
}

/* to[i][memory][re, im][a] = x[i][a] * factor of the memory and the row */
static void spread(const struct job *j, const float *x, const float *factors, float *to)
{
    for (uint32_t i = 0; i < 2 * j->z.n; i++) {
        for (uint32_t a = 0; a < j->z.dim; a++) {
            *to++ = x[a] * factors[i];
        }
    }
}

/* Queries times c lambda^(i + 1): what they read out of the memories as they were before the block. */
static void spread_queries(const struct job *j, uint32_t head, float *to)
{
    size_t width = (size_t)2 * j->z.n * j->z.dim;
    const float *c = j->table->c + (size_t)head * 2 * j->z.n;
    for (uint32_t i = 0; i < j->pass->n; i++) {
        float factors[2 * 256];
        const float *power = powers_of(j, head, i + 1);
        for (uint32_t m = 0; m < 2 * j->z.n; m += 2) {
            factors[m] = c[m] * power[m] - c[m + 1] * power[m + 1];
            factors[m + 1] = -(c[m] * power[m + 1] + c[m + 1] * power[m]);
        }
        spread(j, j->b->q + (size_t)i * j->z.d + (size_t)head * j->z.dim, factors, to + i * width);
    }
}

/* Keys times lambda^(rows behind them): what the memories hold of them after the block. */
static void spread_keys(const struct job *j, uint32_t head, float *to)
{
    size_t width = (size_t)2 * j->z.n * j->z.dim;
    for (uint32_t i = 0; i < j->pass->n; i++) {
        spread(j, j->b->kb + (size_t)i * j->z.d + (size_t)head * j->z.dim,
               powers_of(j, head, j->pass->n - 1 - i), to + i * width);
    }
}

/* s = lambda^n s */
static void fade(const struct job *j, uint32_t head)
{
    size_t square = (size_t)j->z.dim * j->z.dim;
    const float *power = powers_of(j, head, j->pass->n);
    float *s = memory_of(j, head);
    for (uint32_t m = 0; m < j->z.n; m++, s += 2 * square, power += 2) {
        for (size_t i = 0; i < square; i++) {
            float re = s[i];
            float im = s[square + i];
            s[i] = power[0] * re - power[1] * im;
            s[square + i] = power[0] * im + power[1] * re;
        }
    }
}

static void block(const struct job *j, uint32_t head)
{
    uint32_t n = j->pass->n;
    int d = (int)j->z.d;
    int dim = (int)j->z.dim;
    int width = 2 * (int)j->z.n * dim;
    size_t at = (size_t)head * j->z.dim;
    float *wide = j->b->head + head * head_floats(j->z, n);
    float *memory = memory_of(j, head);
    spread_queries(j, head, wide);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, dim, width, 1.0F, wide, width, memory, dim,
                0.0F, j->pass->a + at, d);
    tare_chunk_add(
        &(struct tare_chunk){.q = j->b->q + at,
                             .k = j->b->kb + at,
                             .v = j->b->v + at,
                             .out = j->pass->a + at,
                             .qk_stride = j->z.d,
                             .v_stride = j->z.d,
                             .width = j->z.dim,
                             .v_width = j->z.dim,
                             .n = n,
                             .weights = j->table->response + (size_t)(head + 1) * (j->n_ctx + 1) - 1,
                             .scores = wide + (size_t)n * (size_t)width});
    fade(j, head);
    spread_keys(j, head, wide);
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, width, dim, (int)n, 1.0F, wide, width, j->b->v + at,
                d, 1.0F, memory, dim);
}

static void all_heads(void *ctx, uint32_t part, uint32_t n_parts)
{
    const struct job *j = ctx;
    uint32_t from;
    uint32_t to;
    tare_pool_share(j->z.heads, 1, part, n_parts, &from, &to);
    for (uint32_t head = from; head < to; head++) {
        if (j->pass->n == 1) {
            one_row(j, head);
        } else {
            block(j, head);
        }
    }
}

/* The keys of the rows, those of the past before them, filtered. */
static void filter_keys(const struct job *j, const struct tare_pass *p)
{
    size_t past = (size_t)(j->z.m - 1) * j->z.d;
    float *kept = (float *)(void *)p->state + memory_floats(j->z);
    memcpy(j->b->k, kept, past * sizeof *kept);
    tare_linear_apply(p->exec, j->layer->k,
                      &(struct tare_product){j->b->k + past, j->z.d, p->a, j->z.d, p->n, false});
    tare_scan_fir(
        &(struct tare_fir){
            .to = j->b->kb, .from = j->b->k, .taps = j->table->taps, .m = j->z.m, .width = j->z.d},
        p->n);
    memcpy(kept, j->b->k + (size_t)p->n * j->z.d, past * sizeof *kept);
}

/* The same for one row and for many: the memories alone differ. */
static void forward(const struct tare_pass *pass)
{
    const struct layer *l = pass->layer;
    const struct tables *t = pass->tables;
    struct buffers b;
    struct job j = {.pass = pass,
                    .layer = l,
                    .table = &t->layers[pass->index],
                    .b = &b,
                    .z = sizes_of(pass->model),
                    .n_ctx = t->n_ctx};
    uint32_t d = j.z.d;
    (void)lay_out(pass->model, pass->n, pass->scratch, &b);
    tare_mlp_norm(pass, l->norm1, l->norm1_bias);
    tare_linear_apply(pass->exec, l->q, &(struct tare_product){b.q, d, pass->a, d, pass->n, false});
    tare_linear_apply(pass->exec, l->v, &(struct tare_product){b.v, d, pass->a, d, pass->n, false});
    filter_keys(&j, pass);
    tare_pool_run(pass->exec->pool, all_heads, &j);
    tare_linear_apply(pass->exec, l->o, &(struct tare_product){pass->x, d, pass->a, d, pass->n, true});
    tare_mlp_forward(pass, &l->mlp, b.hidden);
}

static int64_t step_flops(const struct tare_model *model, uint32_t layer, int64_t t)
{
    (void)layer;
    (void)t;
    struct sizes z = sizes_of(model);
    int64_t outer = (int64_t)z.heads * z.dim * z.dim;
    return 12 * outer * z.n + 3 * outer + 2 * (int64_t)z.m * z.d;
}

static int64_t prefill_flops(const struct tare_model *model, uint32_t layer, int64_t n)
{
    return n * step_flops(model, layer, n);
}

const struct tare_arch tare_arch_h3 = {
    .name = "h3",
    .keys = size_keys,
    .layer_size = sizeof(struct layer),
    .block_rows = BLOCK_ROWS,
    .layer_norm = true,
    .check = check,
    .load = load,
    .derived_params = derived_params,
    .open = open_tables,
    .close = close_tables,
    .state_bytes = state_bytes,
    .scratch_floats = scratch_floats,
    .prefill = forward,
    .step = forward,
    .prefill_flops = prefill_flops,
    .step_flops = step_flops,
    .convention = "memories in their recurrent form, 12*heads*d_state*head_dim^2 for update and sum, "
                  "3*heads*head_dim^2 for outer product, skip and query, 2*shift*d for the filter, per token "
                  "and layer, for prefill too",
};
