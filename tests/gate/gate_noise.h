/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of two arms under the four noise models of docs/validity.md, as the gate's log ratios of blocks. */
#ifndef TARE_TESTS_GATE_NOISE_H
#define TARE_TESTS_GATE_NOISE_H

#include "reports/gate/decide.h"

#include <math.h>
#include <tare/rng.h>

enum gate_noise {
    GATE_NORMAL,
    GATE_SKEWED,   /* a shifted gamma with shape 2: skewness 1.41 */
    GATE_BIMODAL,  /* two modes, a third of the runs in the slow one */
    GATE_OUTLIERS, /* normal, and 5 % of the runs 10 to 50 % slower */
    GATE_N_NOISES
};

static inline const char *gate_noise_text(enum gate_noise noise)
{
    static const char *const names[] = {"normal", "skewed", "bimodal", "outliers"};
    return names[noise];
}

static inline double gate_noise_normal(struct tare_rng *rng)
{
    double u = 1 - tare_rng_unit(rng), v = tare_rng_unit(rng);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

/* Mean 0 and deviation 1 but for the outliers, which come on top. */
static inline double gate_noise_unit(struct tare_rng *rng, enum gate_noise noise)
{
    double u, v;
    switch (noise) {
    case GATE_SKEWED:
        u = 1 - tare_rng_unit(rng);
        v = 1 - tare_rng_unit(rng);
        return (-log(u) - log(v) - 2) / 1.4142135623730951;
    case GATE_BIMODAL:
        /* modes at -a and 2 a with weights 2/3 and 1/3: variance 2 a^2; the rest is within a mode */
        return (tare_rng_unit(rng) < 1.0 / 3 ? 2 : -1) * 0.65 + 0.39370039370059057 * gate_noise_normal(rng);
    default:
        return gate_noise_normal(rng);
    }
}

static inline double gate_noise_run(struct tare_rng *rng, enum gate_noise noise, double cv, double level)
{
    double value = level * (1 + cv * gate_noise_unit(rng, noise));
    if (noise == GATE_OUTLIERS && tare_rng_unit(rng) < 0.05) {
        value *= 1.1 + 0.4 * tare_rng_unit(rng);
    }
    return value;
}

/* n log ratios; the candidate takes `change` longer. */
static inline void gate_noise_blocks(struct tare_rng *rng, enum gate_noise noise, double cv, double change,
                                     size_t runs, double *d, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double base[16], candidate[16];
        for (size_t r = 0; r < runs; r++) {
            base[r] = gate_noise_run(rng, noise, cv, 1);
            candidate[r] = gate_noise_run(rng, noise, cv, 1 + change);
        }
        d[i] = tare_gate_log_ratio(tare_gate_block_value(base, runs), tare_gate_block_value(candidate, runs),
                                   false);
    }
}

#endif
