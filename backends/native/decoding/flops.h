/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FLOPs of the parts of a forward pass, for ways of decoding that leave some of them out. The convention is
 * that of account.h; a table is made once, and counting adds a few numbers.
 */
#ifndef TARE_NATIVE_FLOPS_H
#define TARE_NATIVE_FLOPS_H

#include "model.h"

struct tare_flops {
    const struct tare_model *model; /* borrowed */
    int64_t *layer;                 /* owned, [n_layers]: a row through the matrices of one layer */
    int64_t head;
};

TARE_MUST_CHECK int tare_flops_open(struct tare_flops *work, const struct tare_model *model,
                                    struct tare_err *err);
void tare_flops_close(struct tare_flops *work);
/* One layer over n rows of which the first has the position `start`. */
int64_t tare_flops_layer(const struct tare_flops *work, uint32_t layer, uint32_t start, uint32_t n);
/* All layers, without the head. */
int64_t tare_flops_rows(const struct tare_flops *work, uint32_t start, uint32_t n);

#endif
