/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forms of laws that say how a loss falls with size, data, compute or what a technique leaves of a model. All
 * are fitted in the logarithm of the loss; parameters are those of the fit (logarithms of factors), and each
 * law says how to read them.
 *
 *   saturating, K axes:  L = e^e + sum over k of e^a_k / x_k^alpha_k          parameters e, a_1, alpha_1, ...
 *     one axis: loss against N, bits, density, rank; two: Chinchilla's L(N, D)
 *   power:               L = (x_c / x)^alpha                                  parameters alpha log x_c, alpha
 *     Kaplan's L(N), L(D), L(C)
 *   Kaplan's joint:      L = ((N_c / N)^(aN / aD) + D_c / D)^aD               parameters log N_c, log D_c,
 * aN, aD
 */
#ifndef TARE_REPORTS_SCORES_LAW_H
#define TARE_REPORTS_SCORES_LAW_H

#include <stddef.h>

enum { TARE_LAW_PARAMETERS = 5, TARE_LAW_AXES = 2 };

struct tare_law {
    const char *name;
    const char *formula;
    size_t n_axes, n_parameters;
    const char *parameters[TARE_LAW_PARAMETERS]; /* as a table shows them, through `shown` */
    /* log of the loss at log x; gradient by the parameters into g unless NULL. */
    double (*log_loss)(const double *p, const double *log_x, double *g);
    /* The same law where every log x is smaller by `by`: fits are made about the middle of the points, where
     * factors and exponents do not pull each other along. */
    void (*shift)(double *p, const double *by);
    double (*shown)(const double *p, size_t parameter); /* as a table shows it */
    /* The grid of starts: values of each parameter, NULL-terminated by count. */
    const double *starts[TARE_LAW_PARAMETERS];
    size_t n_starts[TARE_LAW_PARAMETERS];
};

extern const struct tare_law tare_law_saturating_1, tare_law_chinchilla, tare_law_power, tare_law_kaplan;

/* Number of starts of the full grid: 4500 for Chinchilla's. */
size_t tare_law_grid(const struct tare_law *law);
/* Start number i into p. */
void tare_law_start(const struct tare_law *law, size_t i, double *p);
/* The frontier of Chinchilla's law under C = 6 N D. */
struct tare_frontier {
    double n_opt, d_opt, exponent_n, exponent_d; /* N_opt grows as C^exponent_n */
};
struct tare_frontier tare_chinchilla_frontier(double a, double b, double alpha, double beta, double compute);

#endif
