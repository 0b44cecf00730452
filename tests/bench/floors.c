/* SPDX-License-Identifier: Apache-2.0 */
/* Loops without anything in them that could be left out. */
#include "floors.h"

#include <cblas.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

/* Loads only: four registers, so that nothing waits for anything. */
__attribute__((target("avx512f"))) static uint64_t load_wide(const unsigned char *at, size_t n)
{
    __m512i a = _mm512_setzero_si512();
    __m512i b = a;
    __m512i c = a;
    __m512i d = a;
    for (size_t i = 0; i + 256 <= n; i += 256) {
        a = _mm512_or_si512(a, _mm512_loadu_si512(at + i));
        b = _mm512_or_si512(b, _mm512_loadu_si512(at + i + 64));
        c = _mm512_or_si512(c, _mm512_loadu_si512(at + i + 128));
        d = _mm512_or_si512(d, _mm512_loadu_si512(at + i + 192));
    }
    return (uint64_t)_mm512_reduce_or_epi64(_mm512_or_si512(_mm512_or_si512(a, b), _mm512_or_si512(c, d)));
}

/* n halves out of 8 KiB, each widened and multiplied: eight sums. */
__attribute__((target("avx512f"))) static uint64_t widen_wide(const uint16_t *at, size_t n)
{
    __m512 sum[8];
    __m512 x = _mm512_set1_ps(1.0F);
    for (int k = 0; k < 8; k++) {
        sum[k] = _mm512_setzero_ps();
    }
    for (size_t i = 0; i + 128 <= n; i += 128) {
        const uint16_t *from = at + i % 4096;
        for (int k = 0; k < 8; k++) {
            __m256i halves = _mm256_loadu_si256((const __m256i *)(const void *)(from + (size_t)k * 16));
            sum[k] = _mm512_fmadd_ps(_mm512_cvtph_ps(halves), x, sum[k]);
        }
    }
    for (int k = 1; k < 8; k++) {
        sum[0] = _mm512_add_ps(sum[0], sum[k]);
    }
    return (uint64_t)_mm512_reduce_add_ps(sum[0]);
}

static int is_wide(void)
{
    return __builtin_cpu_supports("avx512f");
}
#else
static uint64_t load_wide(const unsigned char *at, size_t n)
{
    (void)at;
    return n;
}

static uint64_t widen_wide(const uint16_t *at, size_t n)
{
    (void)at;
    return n;
}

static int is_wide(void)
{
    return 0;
}
#endif

static uint64_t load_all(const unsigned char *at, size_t n)
{
    uint64_t sum[4] = {0};
    uint64_t word[4];
    if (is_wide()) {
        return load_wide(at, n);
    }
    for (size_t i = 0; i + sizeof word <= n; i += sizeof word) {
        memcpy(word, at + i, sizeof word);
        for (int k = 0; k < 4; k++) {
            sum[k] |= word[k];
        }
    }
    return sum[0] | sum[1] | sum[2] | sum[3];
}

/* The rows that the engine's threads would take. */
static uint64_t load_model(const struct tare_model *m, uint32_t part, uint32_t n_parts)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < m->n_linears; i++) {
        const struct tare_linear *w = &m->linears[i];
        const unsigned char *halves = w->data;
        uint32_t from;
        uint32_t to;
        tare_pool_share(w->out, 16, part, n_parts, &from, &to);
        sum |= load_all(halves + (size_t)from * w->in * 2, (size_t)(to - from) * w->in * 2);
    }
    return sum;
}

static void stream_part(void *ctx, uint32_t part, uint32_t n_parts)
{
    struct stream *s = ctx;
    size_t share = s->n_bytes / n_parts;
    uint64_t sum = 0;
    for (uint32_t pass = 0; pass < s->passes; pass++) {
        sum |= s->model ? load_model(s->model, part, n_parts) : 0;
        sum |= load_all(s->bytes + part * share, share);
    }
    atomic_fetch_or(&s->sink, sum);
}

void stream_run(void *stream)
{
    struct stream *s = stream;
    tare_pool_run(s->pool, stream_part, s);
}

static void widen_part(void *ctx, uint32_t part, uint32_t n_parts)
{
    struct stream *s = ctx;
    size_t n = 0;
    uint64_t sum = 0;
    for (size_t i = 0; i < s->model->n_linears; i++) {
        n += (size_t)s->model->linears[i].out * s->model->linears[i].in;
    }
    (void)part;
    for (uint32_t pass = 0; is_wide() && pass < s->passes; pass++) {
        sum |= widen_wide(s->model->linears[1].data, n / n_parts);
    }
    atomic_fetch_or(&s->sink, sum);
}

void widen_run(void *stream)
{
    struct stream *s = stream;
    tare_pool_run(s->pool, widen_part, s);
}

int sgemm_open(struct sgemm *sgemm, struct tare_pool *pool, const struct tare_model *model, uint32_t n_tok,
               struct tare_err *err)
{
    struct sgemm made = {.pool = pool, .model = model, .n_tok = n_tok};
    size_t floats = 0;
    for (size_t i = 1; i < model->n_linears; i++) {
        const struct tare_linear *w = &model->linears[i];
        floats += (size_t)w->out * w->in;
        made.widest = w->in > made.widest ? w->in : made.widest;
        made.widest = w->out > made.widest ? w->out : made.widest;
    }
    made.images = calloc(floats, sizeof *made.images);
    made.x = calloc((size_t)n_tok * made.widest, sizeof *made.x);
    made.y = calloc((size_t)n_tok * made.widest, sizeof *made.y);
    if (!made.images || !made.x || !made.y) {
        sgemm_close(&made);
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the images of %zu weights", floats);
    }
    float *at = made.images;
    for (size_t i = 1; i < model->n_linears; i++) {
        const struct tare_linear *w = &model->linears[i];
        w->storage->unpack(w, 0, w->out, at);
        at += (size_t)w->out * w->in;
    }
    for (size_t i = 0; i < (size_t)n_tok * made.widest; i++) {
        made.x[i] = (float)(i % 17) * 0.1F - 0.8F;
    }
    *sgemm = made;
    return 0;
}

void sgemm_close(struct sgemm *sgemm)
{
    free(sgemm->images);
    free(sgemm->x);
    free(sgemm->y);
    memset(sgemm, 0, sizeof *sgemm);
}

static void sgemm_part(void *ctx, uint32_t part, uint32_t n_parts)
{
    const struct sgemm *s = ctx;
    const float *at = s->images;
    uint32_t from;
    uint32_t to;
    tare_pool_share(s->n_tok, 4, part, n_parts, &from, &to);
    for (size_t i = 1; i < s->model->n_linears; i++) {
        int in = (int)s->model->linears[i].in;
        int out = (int)s->model->linears[i].out;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)(to - from), out, in, 1.0F,
                    s->x + (size_t)from * (size_t)in, in, at, in, 0.0F, s->y + (size_t)from * (size_t)out,
                    out);
        at += (size_t)out * (size_t)in;
    }
}

void sgemm_run(void *sgemm)
{
    struct sgemm *s = sgemm;
    tare_pool_run(s->pool, sgemm_part, s);
}

double sgemm_flops(const struct sgemm *sgemm)
{
    double weights = 0;
    for (size_t i = 1; i < sgemm->model->n_linears; i++) {
        weights += (double)sgemm->model->linears[i].out * sgemm->model->linears[i].in;
    }
    return 2 * weights * sgemm->n_tok;
}
