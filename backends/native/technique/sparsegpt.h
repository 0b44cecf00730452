/* SPDX-License-Identifier: Apache-2.0 */
/* One matrix by SparseGPT, given the moments of its input; sparsegpt.c makes a technique of it. */
#ifndef TARE_NATIVE_SPARSEGPT_H
#define TARE_NATIVE_SPARSEGPT_H

#include "mask.h"
#include "targets.h"

struct tare_sparsegpt {
    struct tare_mask_rule rule;
    double damp;
    uint32_t block; /* columns among which a share is chosen */
};

/* A tare_calibrated_change; ctx is a struct tare_sparsegpt. */
TARE_MUST_CHECK int tare_sparsegpt_prune(void *ctx, struct tare_linear *w, const struct tare_moments *moments,
                                         struct tare_err *err);

#endif
