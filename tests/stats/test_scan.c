/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks against values that can be worked out by hand. */
#include "stats/series.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* A step between two levels: the split is where it is, whatever the size of the step. */
static void test_scan(void **state)
{
    double x[40], scratch[120];
    (void)state;
    for (size_t at = 8; at <= 32; at += 8) {
        for (size_t i = 0; i < 40; i++) {
            x[i] = (double)(i * 7919 % 101) / 1000 + (i >= at ? 5 : 0);
        }
        size_t split = 0;
        double found = tare_series_scan(x, 40, scratch, &split);
        assert_int_equal(split, at);
        assert_true(found > tare_series_critical(40));
    }
    size_t split = 99;
    assert_true(tare_series_scan(x, 9, scratch, &split) == 0); /* two parts of 5 have no room */
    for (size_t i = 0; i < 40; i++) {
        x[i] = 3;
    }
    assert_true(tare_series_scan(x, 40, scratch, &split) == 0); /* equal values change nowhere */
}

static void test_critical(void **state)
{
    (void)state;
    double last = 0;
    for (size_t n = 20; n < 100000; n *= 3) {
        double c = tare_series_critical(n);
        assert_true(c > 3 && c < 6); /* one in 1000 over many splits lies beyond one in 1000 of a normal */
        assert_true(c >= last - 0.05);
        last = c;
    }
}

static void test_shift(void **state)
{
    static const double a[] = {1, 2, 3}, b[] = {4, 6, 11};
    (void)state;
    assert_true(tare_series_shift(a, 3, b, 3) == 4); /* 1 2 3 3 4 5 8 9 10 */
    assert_true(tare_series_shift(b, 3, a, 3) == -4);
    assert_true(tare_series_shift(a, 1, b, 1) == 3);
}

/* U = 0 of 5 and 5: z = (12.5 - 0.5) / sqrt(25 x 11 / 12). */
static void test_rank_test(void **state)
{
    static const double a[] = {1, 2, 3, 4, 5}, b[] = {6, 7, 8, 9, 10};
    (void)state;
    double z = 12 / sqrt(25 * 11 / 12.0);
    assert_true(fabs(tare_series_rank_test(a, 5, b, 5) - erfc(z / sqrt(2))) < 1e-12);
    assert_true(fabs(tare_series_rank_test(b, 5, a, 5) - erfc(z / sqrt(2))) < 1e-12);
    assert_true(tare_series_rank_test(a, 5, a, 5) > 0.9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_scan), cmocka_unit_test(test_critical),
                                       cmocka_unit_test(test_shift), cmocka_unit_test(test_rank_test)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
