/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPython's random.Random for integer seeds, draw for draw: other programs' choices (few-shot examples,
 * bootstrap replicates) can be made again only with their generator. What tare draws for itself comes from
 * tare/rng.h.
 *
 * Generator: MT19937 (Matsumoto, Nishimura, ACM TOMACS 8:3, 1998), seeded as random.seed(int) does: its
 * initialisation by an array, with the 32-bit words of the absolute value, lowest first. So a caller with a
 * negative seed passes its absolute value. Methods as in CPython 3.2 to 3.14. Not cryptographic. No global
 * state.
 */
#ifndef TARE_PYTHON_RANDOM_H
#define TARE_PYTHON_RANDOM_H

#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TARE_PYTHON_RANDOM_WORDS = 624 };

struct tare_python_random {
    uint32_t words[TARE_PYTHON_RANDOM_WORDS];
    uint32_t next; /* the word that comes next; TARE_PYTHON_RANDOM_WORDS: none is left */
};

TARE_EXPORT void tare_python_random_init(struct tare_python_random *r, uint64_t seed);
/* random(): uniform in [0, 1), 53 bits. */
TARE_EXPORT double tare_python_random_unit(struct tare_python_random *r);
/* randrange(n), which is _randbelow(n): uniform in 0 .. n-1. Draws for n = 1 too. n >= 1. */
TARE_EXPORT uint64_t tare_python_random_below(struct tare_python_random *r, uint64_t n);
/* sample(range(n), k): out[0 .. k) are k different numbers below n. TARE_E_USAGE for k > n. */
TARE_EXPORT TARE_MUST_CHECK int tare_python_random_sample(struct tare_python_random *r, size_t n, size_t k,
                                                          size_t *out, struct tare_err *err);
/* shuffle of n elements of `size` bytes each. */
TARE_EXPORT void tare_python_random_shuffle(struct tare_python_random *r, void *base, size_t n, size_t size);
/* choices(range(n), k=k): out[0 .. k) are numbers below n, with replacement; floor(random() * n). n >= 1. */
TARE_EXPORT void tare_python_random_choices(struct tare_python_random *r, uint32_t n, size_t k,
                                            uint32_t *out);

#ifdef __cplusplus
}
#endif
#endif
