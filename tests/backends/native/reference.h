/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second implementation of the model's equations to hold the engine against: one token at a time, in
 * double, straight from the stored tensors, without BLAS. It shares the container reader with the
 * engine and nothing else.
 */
#ifndef TARE_TEST_NATIVE_REFERENCE_H
#define TARE_TEST_NATIVE_REFERENCE_H

#include "safetensors.h"

#include <stdint.h>

/* Logits after each of n tokens into out[n][vocab]; aborts the test on a tensor that is not there. */
void reference_logits(const struct tare_safetensors *st, const int32_t *tokens, uint32_t n, double *out);

#endif
