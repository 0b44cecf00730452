/* SPDX-License-Identifier: Apache-2.0 */
/* The published rules as pure functions over arrays, each beside the score that prints it. Sources and traps:
 * docs/scores.md. Row-major arrays are [system * metrics + metric]. */
#ifndef TARE_REPORTS_SCORES_FORMULAS_H
#define TARE_REPORTS_SCORES_FORMULAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

/*
 * Dynascore (Ma et al. 2021). x: oriented so that larger is better (dir * x + offset); metric 0 is the
 * performance. rates[m]: mean absolute change of metric m per point of performance between neighbours in the
 * order of performance, those closer than 1e-4 of the largest left out; rates[0] is 1. scores: sum of
 * w_m x_m / rate_m, the weights normalised. A metric that never changes has rate 0 and is left undefined: all
 * scores are NaN unless its weight is 0. Needs two systems that differ in performance, else all are NaN.
 */
TARE_MUST_CHECK int tare_dynascore(const double *x, const double *weights, size_t n_systems, size_t n_metrics,
                                   double *rates, double *scores, struct tare_err *err);

/* Piecewise linear curve through n points sorted by x; outside it is clamped and *out_clamped set. */
double tare_interpolate(const double *x, const double *y, size_t n, double at, bool *out_clamped);
/* ELUE: mean of performance minus that of the reference curve at the same FLOPs. */
double tare_elue(const double *flops, const double *performance, size_t n, const double *curve_flops,
                 const double *curve_performance, size_t n_curve, size_t *out_clamped);

/* MRR@10: mean of 1 / rank of the first relevant answer if that is 1 to 10, else 0. ranks: 0 for none. */
double tare_mrr10(const int64_t *ranks, size_t n);

/* Window of steady state (ML.ENERGY): from when `max_seqs` requests have their first token to when
 * n - max_seqs - 1 have finished. Sorts both arrays. False where that is empty. */
bool tare_steady_window(double *first_token_s, double *end_s, size_t n, size_t max_seqs, double *out_begin_s,
                        double *out_end_s);

/*
 * HELM's runtime: t = f(n_in) + g (n_out - 1). Least squares over n observations, one f for each prompt
 * length and one g for all. prompt_tok[] sorted, distinct, on return with n_f of them. false: no prompt
 * length has two different numbers of output tokens. Caller frees nothing: arrays have room for n.
 */
struct tare_runtime_fit {
    double prompt_tok[64], f_s[64]; /* f at each prompt length */
    double f_se_s[64];              /* NaN without degrees of freedom */
    size_t n_f;
    double g_s, g_se_s; /* per token behind the first */
    double residual_s;  /* standard deviation about the fit; NaN without degrees of freedom */
    size_t df;
};
bool tare_runtime_fit(const double *n_in, const double *n_out, const double *t_s, size_t n,
                      struct tare_runtime_fit *out);
/* f of the smallest prompt length that is not below n_in, times n_in over it; beyond the largest one the
 * largest is scaled up. n_out 0: no g term. */
double tare_runtime_predict(const struct tare_runtime_fit *fit, double n_in, double n_out);

/* Tokens after which a one-off cost is repaid by the saving per token; INFINITY: never. */
double tare_break_even(double one_off, double cost_before, double cost_after);

#endif
