/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ternary weights: -1, 0 or 1 times the mean size of the numbers that share a scale (the rule of BitNet
 * b1.58, here after training, which that model's training would have made up for). Codes take 2 bits.
 */
#include "rounding.h"

#include "widen.h"

#include <math.h>
#include <stddef.h>

struct params {
    int64_t group;
    bool embed;
};

static const struct tare_opt options[] = {
    {.name = "group",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct params, group),
     .def = "0",
     .help = "columns that share a scale; 0: a whole row",
     .min = 0,
     .max = 65536},
    {.name = "embed",
     .type = TARE_OPT_BOOL,
     .offset = offsetof(struct params, embed),
     .def = "yes",
     .help = "the embedding, which is also the head, becomes int8 by row"},
    TARE_OPT_END,
};

/* Codes 1, 2, 3 for -1, 0, 1: 2 is the middle of 2 bits. */
static uint16_t round_group(const float *w, uint32_t n, uint8_t *codes)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < n; i++) {
        sum += fabs((double)w[i]);
    }
    uint16_t scale = tare_narrow_half((float)(sum / n));
    float s = tare_widen_half(scale);
    for (uint32_t i = 0; i < n; i++) {
        float size = s > 0.0F ? rintf(w[i] / s) : 0.0F;
        codes[i] = (uint8_t)(size >= 1.0F ? 3 : size <= -1.0F ? 1 : 2);
    }
    return scale;
}

static int change(void *ctx, struct tare_linear *w, struct tare_err *err)
{
    const struct params *p = ctx;
    const struct tare_rounding_rule rule = {.bits = 2, .group = (uint32_t)p->group, .round = round_group};
    struct tare_linear made = tare_round_empty(w);
    int rc = tare_round_linear_by_rule(&rule, w, &made, err);
    if (rc == 0) {
        tare_round_keep_smaller(w, &made);
    }
    return rc;
}

static int apply(const void *params, struct tare_treatment *treatment, struct tare_err *err)
{
    struct params p = *(const struct params *)params;
    int rc = tare_technique_each(treatment, change, &p, err);
    return rc == 0 && p.embed ? tare_round_embedding(treatment, err) : rc;
}

const struct tare_technique tare_technique_ternary = {
    .tag = "infer.compress.quant.weight",
    .method = "ternary",
    .summary = "weights as -1, 0 or 1 times the mean size of their row or group",
    .params_size = sizeof(struct params),
    .params = options,
    .apply = apply,
};
