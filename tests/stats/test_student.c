/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Student's t and the incomplete beta function. Values were computed with 40 digits by a separate Python
 * program (mpmath), quantiles by bisection; those of 1 and 2 degrees of freedom have closed forms.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "stats/discrete.h"

#define PI 3.14159265358979323846

static void assert_relative(double got, double expected, double error)
{
    if (!(fabs(got - expected) <= error * fabs(expected))) {
        fail_msg("%.17g, not %.17g", got, expected);
    }
}

static void test_quantile(void **state)
{
    (void)state;
    static const struct {
        double p, df, t;
    } cases[] = {
        {0.975, 1, 12.7062047361746933},     {0.975, 2, 4.30265272974946179},
        {0.975, 3, 3.18244630528370844},     {0.975, 5, 2.57058183563631478},
        {0.975, 9, 2.262157162798205},       {0.975, 29, 2.04522964213270387},
        {0.975, 99, 1.9842169515864171},     {0.975, 1000, 1.9623390808264081},
        {0.975, 1e5, 1.95998770753460926},   {0.95, 9, 1.83311293265623661},
        {0.995, 9, 3.24983554159212572},     {0.9995, 7, 5.40788252086182805},
        {0.9, 4.5, 1.50088531750855771},     {0.6, 0.5, 0.397975426784790587},
        {0.999999, 10, 9.75199549090985461},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_relative(tare_t_quantile(cases[i].p, cases[i].df), cases[i].t, 1e-12);
        assert_relative(tare_t_quantile(1 - cases[i].p, cases[i].df), -cases[i].t, 1e-10);
    }
    assert_true(tare_t_quantile(0.5, 7) == 0 && isinf(tare_t_quantile(1, 7)) && isinf(tare_t_quantile(0, 7)));
    assert_true(isnan(tare_t_quantile(1.5, 7)) && isnan(tare_t_quantile(0.9, 0)) &&
                isnan(tare_t_quantile((double)NAN, 3)));
}

static void test_cdf(void **state)
{
    (void)state;
    static const struct {
        double t, df, p;
    } cases[] = {
        {-1, 1, 0.25},
        {-2, 2, 0.0917517095361369836},
        {-2.5, 9, 0.0169309138414928696},
        {-0.001, 9, 0.499611965162986633},
        {-10, 30, 2.2876257041148066e-11},
        {-4, 1e6, 0.0000316735170050240523},
        {-1.7, 3.3, 0.0896616394535402834},
        {-100, 2, 0.0000499925012497812894},
        {-1e150, 1, 3.18309886183790672e-151},
        {-30, 100, 4.19016627934414608e-52},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_relative(tare_t_cdf(cases[i].t, cases[i].df), cases[i].p, 1e-11);
        assert_relative(tare_t_cdf(-cases[i].t, cases[i].df), 1 - cases[i].p, 1e-14);
    }
    for (double t = -20; t < 20; t += 0.37) { /* Cauchy, and 1/2 + t / (2 sqrt(2 + t^2)) */
        assert_relative(tare_t_cdf(t, 1), 0.5 - atan2(-t, 1) / PI, 1e-12);
        assert_relative(tare_t_cdf(t, 2), 1 / (1 + t * t / 2 + sqrt(1 + t * t / 2) * -t / sqrt(2)) / 2,
                        1e-10);
        assert_relative(tare_t_cdf(t, 1e13), tare_normal_cdf(t), 1e-9);
    }
    assert_true(tare_t_cdf((double)INFINITY, 3) == 1 && tare_t_cdf(-(double)INFINITY, 3) == 0);
    assert_true(isnan(tare_t_cdf(1, -1)) && isnan(tare_t_cdf((double)NAN, 3)));
}

/* The one undoes the other. */
static void test_round_trip(void **state)
{
    (void)state;
    static const double dfs[] = {0.3, 1, 2.5, 7, 40, 333, 1e4, 1e7, 1e11};
    for (size_t i = 0; i < sizeof dfs / sizeof *dfs; i++) {
        for (double p = 1e-12; p < 0.5; p *= 3.7) {
            assert_relative(tare_t_cdf(tare_t_quantile(p, dfs[i]), dfs[i]), p, 1e-10);
        }
    }
}

/* Of whole a and b it is a binomial tail: summed directly. */
static void test_incomplete_beta(void **state)
{
    (void)state;
    for (int n = 1; n <= 60; n += 7) {
        for (double x = 0.03; x < 1; x += 0.09) {
            double below = 0, probability = pow(1 - x, n);
            for (int k = 0; k < n; k++) { /* P[Bin(n, x) <= k] */
                below += probability;
                probability *= (double)(n - k) / (k + 1) * x / (1 - x);
                assert_relative(tare_incomplete_beta(n - k, k + 1, 1 - x, x), below, 1e-12);
            }
        }
    }
    assert_true(tare_incomplete_beta(2, 3, 0, 1) == 0 && tare_incomplete_beta(2, 3, 1, 0) == 1);
    assert_true(isnan(tare_incomplete_beta(0, 3, 0.5, 0.5)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantile),
        cmocka_unit_test(test_cdf),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_incomplete_beta),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
