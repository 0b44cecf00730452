/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fits a law (law.h) to points: the minimum over a grid of starts of the sum (never the mean) of Huber losses
 * of the residuals of log loss; intervals by a bootstrap over points that starts again from the grid as well
 * as from the optimum. A curve that is fitted is a struct tare_curve_fit, which plots can draw with its band.
 */
#ifndef TARE_REPORTS_SCORES_LAW_FIT_H
#define TARE_REPORTS_SCORES_LAW_FIT_H

#include "law.h"

#include "core/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <tare/err.h>

struct tare_fit_points {
    const double *x;    /* positive, [point * n_axes + axis] */
    const double *loss; /* positive */
    size_t n;
};

struct tare_fit_options {
    double huber_delta; /* of log loss; 0: 1e-3 */
    size_t starts;      /* spread over the grid; 0: all of it */
    size_t resamples;   /* of the bootstrap; 0: none, no intervals */
    size_t restarts;    /* starts of the grid that each resample tries beside the best optima */
    uint64_t seed;
};

struct tare_curve_parameter {
    const char *name;
    double value;
    double low, high; /* 95 % percentile interval; NaN without resamples */
    double se;        /* standard deviation of the resamples, the outer 1 % of either side left out */
};

struct tare_curve_fit {
    const struct tare_law *law;
    double p[TARE_LAW_PARAMETERS]; /* as the law takes them */
    struct tare_curve_parameter parameters[TARE_LAW_PARAMETERS];
    double objective; /* at the optimum, sum of Huber losses */
    double residual;  /* median absolute residual of log loss */
    size_t n_points;
    const double *draws; /* parameters of each resample, [draw * n_parameters]; in the arena */
    size_t n_draws;
    size_t n_starts, n_agree; /* starts tried; those that ended within 1e-6 of the best objective */
};

/* TARE_E_USAGE where the points cannot carry the law: tare_law_refusal's reason. */
TARE_MUST_CHECK int tare_law_fit(const struct tare_law *law, const struct tare_fit_points *points,
                                 const struct tare_fit_options *options, struct tare_arena *arena,
                                 struct tare_curve_fit *out, struct tare_err *err);
/* Why the points cannot carry the law: fewer than 6 distinct places for a law of two axes (n_parameters + 1
 * for one of one), or places along a line; NULL if they can. */
const char *tare_law_refusal(const struct tare_law *law, const struct tare_fit_points *points);

/* The fitted loss at x, and its 95 % band; without resamples the band is NaN. */
double tare_curve_fit_at(const struct tare_curve_fit *fit, const double *x);
TARE_MUST_CHECK int tare_curve_fit_band(const struct tare_curve_fit *fit, const double *x, double *out_low,
                                        double *out_high, struct tare_err *err);
/* Quantiles 2.5 and 97.5 % of a quantity computed from each draw; NaN without draws. */
TARE_MUST_CHECK int tare_curve_fit_quantiles(const struct tare_curve_fit *fit,
                                             double (*of)(const struct tare_law *law, const double *p,
                                                          const void *ctx),
                                             const void *ctx, double *out_low, double *out_high,
                                             struct tare_err *err);

#endif
