/* SPDX-License-Identifier: Apache-2.0 */
/* Grids and codes of a matrix in memory, and which storage takes them. */
#include "quantized.h"

#include "storage/storages.h"
#include "widen.h"

#include <stdlib.h>
#include <string.h>

#define USUAL_GROUP 32u

static bool is_int8(const struct tare_rounding *how)
{
    return how->bits == 8 && how->group == 0 && !how->asymmetric;
}

void tare_grid_fit(const struct tare_rounding *how, const float *w, uint32_t n, uint8_t *work,
                   struct tare_grid *out)
{
    float middle = (float)(1u << (how->bits - 1));
    struct tare_grid grid = {.zero = middle, .least = 0.0F, .most = 2 * middle - 1};
    if (is_int8(how)) {
        grid.least = 1.0F; /* -128 is left out */
        tare_round_int8_row(w, n, (int8_t *)work, &grid.scale);
    } else {
        uint16_t scale = 0;
        uint8_t zero = 0;
        tare_round_group(how, w, n, work, &scale, how->asymmetric ? &zero : NULL);
        grid.scale = tare_widen_half(scale);
        grid.zero = how->asymmetric ? (float)zero : middle;
    }
    *out = grid;
}

static uint32_t resolve(uint32_t bits, int64_t group, uint32_t columns)
{
    if (group < 0) {
        return bits == 8 ? 0 : tare_round_group_size(columns, USUAL_GROUP);
    }
    return (uint32_t)group;
}

int tare_quantized_open(struct tare_quantized *q, const struct tare_rounding *how, int64_t group,
                        const struct tare_linear *w, struct tare_err *err)
{
    struct tare_quantized made = {.how = *how};
    made.how.group = resolve(how->bits, group, w->in);
    made.columns = made.how.group > 0 ? made.how.group : w->in;
    if (w->in % made.columns != 0) {
        return tare_err_set(
            err, TARE_E_USAGE,
            "%s: groups of %u do not divide its %u columns; name a divisor, or group=0 for whole rows",
            w->name, made.columns, w->in);
    }
    made.groups = w->in / made.columns;
    made.codes = calloc((size_t)w->out * w->in + 1, sizeof *made.codes);
    made.grids = calloc((size_t)w->out * made.groups + 1, sizeof *made.grids);
    made.work = calloc((size_t)w->in + 1, 1);
    if (!made.codes || !made.grids || !made.work) {
        tare_quantized_close(&made);
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the codes of %s", w->name);
    }
    *q = made;
    return 0;
}

void tare_quantized_close(struct tare_quantized *q)
{
    free(q->codes);
    free(q->grids);
    free(q->work);
    memset(q, 0, sizeof *q);
}

void tare_quantized_fit(struct tare_quantized *q, uint32_t row, uint32_t group, const float *w)
{
    tare_grid_fit(&q->how, w, q->columns, q->work, &q->grids[(size_t)row * q->groups + group]);
}

void tare_quantized_code(struct tare_quantized *q, const struct tare_linear *w, const float *dense)
{
    for (size_t i = 0; i < (size_t)w->out * w->in; i++) {
        q->codes[i] = (uint8_t)tare_grid_code(&q->grids[i / q->columns], dense[i]);
    }
}

void tare_quantized_round(struct tare_quantized *q, const struct tare_linear *w, const float *dense)
{
    for (uint32_t r = 0; r < w->out; r++) {
        for (uint32_t g = 0; g < q->groups; g++) {
            tare_quantized_fit(q, r, g, dense + (size_t)r * w->in + (size_t)g * q->columns);
        }
    }
    tare_quantized_code(q, w, dense);
}

void tare_quantized_values(const struct tare_quantized *q, const struct tare_linear *w, float *to)
{
    for (size_t i = 0; i < (size_t)w->out * w->in; i++) {
        to[i] = tare_grid_value(&q->grids[i / q->columns], (float)q->codes[i]);
    }
}

static int store_int8(const struct tare_quantized *q, struct tare_linear *to, struct tare_err *err)
{
    size_t n = (size_t)to->out * to->in;
    int8_t *codes = malloc(n + 1);
    float *scales = malloc(to->out * sizeof *scales + 1);
    int rc = codes && scales ? 0 : tare_err_set(err, TARE_E_NOMEM, "no memory for the codes of %s", to->name);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        codes[i] = (int8_t)((int)q->codes[i] - 128);
    }
    for (uint32_t r = 0; rc == 0 && r < to->out; r++) {
        scales[r] = q->grids[r].scale;
    }
    if (rc == 0) {
        rc = tare_storage_int8(to, codes, scales, err);
    }
    free(codes);
    free(scales);
    return rc;
}

static int store_groups(const struct tare_quantized *q, struct tare_linear *to, struct tare_err *err)
{
    size_t n = (size_t)to->out * q->groups;
    uint16_t *scales = malloc(n * sizeof *scales + 1);
    uint8_t *zeros = malloc(n + 1);
    int rc =
        scales && zeros ? 0 : tare_err_set(err, TARE_E_NOMEM, "no memory for the scales of %s", to->name);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        scales[i] = tare_narrow_half(q->grids[i].scale);
        zeros[i] = (uint8_t)q->grids[i].zero;
    }
    if (rc == 0 && q->how.bits == 4 && q->columns == 32 && !q->how.asymmetric) {
        rc = tare_storage_int4(to, q->codes, scales, err);
    } else if (rc == 0) {
        const struct tare_grouped made = {.bits = q->how.bits,
                                          .group = q->columns,
                                          .codes = q->codes,
                                          .scales = scales,
                                          .zeros = q->how.asymmetric ? zeros : NULL};
        rc = tare_storage_grouped(to, &made, err);
    }
    free(scales);
    free(zeros);
    return rc;
}

int tare_quantized_store(const struct tare_quantized *q, struct tare_linear *w, struct tare_err *err)
{
    struct tare_linear fresh = tare_round_empty(w);
    int rc = is_int8(&q->how) ? store_int8(q, &fresh, err) : store_groups(q, &fresh, err);
    if (rc == 0) {
        tare_linear_replace(w, &fresh);
    }
    return rc;
}
