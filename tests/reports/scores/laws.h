/* SPDX-License-Identifier: Apache-2.0 */
/* Points generated with the published constants of the replication of Chinchilla's fit. */
#ifndef TARE_TEST_SCORES_LAWS_H
#define TARE_TEST_SCORES_LAWS_H

#include <math.h>
#include <stddef.h>
#include <tare/rng.h>

/* E, A, alpha, B, beta as the replication found them in 240 points, and their stated standard errors. */
static const double replication[5] = {1.81686, 482.006, 0.34781, 2085.434, 0.36585};
static const double stated_error[5] = {0.0257, 124.5, 0.0154, 1293, 0.0206};

static inline double replication_loss(double n, double d)
{
    return replication[0] + replication[1] * pow(n, -replication[2]) +
           replication[3] * pow(d, -replication[4]);
}

static inline double normal_draw(struct tare_rng *rng)
{
    double u = 1 - tare_rng_unit(rng), v = tare_rng_unit(rng);
    return sqrt(-2 * log(u)) * cos(2 * acos(-1.0) * v);
}

enum { LAW_BUDGETS = 8, LAW_SIZES = 30, LAW_POINTS = LAW_BUDGETS * LAW_SIZES };

/* 240 runs in the way of the original: budgets of 6e18 to 3e21 FLOP, in each 30 sizes from a sixth to six
 * times that of 20 tokens a parameter. `noise` is the standard deviation of log loss; one of 50 runs is an
 * outlier, five times as far. nd[2 i], nd[2 i + 1] are N and D. */
static inline void generate_runs(double noise, uint64_t seed, double *nd, double *loss)
{
    struct tare_rng rng;
    tare_rng_init(&rng, seed);
    for (size_t i = 0; i < LAW_POINTS; i++) {
        double budget = 6e18 * pow(500, (double)(i / LAW_SIZES) / (LAW_BUDGETS - 1));
        double middle = sqrt(budget / 6 / 20);
        double n = middle * pow(6, 2.0 * (double)(i % LAW_SIZES) / (LAW_SIZES - 1) - 1);
        double width = tare_rng_below(&rng, 50) == 0 ? 5 * noise : noise;
        nd[2 * i] = n;
        nd[2 * i + 1] = budget / 6 / n;
        loss[i] = replication_loss(n, nd[2 * i + 1]) * exp(width * normal_draw(&rng));
    }
}

#endif
