/* SPDX-License-Identifier: Apache-2.0 */
/* Sums run in order of id, so that a reader can repeat them. */
#include "sample.h"

#include "rowmath.h"

#include <math.h>
#include <string.h>

int32_t tare_most_probable(const float *row, uint32_t n_vocab)
{
    return (int32_t)tare_row_largest(row, n_vocab);
}

void tare_sample_probabilities(double *to, const float *row, uint32_t n_vocab, double temperature)
{
    int32_t best = tare_most_probable(row, n_vocab);
    double sum = 0;
    if (temperature <= 0) {
        memset(to, 0, n_vocab * sizeof *to);
        to[best] = 1;
        return;
    }
    for (uint32_t i = 0; i < n_vocab; i++) {
        to[i] = exp(((double)row[i] - (double)row[best]) / temperature);
        sum += to[i];
    }
    for (uint32_t i = 0; i < n_vocab; i++) {
        to[i] /= sum;
    }
}

int32_t tare_sample_pick(const double *p, uint32_t n_vocab, double u)
{
    double sum = 0;
    uint32_t last = 0;
    for (uint32_t i = 0; i < n_vocab; i++) {
        if (p[i] > 0) {
            last = i;
            sum += p[i];
        }
        if (sum > u) {
            return (int32_t)i;
        }
    }
    return (int32_t)last; /* the sum is a rounding below 1, and u above it */
}

int32_t tare_sample_draw(double *room, const float *row, uint32_t n_vocab, double temperature,
                         struct tare_rng *rng)
{
    if (temperature <= 0) {
        return tare_most_probable(row, n_vocab);
    }
    tare_sample_probabilities(room, row, n_vocab, temperature);
    return tare_sample_pick(room, n_vocab, tare_rng_unit(rng));
}

void tare_sample_residual(double *p, const double *q, uint32_t n_vocab)
{
    double sum = 0;
    for (uint32_t i = 0; i < n_vocab; i++) {
        sum += p[i] > q[i] ? p[i] - q[i] : 0;
    }
    for (uint32_t i = 0; sum > 0 && i < n_vocab; i++) {
        p[i] = p[i] > q[i] ? (p[i] - q[i]) / sum : 0;
    }
}

double tare_sample_overlap(const double *p, const double *q, uint32_t n_vocab)
{
    double sum = 0;
    for (uint32_t i = 0; i < n_vocab; i++) {
        sum += p[i] < q[i] ? p[i] : q[i];
    }
    return sum;
}
