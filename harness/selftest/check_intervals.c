/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do 95 % intervals hold the truth in 95 % of trials? Percentiles of two distributions whose quantiles are
 * known, 2000 trials each with a fixed seed, through the functions that make the intervals of tables. The
 * sizes are such that order statistics reach a level close to 95 %: they cannot reach every level.
 */
#include "selftest/selftest.h"

#include "stats/interval.h"

#include <math.h>
#include <stdio.h>
#include <tare/rng.h>

enum { trials = 2000, most = 2500 };

/* Exponential with mean 1. */
static double draw_exponential(struct tare_rng *rng)
{
    return -log1p(-tare_rng_unit(rng));
}

static double exponential_quantile(double q)
{
    return -log1p(-q);
}

/* Nine in ten uniform on [1, 2), the rest on [10, 11): a cache that mostly hits. */
static double draw_bimodal(struct tare_rng *rng)
{
    double where = tare_rng_unit(rng), at = tare_rng_unit(rng);
    return (where < 0.9 ? 1 : 10) + at;
}

static double bimodal_quantile(double q)
{
    return q < 0.9 ? 1 + q / 0.9 : 10 + (q - 0.9) / 0.1;
}

struct law {
    const char *name;
    double (*draw)(struct tare_rng *rng);
    double (*quantile)(double q);
};

static double coverage(const struct law *law, double q, size_t n, struct tare_rng *rng)
{
    static double values[most];
    int held = 0;
    for (int trial = 0; trial < trials; trial++) {
        for (size_t i = 0; i < n; i++) {
            values[i] = law->draw(rng);
        }
        tare_sort(values, n);
        struct tare_interval v = tare_quantile_interval(values, n, q, 0.95);
        double truth = law->quantile(q);
        held += v.ok && v.low <= truth && truth <= v.high;
    }
    return 100.0 * held / trials;
}

int tare_check_intervals(const struct tare_check_context *c, struct tare_err *err);

int tare_check_intervals(const struct tare_check_context *c, struct tare_err *err)
{
    static const struct law laws[] = {{"exponential", draw_exponential, exponential_quantile},
                                      {"bimodal", draw_bimodal, bimodal_quantile}};
    static const struct {
        double q;
        size_t n;
    } cases[] = {{0.5, 200}, {0.95, 600}, {0.99, 2500}};
    struct tare_rng root;
    tare_rng_init(&root, c->seed);
    int r = 0;
    for (size_t l = 0; r == 0 && l < sizeof laws / sizeof *laws; l++) {
        for (size_t i = 0; r == 0 && i < sizeof cases / sizeof *cases; i++) {
            char workload[160];
            struct tare_rng rng = tare_rng_split(&root, laws[l].name, i);
            (void)snprintf(workload, sizeof workload,
                           "p%.0f of %zu draws, %s, %d trials; 93 to 97 %% must hold the truth",
                           100 * cases[i].q, cases[i].n, laws[l].name, trials);
            r = tare_check_add(c, "interval", workload, "%", 95,
                               coverage(&laws[l], cases[i].q, cases[i].n, &rng), 2, err);
        }
    }
    return r;
}
