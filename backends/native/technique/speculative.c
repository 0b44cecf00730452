/* SPDX-License-Identifier: Apache-2.0 */
/* The technique by which a draft model comes beside the model; see decoding/speculative.h. */
#include "decoding/draft.h"
#include "decoding/speculative.h"
#include "technique.h"

struct params {
    char *draft;
    int64_t gamma;
};

static const struct tare_opt params[] = {
    {.name = "draft",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct params, draft),
     .help = "model file that proposes; without a '/' beside the model"},
    {.name = "gamma",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct params, gamma),
     .def = "4",
     .help = "tokens that are proposed at a time",
     .unit = "tok",
     .min = 1,
     .max = 64},
    TARE_OPT_END,
};

static int apply(const void *given, struct tare_treatment *treatment, struct tare_err *err)
{
    const struct params *p = given;
    struct tare_model draft = {0};
    struct tare_speculative *made = NULL;
    int rc = tare_treatment_claim(treatment, "infer.dynamic.token-parallel", err);
    if (rc < 0) {
        return rc;
    }
    if (!p->draft) {
        return tare_err_set(err, TARE_E_USAGE,
                            "infer.dynamic.token-parallel: no draft model; say draft=zoo:NAME or draft=PATH");
    }
    rc = tare_draft_load(treatment, p->draft, &draft, err);
    if (rc == 0) {
        rc = tare_speculative_create(&made, (uint32_t)p->gamma, &draft, err);
    }
    if (rc < 0) {
        tare_model_close(&draft);
        return rc;
    }
    treatment->decoding = &tare_decoding_speculative;
    treatment->decoding_self = made;
    return 0;
}

const struct tare_technique tare_technique_speculative = {
    .tag = "infer.dynamic.token-parallel",
    .method = "speculative",
    .summary = "a small model proposes tokens, the model accepts or replaces them",
    .is_default = true,
    .params_size = sizeof(struct params),
    .params = params,
    .apply = apply,
};
