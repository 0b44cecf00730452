/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paired answers, paired means and several tests at once, against published examples (named beside them),
 * whole numbers and closed forms.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stats/discrete.h"

static void assert_near(double got, double expected, double error)
{
    if (!(fabs(got - expected) <= error)) {
        fail_msg("%.17g, not %.17g", got, expected);
    }
}

/* By a separate Python program in whole numbers. 150 and 86: approval ratings of Agresti, "Categorical Data
 * Analysis", table 10.1; R's binom.test(86, 236) prints 3.716e-05. */
static void test_mcnemar(void **state)
{
    (void)state;
    static const struct {
        int64_t b, c;
        double p;
    } cases[] = {
        {150, 86, 0.0000371593613957144234},
        {0, 1, 1},
        {0, 6, 0.03125},
        {1, 9, 0.021484375},
        {5, 5, 1},
        {0, 0, 1},
        {12, 30, 0.00791589733489672653},
        {4, 5, 1},
        {1000, 1100, 0.030720707864242295},
        {0, 40, 1.81898940354585648e-12},
        {20000, 20400, 0.0471320970104284425},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_near(tare_mcnemar_p(cases[i].b, cases[i].c) / cases[i].p, 1, 1e-10);
        assert_true(tare_mcnemar_p(cases[i].b, cases[i].c) == tare_mcnemar_p(cases[i].c, cases[i].b));
    }
    assert_true(isnan(tare_mcnemar_p(-1, 3)));
    /* Agresti's example again: difference 0.04, standard error 0.0095 with n = 1600. */
    assert_near(tare_mcnemar_se(150, 86, 1600), 0.0095, 0.00005);
    assert_near(tare_mcnemar_se(3, 1, 100), sqrt(4 - 4.0 / 100) / 100, 1e-15);
    assert_true(tare_mcnemar_se(5, 0, 5) == 0 && isnan(tare_mcnemar_se(5, 1, 5)) &&
                isnan(tare_mcnemar_se(0, 0, 0)));
}

/* By a separate Python program with 40 digits, the restricted likelihood maximised numerically instead of
 * by its quadratic equation. 7 and 1 of 21: Bentur and others, 2009, in Fagerland, Lydersen and Laake,
 * Statistics in Medicine 33:2850, 2014, who print -0.517 .. -0.026. */
static void test_tango(void **state)
{
    (void)state;
    static const struct {
        int64_t b, c, n;
        double low, high;
    } cases[] = {
        {40, 20, 160, -0.2180642441668248, -0.03086453313308672},
        {7, 1, 21, -0.5172322764213774, -0.02600303248086854},
        {0, 0, 50, -0.07134759913335873, 0.07134759913335873},
        {0, 3, 30, -0.02486473249136565, 0.2562108257918408},
        {150, 86, 1600, -0.05899803330569942, -0.02136156475478723},
        {12, 9, 44, -0.2685625305279083, 0.1380341068258202},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_interval got = tare_paired_proportion(cases[i].b, cases[i].c, cases[i].n, 0.95);
        assert_true(got.ok && got.level == 0.95);
        assert_string_equal(got.method, "Tango score");
        assert_near(got.low, cases[i].low, 1e-12);
        assert_near(got.high, cases[i].high, 1e-12);
        struct tare_interval back = tare_paired_proportion(cases[i].c, cases[i].b, cases[i].n, 0.95);
        assert_true(back.low == -got.high && back.high == -got.low);
    }
    const double z2 = 1.9599639845400542 * 1.9599639845400542;
    for (int64_t n = 1; n < 3000; n = n * 3 + 1) { /* no flip, no certainty: z^2 / (n + z^2) */
        struct tare_interval got = tare_paired_proportion(0, 0, n, 0.95);
        assert_near(got.high, z2 / ((double)n + z2), 1e-12);
        assert_near(got.low, -got.high, 0);
        got = tare_paired_proportion(0, n, n, 0.95); /* all flip: up to 1 */
        assert_true(got.ok && got.high == 1 && got.low < 1 && got.low > -1);
    }
    assert_false(tare_paired_proportion(0, 0, 0, 0.95).ok);
    assert_false(tare_paired_proportion(6, 5, 10, 0.95).ok);
    assert_false(tare_paired_proportion(-1, 5, 10, 0.95).ok);
    assert_false(tare_paired_proportion(1, 5, 10, 1).ok);
}

/* Student, "The probable error of a mean", 1908: additional hours of sleep, the second drug less the first.
 * Mean 1.58; R's t.test of `sleep`: 0.7001142 .. 2.4598858. */
static void test_mean(void **state)
{
    (void)state;
    static const double d[] = {1.2, 2.4, 1.3, 1.3, 0, 1.0, 1.8, 0.8, 4.6, 1.4};
    double mean = 0, se = 0;
    struct tare_interval got;
    assert_int_equal(tare_paired_mean(d, NULL, 10, 0.95, &mean, &se, &got, NULL), 0);
    assert_true(got.ok && got.level == 0.95);
    assert_string_equal(got.method, "t");
    assert_near(mean, 1.58, 1e-12);
    assert_near(se, sqrt(1.5128888888888889 / 10), 1e-12); /* the sum of squares about the mean is 13.616 */
    assert_near(got.low, 0.7001142, 5e-8);
    assert_near(got.high, 2.4598858, 5e-8);
}

/* Clusters of equal size are their means; ids need no order. */
static void test_clusters(void **state)
{
    (void)state;
    static const double d[] = {1, 5, 2, 7, 3, 0, 2, 9};
    static const int64_t ids[] = {7, -2, 7, 90, 90, -2, 40, 40};
    static const double means[] = {1.5, 2.5, 5, 5.5};
    double mean = 0, se = 0, plain_mean = 0, plain_se = 0;
    struct tare_interval got, plain;
    assert_int_equal(tare_paired_mean(d, ids, 8, 0.9, &mean, &se, &got, NULL), 0);
    assert_int_equal(tare_paired_mean(means, NULL, 4, 0.9, &plain_mean, &plain_se, &plain, NULL), 0);
    assert_true(got.ok && plain.ok && strstr(got.method, "cluster"));
    assert_near(mean, plain_mean, 1e-14);
    assert_near(se, plain_se, 1e-14);
    assert_near(got.low, plain.low, 1e-12);
    assert_near(got.high, plain.high, 1e-12);
    /* Unequal ones by the formula: 3 items and twice 1; mean 2, sums of rests -3, 1 and 2. */
    static const double few[] = {1, 1, 1, 3, 4};
    static const int64_t three[] = {1, 1, 1, 2, 3};
    assert_int_equal(tare_paired_mean(few, three, 5, 0.9, &mean, &se, &got, NULL), 0);
    assert_near(mean, 2, 1e-15);
    assert_near(se, sqrt(2.0 / 3 * (2.25 + 1.0 / 16 + 0.25)), 1e-15); /* 3 / 2, 1 / 4, 2 / 4 */
    assert_near(got.high - mean, tare_t_quantile(0.95, 25.0 / 11 - 1) * se, 1e-14);
    /* Two thirds of all items in one text: there is one text, and something else. */
    static const int64_t one[] = {1, 1, 1, 1, 2, 3};
    static const double six[] = {1, 2, 1, 2, 3, 4};
    assert_int_equal(tare_paired_mean(six, one, 6, 0.9, &mean, &se, &got, NULL), 0);
    assert_true(got.ok); /* 36 / 18 = 2 is just enough */
    static const int64_t more[] = {1, 1, 1, 1, 1, 3};
    assert_int_equal(tare_paired_mean(six, more, 6, 0.9, &mean, &se, &got, NULL), 0);
    assert_true(!got.ok && strstr(got.method, "most of the items") && se > 0);
}

static void test_no_interval(void **state)
{
    (void)state;
    static const double same[] = {0.1, 0.1, 0.1}, lost[] = {0.1, (double)NAN}, two[] = {1, 3};
    static const int64_t one[] = {4, 4};
    double mean = 77, se = 77;
    struct tare_interval got = {.ok = true};
    struct tare_err err = {0};
    assert_int_equal(tare_paired_mean(lost, NULL, 2, 0.95, &mean, &se, &got, &err), TARE_E_USAGE);
    assert_int_equal(tare_paired_mean(two, NULL, 0, 0.95, &mean, &se, &got, &err), TARE_E_USAGE);
    assert_int_equal(tare_paired_mean(two, NULL, 2, 95, &mean, &se, &got, &err), TARE_E_USAGE);
    assert_true(mean == 77 && se == 77 && got.ok && err.msg[0]);
    assert_int_equal(tare_paired_mean(same, NULL, 3, 0.95, &mean, &se, &got, &err), 0);
    assert_true(!got.ok && strstr(got.method, "no spread"));
    assert_near(mean, 0.1, 1e-15);
    got.ok = true;
    assert_int_equal(tare_paired_mean(two, one, 2, 0.95, &mean, &se, &got, &err), 0);
    assert_true(!got.ok && isnan(se) && mean == 2);
    got.ok = true;
    assert_int_equal(tare_paired_mean(two, NULL, 1, 0.95, &mean, &se, &got, &err), 0);
    assert_true(!got.ok && mean == 1);
}

/* Items of a published sizing: a margin of 1 point with 5 % flips needs 4,282. */
static void test_equivalence_n(void **state)
{
    (void)state;
    assert_near(tare_equivalence_n(0.05, 0.01), 4282, 0.5);
    assert_near(tare_equivalence_n(0.02, 0.01), 1713, 0.5);
    assert_near(tare_equivalence_n(0.10, 0.02), 2141, 0.5);
    assert_near(tare_equivalence_n(1, 1), 8.5638, 0.0001);
    assert_true(isnan(tare_equivalence_n(0.1, 0)) && isnan(tare_equivalence_n(-1, 1)));
}

/* Benjamini and Hochberg, 1995, section 3.2: fifteen p values of a study of myocardial infarction. At 0.05
 * Bonferroni and Holm reject 3, their procedure 4. */
static const double infarction[15] = {0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
                                      0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000};

static int count_below(const double *p, size_t n, double bar)
{
    int below = 0;
    for (size_t i = 0; i < n; i++) {
        below += p[i] <= bar;
    }
    return below;
}

static void test_several(void **state)
{
    (void)state;
    double holm[16], bh[16];
    for (size_t i = 0; i < 15; i++) { /* any order, and one without a p value between them */
        size_t at = (7 * i + 3) % 15;
        holm[at] = bh[at] = infarction[i];
    }
    holm[15] = bh[15] = (double)NAN;
    assert_int_equal(tare_holm(holm, 16, NULL), 0);
    assert_int_equal(tare_benjamini_hochberg(bh, 16, NULL), 0);
    assert_true(isnan(holm[15]) && isnan(bh[15]));
    assert_int_equal(count_below(holm, 15, 0.05), 3);
    assert_int_equal(count_below(bh, 15, 0.05), 4);
    for (size_t i = 0; i < 15; i++) { /* by their definitions */
        double step_down = 0, step_up = 1;
        for (size_t j = 0; j <= i; j++) {
            step_down = fmax(step_down, (double)(15 - j) * infarction[j]);
        }
        for (size_t j = i; j < 15; j++) {
            step_up = fmin(step_up, 15 * infarction[j] / (double)(j + 1));
        }
        assert_near(holm[(7 * i + 3) % 15], fmin(1, step_down), 1e-15);
        assert_near(bh[(7 * i + 3) % 15], step_up, 1e-15);
    }
    assert_near(bh[(7 * 3 + 3) % 15], 0.035625, 1e-15);
    assert_near(bh[(7 * 5 + 3) % 15], 0.0298 * 15 / 7, 1e-15); /* 0.0278 takes what the next one has */
}

/* R's manual of p.adjust has no values; these are small enough for a sheet of paper. */
static void test_several_small(void **state)
{
    (void)state;
    double holm[] = {0.01, 0.04, 0.03, 0.005}, bh[] = {0.01, 0.04, 0.03, 0.005}, wrong[] = {0.1, 1.1};
    static const double by_holm[] = {0.03, 0.06, 0.06, 0.02}, by_bh[] = {0.02, 0.04, 0.04, 0.02};
    assert_int_equal(tare_holm(holm, 4, NULL), 0);
    assert_int_equal(tare_benjamini_hochberg(bh, 4, NULL), 0);
    for (int i = 0; i < 4; i++) {
        assert_near(holm[i], by_holm[i], 1e-15);
        assert_near(bh[i], by_bh[i], 1e-15);
    }
    assert_int_equal(tare_holm(wrong, 2, NULL), TARE_E_USAGE);
    assert_int_equal(tare_benjamini_hochberg(wrong, 2, NULL), TARE_E_USAGE);
    assert_true(wrong[0] == 0.1 && wrong[1] == 1.1);
    assert_int_equal(tare_holm(NULL, 0, NULL), 0);
    assert_int_equal(tare_benjamini_hochberg(NULL, 0, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mcnemar),     cmocka_unit_test(test_tango),
        cmocka_unit_test(test_mean),        cmocka_unit_test(test_clusters),
        cmocka_unit_test(test_no_interval), cmocka_unit_test(test_equivalence_n),
        cmocka_unit_test(test_several),     cmocka_unit_test(test_several_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
