/* SPDX-License-Identifier: Apache-2.0 */
/* Repetition counts and forecasts against numbers that a sheet of paper gives, and a forecast held true. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "stats/discrete.h"
#include "stats/repeat.h"

static void assert_near(double got, double expected, double error)
{
    if (!(fabs(got - expected) <= error)) {
        fail_msg("%.17g, not %.17g", got, expected);
    }
}

static void test_repetitions(void **state)
{
    (void)state;
    static const struct {
        double cost[3], variance[3];
        int64_t n[2];
        const char *why;
    } cases[] = {
        {{1, 100, 1e4}, {4, 1, 1}, {20, 10}, "whole roots are not ceiled by a rounding"},
        {{1, 50, 300}, {1, 1, 2}, {8, 2}, "sqrt(50) = 7.07, sqrt(3) = 1.73"},
        {{10, 1, 1}, {1, 9, 1}, {1, 3}, "cheap above: once is enough below"},
        {{1, 10, 10}, {0, 1, 1}, {1, 1}, "what does not vary is done once"},
        {{1, 10, 10}, {-0.2, 1, 1}, {1, 1}, "an estimate below 0 is none"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t n[2] = {0};
        assert_int_equal(tare_repetitions(cases[i].cost, cases[i].variance, 3, n, NULL), 0);
        assert_int_equal(n[0], cases[i].n[0]);
        assert_int_equal(n[1], cases[i].n[1]);
    }
}

/* The counts are best: of all n between 1 and 200 none makes variance times cost smaller than the ceiled or
 * floored root does, for the mean of m processes with n iterations: (v_2 + v_1 / n) (c_2 + c_1 n). */
static void test_best(void **state)
{
    (void)state;
    static const double cost[] = {0.5, 7.3}, variance[] = {3.1, 0.4};
    int64_t n = 0;
    assert_int_equal(tare_repetitions(cost, variance, 2, &n, NULL), 0);
    size_t best = 1;
    double least = (double)INFINITY;
    for (size_t k = 1; k <= 200; k++) {
        double product = (variance[1] + variance[0] / (double)k) * (cost[1] + cost[0] * (double)k);
        best = product < least ? k : best;
        least = fmin(product, least);
    }
    assert_true(best == (size_t)n || best + 1 == (size_t)n);
}

static void test_refused(void **state)
{
    (void)state;
    static const double fine[] = {1, 2}, zero[] = {1, 0}, lost[] = {1, (double)NAN};
    int64_t n = 77;
    struct tare_err err = {0};
    assert_int_equal(tare_repetitions(fine, fine, 1, &n, &err), TARE_E_USAGE);
    assert_int_equal(tare_repetitions(zero, fine, 2, &n, &err), TARE_E_USAGE);
    assert_int_equal(tare_repetitions(fine, zero, 2, &n, &err), TARE_E_USAGE); /* all variance lies below */
    assert_int_equal(tare_repetitions(fine, lost, 2, &n, &err), TARE_E_USAGE);
    assert_true(n == 77 && err.msg[0]);
}

static void test_half_width(void **state)
{
    (void)state;
    assert_true(tare_units_for_half_width(10, 0.02, 0.01) == 40);
    assert_true(tare_units_for_half_width(10, 0.03, 0.02) == 23); /* 22.5 */
    assert_true(tare_units_for_half_width(10, 0.01, 0.02) == 3);  /* more there than needed */
    assert_true(isnan(tare_units_for_half_width(0, 1, 1)) && isnan(tare_units_for_half_width(9, 1, 0)));
}

static void test_decide(void **state)
{
    (void)state;
    const double z = 1.9599639845400542, z80 = 0.8416212335729143, z90 = 1.2815515655446006,
                 z95 = 1.6448536269514722;
    struct tare_interval one = {.ok = true, .low = -z, .high = z, .level = 0.95}; /* standard error 1 */
    assert_near(tare_units_to_decide(100, 2, &one, 0.95, 0, 0.8), ceil(25 * (z + z80) * (z + z80)), 0);
    assert_near(tare_units_to_decide(100, -2, &one, 0.95, 0, 0.8), ceil(25 * (z + z80) * (z + z80)), 0);
    /* As the formula for items, 8.56 flips / delta^2: flips 1, standard error 1 / sqrt(n). */
    struct tare_interval items = {.ok = true, .low = -z / 10, .high = z / 10, .level = 0.95};
    assert_near(tare_units_to_decide(100, 0, &items, 0.95, 0.02, 0.8), ceil(tare_equivalence_n(1, 0.02)), 1);
    assert_near(tare_units_to_decide(100, 0, &items, 0.95, 0.02, 0.8),
                ceil((z95 + z90) * (z95 + z90) / 0.0004), 0);
    /* An estimate of 1.5 of 2: to tell it from 0 is less than to show it within. */
    assert_near(tare_units_to_decide(100, 1.5, &one, 0.95, 2, 0.8), ceil(100 * (z + z80) * (z + z80) / 2.25),
                0);
    /* 0.7 of 2: the other way; only one side is near, but for the estimate of less than half. */
    assert_near(tare_units_to_decide(100, 0.7, &one, 0.95, 2, 0.8),
                ceil(100 * (z95 + z90) * (z95 + z90) / 1.69), 0);
    assert_true(isinf(tare_units_to_decide(100, 0, &one, 0.95, 0, 0.8)));
    one.ok = false;
    assert_true(isnan(tare_units_to_decide(100, 1, &one, 0.95, 0, 0.8)));
}

/* The number that is forecast decides about as often as was asked for: 2000 samples of that many normal
 * units. */
static void test_forecast(void **state)
{
    (void)state;
    unsigned short seed[3] = {1, 5, 9};
    const double half = 1.9599639845400542 / 8; /* 64 units of standard deviation 1 */
    struct tare_interval now = {.ok = true, .low = 0.25 - half, .high = 0.25 + half, .level = 0.95};
    size_t n = (size_t)tare_units_to_decide(64, 0.25, &now, 0.95, 0, 0.8);
    int decided = 0;
    assert_int_equal(n, 126); /* (1.96 + 0.84)^2 / 0.25^2 = 125.6 */
    for (int trial = 0; trial < 2000; trial++) {
        double d[126], mean = 0, se = 0;
        struct tare_interval got;
        for (size_t i = 0; i < n; i++) {
            d[i] = 0.25 + sqrt(-2 * log(1 - erand48(seed))) * cos(6.283185307179586 * erand48(seed));
        }
        assert_int_equal(tare_paired_mean(d, NULL, n, 0.95, &mean, &se, &got, NULL), 0);
        decided += got.low > 0;
    }
    assert_near(decided / 2000.0, 0.8, 0.03); /* 3 sigma are 0.027 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repetitions), cmocka_unit_test(test_best),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_half_width),  cmocka_unit_test(test_decide), cmocka_unit_test(test_forecast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
