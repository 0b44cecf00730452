/* SPDX-License-Identifier: Apache-2.0 */
/* Hodges-Lehmann intervals against published examples and against sorting; sources stand beside the values.
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

/* Hollander and Wolfe, 1973, table 3.1: a depression scale of nine patients before and after. Their
 * example 3.3 and R's wilcox.test: shift -0.46, 96 % interval -0.786 .. -0.010. */
static const double before[] = {1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30};
static const double after[] = {0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29};

static void test_depression(void **state)
{
    (void)state;
    double d[9], estimate = 0, bound = 0;
    struct tare_interval got;
    struct tare_err err = {0};
    for (int i = 0; i < 9; i++) {
        d[i] = before[i] - after[i];
    }
    assert_int_equal(tare_signed_rank_interval(d, 9, 0.95, &estimate, &got, &err), 0);
    assert_true(got.ok && strstr(got.method, "exact"));
    assert_near(estimate, 0.46, 1e-12);
    assert_near(got.low, 0.010, 1e-12);
    assert_near(got.high, 0.786, 1e-12);
    assert_near(got.level, 1 - 20.0 / 512, 1e-15);
    assert_int_equal(tare_signed_rank_bound(d, 9, 0.025, &bound, &err), 0);
    assert_true(bound == got.low);
}

/* Hollander and Wolfe, 1973, table 4.1: permeability of membranes at term and at 12 to 26 weeks. R's
 * wilcox.test: W = 35 of 50, shift 0.305, 95 % interval -0.15 .. 0.76 (their 4.3: level 0.96). */
static void test_permeability(void **state)
{
    (void)state;
    static const double term[] = {0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46};
    static const double early[] = {1.15, 0.88, 0.90, 0.74, 1.21};
    double estimate = 0, mirrored = 0;
    struct tare_interval got, back;
    struct tare_err err = {0};
    assert_int_equal(tare_mann_whitney_interval(early, 5, term, 10, 0.95, &estimate, &got, &err), 0);
    assert_true(got.ok && strstr(got.method, "exact"));
    assert_near(estimate, 0.305, 1e-12);
    assert_near(got.low, -0.15, 1e-12);
    assert_near(got.high, 0.76, 1e-12);
    assert_near(got.level, 1 - 2 * 0.01998001998001998, 1e-14); /* 60 of the 3003 ways have U < 9 */
    assert_int_equal(tare_mann_whitney_interval(term, 10, early, 5, 0.95, &mirrored, &back, &err), 0);
    assert_near(mirrored, -estimate, 1e-15);
    assert_true(back.low == -got.high && back.high == -got.low && back.level == got.level);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Selection is held against sorting, ties and order included. */
static void test_select(void **state)
{
    (void)state;
    unsigned short seed[3] = {9, 9, 9};
    for (size_t n = 1; n < 200; n++) {
        double x[200], sorted[200];
        for (size_t i = 0; i < n; i++) {
            double kinds[] = {erand48(seed), floor(5 * erand48(seed)), (double)i, -(double)i};
            x[i] = sorted[i] = kinds[n % 4];
        }
        qsort(sorted, n, sizeof *sorted, compare);
        for (size_t k = 1; k <= n; k += 1 + n / 9) {
            assert_true(tare_select(x, n, k) == sorted[k - 1]);
        }
        assert_near(tare_select_median(x, n), tare_quantile(sorted, n, 0.5), 1e-15 * (double)n);
    }
}

/* 100 pairs, more than the stack holds: both intervals by sorting all averages. */
static void test_by_sorting(void **state)
{
    (void)state;
    enum { n = 100, size = n * (n + 1) / 2 };
    unsigned short seed[3] = {5, 6, 7};
    double d[n], estimate = 0, bound = 0, *walsh = malloc(size * sizeof *walsh);
    assert_non_null(walsh);
    for (int i = 0; i < n; i++) {
        d[i] = log(erand48(seed));
    }
    assert_int_equal(tare_walsh(d, n, walsh), size);
    qsort(walsh, size, sizeof *walsh, compare);
    struct tare_interval got;
    assert_int_equal(tare_signed_rank_interval(d, n, 0.99, &estimate, &got, NULL), 0);
    size_t k = tare_signed_rank_critical(n, 0.005, NULL);
    assert_int_equal(k, 1780); /* and the level: in whole numbers by a separate Python program */
    assert_true(got.ok && got.low == walsh[k - 1] && got.high == walsh[size - k]);
    assert_near(got.level, 0.99004726906043661, 1e-15);
    assert_near(estimate, 0.5 * walsh[size / 2 - 1] + 0.5 * walsh[size / 2], 1e-15);
    assert_int_equal(tare_signed_rank_bound(d, n, 0.005, &bound, NULL), 0);
    assert_true(bound == got.low);
    free(walsh);
}

static void test_least_n(void **state)
{
    (void)state;
    static const struct {
        double alpha;
        size_t n;
    } cases[] = {{0.05, 5},   {0.025, 6}, {0.01, 7}, {0.005, 8},
                 {0.001, 10}, {0.125, 3}, {0.5, 1},  {0, SIZE_MAX}};
    double d[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, bound = 0, estimate = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double alpha = cases[i].alpha;
        assert_int_equal(tare_signed_rank_least_n(alpha), cases[i].n);
        for (size_t n = 1; n <= 12 && alpha > 0 && alpha < 0.5; n++) {
            struct tare_interval got = {.ok = true};
            assert_int_equal(tare_signed_rank_bound(d, n, alpha, &bound, NULL), 0);
            assert_int_equal(isfinite(bound), n >= cases[i].n);
            assert_int_equal(tare_signed_rank_interval(d, n, 1 - 2 * alpha, &estimate, &got, NULL), 0);
            assert_int_equal(got.ok, n >= cases[i].n);
            assert_near(estimate, (1 + (double)n) / 2, 1e-15);
        }
    }
    struct tare_interval none;
    assert_int_equal(tare_signed_rank_interval(d, 5, 0.95, &estimate, &none, NULL), 0);
    assert_string_equal(none.method, "n too small, 6 pairs needed");
    assert_int_equal(tare_mann_whitney_interval(d, 3, d, 3, 0.95, &estimate, &none, NULL), 0);
    assert_true(!none.ok && strstr(none.method, "n too small") && estimate == 0);
}

static void test_usage(void **state)
{
    (void)state;
    static const double fine[] = {1, 2, 3}, lost[] = {1, (double)NAN, 3},
                        endless[] = {(double)INFINITY, 1, 2};
    double out = 77;
    struct tare_interval got = {.low = 77};
    struct tare_err err = {0};
    static const struct {
        const double *d;
        size_t n;
        double level;
    } cases[] = {{fine, 0, 0.95}, {lost, 3, 0.95}, {endless, 3, 0.95}, {fine, 3, 0},
                 {fine, 3, 1},    {fine, 3, 95},   {fine, 4001, 0.95}, {fine, 3, (double)NAN}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double *d = cases[i].d;
        size_t n = cases[i].n;
        double level = cases[i].level;
        assert_int_equal(tare_signed_rank_interval(d, n, level, &out, &got, &err), TARE_E_USAGE);
        assert_int_equal(tare_signed_rank_bound(d, n, (1 - level) / 2, &out, &err), TARE_E_USAGE);
        assert_int_equal(tare_mann_whitney_interval(d, n, fine, 4000, level, &out, &got, &err), TARE_E_USAGE);
        if (n != 4001) {
            assert_int_equal(tare_mann_whitney_interval(fine, 3, d, n, level, &out, &got, &err),
                             TARE_E_USAGE);
        }
    }
    assert_true(out == 77 && got.low == 77 && err.msg[0]);
}

static void test_words(void **state)
{
    (void)state;
    static const struct {
        double low, high, tost_low, tost_high, margin;
        const char *higher, *lower;
        const char *why;
    } cases[] = {
        {0.1, 0.3, 0.12, 0.28, 0.02, "better", "worse", "all above 0"},
        {-0.3, -0.1, -0.28, -0.12, 0.02, "worse", "better", "all below 0"},
        {-0.3, 0.1, -0.28, 0.08, 0.02, "undecided", "undecided", "both sides of 0"},
        {-0.03, 0.03, -0.019, 0.019, 0.02, "equivalent", "equivalent", "the inner one is within"},
        {-0.03, 0.03, -0.02, 0.019, 0.02, "undecided", "undecided", "within means not on the margin"},
        {0.005, 0.015, 0.006, 0.014, 0.02, "equivalent", "equivalent",
         "shown to differ, by less than counts"},
        {0, 0.3, 0.01, 0.28, 0.02, "undecided", "undecided", "0 is not excluded"},
        {-0.01, 0.01, -0.005, 0.005, 0, "undecided", "undecided", "no margin, no equivalence"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_interval two = {.ok = true, .low = cases[i].low, .high = cases[i].high};
        struct tare_interval tost = {.ok = true, .low = cases[i].tost_low, .high = cases[i].tost_high};
        double margin = cases[i].margin;
        assert_string_equal(tare_word_text(tare_word_of(&two, &tost, margin, true)), cases[i].higher);
        assert_string_equal(tare_word_text(tare_word_of(&two, &tost, margin, false)), cases[i].lower);
        two.ok = tost.ok = false;
        assert_int_equal(tare_word_of(&two, &tost, margin, true), TARE_WORD_UNDECIDED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_depression), cmocka_unit_test(test_permeability), cmocka_unit_test(test_select),
        cmocka_unit_test(test_by_sorting), cmocka_unit_test(test_least_n),      cmocka_unit_test(test_usage),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
