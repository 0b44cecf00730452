/* SPDX-License-Identifier: Apache-2.0 */
/* Pearson's test of counts against probabilities, for tests that draw. */
#ifndef TARE_TEST_NATIVE_CHI_SQUARE_H
#define TARE_TEST_NATIVE_CHI_SQUARE_H

#include <stddef.h>
#include <stdint.h>

/* How probable counts at least this far off are when `total` draws follow p[n]. Cells with an expected count
 * below 5 are taken together. *df gets the degrees of freedom; fails the test when there are none. */
double chi_square_p(const double *p, const int64_t *counts, size_t n, int64_t total, int *df);
/* P(X > x) for X with a chi-square law. */
double chi_square_tail(double x, double df);

#endif
