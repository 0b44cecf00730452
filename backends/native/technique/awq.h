/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of AWQ: finding and folding factors (awq_scale.c), rounding with cut ranges (awq_clip.c). */
#ifndef TARE_NATIVE_AWQ_H
#define TARE_NATIVE_AWQ_H

#include "quantized.h"
#include "targets.h"

struct tare_awq {
    struct tare_treatment *treatment;
    struct tare_targets targets;
    struct tare_moments *moments; /* owned, one for each target; scaled along with the columns */
    struct tare_rounding how;
    int64_t group;
    bool clip;
};

/* Scales the model's matrices and vectors; the model computes what it did before. */
TARE_MUST_CHECK int tare_awq_scale(struct tare_awq *awq, struct tare_err *err);
/* Rounds target number i. */
TARE_MUST_CHECK int tare_awq_quantize(const struct tare_awq *awq, size_t i, struct tare_err *err);

#endif
