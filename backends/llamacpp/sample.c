/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include <math.h>

static uint32_t most_probable(const float *row, uint32_t n_vocab)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < n_vocab; i++) {
        best = row[i] > row[best] ? i : best;
    }
    return best;
}

static uint32_t pick(const double *p, uint32_t n_vocab, double u)
{
    double sum = 0;
    uint32_t last = 0;
    for (uint32_t i = 0; i < n_vocab; i++) {
        if (p[i] > 0) {
            last = i;
            sum += p[i];
        }
        if (sum > u) {
            return i;
        }
    }
    return last; /* the sum is a rounding below 1, and u above it */
}

int32_t tare_llamacpp_draw(double *room, const float *row, uint32_t n_vocab, double temperature,
                           struct tare_rng *rng)
{
    uint32_t best = most_probable(row, n_vocab);
    if (!isfinite(row[best])) {
        return -1;
    }
    if (temperature <= 0) {
        return (int32_t)best;
    }
    double sum = 0;
    for (uint32_t i = 0; i < n_vocab; i++) {
        room[i] = exp(((double)row[i] - (double)row[best]) / temperature);
        sum += room[i];
    }
    for (uint32_t i = 0; i < n_vocab; i++) {
        room[i] /= sum;
    }
    return (int32_t)pick(room, n_vocab, tare_rng_unit(rng));
}
