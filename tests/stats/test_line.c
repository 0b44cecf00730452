/* SPDX-License-Identifier: Apache-2.0 */
/* The slope of a line: exact cases, and an example with its interval. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "stats/line.h"

static void test_exact_line(void **state)
{
    (void)state;
    const double x[] = {0, 1, 2, 5}, y[] = {3, 5, 7, 13};
    struct tare_fit_line l = tare_line_fit(x, y, 4);
    struct tare_interval i = tare_line_slope(&l, 0.95);
    assert_true(i.ok && fabs(l.slope - 2) < 1e-12 && fabs(l.intercept - 3) < 1e-12);
    assert_true(fabs(i.low - 2) < 1e-9 && fabs(i.high - 2) < 1e-9);
}

/* y = {1, 3, 2} over x = {1, 2, 3}: slope 1/2, rest 3/2, standard error sqrt(3)/2; t(0.975, 1)
 * = 12.7062047364. */
static void test_by_hand(void **state)
{
    (void)state;
    const double x[] = {1, 2, 3}, y[] = {1, 3, 2};
    struct tare_fit_line l = tare_line_fit(x, y, 3);
    struct tare_interval i = tare_line_slope(&l, 0.95);
    double half = 12.706204736432095 * sqrt(3) / 2;
    assert_true(fabs(l.slope - 0.5) < 1e-12 && fabs(l.intercept - 1) < 1e-12);
    assert_true(fabs(i.low - (0.5 - half)) < 1e-8 && fabs(i.high - (0.5 + half)) < 1e-8);
}

static void test_too_little(void **state)
{
    (void)state;
    const double x[] = {1, 1, 1}, y[] = {1, 2, 3};
    for (size_t n = 0; n <= 3; n++) {
        struct tare_fit_line l = tare_line_fit(x, y, n);
        assert_false(tare_line_slope(&l, 0.95).ok);
        assert_true(isnan(l.slope));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_exact_line), cmocka_unit_test(test_by_hand),
                                       cmocka_unit_test(test_too_little)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
