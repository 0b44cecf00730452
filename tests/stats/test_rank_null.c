/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Null distributions of the signed-rank sum and of U against published tables, and against counting by brute
 * force: all 2^n signs, all ways to take n_a of n_a + n_b. Sources stand beside the values.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stats/paired.h"

static void assert_near(double got, double expected, double error)
{
    if (!(fabs(got - expected) <= error)) {
        fail_msg("%.17g, not %.17g", got, expected);
    }
}

/* Critical sums of the printed tables (Wilcoxon and Wilcox, 1964, two-sided; n = 5 .. 25); the rank of the
 * bound is one more, and 0 where the tables have a dash. */
static void test_signed_rank_table(void **state)
{
    (void)state;
    static const int at_5[] = {-1, 0, 2, 3, 5, 8, 10, 13, 17, 21, 25, 29, 34, 40, 46, 52, 58, 65, 73, 81, 89};
    static const int at_1[] = {-1, -1, -1, 0, 1, 3, 5, 7, 9, 12, 15, 19, 23, 27, 32, 37, 42, 48, 54, 61, 68};
    for (size_t n = 5; n <= 25; n++) {
        assert_int_equal(tare_signed_rank_critical(n, 0.025, NULL), at_5[n - 5] + 1);
        assert_int_equal(tare_signed_rank_critical(n, 0.005, NULL), at_1[n - 5] + 1);
    }
}

/* Printed table of U, two-sided 0.05 (Siegel, 1956, table K). */
static void test_mann_whitney_table(void **state)
{
    (void)state;
    static const struct {
        size_t a, b;
        int u;
    } cases[] = {{3, 4, -1}, {3, 5, 0},    {4, 4, 0},     {5, 5, 2},    {6, 8, 8},  {8, 10, 17},
                 {9, 9, 17}, {10, 10, 23}, {20, 20, 127}, {15, 20, 90}, {20, 2, 2}, {12, 18, 61}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(tare_mann_whitney_critical(cases[i].a, cases[i].b, 0.025, NULL), cases[i].u + 1);
        assert_int_equal(tare_mann_whitney_critical(cases[i].b, cases[i].a, 0.025, NULL), cases[i].u + 1);
    }
}

/* Every rank and its error, against all 2^n signs. */
static void test_signed_rank_enumerated(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 14; n++) {
        double count[106] = {0}, below = 0, error = 0;
        for (size_t signs = 0; signs < (size_t)1 << n; signs++) {
            size_t sum = 0;
            for (size_t i = 0; i < n; i++) {
                sum += (signs >> i & 1) * (i + 1);
            }
            count[sum]++;
        }
        for (size_t k = 1; below + count[k - 1] < ldexp(0.5, (int)n); k++) {
            below += count[k - 1];
            double p = ldexp(below, -(int)n);
            assert_int_equal(tare_signed_rank_critical(n, p, &error), k); /* an error met exactly */
            assert_true(error == p);
            assert_int_equal(tare_signed_rank_critical(n, p * (1 - 1e-9), &error), k - 1);
            assert_true(error < p);
        }
    }
    assert_int_equal(tare_signed_rank_critical(10, 0.5, NULL), 0);
    assert_int_equal(tare_signed_rank_critical(0, 0.1, NULL), 0);
    assert_int_equal(tare_signed_rank_critical(10, (double)NAN, NULL), 0);
}

static void test_mann_whitney_enumerated(void **state)
{
    (void)state;
    for (size_t n_a = 1; n_a <= 6; n_a++) {
        for (size_t n_b = 1; n_b <= 7; n_b++) {
            double count[64] = {0}, below = 0, all = 0, error = 0;
            for (size_t set = 0; set < (size_t)1 << (n_a + n_b); set++) {
                size_t u = 0, taken = 0;
                for (size_t i = 0; i < n_a + n_b; i++) {
                    u += (set >> i & 1) ? i - taken : 0; /* those of the other sample below it */
                    taken += set >> i & 1;
                }
                count[u] += taken == n_a;
                all += taken == n_a;
            }
            for (size_t k = 1; below + count[k - 1] < all / 2; k++) {
                below += count[k - 1];
                assert_int_equal(tare_mann_whitney_critical(n_a, n_b, below / all, &error), k);
                assert_near(error, below / all, 1e-15);
            }
        }
    }
}

/* The exact distribution at its largest n and the normal one beyond it do not jump. Tails of the exact ones
 * are lighter: the normal rank is never the larger, and up to 0.02 standard deviations smaller. */
static void test_large(void **state)
{
    (void)state;
    static const double alphas[] = {0.025, 0.005, 0.001};
    for (size_t i = 0; i < 3; i++) {
        double n = TARE_SIGNED_RANK_EXACT, error = 0, z = tare_normal_quantile(alphas[i]);
        double sd = sqrt(n * (n + 1) * (2 * n + 1) / 24);
        double k = (double)tare_signed_rank_critical(TARE_SIGNED_RANK_EXACT, alphas[i], &error);
        double above = (k - 0.5 - n * (n + 1) / 4) / sd - z;
        assert_true(above > -1 / sd && above < 0.02 && error <= alphas[i] && error > 0.99 * alphas[i]);
        k = (double)tare_signed_rank_critical(TARE_SIGNED_RANK_EXACT + 1, alphas[i], &error);
        n++;
        sd = sqrt(n * (n + 1) * (2 * n + 1) / 24);
        above = (k - 0.5 - n * (n + 1) / 4) / sd - z;
        assert_true(above > -1 / sd && above <= 1e-12);
        assert_near(error, 0.5 * erfc(-(above + z) / sqrt(2)), 1e-12);
        sd = sqrt(10000 * 201 / 12.0);
        k = (double)tare_mann_whitney_critical(100, 100, alphas[i], &error);
        above = (k - 0.5 - 5000) / sd - z;
        assert_true(above > -1 / sd && above < 0.02 && error <= alphas[i] && error > 0.99 * alphas[i]);
        sd = sqrt(10100 * 202 / 12.0);
        k = (double)tare_mann_whitney_critical(100, 101, alphas[i], &error);
        above = (k - 0.5 - 5050) / sd - z;
        assert_true(above > -1 / sd && above <= 1e-12);
        assert_near(error, 0.5 * erfc(-(above + z) / sqrt(2)), 1e-12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signed_rank_table),
        cmocka_unit_test(test_mann_whitney_table),
        cmocka_unit_test(test_signed_rank_enumerated),
        cmocka_unit_test(test_mann_whitney_enumerated),
        cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
