/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From logits to a token, by the project's rule (docs/backends.md, Sampling), so that backends agree:
 * at temperature 0 the lowest id of the largest logit; above it token i has the probability
 * exp(l_i / T) / sum exp(l_j / T) in double, and one number of tare_rng picks by the running sum in order
 * of id. libllama's samplers are not used.
 */
#ifndef TARE_LLAMACPP_SAMPLE_H
#define TARE_LLAMACPP_SAMPLE_H

#include <stdint.h>
#include <tare/rng.h>

/* The token, or -1 when the largest logit is not a finite number. `room` has n_vocab numbers. */
int32_t tare_llamacpp_draw(double *room, const float *row, uint32_t n_vocab, double temperature,
                           struct tare_rng *rng);

#endif
