/* SPDX-License-Identifier: Apache-2.0 */
/*
 * int8 weights by row, int8 activations by token: the codes and scales of the zoo's int8, multiplied with
 * inputs that are rounded as they come. The head keeps float32 inputs.
 */
#include "rounding.h"

#include "storage/storages.h"

#include <stddef.h>
#include <stdlib.h>

struct params {
    int64_t bits;
    bool embed;
};

static const struct tare_opt options[] = {
    {.name = "bits",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct params, bits),
     .def = "8",
     .help = "of weights and of activations; 8 is all there is",
     .unit = "bit",
     .min = 8,
     .max = 8},
    {.name = "embed",
     .type = TARE_OPT_BOOL,
     .offset = offsetof(struct params, embed),
     .def = "yes",
     .help = "the embedding, which is also the head, becomes int8 by row"},
    TARE_OPT_END,
};

/* Also a layer that would not get smaller: how it is multiplied is what this is about. */
static int change(void *ctx, struct tare_linear *w, struct tare_err *err)
{
    (void)ctx;
    int8_t *codes = NULL;
    float *scales = NULL;
    struct tare_linear made = tare_round_empty(w);
    int rc = tare_round_int8_codes(w, &codes, &scales, err);
    if (rc == 0) {
        rc = tare_storage_w8a8(&made, codes, scales, err);
    }
    if (rc == 0) {
        tare_linear_replace(w, &made);
    }
    free(codes);
    free(scales);
    return rc;
}

static int apply(const void *params, struct tare_treatment *treatment, struct tare_err *err)
{
    const struct params *p = params;
    int rc = tare_technique_each(treatment, change, NULL, err);
    return rc == 0 && p->embed ? tare_round_embedding(treatment, err) : rc;
}

const struct tare_technique tare_technique_w8a8 = {
    .tag = "infer.compress.quant.activation",
    .method = "w8a8",
    .summary = "weights and activations in 8 bits, multiplied in integers",
    .is_default = true,
    .params_size = sizeof(struct params),
    .params = options,
    .apply = apply,
};
