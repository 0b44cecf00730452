/* SPDX-License-Identifier: Apache-2.0 */
/* The bootstrap of any statistic, against the definition of BCa and against closed forms. Coverage:
 * test_coverage.c. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stats/bootstrap.h"
#include "stats/discrete.h"

static void assert_near(double got, double expected, double error)
{
    if (!(fabs(got - expected) <= error)) {
        fail_msg("%.17g, not %.17g", got, expected);
    }
}

static double mean_of(const void *data, const size_t *unit, size_t n)
{
    const double *x = data;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[unit[i]];
    }
    return sum / (double)n;
}

static double endless(const void *data, const size_t *unit, size_t n)
{
    return 1 / (mean_of(data, unit, n) > 3 ? 0.0 : 1.0);
}

/* Of a mean, the jackknife's acceleration is the skewness of the data over 6 sqrt(n): sum e^3 / (6 (sum
 * e^2)^1.5). */
static void test_acceleration(void **state)
{
    (void)state;
    double x[] = {1, 2, 4, 11}, without[4], squares = 0, cubes = 0;
    for (int i = 0; i < 4; i++) {
        double e = x[i] - 4.5;
        squares += e * e;
        cubes += e * e * e;
        without[i] = (18 - x[i]) / 3;
    }
    assert_near(tare_jackknife_acceleration(without, 4), cubes / (6 * pow(squares, 1.5)), 1e-15);
    static const double same[] = {2, 2, 2};
    assert_true(tare_jackknife_acceleration(same, 3) == 0);
}

/* Draws that are 1 .. 9999 show which share of them a limit cuts off. */
static void test_limits(void **state)
{
    (void)state;
    enum { draws = 9999, n = 40 };
    static const struct {
        double estimate, acceleration;
    } cases[] = {{5000, 0}, {4200, 0}, {5600, 0.03}, {5000, -0.05}};
    double *drawn = malloc(draws * sizeof *drawn), z = tare_t_quantile(0.975, n - 1) * sqrt(n / (n - 1.0));
    assert_non_null(drawn);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        for (int i = 0; i < draws; i++) {
            drawn[i] = (i * 7) % draws + 1;
        }
        double a = cases[c].acceleration;
        double shift = tare_normal_quantile((cases[c].estimate - 0.5) / draws);
        struct tare_interval got = tare_bca_limits(drawn, draws, cases[c].estimate, a, n, 0.95);
        assert_true(got.ok && got.level == 0.95 && strstr(got.method, "BCa"));
        for (int side = -1; side <= 1; side += 2) {
            double sum = shift + side * z, share = tare_normal_cdf(shift + sum / (1 - a * sum));
            assert_near(side < 0 ? got.low : got.high, 1 + share * (draws - 1), 1e-6);
        }
    }
    drawn[5] = (double)NAN;
    assert_false(tare_bca_limits(drawn, draws, 5000, 0, n, 0.95).ok);
    drawn[5] = 5;
    assert_false(tare_bca_limits(drawn, draws, 5000, (double)NAN, n, 0.95).ok);
    assert_false(tare_bca_limits(drawn, draws, 0, 0, n, 0.95).ok); /* all draws lie above the estimate */
    free(drawn);
}

/* The spread of the mean of n units is s / sqrt(n); BCa of symmetric data is the t interval, for t and
 * sqrt(n / (n - 1)) are what it is expanded by. */
static void test_mean(void **state)
{
    (void)state;
    enum { n = 40 };
    double x[n], mean = 0, se = 0, estimate = 0, again = 0;
    struct tare_interval t, got, same, other;
    for (int i = 0; i < n; i++) {
        x[i] = tare_normal_quantile((i + 0.5) / n);
    }
    assert_int_equal(tare_paired_mean(x, NULL, n, 0.95, &mean, &se, &t, NULL), 0);
    assert_int_equal(tare_bca_interval(mean_of, x, n, TARE_BOOTSTRAP_DRAWS, 0.95, 1, &estimate, &got, NULL),
                     0);
    assert_true(got.ok);
    assert_near(estimate, mean, 1e-15);
    assert_near(got.low, t.low, 0.05 * (t.high - t.low)); /* 3 sigma of a quantile of 10,000 draws: 0.02 */
    assert_near(got.high, t.high, 0.05 * (t.high - t.low));
    assert_int_equal(tare_bca_interval(mean_of, x, n, TARE_BOOTSTRAP_DRAWS, 0.95, 1, &again, &same, NULL), 0);
    assert_int_equal(tare_bca_interval(mean_of, x, n, TARE_BOOTSTRAP_DRAWS, 0.95, 2, &again, &other, NULL),
                     0);
    assert_true(same.low == got.low && same.high == got.high);   /* one seed, one answer */
    assert_true(other.low != got.low || other.high != got.high); /* another, others */
}

static void test_no_interval(void **state)
{
    (void)state;
    double x[30] = {0}, estimate = 77;
    struct tare_interval got = {.low = 77};
    struct tare_err err = {0};
    assert_int_equal(tare_bca_interval(mean_of, x, 0, 2000, 0.95, 1, &estimate, &got, &err), TARE_E_USAGE);
    assert_int_equal(tare_bca_interval(mean_of, x, 20001, 2000, 0.95, 1, &estimate, &got, &err),
                     TARE_E_USAGE);
    assert_int_equal(tare_bca_interval(mean_of, x, 30, 999, 0.95, 1, &estimate, &got, &err), TARE_E_USAGE);
    assert_int_equal(tare_bca_interval(mean_of, x, 30, 2000, 1, 1, &estimate, &got, &err), TARE_E_USAGE);
    assert_true(estimate == 77 && got.low == 77 && err.msg[0]);
    assert_int_equal(tare_bca_interval(mean_of, x, 30, 2000, 0.95, 1, &estimate, &got, &err), 0);
    assert_true(got.ok && got.low == 0 && got.high == 0); /* no unit differs */
    assert_int_equal(
        tare_bca_interval(mean_of, x, TARE_BOOTSTRAP_LEAST - 1, 2000, 0.95, 1, &estimate, &got, &err), 0);
    assert_true(!got.ok && strstr(got.method, "too small"));
    x[3] = 100; /* a mean above 3 now and then, and then no number */
    assert_int_equal(tare_bca_interval(endless, x, 30, 2000, 0.95, 1, &estimate, &got, &err), 0);
    assert_true(!got.ok && strstr(got.method, "not all"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_acceleration),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_mean),
        cmocka_unit_test(test_no_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
