/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One head at a time, each by one thread. A block of rows is two matrix products around a softmax: straight
 * on the cache where its rows are floats in order, else on a copy of what the block sees. One row, or few,
 * go through the cache as it lies; the order of keys does not matter to them.
 */
#include "attention.h"

#include "rowmath.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

/* One row that sees no more than this is done sooner than other threads are told of it. */
#define ALONE 32u

/* Fewer rows than this go over the keys one by one: floats, and codes, which a block unpacks only once. */
#define FEW_FLOATS 8u
#define FEW_CODES  5u

/* Keys and values of one head that a block sees, [n, head_dim] each. Column c is position c for the sinks,
 * and behind them position c + `gap`. */
struct view {
    const float *keys;
    const float *values;
    uint32_t stride;
    uint32_t n;
    uint32_t gap;
};

static uint32_t width_of(const struct tare_attention *a)
{
    return a->kv.n_heads * a->kv.head_dim;
}

static void put_row(const struct tare_attention *a, uint32_t head, uint32_t i, uint32_t row)
{
    uint32_t w = width_of(a);
    const float *key = a->fresh + (size_t)i * 2 * w + (size_t)head * a->kv.head_dim;
    tare_kv_put(&a->kv, a->state, row, head, key, key + w);
}

/* Row i over the first n rows of floats as they lie. */
static void attend_floats(const struct tare_attention *a, uint32_t head, uint32_t i, uint32_t n,
                          float *scores)
{
    size_t w = width_of(a);
    size_t at = (size_t)head * a->kv.head_dim;
    const float *keys = (const float *)(const void *)a->state + at;
    a->kernels->dots_f32(scores, a->q + i * w + at, keys, 2 * w, n, a->kv.head_dim,
                         1.0F / sqrtf((float)a->kv.head_dim));
    float sum = tare_row_exp(scores, n);
    a->kernels->mix_f32(a->out + i * w + at, scores, keys + w, 2 * w, n, a->kv.head_dim, 1.0F / sum);
}

/* The same over codes. */
static void attend_codes(const struct tare_attention *a, uint32_t head, uint32_t i, uint32_t n, float *scores)
{
    size_t at = (size_t)i * width_of(a) + (size_t)head * a->kv.head_dim;
    tare_kv_score(&a->kv, a->state, n, head, a->q + at, scores);
    tare_row_scale(scores, 1.0F / sqrtf((float)a->kv.head_dim), n);
    tare_row_scale(scores, 1.0F / tare_row_exp(scores, n), n);
    tare_kv_mix(&a->kv, a->state, n, head, scores, a->out + at);
}

/* Row after row, each over what is held once it has been stored: that is what it sees. */
static void attend_few(const struct tare_attention *a, uint32_t head)
{
    bool in_place = tare_kv_in_place(&a->kv, a->start, a->n);
    for (uint32_t i = 0; i < a->n; i++) {
        float *scores = a->scores + ((size_t)head * a->n + i) * a->stride;
        uint32_t n = tare_kv_rows(&a->kv, a->start + i + 1);
        if (!in_place) {
            put_row(a, head, i, tare_kv_row_of(&a->kv, a->start + i));
        }
        if (a->kv.how.bits > 0) {
            attend_codes(a, head, i, n, scores);
        } else {
            attend_floats(a, head, i, n, scores);
        }
    }
}

static struct view view_in_place(const struct tare_attention *a, uint32_t head)
{
    const float *keys = (const float *)(const void *)a->state + (size_t)head * a->kv.head_dim;
    return (struct view){keys, keys + width_of(a), 2 * width_of(a), a->start + a->n, 0};
}

/* Copies what the block sees of earlier tokens, then stores its own rows one by one, reading each back
 * before a later one takes its place. */
static struct view gather(const struct tare_attention *a, uint32_t head)
{
    const struct tare_kv *kv = &a->kv;
    size_t width = kv->head_dim;
    uint32_t window = kv->how.window;
    float *keys = a->gathered + (size_t)head * 2 * width * a->n_ctx;
    float *values = keys + width * a->n_ctx;
    uint32_t first = window > 0 && kv->how.sinks < a->start ? kv->how.sinks : a->start;
    uint32_t low = window > 0 && a->start + 1 > first + window ? a->start + 1 - window : first;
    uint32_t n = first;
    tare_kv_get(kv, a->state, 0, first, head, keys, values);
    for (uint32_t position = low; position < a->start; position++, n++) {
        tare_kv_get(kv, a->state, tare_kv_row_of(kv, position), 1, head, keys + n * width,
                    values + n * width);
    }
    for (uint32_t i = 0; i < a->n; i++, n++) {
        uint32_t row = tare_kv_row_of(kv, a->start + i);
        put_row(a, head, i, row);
        tare_kv_get(kv, a->state, row, 1, head, keys + n * width, values + n * width);
    }
    return (struct view){keys, values, kv->head_dim, n, low - first};
}

/* Softmax over the visible of n columns, zero elsewhere. Hidden by the window are columns from `sinks` on:
 * the visible ones behind them are moved up for the sum and back. */
static void mask_and_normalise(const struct tare_attention *a, const struct view *v, uint32_t i, float *row)
{
    uint32_t end = v->n - a->n + i + 1;
    uint32_t sinks = a->kv.how.sinks;
    uint32_t t = a->start + i;
    uint32_t hidden = 0;
    if (a->kv.how.window > 0 && t + 1 > a->kv.how.window + v->gap + sinks) {
        hidden = t + 1 - a->kv.how.window - v->gap - sinks;
    }
    uint32_t seen = end - hidden;
    if (hidden > 0) {
        memmove(row + sinks, row + sinks + hidden, (seen - sinks) * sizeof *row);
    }
    float sum = tare_row_exp(row, seen);
    tare_row_scale(row, 1.0F / sum, seen);
    if (hidden > 0) {
        memmove(row + sinks + hidden, row + sinks, (seen - sinks) * sizeof *row);
        memset(row + sinks, 0, hidden * sizeof *row);
    }
    memset(row + end, 0, (v->n - end) * sizeof *row);
}

static void attend_block(const struct tare_attention *a, uint32_t head)
{
    bool in_place = tare_kv_in_place(&a->kv, a->start, a->n);
    struct view v = in_place ? view_in_place(a, head) : gather(a, head);
    int n = (int)a->n;
    int w = (int)width_of(a);
    int width = (int)a->kv.head_dim;
    float *scores = a->scores + (size_t)head * a->n * a->stride;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, (int)v.n, width, 1.0F / sqrtf((float)width),
                a->q + (size_t)head * a->kv.head_dim, w, v.keys, (int)v.stride, 0.0F, scores, (int)a->stride);
    for (uint32_t i = 0; i < a->n; i++) {
        mask_and_normalise(a, &v, i, scores + (size_t)i * a->stride);
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, width, (int)v.n, 1.0F, scores, (int)a->stride,
                v.values, (int)v.stride, 0.0F, a->out + (size_t)head * a->kv.head_dim, w);
}

static void attend_head(const struct tare_attention *a, uint32_t head)
{
    if (a->n < (a->kv.how.bits > 0 ? FEW_CODES : FEW_FLOATS) && !a->received) {
        attend_few(a, head);
    } else {
        attend_block(a, head);
    }
}

static void attend_heads(void *ctx, uint32_t part, uint32_t n_parts)
{
    const struct tare_attention *a = ctx;
    uint32_t from;
    uint32_t to;
    tare_pool_share(a->kv.n_heads, 1, part, n_parts, &from, &to);
    for (uint32_t head = from; head < to; head++) {
        attend_head(a, head);
    }
}

static void add_received(const struct tare_attention *a)
{
    for (uint32_t row = 0; row < a->kv.n_heads * a->n; row++) {
        const float *scores = a->scores + (size_t)row * a->stride;
        uint32_t seen = a->start + row % a->n + 1;
        for (uint32_t position = 0; position < seen; position++) {
            a->received[position] += scores[position];
        }
    }
}

void tare_attention_run(const struct tare_attention *attention, struct tare_exec *exec)
{
    struct tare_attention a = *attention;
    a.kernels = exec->kernels;
    if (a.n == 1 && a.start < ALONE) {
        attend_heads(&a, 0, 1);
    } else {
        tare_pool_run(exec->pool, attend_heads, &a);
    }
    if (a.received) {
        add_received(&a);
    }
}

void tare_attention_store(const struct tare_attention *attention)
{
    const struct tare_attention *a = attention;
    if (tare_kv_in_place(&a->kv, a->start, a->n)) {
        return;
    }
    for (uint32_t i = 0; i < a->n; i++) {
        for (uint32_t head = 0; head < a->kv.n_heads; head++) {
            put_row(a, head, i, tare_kv_row_of(&a->kv, a->start + i));
        }
    }
}

int64_t tare_attention_seen(const struct tare_kv *kv, int64_t start, int64_t n)
{
    int64_t most = (int64_t)kv->how.sinks + kv->how.window;
    int64_t growing = kv->how.window == 0 || start + n <= most ? n : start < most ? most - start : 0;
    return growing * start + growing * (growing + 1) / 2 + (n - growing) * most;
}
