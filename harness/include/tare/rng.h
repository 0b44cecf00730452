/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one pseudo-random generator of tare, documented so that a reader can reproduce every draw.
 *
 * Generator: xoshiro256** 1.0 (Blackman, Vigna, ACM TOMS 47:36, 2021), 256 bits of state, seeded by
 * four outputs of SplitMix64. Split: a child stream is seeded with the first output of SplitMix64 on
 * (parent_seed XOR FNV-1a-64(label)) * 0x9e3779b97f4a7c15 + index, so streams depend on names and numbers
 * alone and never on how much another stream has drawn. Not cryptographic. No global state.
 */
#ifndef TARE_RNG_H
#define TARE_RNG_H

#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tare_rng {
    uint64_t state[4];
    uint64_t seed;
};

TARE_EXPORT void tare_rng_init(struct tare_rng *rng, uint64_t seed);
/* An independent stream for (label, index); *rng is not advanced. */
TARE_EXPORT struct tare_rng tare_rng_split(const struct tare_rng *rng, const char *label, uint64_t index);
TARE_EXPORT uint64_t tare_rng_u64(struct tare_rng *rng);
/* Uniform in 0 .. n-1 without bias (rejection); n >= 1. */
TARE_EXPORT uint64_t tare_rng_below(struct tare_rng *rng, uint64_t n);
/* Uniform in [0, 1), 53 bits. */
TARE_EXPORT double tare_rng_unit(struct tare_rng *rng);
/* Fisher-Yates over n elements of `size` bytes each, size <= 64. */
TARE_EXPORT void tare_rng_shuffle(struct tare_rng *rng, void *base, size_t n, size_t size);

#ifdef __cplusplus
}
#endif
#endif
