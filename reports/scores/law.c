/* SPDX-License-Identifier: Apache-2.0 */
/* The forms, their gradients and their grids of starts. */
#include "law.h"

#include <math.h>

/* log of a sum of exponentials, and each one's share of it. */
static double log_sum_exp(const double *terms, size_t n, double *shares)
{
    double most = terms[0], sum = 0;
    for (size_t i = 1; i < n; i++) {
        most = fmax(most, terms[i]);
    }
    for (size_t i = 0; i < n; i++) {
        shares[i] = exp(terms[i] - most);
        sum += shares[i];
    }
    for (size_t i = 0; i < n; i++) {
        shares[i] /= sum;
    }
    return most + log(sum);
}

static double saturating(const double *p, const double *log_x, double *g, size_t axes)
{
    double terms[1 + TARE_LAW_AXES], shares[1 + TARE_LAW_AXES];
    terms[0] = p[0];
    for (size_t k = 0; k < axes; k++) {
        terms[1 + k] = p[1 + 2 * k] - p[2 + 2 * k] * log_x[k];
    }
    double value = log_sum_exp(terms, 1 + axes, shares);
    if (g) {
        g[0] = shares[0];
        for (size_t k = 0; k < axes; k++) {
            g[1 + 2 * k] = shares[1 + k];
            g[2 + 2 * k] = -shares[1 + k] * log_x[k];
        }
    }
    return value;
}

static double saturating_1(const double *p, const double *log_x, double *g)
{
    return saturating(p, log_x, g, 1);
}

static double saturating_2(const double *p, const double *log_x, double *g)
{
    return saturating(p, log_x, g, 2);
}

static void shift_saturating_1(double *p, const double *by)
{
    p[1] -= p[2] * by[0];
}

static void shift_saturating_2(double *p, const double *by)
{
    p[1] -= p[2] * by[0];
    p[3] -= p[4] * by[1];
}

static double shown_saturating(const double *p, size_t parameter)
{
    return parameter == 0 || parameter % 2 == 1 ? exp(p[parameter]) : p[parameter];
}

/* p: alpha log x_c, alpha: linear, so that the sum of Huber losses has one minimum. */
static double power(const double *p, const double *log_x, double *g)
{
    if (g) {
        g[0] = 1;
        g[1] = -log_x[0];
    }
    return p[0] - p[1] * log_x[0];
}

static void shift_power(double *p, const double *by)
{
    p[0] -= p[1] * by[0];
}

static double shown_power(const double *p, size_t parameter)
{
    return parameter == 0 ? exp(p[0] / p[1]) : p[1];
}

/* p: log N_c, log D_c, aN, aD. */
static double kaplan(const double *p, const double *log_x, double *g)
{
    double n = p[0] - log_x[0], d = p[1] - log_x[1], ratio = p[2] / p[3], shares[2];
    double terms[2] = {ratio * n, d};
    double sum = log_sum_exp(terms, 2, shares);
    if (g) {
        g[0] = p[3] * shares[0] * ratio;
        g[1] = p[3] * shares[1];
        g[2] = shares[0] * n;
        g[3] = sum - shares[0] * ratio * n;
    }
    return p[3] * sum;
}

static void shift_kaplan(double *p, const double *by)
{
    p[0] -= by[0];
    p[1] -= by[1];
}

static double shown_kaplan(const double *p, size_t parameter)
{
    return parameter < 2 ? exp(p[parameter]) : p[parameter];
}

/* Hoffmann et al., approach 3. */
static const double exponents[] = {0, 0.5, 1, 1.5, 2}, floors[] = {-1, -0.5, 0, 0.5, 1},
                    factors[] = {0, 5, 10, 15, 20, 25};
/* Kaplan: exponents start apart from 0, by which one divides. */
static const double small_exponents[] = {0.05, 0.1, 0.2}, scales[] = {10, 20, 30, 40},
                    power_factors[] = {1, 4};

#define N_OF(list) sizeof list / sizeof *list

const struct tare_law tare_law_saturating_1 = {
    .name = "saturating power law",
    .formula = "L = E + A / x^alpha",
    .n_axes = 1,
    .n_parameters = 3,
    .parameters = {"E", "A", "alpha"},
    .log_loss = saturating_1,
    .shift = shift_saturating_1,
    .shown = shown_saturating,
    .starts = {floors, factors, exponents},
    .n_starts = {N_OF(floors), N_OF(factors), N_OF(exponents)},
};

const struct tare_law tare_law_chinchilla = {
    .name = "Chinchilla, approach 3",
    .formula = "L = E + A / N^alpha + B / D^beta",
    .n_axes = 2,
    .n_parameters = 5,
    .parameters = {"E", "A", "alpha", "B", "beta"},
    .log_loss = saturating_2,
    .shift = shift_saturating_2,
    .shown = shown_saturating,
    .starts = {floors, factors, exponents, factors, exponents},
    .n_starts = {N_OF(floors), N_OF(factors), N_OF(exponents), N_OF(factors), N_OF(exponents)},
};

const struct tare_law tare_law_power = {
    .name = "Kaplan",
    .formula = "L = (x_c / x)^alpha",
    .n_axes = 1,
    .n_parameters = 2,
    .parameters = {"x_c", "alpha"},
    .log_loss = power,
    .shift = shift_power,
    .shown = shown_power,
    .starts = {power_factors, small_exponents},
    .n_starts = {N_OF(power_factors), N_OF(small_exponents)},
};

const struct tare_law tare_law_kaplan = {
    .name = "Kaplan, joint",
    .formula = "L = ((N_c / N)^(aN / aD) + D_c / D)^aD",
    .n_axes = 2,
    .n_parameters = 4,
    .parameters = {"N_c", "D_c", "aN", "aD"},
    .log_loss = kaplan,
    .shift = shift_kaplan,
    .shown = shown_kaplan,
    .starts = {scales, scales, small_exponents, small_exponents},
    .n_starts = {N_OF(scales), N_OF(scales), N_OF(small_exponents), N_OF(small_exponents)},
};

size_t tare_law_grid(const struct tare_law *law)
{
    size_t n = 1;
    for (size_t i = 0; i < law->n_parameters; i++) {
        n *= law->n_starts[i];
    }
    return n;
}

void tare_law_start(const struct tare_law *law, size_t i, double *p)
{
    for (size_t k = 0; k < law->n_parameters; k++) {
        p[k] = law->starts[k][i % law->n_starts[k]];
        i /= law->n_starts[k];
    }
}

struct tare_frontier tare_chinchilla_frontier(double a, double b, double alpha, double beta, double compute)
{
    double sum = alpha + beta, g = pow(alpha * a / (beta * b), 1 / sum);
    return (struct tare_frontier){.n_opt = g * pow(compute / 6, beta / sum),
                                  .d_opt = pow(compute / 6, alpha / sum) / g,
                                  .exponent_n = beta / sum,
                                  .exponent_d = alpha / sum};
}
