/* SPDX-License-Identifier: Apache-2.0 */
/* Largest size to the largest code, everything else in proportion. */
#include "packing.h"

#include "storage/storages.h"
#include "widen.h"

#include <math.h>
#include <stdlib.h>

/* The codes of n numbers, -most .. most, and the size of one. */
static float round_all(const float *x, uint32_t n, float most, int8_t *codes)
{
    float largest = 0.0F;
    for (uint32_t i = 0; i < n; i++) {
        largest = fmaxf(largest, fabsf(x[i]));
    }
    float scale = largest > 0.0F ? tare_widen_half(tare_narrow_half(largest / most)) : 1.0F;
    for (uint32_t i = 0; i < n; i++) {
        codes[i] = (int8_t)fmaxf(-most, fminf(most, rintf(x[i] / scale)));
    }
    return scale;
}

struct parts {
    float *dense;
    int8_t *codes;
    uint8_t *nibbles;
    float *scales;
    uint16_t *halves;
};

static void free_parts(struct parts *p)
{
    free(p->dense);
    free(p->codes);
    free(p->nibbles);
    free(p->scales);
    free(p->halves);
}

static int to_int8(const struct tare_linear *w, struct parts *p, struct tare_linear *made,
                   struct tare_err *err)
{
    for (uint32_t r = 0; r < w->out; r++) {
        size_t at = (size_t)r * w->in;
        p->scales[r] = round_all(p->dense + at, w->in, 127.0F, p->codes + at);
    }
    return tare_storage_int8(made, p->codes, p->scales, err);
}

static int to_int4(const struct tare_linear *w, struct parts *p, struct tare_linear *made,
                   struct tare_err *err)
{
    size_t n = (size_t)w->out * w->in;
    for (size_t at = 0; at < n; at += 32) {
        p->halves[at / 32] = tare_narrow_half(round_all(p->dense + at, 32, 7.0F, p->codes + at));
    }
    for (size_t i = 0; i < n; i++) {
        p->nibbles[i] = (uint8_t)(p->codes[i] + 8);
    }
    return tare_storage_int4(made, p->nibbles, p->halves, err);
}

static int pack(struct tare_linear *w, bool as_int4, struct tare_err *err)
{
    size_t n = (size_t)w->out * w->in;
    struct tare_linear made = *w;
    struct parts p = {.dense = malloc(n * sizeof(float)),
                      .codes = malloc(n),
                      .nibbles = malloc(n),
                      .scales = malloc(w->out * sizeof(float)),
                      .halves = malloc(n / 32 * sizeof(uint16_t) + 2)};
    if (!p.dense || !p.codes || !p.nibbles || !p.scales || !p.halves) {
        free_parts(&p);
        return tare_err_set(err, TARE_E_NOMEM, "no memory to pack %s", w->name);
    }
    w->storage->unpack(w, 0, w->out, p.dense);
    made.storage = NULL;
    made.data = NULL;
    int rc = as_int4 ? to_int4(w, &p, &made, err) : to_int8(w, &p, &made, err);
    if (rc == 0) {
        tare_linear_replace(w, &made);
    }
    free_parts(&p);
    return rc;
}

static int pack_all(struct tare_model *model, bool as_int4, struct tare_err *err)
{
    int rc = pack(&model->linears[0], false, err);
    for (size_t i = 1; rc == 0 && i < model->n_linears; i++) {
        rc = pack(&model->linears[i], as_int4, err);
    }
    return rc;
}

int pack_int8(struct tare_model *model, struct tare_err *err)
{
    return pack_all(model, false, err);
}

int pack_int4(struct tare_model *model, struct tare_err *err)
{
    return pack_all(model, true, err);
}
