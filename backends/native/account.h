/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counted cost of a request: floating-point operations and bytes moved, from the model's shape.
 *
 * Arithmetic on sizes, not a measurement: it says what the mathematics asks for, whatever the machine
 * did. The convention string is stored with every number.
 */
#ifndef TARE_NATIVE_ACCOUNT_H
#define TARE_NATIVE_ACCOUNT_H

#include "model.h"

#include <tare/backend.h>

extern const char tare_account_convention[];

/* Refuses work that no single request could ask of this model. */
TARE_MUST_CHECK int tare_account_count(const struct tare_model *model, const struct tare_work *work,
                                       struct tare_cost *out, struct tare_err *err);
/* Bytes of the state after n tokens, all layers. */
int64_t tare_account_state_bytes(const struct tare_model *model, uint32_t n_tokens);

#endif
