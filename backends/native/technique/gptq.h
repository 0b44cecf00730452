/* SPDX-License-Identifier: Apache-2.0 */
/* One matrix by GPTQ, given the moments of its input; gptq.c makes a technique of it. */
#ifndef TARE_NATIVE_GPTQ_H
#define TARE_NATIVE_GPTQ_H

#include "quantized.h"
#include "targets.h"

struct tare_gptq {
    struct tare_rounding grid; /* its group gives way to the one below */
    int64_t group;             /* as of tare_quantized_open */
    double damp;
    bool act_order;
};

/* A tare_calibrated_change; ctx is a struct tare_gptq. */
TARE_MUST_CHECK int tare_gptq_quantize(void *ctx, struct tare_linear *w, const struct tare_moments *moments,
                                       struct tare_err *err);

#endif
