/* SPDX-License-Identifier: Apache-2.0 */
/* The published rules on numbers that can be worked out by hand. */
#include "near.h"

#include "formulas.h"
#include "stats/line.h"

static void test_elue(void **state)
{
    (void)state;
    const double x[] = {1, 2, 4}, y[] = {10, 20, 30};
    static const struct {
        double at, expected;
        bool clamped;
    } cases[] = {{1, 10, false}, {1.5, 15, false}, {2, 20, false}, {3, 25, false},
                 {4, 30, false}, {0.5, 10, true},  {9, 30, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool clamped = false;
        assert_near(tare_interpolate(x, y, 3, cases[i].at, &clamped), cases[i].expected, 1e-12);
        assert_int_equal(clamped, cases[i].clamped);
    }
    /* 5 above the curve at 1.5, 1 below it at 3, 2 above its end at 8, which is outside. */
    const double flops[] = {1.5, 3, 8}, performance[] = {20, 24, 32};
    size_t clamped = 0;
    assert_near(tare_elue(flops, performance, 3, x, y, 3, &clamped), 2, 1e-12);
    assert_int_equal(clamped, 1);
    assert_true(isnan(tare_elue(flops, performance, 0, x, y, 3, &clamped)));
}

static void test_mrr(void **state)
{
    (void)state;
    const int64_t ranks[] = {1, 2, 10, 11, 0, 4};
    assert_near(tare_mrr10(ranks, 6), (1 + 0.5 + 0.1 + 0 + 0 + 0.25) / 6, 1e-15);
    assert_true(isnan(tare_mrr10(ranks, 0)));
}

static void test_steady_window(void **state)
{
    (void)state;
    /* Four requests, two at a time: from the second first token to the end of the 4 - 2 - 1 = 1st. */
    double first[] = {0.2, 0.1, 0.9, 0.8}, end[] = {0.7, 0.6, 1.5, 1.4}, begin_s = 0, end_s = 0;
    assert_true(tare_steady_window(first, end, 4, 2, &begin_s, &end_s));
    assert_near(begin_s, 0.2, 0);
    assert_near(end_s, 0.6, 0);
    assert_false(tare_steady_window(first, end, 3, 2, &begin_s, &end_s)); /* 3 - 2 - 1 = 0 have finished */
    assert_false(tare_steady_window(first, end, 4, 0, &begin_s, &end_s));
    double late[] = {5, 6, 7, 8};
    assert_false(tare_steady_window(late, end, 4, 2, &begin_s, &end_s)); /* it would end before it begins */
}

static void test_runtime(void **state)
{
    (void)state;
    /* f(100) = 1 s, f(200) = 3 s, g = 0.01 s: exact data are found exactly. */
    const double n_in[] = {100, 100, 200, 200, 200}, n_out[] = {1, 51, 1, 11, 101}, t[] = {1, 1.5, 3, 3.1, 4};
    struct tare_runtime_fit fit;
    assert_true(tare_runtime_fit(n_in, n_out, t, 5, &fit));
    assert_near(fit.g_s, 0.01, 1e-12);
    assert_near(fit.f_s[0], 1, 1e-12);
    assert_near(fit.f_s[1], 3, 1e-12);
    assert_near(fit.residual_s, 0, 1e-12);
    assert_int_equal(fit.df, 2);
    assert_near(tare_runtime_predict(&fit, 100, 11), 1.1, 1e-12);
    assert_near(tare_runtime_predict(&fit, 150, 1), 3 * 150 / 200.0,
                1e-12);                                        /* the next longer one, in proportion */
    assert_near(tare_runtime_predict(&fit, 400, 1), 6, 1e-12); /* beyond: the longest one scaled up */
    assert_near(tare_runtime_predict(&fit, 100, 0), 1, 1e-12); /* nothing put out: no g */
    const double same[] = {5, 5, 5, 5, 5};
    assert_false(tare_runtime_fit(n_in, same, t, 5, &fit)); /* one length of output: g is not to be had */
}

/* A residual that is known: y = x + (1, -2, 1) is the textbook's orthogonal error. */
static void test_line(void **state)
{
    (void)state;
    const double x[] = {-1, 0, 1}, y[] = {0, -2, 2};
    struct tare_fit_line line = tare_line_fit(x, y, 3);
    assert_near(line.slope, 1, 1e-12);
    assert_near(line.intercept, 0, 1e-12);
    assert_near(line.residual, sqrt(6.0), 1e-12);
    assert_near(line.slope_se, sqrt(6.0 / 2), 1e-12);
    assert_near(tare_line_band(&line, 0), 12.706204736 * sqrt(6.0) * sqrt(1 / 3.0), 1e-6);
    assert_true(isnan(tare_line_fit(x, y, 2).residual));
    const double flat[] = {3, 3, 3};
    assert_true(isnan(tare_line_fit(flat, y, 3).slope));
}

static void test_break_even(void **state)
{
    (void)state;
    assert_near(tare_break_even(10, 3, 1), 5, 0);
    assert_true(isinf(tare_break_even(10, 1, 1))); /* nothing is saved */
    assert_true(isinf(tare_break_even(10, 1, 2))); /* it costs more */
    assert_near(tare_break_even(0, 1, 2), 0, 0);   /* nothing to repay */
    assert_true(isnan(tare_break_even((double)NAN, 3, 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elue),    cmocka_unit_test(test_mrr),  cmocka_unit_test(test_steady_window),
        cmocka_unit_test(test_runtime), cmocka_unit_test(test_line), cmocka_unit_test(test_break_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
