/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forward pass: embedding, blocks of (RMSNorm, rotary attention, RMSNorm, SwiGLU), tied head.
 *
 * A window goes through each layer in blocks of rows. Later rows attend only to earlier ones, so a
 * block needs nothing from those behind it; its activations and the scores of a head stay in cache,
 * and the keys beyond the block are never multiplied. Keys and values are computed straight into the
 * cache. All products run through BLAS with strides; nothing is gathered or transposed.
 */
#include "llama.h"

#include "rowmath.h"

#include <cblas.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN_FLOATS 16u
#define BLOCK_ROWS   128u /* the fastest of 32 .. 512 for d = 48 .. 192 on a core with 2 MiB of L2 */

/* to[n, out] (+)= from[n, in] W^T, rows of `to` and `from` strided; beta 1 adds, 0 sets. */
static void product(float *to, uint32_t to_stride, const float *from, uint32_t from_stride, uint32_t n,
                    const float *w, uint32_t out, uint32_t in, float beta)
{
    if (n == 1) {
        cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)out, (int)in, 1.0F, w, (int)in, from, 1, beta, to, 1);
        return;
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)out, (int)in, 1.0F, from,
                (int)from_stride, w, (int)in, beta, to, (int)to_stride);
}

static float *cache_of(const struct tare_llama *m, uint32_t layer)
{
    const struct tare_model_config *c = &m->model->config;
    return m->kv + (size_t)layer * c->n_ctx * 2 * c->d_model;
}

static void rotate(const struct tare_llama *m, float *x, uint32_t stride, uint32_t start, uint32_t n)
{
    const struct tare_model_config *c = &m->model->config;
    size_t half = c->head_dim / 2;
    for (uint32_t i = 0; i < n; i++) {
        tare_row_rope(x + (size_t)i * stride, c->n_heads, c->head_dim, m->cosine + (start + i) * half,
                      m->sine + (start + i) * half);
    }
}

/* One query at the last of n_keys positions. */
static void attend_one(const struct tare_llama *m, const float *keys, const float *values, uint32_t head,
                       uint32_t n_keys)
{
    const struct tare_model_config *c = &m->model->config;
    int stride = (int)(2 * c->d_model);
    int width = (int)c->head_dim;
    const float *q = m->q + head * c->head_dim;
    cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)n_keys, width, 1.0F / sqrtf((float)c->head_dim), keys,
                stride, q, 1, 0.0F, m->scores, 1);
    float sum = tare_row_exp(m->scores, n_keys);
    cblas_sgemv(CblasRowMajor, CblasTrans, (int)n_keys, width, 1.0F / sum, values, stride, m->scores, 1, 0.0F,
                m->a + head * c->head_dim, 1);
}

/* Queries at positions start .. start+n-1; row i sees start+i+1 keys. */
static void attend_block(const struct tare_llama *m, const float *keys, const float *values, uint32_t head,
                         uint32_t start, uint32_t n)
{
    const struct tare_model_config *c = &m->model->config;
    int d = (int)c->d_model;
    int width = (int)c->head_dim;
    int n_keys = (int)(start + n);
    int stride = (int)m->score_stride;
    float *out = m->a + head * c->head_dim;
    float inverse[BLOCK_ROWS];
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, n_keys, width,
                1.0F / sqrtf((float)c->head_dim), m->q + head * c->head_dim, d, keys, 2 * d, 0.0F, m->scores,
                stride);
    for (uint32_t i = 0; i < n; i++) {
        float *row = m->scores + (size_t)i * m->score_stride;
        inverse[i] = 1.0F / tare_row_exp(row, start + i + 1);
        memset(row + start + i + 1, 0, (n - i - 1) * sizeof *row);
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, width, n_keys, 1.0F, m->scores, stride,
                values, 2 * d, 0.0F, out, d);
    for (uint32_t i = 0; i < n; i++) {
        tare_row_scale(out + (size_t)i * c->d_model, inverse[i], c->head_dim);
    }
}

static void normalise(float *to, const float *x, const float *weight, uint32_t d, uint32_t n)
{
    for (size_t i = 0; i < n; i++) {
        tare_row_rmsnorm(to + i * d, x + i * d, weight, d);
    }
}

static void attention(struct tare_llama *m, uint32_t layer, float *x, uint32_t start, uint32_t n)
{
    const struct tare_model_config *c = &m->model->config;
    const struct tare_layer *w = &m->model->layers[layer];
    uint32_t d = c->d_model;
    float *keys = cache_of(m, layer);
    float *fresh = keys + (size_t)start * 2 * d;
    normalise(m->a, x, w->norm1, d, n);
    product(m->q, d, m->a, d, n, w->q, d, d, 0.0F);
    product(fresh, 2 * d, m->a, d, n, w->kv, 2 * d, d, 0.0F);
    rotate(m, m->q, d, start, n);
    rotate(m, fresh, 2 * d, start, n);
    for (uint32_t head = 0; head < c->n_heads; head++) {
        const float *k = keys + head * c->head_dim;
        if (n == 1) {
            attend_one(m, k, k + d, head, start + 1);
        } else {
            attend_block(m, k, k + d, head, start, n);
        }
    }
    product(x, d, m->a, d, n, w->o, d, d, 1.0F);
}

static void feed_forward(struct tare_llama *m, uint32_t layer, float *x, uint32_t n)
{
    const struct tare_layer *w = &m->model->layers[layer];
    uint32_t d = m->model->config.d_model;
    uint32_t ffn = m->model->config.ffn;
    normalise(m->a, x, w->norm2, d, n);
    product(m->h, 2 * ffn, m->a, d, n, w->gate_up, 2 * ffn, d, 0.0F);
    for (size_t i = 0; i < n; i++) {
        float *gate = m->h + i * 2 * ffn;
        tare_row_swiglu(gate, gate + ffn, ffn);
    }
    product(x, d, m->h, 2 * ffn, n, w->down, d, ffn, 1.0F);
}

void tare_llama_forward(struct tare_llama *llama, const int32_t *tokens, uint32_t start, uint32_t n)
{
    const struct tare_model_config *c = &llama->model->config;
    size_t d = c->d_model;
    for (uint32_t i = 0; i < n; i++) {
        memcpy(llama->x + i * d, llama->model->embed + (size_t)tokens[i] * d, d * sizeof(float));
    }
    for (uint32_t layer = 0; layer < c->n_layers; layer++) {
        for (uint32_t at = 0; at < n; at += llama->block) {
            uint32_t rows = n - at < llama->block ? n - at : llama->block;
            attention(llama, layer, llama->x + at * d, start + at, rows);
            feed_forward(llama, layer, llama->x + at * d, rows);
        }
    }
}

const float *tare_llama_logits(struct tare_llama *llama, uint32_t from, uint32_t n)
{
    const struct tare_model_config *c = &llama->model->config;
    float *x = llama->x + (size_t)from * c->d_model;
    normalise(x, x, llama->model->norm_f, c->d_model, n);
    product(llama->logits, c->n_vocab, x, c->d_model, n, llama->model->embed, c->n_vocab, c->d_model, 0.0F);
    return llama->logits;
}

/* Hands out `memory` piece by piece; with NULL it only counts. */
static float *carve(float *memory, uint64_t *used, uint64_t floats)
{
    float *at = memory ? memory + *used : NULL;
    *used += (floats + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
    return at;
}

/* Floats needed; the limits of the config keep the sum far below 2^64. */
static uint64_t lay_out(struct tare_llama *m, float *memory)
{
    const struct tare_model_config *c = &m->model->config;
    uint64_t d = c->d_model;
    uint64_t ctx = c->n_ctx;
    uint64_t used = 0;
    m->x = carve(memory, &used, ctx * d);
    m->a = carve(memory, &used, m->block * d);
    m->q = carve(memory, &used, m->block * d);
    m->h = carve(memory, &used, (uint64_t)m->block * 2 * c->ffn);
    m->scores = carve(memory, &used, (uint64_t)m->block * m->score_stride);
    m->kv = carve(memory, &used, c->n_layers * ctx * 2 * d);
    m->logits = carve(memory, &used, ctx * c->n_vocab);
    m->cosine = carve(memory, &used, ctx * (c->head_dim / 2));
    m->sine = carve(memory, &used, ctx * (c->head_dim / 2));
    return used;
}

int tare_llama_open(struct tare_llama *llama, const struct tare_model *model, struct tare_err *err)
{
    const struct tare_model_config *c = &model->config;
    struct tare_llama made = {.model = model};
    made.block = c->n_ctx < BLOCK_ROWS ? c->n_ctx : BLOCK_ROWS;
    /* Not a power of two, or the rows of a block would share a few sets of the cache. */
    made.score_stride = (c->n_ctx + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS + ALIGN_FLOATS;
    uint64_t floats = lay_out(&made, NULL);
    void *memory = NULL;
    if (floats > PTRDIFF_MAX / sizeof(float) ||
        posix_memalign(&memory, ALIGN_FLOATS * sizeof(float), (size_t)floats * sizeof(float)) != 0) {
        return tare_err_set(err, TARE_E_NOMEM,
                            "no memory for the buffers of %u positions (%" PRIu64 " numbers)", c->n_ctx,
                            floats);
    }
    memset(memory, 0, (size_t)floats * sizeof(float)); /* here, not in a timed request, pages are made */
    made.memory = memory;
    (void)lay_out(&made, memory);
    for (uint32_t p = 0; p < c->n_ctx; p++) {
        size_t at = (size_t)p * (c->head_dim / 2);
        tare_rope_angles(made.cosine + at, made.sine + at, p, c->head_dim);
    }
    *llama = made;
    return 0;
}

void tare_llama_close(struct tare_llama *llama)
{
    free(llama->memory);
    memset(llama, 0, sizeof *llama);
}
