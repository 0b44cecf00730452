/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rounding with ranges that are cut where the outputs gain by it: the error of a group is e H e^T, with e the
 * difference of its weights and H the moments of its own inputs.
 */
#include "awq.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CUT 0.05F /* of the range, from one trial to the next */

enum { trials = 10 };

/* Ranges of the products of queries and keys are left alone. */
static bool may_clip(const struct tare_linear *w)
{
    static const char *const kept[] = {"attn.q", "attn.k", "ret.q", "ret.k"};
    bool may = true;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        may = may && strcmp(tare_target_part(w), kept[i]) != 0;
    }
    return may;
}

struct clipping {
    const struct tare_moments *moments;
    struct tare_rounding plain; /* without a search of its own */
    float *cut;                 /* owned, [columns] */
    double *miss;               /* owned, [columns] */
};

/* h: the corner of the group's square of moments, which has rows of `stride`. */
static double cost(const double *miss, uint32_t n, const double *h, size_t stride)
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        double row = 0;
        for (uint32_t k = 0; k < n; k++) {
            row += h[i * stride + k] * miss[k];
        }
        sum += miss[i] * row;
    }
    return sum;
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

static struct tare_grid fit(const struct clipping *c, const struct tare_quantized *q, const float *w,
                            uint32_t column)
{
    uint32_t n = q->columns;
    size_t in = c->moments->in;
    const double *h = c->moments->h + column * in + column;
    float most = largest(w, n);
    double least = (double)INFINITY;
    struct tare_grid best = {0};
    for (int t = 0; t < trials; t++) {
        float limit = most * (1.0F - CUT * (float)t);
        struct tare_grid grid;
        for (uint32_t i = 0; i < n; i++) {
            c->cut[i] = w[i] > limit ? limit : w[i] < -limit ? -limit : w[i];
        }
        tare_grid_fit(&c->plain, c->cut, n, q->work, &grid);
        for (uint32_t i = 0; i < n; i++) {
            c->miss[i] = (double)tare_grid_value(&grid, tare_grid_code(&grid, w[i])) - (double)w[i];
        }
        double error = cost(c->miss, n, h, in);
        if (t == 0 || error < least) {
            least = error;
            best = grid;
        }
    }
    return best;
}

static int clip_all(struct tare_quantized *q, const struct tare_linear *w, const float *dense,
                    const struct tare_moments *moments, struct tare_err *err)
{
    struct clipping c = {.moments = moments,
                         .plain = q->how,
                         .cut = malloc(q->columns * sizeof *c.cut),
                         .miss = malloc(q->columns * sizeof *c.miss)};
    int rc = c.cut && c.miss ? 0 : tare_err_set(err, TARE_E_NOMEM, "no memory to round %s", w->name);
    c.plain.search = false;
    for (size_t i = 0; rc == 0 && i < (size_t)w->out * q->groups; i++) {
        q->grids[i] = fit(&c, q, dense + i * q->columns, (uint32_t)(i % q->groups) * q->columns);
    }
    if (rc == 0) {
        tare_quantized_code(q, w, dense);
    }
    free(c.cut);
    free(c.miss);
    return rc;
}

int tare_awq_quantize(const struct tare_awq *awq, size_t i, struct tare_err *err)
{
    struct tare_linear *w = awq->targets.of[i];
    struct tare_quantized q = {0};
    float *dense = NULL;
    int rc = tare_quantized_open(&q, &awq->how, awq->group, w, err);
    if (rc == 0) {
        rc = tare_technique_dense(w, &dense, err);
    }
    if (rc == 0 && awq->clip && may_clip(w)) {
        rc = clip_all(&q, w, dense, &awq->moments[i], err);
    } else if (rc == 0) {
        tare_quantized_round(&q, w, dense);
    }
    if (rc == 0) {
        rc = tare_quantized_store(&q, w, err);
    }
    free(dense);
    tare_quantized_close(&q);
    return rc;
}
