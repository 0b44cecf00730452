/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Affine maps from the hidden state after an inner layer to what it is after the last one, so that the head
 * can read it (Din et al., arXiv 2303.09435). They are fitted by least squares on calibration text, with
 * nothing trained; the change, not the state, is shrunk towards zero.
 */
#ifndef TARE_NATIVE_EXIT_MAPS_H
#define TARE_NATIVE_EXIT_MAPS_H

#include "calibration.h"

struct tare_exit_maps {
    uint32_t d;
    uint32_t n;     /* layers but the last */
    float *weights; /* owned, [n, d, d]; NULL: none were made */
    float *biases;  /* owned, [n, d] */
};

TARE_MUST_CHECK int tare_exit_maps_fit(struct tare_exit_maps *maps, struct tare_treatment *treatment,
                                       const struct tare_calibration_choice *text, struct tare_err *err);
/* A zeroed struct is fine. */
void tare_exit_maps_close(struct tare_exit_maps *maps);
/* to = x + W x + b of one row after `layers` layers, at least 1 and fewer than all. */
void tare_exit_maps_apply(const struct tare_exit_maps *maps, const struct tare_kernels *kernels,
                          uint32_t layers, const float *x, float *to);

#endif
