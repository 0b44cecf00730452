/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A window over keys and values with attention sinks (Xiao et al., arXiv 2309.17453): the first tokens and
 * the last ones stay, the others are forgotten for good. Unlike there, positions keep their original
 * rotation, so text beyond the trained context is no further away than in the model itself.
 */
#include "arch.h"
#include "technique.h"

struct params {
    int64_t sinks;
    int64_t window;
};

static const struct tare_opt params[] = {
    {.name = "sinks",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct params, sinks),
     .def = "4",
     .help = "first tokens that every token sees",
     .unit = "tok",
     .min = 0,
     .max = 65535},
    {.name = "window",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct params, window),
     .def = "128",
     .help = "last tokens that a token sees, itself among them",
     .unit = "tok",
     .min = 1,
     .max = 65535},
    TARE_OPT_END,
};

static int apply(const void *given, struct tare_treatment *treatment, struct tare_err *err)
{
    const struct params *p = given;
    if (!treatment->model->arch->keeps_kv) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "infer.dynamic.input-pruning{method=sinks}: a %s model keeps no keys and values",
                            treatment->model->arch->name);
    }
    treatment->model->kv.sinks = (uint32_t)p->sinks;
    treatment->model->kv.window = (uint32_t)p->window;
    return 0;
}

const struct tare_technique tare_technique_sinks = {
    .tag = "infer.dynamic.input-pruning",
    .method = "sinks",
    .summary = "keys and values of the first and the last tokens only",
    .is_default = true,
    .params_size = sizeof(struct params),
    .params = params,
    .apply = apply,
};
