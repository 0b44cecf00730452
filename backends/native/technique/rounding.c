/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rounding itself. The products with (float)(1 / 127.0) and (float)(1 / 7.0), the true division, and the
 * rounding to the even neighbour are part of the zoo's format: another order gives other codes.
 */
#include "rounding.h"

#include "storage/storages.h"
#include "widen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST_SCALE 1e-7F
#define SMALLEST_INT8  1e-12F

/* Not a number becomes the lowest. */
static float clamp(float x, float low, float high)
{
    float above = x > low ? x : low;
    return above < high ? above : high;
}

static float largest(const float *w, uint32_t n)
{
    float most = 0.0F;
    for (uint32_t i = 0; i < n; i++) {
        float size = fabsf(w[i]);
        most = size > most ? size : most;
    }
    return most;
}

void tare_round_int8_row(const float *w, uint32_t n, int8_t *codes, float *scale)
{
    float s = largest(w, n) * (float)(1 / 127.0);
    s = s < SMALLEST_INT8 ? SMALLEST_INT8 : s;
    for (uint32_t i = 0; i < n; i++) {
        codes[i] = (int8_t)clamp(rintf(w[i] / s), -127.0F, 127.0F);
    }
    *scale = s;
}

/* The grid that a group is rounded to: (code - zero) * scale, code in 0 .. top. */
struct grid {
    float scale;
    float zero;
    float top;
};

/* The full range of a group, zero always in it. */
static struct grid full_grid(const struct tare_rounding *how, const float *w, uint32_t n)
{
    float top = (float)((1u << how->bits) - 1);
    float half = (float)(1u << (how->bits - 1));
    struct grid g = {.zero = half, .top = top};
    if (how->asymmetric) {
        float low = 0.0F;
        float high = 0.0F;
        for (uint32_t i = 0; i < n; i++) {
            low = w[i] < low ? w[i] : low;
            high = w[i] > high ? w[i] : high;
        }
        g.scale = (high - low) / top;
        g.zero = g.scale > 0.0F ? clamp(rintf(-low / g.scale), 0.0F, top) : 0.0F;
    } else {
        g.scale = largest(w, n) * (float)(1 / ((double)half - 1));
    }
    g.scale = g.scale < SMALLEST_SCALE ? SMALLEST_SCALE : g.scale;
    return g;
}

static float code_of(const struct grid *g, float w)
{
    return clamp(rintf(w / g->scale) + g->zero, 0.0F, g->top);
}

static float squared_error(const struct grid *g, const float *w, uint32_t n)
{
    float sum = 0.0F;
    for (uint32_t i = 0; i < n; i++) {
        /* One operation a statement: a fused one would round otherwise. */
        float nearest = (code_of(g, w[i]) - g->zero) * g->scale;
        float miss = nearest - w[i];
        float square = miss * miss;
        sum += square;
    }
    return sum;
}

void tare_round_group(const struct tare_rounding *how, const float *w, uint32_t n, uint8_t *codes,
                      uint16_t *scale, uint8_t *zero)
{
    static const float factors[] = {1.0F, 0.95F, 0.9F, 0.85F, 0.8F};
    const struct grid full = full_grid(how, w, n);
    struct grid best = full;
    float least = INFINITY;
    best.scale = tare_widen_half(tare_narrow_half(full.scale));
    for (size_t i = 0; how->search && i < sizeof factors / sizeof factors[0]; i++) {
        struct grid tried = full;
        tried.scale = tare_widen_half(tare_narrow_half(full.scale * factors[i]));
        float error = squared_error(&tried, w, n);
        if (error < least) {
            least = error;
            best = tried;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        codes[i] = (uint8_t)code_of(&best, w[i]);
    }
    *scale = tare_narrow_half(best.scale);
    if (zero) {
        *zero = (uint8_t)best.zero;
    }
}

uint32_t tare_round_group_size(uint32_t columns, uint32_t most)
{
    uint32_t size = columns < most ? columns : most;
    while (columns % size != 0) {
        size--;
    }
    return size;
}

/* Codes, scales and zero points of a whole matrix on their way into a storage. */
struct table {
    float *dense;
    uint8_t *codes;
    uint16_t *scales;
    uint8_t *zeros; /* NULL: symmetric */
    size_t groups;
};

static void drop_table(struct table *t)
{
    free(t->dense);
    free(t->codes);
    free(t->scales);
    free(t->zeros);
}

static int make_table(const struct tare_linear *w, uint32_t group, bool asymmetric, struct table *out,
                      struct tare_err *err)
{
    size_t n = (size_t)w->out * w->in;
    struct table t = {.groups = n / group};
    if (w->in % group != 0) {
        return tare_err_set(
            err, TARE_E_USAGE,
            "%s: groups of %u do not divide its %u columns; leave the group out or name one that does",
            w->name, group, w->in);
    }
    int rc = tare_technique_dense(w, &t.dense, err);
    if (rc < 0) {
        return rc;
    }
    t.codes = malloc(n);
    t.scales = malloc(t.groups * sizeof *t.scales);
    t.zeros = asymmetric ? malloc(t.groups) : NULL;
    if (!t.codes || !t.scales || (asymmetric && !t.zeros)) {
        drop_table(&t);
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the codes of %s", w->name);
    }
    *out = t;
    return 0;
}

/* The zoo's own int4 has a storage, and fast kernels, to itself. */
static int store(const struct tare_rounding *how, uint32_t group, const struct table *t,
                 struct tare_linear *to, struct tare_err *err)
{
    if (how->bits == 4 && group == 32 && !how->asymmetric) {
        return tare_storage_int4(to, t->codes, t->scales, err);
    }
    const struct tare_grouped made = {
        .bits = how->bits, .group = group, .codes = t->codes, .scales = t->scales, .zeros = t->zeros};
    return tare_storage_grouped(to, &made, err);
}

int tare_round_linear(const struct tare_rounding *how, const struct tare_linear *w, struct tare_linear *to,
                      struct tare_err *err)
{
    struct table t;
    uint32_t group = how->group > 0 ? how->group : w->in;
    int rc = make_table(w, group, how->asymmetric, &t, err);
    if (rc < 0) {
        return rc;
    }
    for (size_t i = 0; i < t.groups; i++) {
        tare_round_group(how, t.dense + i * group, group, t.codes + i * group, t.scales + i,
                         t.zeros ? t.zeros + i : NULL);
    }
    rc = store(how, group, &t, to, err);
    drop_table(&t);
    return rc;
}

int tare_round_linear_by_rule(const struct tare_rounding_rule *rule, const struct tare_linear *w,
                              struct tare_linear *to, struct tare_err *err)
{
    struct table t;
    uint32_t group = rule->group > 0 ? rule->group : w->in;
    int rc = make_table(w, group, false, &t, err);
    if (rc < 0) {
        return rc;
    }
    for (size_t i = 0; i < t.groups; i++) {
        t.scales[i] = rule->round(t.dense + i * group, group, t.codes + i * group);
    }
    const struct tare_grouped how = {
        .bits = rule->bits, .group = group, .codes = t.codes, .scales = t.scales, .levels = rule->levels};
    rc = tare_storage_grouped(to, &how, err);
    drop_table(&t);
    return rc;
}

int tare_round_int8_codes(const struct tare_linear *w, int8_t **codes, float **scales, struct tare_err *err)
{
    float *dense = NULL;
    int rc = tare_technique_dense(w, &dense, err);
    if (rc < 0) {
        return rc;
    }
    int8_t *q = malloc((size_t)w->out * w->in + 1);
    float *s = malloc(w->out * sizeof *s + 1);
    if (!q || !s) {
        free(dense);
        free(q);
        free(s);
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the codes of %s", w->name);
    }
    for (uint32_t r = 0; r < w->out; r++) {
        size_t at = (size_t)r * w->in;
        tare_round_int8_row(dense + at, w->in, q + at, s + r);
    }
    free(dense);
    *codes = q;
    *scales = s;
    return 0;
}

int tare_round_linear_int8(const struct tare_linear *w, struct tare_linear *to, struct tare_err *err)
{
    int8_t *codes = NULL;
    float *scales = NULL;
    int rc = tare_round_int8_codes(w, &codes, &scales, err);
    if (rc == 0) {
        rc = tare_storage_int8(to, codes, scales, err);
    }
    free(codes);
    free(scales);
    return rc;
}

void tare_round_keep_smaller(struct tare_linear *w, struct tare_linear *made)
{
    struct tare_linear_facts before;
    struct tare_linear_facts after;
    w->storage->facts(w, &before);
    made->storage->facts(made, &after);
    if (after.stored_bytes < before.stored_bytes) {
        tare_linear_replace(w, made);
    } else {
        tare_linear_close(made);
    }
}

struct tare_linear tare_round_empty(const struct tare_linear *w)
{
    struct tare_linear empty = *w;
    empty.storage = NULL;
    empty.data = NULL;
    return empty;
}

int tare_round_embedding(struct tare_treatment *treatment, struct tare_err *err)
{
    struct tare_linear *w = &treatment->model->linears[0];
    struct tare_linear made = tare_round_empty(w);
    int rc = tare_round_linear_int8(w, &made, err);
    if (rc == 0) {
        tare_round_keep_smaller(w, &made);
    }
    return rc;
}
