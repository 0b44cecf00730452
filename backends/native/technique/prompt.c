/* SPDX-License-Identifier: Apache-2.0 */
/* The technique by which tokens of a prompt are left out; see decoding/prompt.h. */
#include "arch.h"
#include "decoding/draft.h"
#include "decoding/prompt.h"
#include "technique.h"

static const char *const scores[] = {"surprisal", "attention", NULL};

struct params {
    double keep;
    int64_t score; /* enum tare_prompt_score */
    int64_t layer;
    int64_t tail;
    char *draft;
};

static const struct tare_opt params[] = {
    {.name = "keep",
     .type = TARE_OPT_F64,
     .offset = offsetof(struct params, keep),
     .def = "0.7",
     .help = "part of a context that stays, above 0 and at most 1"},
    {.name = "score",
     .type = TARE_OPT_CHOICE,
     .offset = offsetof(struct params, score),
     .def = "surprisal",
     .help = "what tells a token's worth: how unexpected it is, or how much attention it gets",
     .choices = scores},
    {.name = "layer",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct params, layer),
     .def = "1",
     .help = "whose attention is looked at, from 1",
     .min = 1,
     .max = 256},
    {.name = "tail",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct params, tail),
     .def = "8",
     .help = "last tokens of a context that always stay",
     .unit = "tok",
     .min = 1,
     .max = 65535},
    {.name = "draft",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct params, draft),
     .help = "model file that does the scoring; by default the model itself; without a '/' beside it"},
    TARE_OPT_END,
};

static int create(const struct params *p, struct tare_model *draft, struct tare_treatment *treatment,
                  struct tare_err *err)
{
    struct tare_prompt *made = NULL;
    const struct tare_prompt_options how = {.keep = p->keep,
                                            .score = (enum tare_prompt_score)p->score,
                                            .layer = (uint32_t)p->layer,
                                            .tail = (uint32_t)p->tail};
    int rc = tare_prompt_create(&made, &how, draft, err);
    if (rc == 0) {
        treatment->decoding = &tare_decoding_prompt;
        treatment->decoding_self = made;
    }
    return rc;
}

static int apply(const void *given, struct tare_treatment *treatment, struct tare_err *err)
{
    const struct params *p = given;
    struct tare_model draft = {0};
    int rc = tare_treatment_claim(treatment, "infer.dynamic.input-pruning{method=prompt}", err);
    if (rc == 0 && !(p->keep > 0 && p->keep <= 1)) {
        rc = tare_err_set(err, TARE_E_USAGE,
                          "infer.dynamic.input-pruning{method=prompt}: keep=%g is not above 0 and at most 1",
                          p->keep);
    }
    if (rc == 0 && p->draft) {
        rc = tare_draft_load(treatment, p->draft, &draft, err);
    }
    if (rc == 0) {
        rc = create(p, p->draft ? &draft : NULL, treatment, err);
    }
    tare_model_close(&draft);
    return rc;
}

const struct tare_technique tare_technique_prompt = {
    .tag = "infer.dynamic.input-pruning",
    .method = "prompt",
    .summary = "the least telling tokens of a prompt are left out",
    .params_size = sizeof(struct params),
    .params = params,
    .apply = apply,
};
