/* SPDX-License-Identifier: Apache-2.0 */
/* Welch, Fieller and the geometric mean against published examples and against what defines them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stats/discrete.h"
#include "stats/mean.h"

static void assert_near(double got, double expected, double error)
{
    if (!(fabs(got - expected) <= error)) {
        fail_msg("%.17g, not %.17g", got, expected);
    }
}

/* Student's sleep data as two groups: R's t.test(extra ~ group): -3.3654832 .. 0.2054832, df 17.776; there
 * it is the first less the second. */
static const double drug_1[] = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
static const double drug_2[] = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};

static void test_welch(void **state)
{
    (void)state;
    double estimate = 0;
    struct tare_interval got;
    assert_int_equal(tare_welch_interval(drug_1, 10, drug_2, 10, 0.95, &estimate, &got, NULL), 0);
    assert_true(got.ok && got.level == 0.95 && strstr(got.method, "Welch"));
    assert_near(estimate, 1.58, 1e-14);
    assert_near(got.low, -0.2054832, 5e-8);
    assert_near(got.high, 3.3654832, 5e-8);
    static const double same[] = {2, 2, 2};
    assert_int_equal(tare_welch_interval(same, 3, drug_2, 10, 0.95, &estimate, &got, NULL), 0);
    assert_true(got.ok); /* one side that varies is enough: its own t */
    assert_near((got.high - got.low) / 2, tare_t_quantile(0.975, 9) * sqrt(4.009 / 10), 1e-10);
}

static void test_no_interval(void **state)
{
    (void)state;
    static const double same[] = {0.1, 0.1, 0.1}, lost[] = {1, (double)NAN, 2}, fine[] = {1, 2, 4},
                        sign[] = {1, -1, 4};
    double estimate = 77;
    struct tare_interval got = {.ok = true};
    struct tare_err err = {0};
    assert_int_equal(tare_welch_interval(lost, 3, fine, 3, 0.95, &estimate, &got, &err), TARE_E_USAGE);
    assert_int_equal(tare_welch_interval(fine, 3, lost, 3, 0.95, &estimate, &got, &err), TARE_E_USAGE);
    assert_int_equal(tare_welch_interval(fine, 0, fine, 3, 0.95, &estimate, &got, &err), TARE_E_USAGE);
    assert_int_equal(tare_fieller_interval(lost, fine, 3, 0.95, &estimate, &got, &err), TARE_E_USAGE);
    assert_int_equal(tare_fieller_interval(fine, lost, 3, 0.95, &estimate, &got, &err), TARE_E_USAGE);
    assert_int_equal(tare_fieller_interval(fine, fine, 3, 1, &estimate, &got, &err), TARE_E_USAGE);
    assert_int_equal(tare_geometric_ratio(fine, sign, 3, 0.95, &estimate, &got, &err), TARE_E_USAGE);
    assert_int_equal(tare_geometric_ratio(fine, fine, 0, 0.95, &estimate, &got, &err), TARE_E_USAGE);
    assert_true(estimate == 77 && got.ok && err.msg[0]);
    assert_int_equal(tare_welch_interval(same, 3, same, 3, 0.95, &estimate, &got, &err), 0);
    assert_true(!got.ok && strstr(got.method, "no spread"));
    assert_int_equal(tare_welch_interval(same, 1, fine, 3, 0.95, &estimate, &got, &err), 0);
    assert_true(!got.ok && strstr(got.method, "too small"));
    assert_int_equal(tare_fieller_interval(same, same, 3, 0.95, &estimate, &got, &err), 0);
    assert_true(!got.ok && estimate == 1);
    assert_int_equal(tare_fieller_interval(fine, fine, 1, 0.95, &estimate, &got, &err), 0);
    assert_true(!got.ok && estimate == 1);
    assert_int_equal(tare_fieller_interval(fine, sign, 3, 0.95, &estimate, &got, &err), 0);
    assert_true(!got.ok && strstr(got.method, "touches 0"));
    assert_int_equal(tare_geometric_ratio(fine, fine, 3, 0.95, &estimate, &got, &err), 0);
    assert_true(!got.ok && estimate == 1);
}

/* What Fieller's limits are: there, and nowhere between, the mean of num - r den is on the rim of its t test.
 */
static void test_fieller(void **state)
{
    (void)state;
    unsigned short seed[3] = {2, 7, 1};
    for (int trial = 0; trial < 200; trial++) {
        double num[12], den[12], rest[12], estimate = 0, mean = 0, se = 0;
        struct tare_interval got, rim;
        for (int i = 0; i < 12; i++) {
            den[i] = 1 + 2 * erand48(seed);
            num[i] = den[i] * (trial % 2 ? 1.5 : -1.5) + erand48(seed);
        }
        assert_int_equal(tare_fieller_interval(num, den, 12, 0.9, &estimate, &got, NULL), 0);
        assert_true(got.ok && got.low < estimate && estimate < got.high);
        for (int side = 0; side < 2; side++) {
            for (int i = 0; i < 12; i++) {
                rest[i] = num[i] - (side ? got.high : got.low) * den[i];
            }
            assert_int_equal(tare_paired_mean(rest, NULL, 12, 0.9, &mean, &se, &rim, NULL), 0);
            assert_near(side ? rim.high : rim.low, 0, 1e-9);
        }
    }
}

/* A constant denominator: Fieller is t of the numerator. */
static void test_fieller_plain(void **state)
{
    (void)state;
    double den[10], estimate = 0, mean = 0, se = 0;
    struct tare_interval got, t;
    for (int i = 0; i < 10; i++) {
        den[i] = 4;
    }
    assert_int_equal(tare_fieller_interval(drug_2, den, 10, 0.95, &estimate, &got, NULL), 0);
    assert_int_equal(tare_paired_mean(drug_2, NULL, 10, 0.95, &mean, &se, &t, NULL), 0);
    assert_true(got.ok);
    assert_near(estimate, mean / 4, 1e-15);
    assert_near(got.low, t.low / 4, 1e-14);
    assert_near(got.high, t.high / 4, 1e-14);
}

static void test_geometric(void **state)
{
    (void)state;
    static const double num[] = {2, 8, 4}, den[] = {1, 2, 1}; /* ratios 2, 4, 4 */
    double estimate = 0;
    struct tare_interval got;
    assert_int_equal(tare_geometric_ratio(num, den, 3, 0.95, &estimate, &got, NULL), 0);
    double half = tare_t_quantile(0.975, 2) * log(2) / 3; /* standard error of ln: ln 2 sqrt(1/3) / sqrt(3) */
    assert_near(estimate, cbrt(32), 1e-13);
    assert_true(got.ok);
    assert_near(log(got.high / estimate), half, 1e-13);
    assert_near(log(estimate / got.low), half, 1e-13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_welch),     cmocka_unit_test(test_no_interval),
        cmocka_unit_test(test_fieller),   cmocka_unit_test(test_fieller_plain),
        cmocka_unit_test(test_geometric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
