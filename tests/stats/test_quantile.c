/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Order statistics. Ranks and levels were computed in exact fractions by a separate Python program from
 * the definition in stats/interval.h; sorted[i] = i + 1 shows them as values.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stats/interval.h"

static double *numbers(size_t n)
{
    double *x = malloc(n * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++) {
        x[i] = (double)(i + 1);
    }
    return x;
}

static void assert_near(double got, double expected, double error)
{
    if (!(fabs(got - expected) <= error)) {
        fail_msg("%.17g, not %.17g", got, expected);
    }
}

/* Type 7 is what NumPy and R do by default. */
static void test_quantile(void **state)
{
    (void)state;
    static const double five[] = {15, 20, 35, 40, 50};
    static const struct {
        size_t n;
        double q, expected;
    } cases[] = {{5, 0, 15},    {5, 1, 50},   {5, 0.5, 35}, {5, 0.25, 20}, {5, 0.4, 29},
                 {5, 0.95, 48}, {1, 0.3, 15}, {1, 1, 15},   {2, 0.5, 17.5}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_near(tare_quantile(five, cases[i].n, cases[i].q), cases[i].expected, 1e-12);
    }
}

static void test_mean(void **state)
{
    (void)state;
    static const double x[] = {1, 2, 6};
    assert_true(tare_mean(x, 3) == 3);
    assert_true(tare_mean(x, 1) == 1);
    assert_true(isnan(tare_mean(x, 0))); /* absent is not 0 */
}

static void test_interval(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        double q, level;
        double low, high; /* ranks; 0: not ok */
        double reached;
    } cases[] = {
        {6, 0.5, 0.95, 1, 6, 0.96875},
        {10, 0.5, 0.95, 2, 9, 0.978515625},
        {20, 0.5, 0.95, 6, 15, 0.9586105346679688},
        {101, 0.5, 0.95, 41, 61, 0.9539559330706572},
        {10001, 0.5, 0.95, 4902, 5100, 0.9522907611993354},
        {36, 0.9, 0.95, 29, 36, 0.9539621052026521},
        {36, 0.1, 0.95, 1, 8, 0.9539621052026521},
        {100, 0.9, 0.95, 84, 96, 0.955690107191223},
        {100, 0.25, 0.95, 17, 35, 0.962462637701025},
        {10000, 0.9, 0.95, 8941, 9059, 0.9507872779312508},
        {72, 0.95, 0.95, 64, 72, 0.9654900479083739},
        {368, 0.99, 0.95, 360, 368, 0.9624158204108587},
        {1000, 0.99, 0.95, 983, 997, 0.9760947634979771},
        {20000, 0.99, 0.95, 19772, 19828, 0.9534801133891485},
        {3688, 0.999, 0.95, 3680, 3688, 0.9616237518034272},
        {10, 0.5, 0.99, 1, 10, 0.998046875},
        {30, 0.5, 0.9, 11, 20, 0.901262853294611},
        /* The tail is met exactly: it may be. */
        {2, 0.5, 0.5, 1, 2, 0.5},
        {3, 0.5, 0.75, 1, 3, 0.75},
        {5, 0.5, 0.9375, 1, 5, 0.9375},
        {1, 0.5, 0.5, 0, 0, 0},
        {0, 0.5, 0.5, 0, 0, 0},
        {100, 0, 0.95, 0, 0, 0},
        {100, 1, 0.95, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double *x = numbers(cases[i].n + 1);
        struct tare_interval got = tare_quantile_interval(x, cases[i].n, cases[i].q, cases[i].level);
        bool ok = cases[i].low > 0;
        if (got.ok != ok || (ok && (got.low != cases[i].low || got.high != cases[i].high))) {
            fail_msg("n %zu, q %g: %d, %g .. %g", cases[i].n, cases[i].q, got.ok, got.low, got.high);
        }
        if (ok) {
            assert_near(got.level, cases[i].reached, 1e-9);
        }
        assert_non_null(got.method);
        free(x);
    }
}

/* The smallest n for an interval at all: one less and there is none. */
static void test_smallest_n(void **state)
{
    (void)state;
    static const struct {
        double q;
        size_t n;
    } cases[] = {{0.5, 6}, {0.9, 36}, {0.1, 36}, {0.95, 72}, {0.05, 72}, {0.99, 368}, {0.999, 3688}};
    double *x = numbers(4000);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t n = 2; n <= 4000;
             n = n < 100 || (n > cases[i].n - 5 && n < cases[i].n + 5) ? n + 1 : n + 97) {
            struct tare_interval got = tare_quantile_interval(x, n, cases[i].q, 0.95);
            if (got.ok != (n >= cases[i].n)) {
                fail_msg("q %g, n %zu: %d", cases[i].q, n, got.ok);
            }
            assert_true(!got.ok || got.level >= 0.95);
        }
    }
    free(x);
}

/*
 * It covers: of 2000 samples of 50 exponential values, the interval of the median holds ln 2 in the
 * share of its level. Exactly 0.9672 for n = 50; 4 standard deviations are 0.016.
 */
static void test_coverage(void **state)
{
    (void)state;
    unsigned short seed[3] = {1, 2, 3};
    int held = 0;
    double level = 0;
    for (int trial = 0; trial < 2000; trial++) {
        double x[50];
        for (int i = 0; i < 50; i++) {
            x[i] = -log(1 - erand48(seed));
        }
        tare_sort(x, 50);
        struct tare_interval got = tare_quantile_interval(x, 50, 0.5, 0.95);
        held += got.ok && got.low <= 0.69314718055994531 && got.high >= 0.69314718055994531;
        level = got.level;
    }
    assert_near(level, 0.96716, 0.00001);
    assert_near(held / 2000.0, level, 0.016);
}

static void test_median(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        double low, high, level; /* 0: not ok */
    } cases[] = {{0, 0, 0, 0},     {1, 0, 0, 0},      {2, 1, 2, 0.5},     {3, 1, 3, 0.75},
                 {4, 1, 4, 0.875}, {5, 1, 5, 0.9375}, {6, 1, 6, 0.96875}, {10, 2, 9, 0.978515625}};
    double *x = numbers(10);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_interval got = tare_median_interval(x, cases[i].n, 0.95);
        assert_int_equal(got.ok, cases[i].level > 0);
        if (got.ok) {
            assert_true(got.low == cases[i].low && got.high == cases[i].high);
            assert_near(got.level, cases[i].level, 1e-12);
            assert_int_equal(strstr(got.method, "range") != NULL, cases[i].n < 6);
        }
    }
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantile),   cmocka_unit_test(test_mean),     cmocka_unit_test(test_interval),
        cmocka_unit_test(test_smallest_n), cmocka_unit_test(test_coverage), cmocka_unit_test(test_median),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
