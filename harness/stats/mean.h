/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Means and their ratios by Student's t: second opinions beside ranks and the bootstrap. They take means as
 * normally distributed, which outliers in small samples are not. Pure functions.
 */
#ifndef TARE_STATS_MEAN_H
#define TARE_STATS_MEAN_H

#include "stats/interval.h"

/* Mean of b less mean of a, unpaired, by Welch's t (Biometrika 34:28, 1947): degrees of freedom of Welch and
 * Satterthwaite. Not ok for fewer than 2 values on a side or without spread; estimate set for 1 and more.
 * TARE_E_USAGE for no values, for what is not finite, and for a level outside of 0 .. 1. */
TARE_MUST_CHECK int tare_welch_interval(const double *a, size_t n_a, const double *b, size_t n_b,
                                        double level, double *out_estimate, struct tare_interval *out,
                                        struct tare_err *err);
/* Geometric mean of the paired ratios num_i / den_i: exp of the t interval of the mean logarithm. Not ok for
 * fewer than 2 pairs or without spread. TARE_E_USAGE for what is not finite and above 0, too. */
TARE_MUST_CHECK int tare_geometric_ratio(const double *num, const double *den, size_t n, double level,
                                         double *out_estimate, struct tare_interval *out,
                                         struct tare_err *err);
/* mean(num) / mean(den), paired, by Fieller's theorem (JRSS B 16:175, 1954): all r for which a t test of
 * num - r den finds mean 0. Not ok for fewer than 2 pairs, without spread, and where the denominator's own
 * interval touches 0: what is left then has no limits, or lies outside of two. Errors as above. */
TARE_MUST_CHECK int tare_fieller_interval(const double *num, const double *den, size_t n, double level,
                                          double *out_estimate, struct tare_interval *out,
                                          struct tare_err *err);

#endif
