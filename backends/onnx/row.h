/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of logits: widening of 16-bit numbers, soundness, and the project's one way to draw a token. */
#ifndef TARE_ONNX_ROW_H
#define TARE_ONNX_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tare/rng.h>

/* float16, or bfloat16, to float32, exactly. */
void tare_onnx_row_widen(float *to, const unsigned char *from, size_t n, bool bfloat);
/* No NaN, nothing at plus infinity, and something above minus infinity. */
bool tare_onnx_row_sound(const float *row, size_t n);
/* At temperature 0 the lowest id of the largest logit. Above it, one number of the generator picks the first
 * id at which the running sum of softmax(row / temperature), in order of id, exceeds it. `room`: n numbers.
 */
int32_t tare_onnx_row_draw(double *room, const float *row, size_t n, double temperature,
                           struct tare_rng *rng);

#endif
