/* SPDX-License-Identifier: Apache-2.0 */
/* Divergences and loyalty. The three-outcome example is published with six digits; the others follow from the
 * definitions by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stats/divergence.h"

static void assert_near(double got, double expected, double error)
{
    if (!(fabs(got - expected) <= error)) {
        fail_msg("%.17g, not %.17g", got, expected);
    }
}

static const double teacher[] = {.75, .2, .05}, student[] = {.8, .1, .1};

static void test_published_example(void **state)
{
    (void)state;
    const double e = exp(1.0);
    assert_near(tare_js_divergence(teacher, student, 3), 0.0131457, 5e-8);
    assert_near(sqrt(tare_js_divergence(teacher, student, 3)), 0.114655, 5e-7);
    assert_near(tare_probability_loyalty(teacher, student, 3, e), 0.885345, 5e-7);
    assert_near(sqrt(tare_js_divergence(teacher, student, 3) / log(2.0)), 0.137714, 5e-7);
    assert_near(tare_probability_loyalty(teacher, student, 3, 2), 0.862286, 5e-7);
}

static void test_limits(void **state)
{
    (void)state;
    const double left[] = {1, 0}, right[] = {0, 1}, half[] = {.5, .5};
    /* Nothing in common: the divergence is ln 2, and base 2 makes the distance 1. */
    assert_near(tare_js_divergence(left, right, 2), log(2.0), 1e-15);
    assert_near(tare_probability_loyalty(left, right, 2, 2), 0, 1e-15);
    assert_near(tare_probability_loyalty(left, right, 2, exp(1.0)), 1 - sqrt(log(2.0)), 1e-15);
    assert_near(tare_js_divergence(half, half, 2), 0, 0);
    assert_near(tare_probability_loyalty(teacher, teacher, 3, 2), 1, 1e-7);
    /* A coin against a certainty: ln 2; the other way round nothing bounds it. */
    assert_near(tare_kl_divergence(left, half, 2), log(2.0), 1e-15);
    assert_true(isinf(tare_kl_divergence(half, left, 2)));
    assert_near(tare_js_divergence(teacher, student, 3), tare_js_divergence(student, teacher, 3), 1e-16);
}

static void test_refuses(void **state)
{
    (void)state;
    const double bad[] = {1.5, -.5}, good[] = {.5, .5};
    assert_true(isnan(tare_kl_divergence(bad, good, 2)));
    assert_true(isnan(tare_js_divergence(good, bad, 2)));
    assert_true(isnan(tare_probability_loyalty(good, bad, 2, 2)));
    assert_true(isnan(tare_kl_divergence(good, good, 0)));
    assert_true(isnan(tare_mean_probability_loyalty(good, good, 0, 2, 2)));
    assert_true(isnan(tare_label_loyalty(NULL, NULL, 0)));
}

static void test_means_are_over_examples(void **state)
{
    (void)state;
    const double t[] = {.75, .2, .05, 1, 0, 0}, s[] = {.8, .1, .1, 1, 0, 0};
    assert_near(tare_mean_probability_loyalty(t, s, 2, 3, 2), (0.862286 + 1) / 2, 5e-7);
    const int64_t a[] = {1, 2, 3, 4}, b[] = {1, 2, 0, 4};
    assert_near(tare_label_loyalty(a, b, 4), 0.75, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_example),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_means_are_over_examples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
