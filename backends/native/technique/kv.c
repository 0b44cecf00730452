/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and values kept as codes of 8 or 4 bits: activations that wait for later tokens. See kv.h. */
#include "arch.h"
#include "technique.h"

#include <inttypes.h>

struct params {
    int64_t bits;
};

static const struct tare_opt params[] = {
    {.name = "bits",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct params, bits),
     .def = "8",
     .help = "of a key's or value's number: 8 or 4, with a float16 scale per head and token",
     .unit = "bit",
     .min = 4,
     .max = 8},
    TARE_OPT_END,
};

static int apply(const void *given, struct tare_treatment *treatment, struct tare_err *err)
{
    const struct params *p = given;
    if (p->bits != 8 && p->bits != 4) {
        return tare_err_set(err, TARE_E_USAGE,
                            "infer.compress.quant.activation: bits=%" PRId64 "; keys and values have 8 or 4",
                            p->bits);
    }
    if (!treatment->model->arch->keeps_kv) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "infer.compress.quant.activation{method=kv}: a %s model keeps no keys and values",
                            treatment->model->arch->name);
    }
    treatment->model->kv.bits = (uint32_t)p->bits;
    return 0;
}

const struct tare_technique tare_technique_kv = {
    .tag = "infer.compress.quant.activation",
    .method = "kv",
    .summary = "keys and values in 8 or 4 bits",
    .params_size = sizeof(struct params),
    .params = params,
    .apply = apply,
};
