/* SPDX-License-Identifier: Apache-2.0 */
/* The technique by which tokens may leave the layers early; see decoding/early_exit.h. */
#include "arch.h"
#include "decoding/early_exit.h"
#include "technique.h"

enum { maps_linear, maps_none };

static const char *const maps[] = {"linear", "none", NULL};
static const char *const rules[] = {"confidence", "patience", "entropy", "gap", NULL};

struct params {
    int64_t rule; /* enum tare_exit_rule */
    double threshold;
    int64_t patience;
    int64_t maps;
    struct tare_calibration_choice calib;
};

static const struct tare_opt params[] = {
    {.name = "rule",
     .type = TARE_OPT_CHOICE,
     .offset = offsetof(struct params, rule),
     .def = "confidence",
     .help = "when a token leaves: the most probable token is above the threshold, has stayed the same for "
             "`patience` layers, the entropy is below, the first two are further apart",
     .choices = rules},
    {.name = "threshold",
     .type = TARE_OPT_F64,
     .offset = offsetof(struct params, threshold),
     .def = "0.9",
     .help = "of a probability, of nats for entropy; not used by patience"},
    {.name = "patience",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct params, patience),
     .def = "2",
     .help = "layers in a row whose most probable token is that of the layer before",
     .min = 1,
     .max = 256},
    {.name = "maps",
     .type = TARE_OPT_CHOICE,
     .offset = offsetof(struct params, maps),
     .def = "linear",
     .help = "how the head sees an inner layer: through a map fitted on calibration text, or as it is",
     .choices = maps},
    TARE_CALIBRATION_OPTIONS(params),
    TARE_OPT_END,
};

static int check(const struct params *p, const struct tare_treatment *treatment, struct tare_err *err)
{
    double most = p->rule == tare_exit_entropy ? 64.0 : 1.0;
    if (p->rule != tare_exit_patience && !(p->threshold >= 0 && p->threshold <= most)) {
        return tare_err_set(err, TARE_E_USAGE,
                            "infer.dynamic.early-exit: threshold %g is not in 0 to %g for rule %s",
                            p->threshold, most, rules[p->rule]);
    }
    if (!treatment->model->arch->fill) {
        return tare_err_set(
            err, TARE_E_UNSUPPORTED,
            "infer.dynamic.early-exit: in a %s model the state of a skipped layer can only be "
            "had by computing that layer, so nothing would be saved",
            treatment->model->arch->name);
    }
    return 0;
}

static int apply(const void *given, struct tare_treatment *treatment, struct tare_err *err)
{
    const struct params *p = given;
    struct tare_early_exit *made = NULL;
    int rc = tare_treatment_claim(treatment, "infer.dynamic.early-exit", err);
    if (rc == 0) {
        rc = check(p, treatment, err);
    }
    if (rc == 0) {
        rc = tare_early_exit_create(&made, (enum tare_exit_rule)p->rule, p->threshold, (uint32_t)p->patience,
                                    err);
    }
    if (rc == 0 && p->maps == maps_linear) {
        rc = tare_exit_maps_fit(&made->maps, treatment, &p->calib, err);
    }
    if (rc < 0 && made) {
        tare_decoding_early_exit.close(made);
    }
    if (rc == 0) {
        treatment->decoding = &tare_decoding_early_exit;
        treatment->decoding_self = made;
    }
    return rc;
}

const struct tare_technique tare_technique_early_exit = {
    .tag = "infer.dynamic.early-exit",
    .method = "early-exit",
    .summary = "a token leaves the layers as soon as a rule is sure of the next one",
    .is_default = true,
    .params_size = sizeof(struct params),
    .params = params,
    .apply = apply,
};
