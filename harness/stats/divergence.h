/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far two distributions over the same outcomes are apart, and the loyalty of a student to its teacher
 * (Xu et al. 2021). Everything is in nats unless a base is said; store the base with the value. Pure
 * functions.
 */
#ifndef TARE_STATS_DIVERGENCE_H
#define TARE_STATS_DIVERGENCE_H

#include <stddef.h>
#include <stdint.h>

/* KL(p || q) = sum p log(p / q): 0 log 0 is 0; INFINITY where q is 0 and p is not. NaN for n = 0 or a
 * negative or infinite probability. The sums are not normalised. */
double tare_kl_divergence(const double *p, const double *q, size_t n);
/* Jensen and Shannon's: (KL(p || m) + KL(q || m)) / 2, m = (p + q) / 2; 0 to ln 2. */
double tare_js_divergence(const double *p, const double *q, size_t n);

/* Loyalty of the probabilities: 1 - sqrt(JSD), the divergence taken in logarithms to `base` (e: exp(1), 2:
 * the distance reaches 1). In base e it cannot fall below 1 - sqrt(ln 2) = 0.1674. */
double tare_probability_loyalty(const double *teacher, const double *student, size_t n, double base);
/* Its mean over examples, row-major [example * n]. Over examples, never over means of batches. */
double tare_mean_probability_loyalty(const double *teacher, const double *student, size_t examples, size_t n,
                                     double base);
/* Loyalty of the labels: share of examples in which both say the same. NaN for none. */
double tare_label_loyalty(const int64_t *teacher, const int64_t *student, size_t examples);

#endif
