/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hyena of order 2: a gate, a convolution with a filter as long as the context, another gate; and a gelu
 * MLP.
 *
 * The filters are generated once from their small networks. A block is convolved with all the past by
 * FFT where that takes less time than the sum written out, which is the form of a step. The state of a
 * layer is the last short - 1 rows that enter the short filter, then every row that entered the long one.
 */
#include "arch.h"
#include "rowmath.h"
#include "long_filter.h"
#include "mlp.h"
#include "scan.h"

#include <stdlib.h>
#include <string.h>

enum { short_key, bands_key, width_key };

struct layer {
    const float *norm1;
    const float *norm1_bias;
    const struct tare_linear *in; /* [3 d, d] */
    const float *taps;            /* [3 d, short] */
    const float *taps_bias;       /* [3 d] */
    struct tare_filter_net net;
    const float *skip; /* [d] */
    const struct tare_linear *o;
    struct tare_mlp mlp;
};

struct tables {
    struct tare_filters *filters;
    uint32_t n_layers;
    float *taps[]; /* [short, 3 d] of each layer */
};

static const struct tare_arch_key size_keys[] = {
    {"short", 64}, {"filter_bands", 64}, {"filter_width", 1024}, {NULL, 0}};

static void load(struct tare_loader *loader, void *layer)
{
    struct layer *l = layer;
    const struct tare_model_config *c = &loader->model->config;
    uint32_t d = c->d_model;
    uint32_t w = c->size[width_key];
    tare_load_vector(loader, "norm1.weight", d, 0, &l->norm1);
    tare_load_vector(loader, "norm1.bias", d, 0, &l->norm1_bias);
    tare_load_matrix(loader, "mix.in", 3 * d, d, &l->in);
    tare_load_vector(loader, "mix.short.weight", 3 * d, c->size[short_key], &l->taps);
    tare_load_vector(loader, "mix.short.bias", 3 * d, 0, &l->taps_bias);
    tare_load_vector(loader, "mix.filter.w0", w, 1 + 2 * c->size[bands_key], &l->net.w0);
    tare_load_vector(loader, "mix.filter.b0", w, 0, &l->net.b0);
    tare_load_vector(loader, "mix.filter.w1", w, w, &l->net.w1);
    tare_load_vector(loader, "mix.filter.b1", w, 0, &l->net.b1);
    tare_load_vector(loader, "mix.filter.w2", d, w, &l->net.w2);
    tare_load_vector(loader, "mix.filter.decay", d, 0, &l->net.decay);
    tare_load_vector(loader, "mix.skip", d, 0, &l->skip);
    tare_load_matrix(loader, "mix.o", d, d, &l->o);
    tare_mlp_load(loader, &l->mlp, true);
    l->net.bands = c->size[bands_key];
    l->net.width = w;
}

static void close_tables(void *tables)
{
    struct tables *t = tables;
    for (uint32_t i = 0; i < t->n_layers; i++) {
        free(t->taps[i]);
    }
    tare_filters_destroy(t->filters);
    free(t);
}

static float *turn_taps(const struct tare_model *model, const struct layer *l)
{
    size_t s = model->config.size[short_key];
    size_t wide = (size_t)3 * model->config.d_model;
    float *taps = malloc(s * wide * sizeof *taps);
    for (size_t i = 0; taps && i < s * wide; i++) {
        taps[i] = l->taps[i % wide * s + i / wide];
    }
    return taps;
}

static int open_tables(const struct tare_model *model, void **tables, struct tare_err *err)
{
    const struct tare_model_config *c = &model->config;
    struct tables *t = calloc(1, sizeof *t + c->n_layers * sizeof t->taps[0]);
    if (!t) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the tables of %u layers", c->n_layers);
    }
    int rc = tare_filters_create(&t->filters, c->n_layers, c->n_ctx, c->d_model, err);
    for (uint32_t i = 0; rc == 0 && i < c->n_layers; i++) {
        const struct layer *l = tare_model_layer(model, i);
        t->n_layers = i + 1;
        t->taps[i] = turn_taps(model, l);
        if (!t->taps[i]) {
            rc = tare_err_set(err, TARE_E_NOMEM, "no memory for the short filters");
        } else {
            rc = tare_filters_generate(t->filters, i, &l->net, err);
        }
    }
    if (rc < 0) {
        close_tables(t);
        return rc;
    }
    *tables = t;
    return 0;
}

static size_t past_floats(const struct tare_model *model)
{
    return (size_t)(model->config.size[short_key] - 1) * 3 * model->config.d_model;
}

static size_t state_bytes(const struct tare_model *model, uint32_t layer, uint32_t n_tokens)
{
    (void)layer;
    return (past_floats(model) + (size_t)n_tokens * model->config.d_model) * sizeof(float);
}

struct buffers {
    float *u; /* [short - 1 + n, 3 d], those of the past first */
    float *y; /* [n, 3 d] through the short filter */
    float *fft;
    float *hidden;
};

static size_t lay_out(const struct tare_model *model, uint32_t rows, float *memory, struct buffers *b)
{
    size_t wide = (size_t)3 * model->config.d_model;
    size_t fft = tare_filters_floats(model->config.n_ctx);
    b->fft = memory; /* first, because it has to be aligned */
    b->u = b->fft + fft;
    b->y = b->u + past_floats(model) + rows * wide;
    b->hidden = b->y + rows * wide;
    return fft + past_floats(model) + 2 * rows * wide + tare_mlp_floats(model, rows);
}

static size_t scratch_floats(const struct tare_model *model, uint32_t rows)
{
    struct buffers b;
    static float nothing;
    return lay_out(model, rows, &nothing, &b);
}

static void short_filter(const struct tare_pass *p, const struct layer *l, const struct buffers *b)
{
    const struct tables *t = p->tables;
    uint32_t d = p->model->config.d_model;
    size_t past = past_floats(p->model);
    float *kept = (float *)(void *)p->state;
    memcpy(b->u, kept, past * sizeof *kept);
    tare_linear_apply(p->exec, l->in, &(struct tare_product){b->u + past, 3 * d, p->a, d, p->n, false});
    tare_scan_fir(&(struct tare_fir){.to = b->y,
                                     .from = b->u,
                                     .taps = t->taps[p->index],
                                     .bias = l->taps_bias,
                                     .m = p->model->config.size[short_key],
                                     .width = 3 * d},
                  p->n);
    memcpy(kept, b->u + (size_t)p->n * 3 * d, past * sizeof *kept);
}

/* z = x1 * v into the state, its convolution into a, times x0. */
static void mix(const struct tare_pass *p, const struct layer *l, const struct buffers *b)
{
    const struct tables *t = p->tables;
    size_t d = p->model->config.d_model;
    float *history = (float *)(void *)p->state + past_floats(p->model);
    for (uint32_t i = 0; i < p->n; i++) {
        const float *y = b->y + (size_t)i * 3 * d;
        float *z = history + (p->start + i) * d;
        memcpy(z, y + d, d * sizeof *z);
        tare_row_multiply(z, y + 2 * d, d);
    }
    tare_filters_convolve(t->filters, p->exec->pool,
                          &(struct tare_convolution){.layer = p->index,
                                                     .history = history,
                                                     .out = p->a,
                                                     .start = p->start,
                                                     .n = p->n,
                                                     .memory = b->fft});
    for (uint32_t i = 0; i < p->n; i++) {
        tare_row_add_products(p->a + i * d, history + (p->start + i) * d, l->skip, d);
        tare_row_multiply(p->a + i * d, b->y + (size_t)i * 3 * d, d);
    }
}

/* The same for one row and for many: the long convolution alone differs. */
static void forward(const struct tare_pass *pass)
{
    const struct layer *l = pass->layer;
    uint32_t d = pass->model->config.d_model;
    struct buffers b;
    (void)lay_out(pass->model, pass->n, pass->scratch, &b);
    tare_mlp_norm(pass, l->norm1, l->norm1_bias);
    short_filter(pass, l, &b);
    mix(pass, l, &b);
    tare_linear_apply(pass->exec, l->o, &(struct tare_product){pass->x, d, pass->a, d, pass->n, true});
    tare_mlp_forward(pass, &l->mlp, b.hidden);
}

static int64_t short_flops(const struct tare_model *model)
{
    return (int64_t)2 * 3 * model->config.size[short_key] * model->config.d_model;
}

static int64_t step_flops(const struct tare_model *model, uint32_t layer, int64_t t)
{
    (void)layer;
    return 2 * (int64_t)model->config.d_model * t + short_flops(model);
}

static int64_t prefill_flops(const struct tare_model *model, uint32_t layer, int64_t n)
{
    (void)layer;
    return (int64_t)model->config.d_model * n * (n + 1) + n * short_flops(model);
}

const struct tare_arch tare_arch_hyena = {
    .name = "hyena",
    .keys = size_keys,
    .layer_size = sizeof(struct layer),
    .layer_norm = true,
    .load = load,
    .open = open_tables,
    .close = close_tables,
    .state_bytes = state_bytes,
    .scratch_floats = scratch_floats,
    .prefill = forward,
    .step = forward,
    .prefill_flops = prefill_flops,
    .step_flops = step_flops,
    .convention = "long convolution as the sum written out, 2*d*t for the t-th token and layer, for prefill "
                  "too, whose FFT does fewer; short filters 6*short*d",
};
