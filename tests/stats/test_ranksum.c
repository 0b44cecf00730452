/* SPDX-License-Identifier: Apache-2.0 */
/* The exact rank test: counts by hand, ties, symmetry. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "stats/series.h"

/* All of 5 below all of 5: 2 / C(10, 5). 3 below 4: 2 / C(7, 3). */
static void test_apart(void **state)
{
    (void)state;
    const double a[] = {1, 2, 3, 4, 5}, b[] = {6, 7, 8, 9, 10};
    assert_true(fabs(tare_series_rank_exact(a, 5, b, 5) - 2.0 / 252) < 1e-12);
    assert_true(fabs(tare_series_rank_exact(b, 5, a, 5) - 2.0 / 252) < 1e-12);
    assert_true(fabs(tare_series_rank_exact(a, 3, b, 4) - 2.0 / 35) < 1e-12);
}

/* {1, 1} against {1, 2}: mid-ranks 2, 2, 2, 4; the sum 4 of the first has probability 3 / 6. */
static void test_ties(void **state)
{
    (void)state;
    const double a[] = {1, 1}, b[] = {1, 2}, same[] = {4, 4, 4};
    assert_true(fabs(tare_series_rank_exact(a, 2, b, 2) - 1) < 1e-12);
    assert_true(tare_series_rank_exact(same, 3, same, 3) == 1);
}

/* A long side stands by 50 of its quantiles: 5 above 400 give 2 / C(55, 5). */
static void test_long(void **state)
{
    (void)state;
    double many[400];
    const double few[] = {1000, 1001, 1002, 1003, 1004};
    for (size_t i = 0; i < 400; i++) {
        many[i] = (double)i;
    }
    assert_true(fabs(tare_series_rank_exact(few, 5, many, 400) / (2.0 / 3478761) - 1) < 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_apart), cmocka_unit_test(test_ties),
                                       cmocka_unit_test(test_long)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
