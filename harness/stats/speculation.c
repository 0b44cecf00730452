/* SPDX-License-Identifier: Apache-2.0 */
/* A geometric series that is cut off. */
#include "stats/speculation.h"

#include <math.h>

double tare_speculation_acceptance(const double *target, const double *draft, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(target[i] >= 0) || !(draft[i] >= 0)) {
            return (double)NAN;
        }
        sum += fmin(target[i], draft[i]);
    }
    return n > 0 ? sum : (double)NAN;
}

double tare_speculation_tokens(double alpha, int64_t gamma)
{
    double sum = 0, term = 1;
    if (!(alpha >= 0 && alpha <= 1) || gamma < 0) {
        return (double)NAN;
    }
    /* Added up, since the closed form loses its digits near alpha = 1. */
    for (int64_t i = 0; i <= gamma && term > 0; i++) {
        sum += term;
        term *= alpha;
    }
    return sum;
}

double tare_speculation_speedup(double alpha, int64_t gamma, double cost)
{
    return cost >= 0 ? tare_speculation_tokens(alpha, gamma) / ((double)gamma * cost + 1) : (double)NAN;
}
