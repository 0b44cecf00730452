/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured pruning: heads of attention, channels of the feed-forward part, or whole layers are taken out,
 * by what they put out on calibration text. The matrices really become smaller, and so do state and work.
 */
#include "structured.h"

enum { target_heads, target_channels, target_layers };

struct params {
    int64_t target;
    double ratio;
    int64_t multiple;
    bool update;
    double damp;
    bool sequential;
    int64_t judge;
    struct tare_calibration_choice calib;
};

enum { judge_turn, judge_loss };

static const char *const judges[] = {"turn", "loss", NULL};
static const char *const targets[] = {"heads", "channels", "layers", NULL};

static const struct tare_opt options[] = {
    {.name = "target",
     .type = TARE_OPT_CHOICE,
     .offset = offsetof(struct params, target),
     .def = "channels",
     .help = "what goes: heads of attention, channels of the feed-forward part, or layers",
     .choices = targets},
    {.name = "ratio",
     .type = TARE_OPT_F64,
     .offset = offsetof(struct params, ratio),
     .def = "0.25",
     .help = "share of them that goes"},
    {.name = "multiple",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct params, multiple),
     .def = "8",
     .help = "the count of channels that stay is brought to a multiple of this",
     .min = 1,
     .max = 4096},
    {.name = "update",
     .type = TARE_OPT_BOOL,
     .offset = offsetof(struct params, update),
     .def = "no",
     .help = "the matrix behind heads or channels makes up for those that go, by least squares"},
    {.name = "damp",
     .type = TARE_OPT_F64,
     .offset = offsetof(struct params, damp),
     .def = "0.01",
     .help = "of the update: share of the mean of the moments' diagonal that is added to it"},
    {.name = "sequential",
     .type = TARE_OPT_BOOL,
     .offset = offsetof(struct params, sequential),
     .def = "yes",
     .help = "heads and channels of a block are judged on what the pruned blocks before it put out"},
    {.name = "judge",
     .type = TARE_OPT_CHOICE,
     .offset = offsetof(struct params, judge),
     .def = "turn",
     .help = "layers go by how little they turn the residual stream, or by the least loss without them",
     .choices = judges},
    TARE_CALIBRATION_OPTIONS(params),
    TARE_CALIBRATION_WINDOW(params),
    TARE_OPT_END,
};

static int apply(const void *params, struct tare_treatment *treatment, struct tare_err *err)
{
    static int (*const take[])(const struct tare_structured *, struct tare_treatment *, struct tare_err *) = {
        [target_heads] = tare_structured_heads,
        [target_channels] = tare_structured_channels,
        [target_layers] = tare_structured_layers,
    };
    const struct params *p = params;
    const struct tare_structured how = {.ratio = p->ratio,
                                        .multiple = p->multiple,
                                        .update = p->update,
                                        .damp = p->damp,
                                        .sequential = p->sequential,
                                        .by_loss = p->judge == judge_loss,
                                        .text = p->calib};
    if (!(p->ratio >= 0.0 && p->ratio < 1.0) || !(p->damp >= 0.0 && p->damp <= 1.0)) {
        return tare_err_set(err, TARE_E_USAGE, "ratio %g is not in [0, 1), or damp %g not in 0 to 1",
                            p->ratio, p->damp);
    }
    return take[p->target](&how, treatment, err);
}

const struct tare_technique tare_technique_structured = {
    .tag = "infer.compress.prune.structured",
    .method = "structured",
    .summary = "heads, channels or layers that put out least are taken out",
    .is_default = true,
    .params_size = sizeof(struct params),
    .params = options,
    .apply = apply,
};
