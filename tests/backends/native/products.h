/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small matrices from a fixed sequence, and the check that a storage multiplies as its unpacked numbers do.
 */
#ifndef TARE_TEST_NATIVE_PRODUCTS_H
#define TARE_TEST_NATIVE_PRODUCTS_H

#include "fixture.h"

#include "linear.h"

/* n numbers in -1 .. 1, never exactly 0; free() them. */
float *products_numbers(size_t n, uint32_t seed);
/* The next number of a sequence. */
uint32_t products_next(uint32_t *seed);
/* The same with all but about `keep` of 256 set to 0. */
float *products_sparse(size_t n, uint32_t seed, uint32_t keep);

/* Against sums in double of what `unpack` gives: 1 to 9 and 64 rows, set and added, with gaps between rows,
 * with one thread and two, with every set of kernels. tolerance is relative to the sum of |w x|. With
 * int8_input the input is first rounded as an int8 engine does. */
void products_check(const struct tare_linear *w, double tolerance, int int8_input);
/* unpack row by row is unpack at once; returns all rows, to be freed. */
float *products_unpack(const struct tare_linear *w);

#endif
