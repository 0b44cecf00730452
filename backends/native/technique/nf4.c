/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NF4: 4-bit codes whose 16 levels are the quantiles of a normal distribution, scaled by the largest number
 * of a block (QLoRA). The scale is a half, not the float32 or doubly quantized one of the original.
 */
#include "rounding.h"

#include "widen.h"

#include <math.h>
#include <stddef.h>

#define USUAL_BLOCK 64u

struct params {
    int64_t block;
    bool embed;
};

static const struct tare_opt options[] = {
    {.name = "block",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct params, block),
     .def = "-1",
     .help = "columns that share a scale; 0: a whole row; -1: the largest divisor of the columns up to 64",
     .min = -1,
     .max = 65536},
    {.name = "embed",
     .type = TARE_OPT_BOOL,
     .offset = offsetof(struct params, embed),
     .def = "yes",
     .help = "the embedding, which is also the head, becomes int8 by row"},
    TARE_OPT_END,
};

static const float levels[16] = {-1.0F,       -0.6961928F, -0.5250731F, -0.3949175F, -0.2844414F, -0.1847734F,
                                 -0.0910500F, 0.0F,        0.0795803F,  0.1609302F,  0.2461123F,  0.3379152F,
                                 0.4407098F,  0.5626170F,  0.7229568F,  1.0F};

static uint8_t nearest_level(float x)
{
    uint8_t best = 0;
    for (uint8_t i = 1; i < 16; i++) {
        best = fabsf(x - levels[i]) < fabsf(x - levels[best]) ? i : best;
    }
    return best;
}

/* A block of zeros gets scale 0. */
static uint16_t round_block(const float *w, uint32_t n, uint8_t *codes)
{
    float most = 0.0F;
    for (uint32_t i = 0; i < n; i++) {
        most = fmaxf(most, fabsf(w[i]));
    }
    uint16_t scale = tare_narrow_half(most);
    float s = tare_widen_half(scale);
    for (uint32_t i = 0; i < n; i++) {
        codes[i] = nearest_level(s > 0.0F ? w[i] / s : 0.0F);
    }
    return scale;
}

static int change(void *ctx, struct tare_linear *w, struct tare_err *err)
{
    const struct params *p = ctx;
    struct tare_rounding_rule rule = {.bits = 4, .levels = levels, .round = round_block};
    struct tare_linear made = tare_round_empty(w);
    rule.group = p->block < 0 ? tare_round_group_size(w->in, USUAL_BLOCK) : (uint32_t)p->block;
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

const struct tare_technique tare_technique_nf4 = {
    .tag = "infer.compress.quant.weight",
    .method = "nf4",
    .summary = "weights as 4-bit codes of the quantiles of a normal distribution",
    .params_size = sizeof(struct params),
    .params = options,
    .apply = apply,
};
