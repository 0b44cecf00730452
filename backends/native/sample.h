/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From logits to a token.
 *
 * At temperature 0 it is the most probable one, the lowest id among equals. Above it, token i has the
 * probability exp(l_i / T) / sum exp(l_j / T), computed in double; one number u in [0, 1) from tare_rng,
 * seeded with the request's seed, picks the first id at which the running sum of probabilities in order of
 * id exceeds u (inverse CDF). The same seed gives the same text on the same build and machine.
 * Pure functions on the caller's memory.
 */
#ifndef TARE_NATIVE_SAMPLE_H
#define TARE_NATIVE_SAMPLE_H

#include <stdint.h>
#include <tare/rng.h>

/* Lowest id of the largest logit. */
int32_t tare_most_probable(const float *row, uint32_t n_vocab);
/* The softmax of row / temperature; temperature 0: all on the most probable one. */
void tare_sample_probabilities(double *to, const float *row, uint32_t n_vocab, double temperature);
/* The id that u in [0, 1) falls on; p sums to 1, up to rounding. */
int32_t tare_sample_pick(const double *p, uint32_t n_vocab, double u);
/* One draw; nothing is drawn from the generator at temperature 0. `room` has n_vocab numbers. */
int32_t tare_sample_draw(double *room, const float *row, uint32_t n_vocab, double temperature,
                         struct tare_rng *rng);
/* p = max(0, p - q) / its sum: what is left of p after q has proposed. Where nothing is left, p stays. */
void tare_sample_residual(double *p, const double *q, uint32_t n_vocab);
/* Sum of min(p, q): how often a proposal out of q is accepted. */
double tare_sample_overlap(const double *p, const double *q, uint32_t n_vocab);

#endif
