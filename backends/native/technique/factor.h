/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The best two factors of small inner size for a matrix: W ~ B A, by the singular value decomposition of W S.
 *
 * S says what an error costs: nothing given, every number counts the same; a scale per column; or a factor of
 * the second moments of the inputs, with which the decomposition makes the error of the outputs least.
 */
#ifndef TARE_NATIVE_FACTOR_H
#define TARE_NATIVE_FACTOR_H

#include "calibration.h"

#include <tare/err.h>

enum tare_factor_weighting {
    TARE_FACTOR_PLAIN,
    TARE_FACTOR_COLUMNS, /* S = diag(mean|x|^alpha) */
    TARE_FACTOR_MOMENTS  /* S S^T = mean of x x^T, plus damp times its mean diagonal */
};

struct tare_factor {
    enum tare_factor_weighting weighting;
    double alpha;
    double damp;
    const struct tare_moments *moments; /* NULL: plain */
};

/* w [out, in] -> a [rank, in], b [out, rank]; the singular values go to both in equal shares. */
TARE_MUST_CHECK int tare_factor(const struct tare_factor *how, const float *w, uint32_t out, uint32_t in,
                                uint32_t rank, float *a, float *b, struct tare_err *err);

/* The rank at which the factors hold `ratio` of the numbers of W: cut down to multiples, at least one of
 * them, at most a side of W. */
uint32_t tare_factor_rank(uint32_t out, uint32_t in, double ratio, uint32_t multiples);

#endif
