/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rotary position embedding, rotate-half form, base 10000: a table of angles and its use.
 */
#ifndef TARE_NATIVE_ROPE_H
#define TARE_NATIVE_ROPE_H

#include <stdint.h>
#include <tare/err.h>

/* Cosines and sines of position * 10000^(-2i/head_dim), computed in double, for all positions. */
TARE_MUST_CHECK int tare_rope_open(uint32_t n_ctx, uint32_t head_dim, void **out, struct tare_err *err);
void tare_rope_close(void *rope);
/* Rotates the halves of each of n_heads heads by the angles of one position. */
void tare_rope_rotate(const void *rope, float *x, uint32_t n_heads, uint32_t position);

#endif
