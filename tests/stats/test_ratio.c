/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proportions and ratios. Wilson's limits and normal quantiles were computed with 30 digits by a separate
 * Python program. How often ratios cover the truth: test_coverage.c.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stats/interval.h"

static void assert_near(double got, double expected, double error)
{
    if (!(fabs(got - expected) <= error)) {
        fail_msg("%.17g, not %.17g", got, expected);
    }
}

static void test_normal_quantile(void **state)
{
    (void)state;
    static const struct {
        double p, x;
    } cases[] = {
        {0.5, 0},
        {0.9, 1.2815515655446006},
        {0.975, 1.9599639845400539},
        {0.025, -1.9599639845400542},
        {0.995, 2.5758293035489005},
        {0.84134474606854292, 1},
        {1e-6, -4.753424308822899},
        {0.999999, 4.7534243088170878},
        {0x1p-40, -7.0477002566644087},
        {1 - 0x1p-40, 7.0477002566644087},
        {1e-300, -37.047096299361199},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_near(tare_normal_quantile(cases[i].p), cases[i].x, 1e-9);
    }
}

static void test_wilson(void **state)
{
    (void)state;
    static const struct {
        int64_t k, n;
        double low, high;
    } cases[] = {
        {0, 10, 0, 0.2775327998628893},
        {10, 10, 0.7224672001371107, 1},
        {5, 10, 0.236593090512564, 0.763406909487436},
        {1, 50, 0.003539259271646232, 0.1049544358963781},
        {299, 300, 0.9813633063054688, 0.9994113422781488},
        {500, 1000, 0.4690696003681042, 0.5309303996318958},
        {0, 1, 0, 0.7934506856227626},
        {81, 263, 0.2552885198782742,
         0.3662095769828001}, /* the example of Newcombe, 1998: 0.2553 .. 0.3662 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_interval got = tare_wilson(cases[i].k, cases[i].n, 0.95);
        assert_true(got.ok && got.level == 0.95);
        assert_near(got.low, cases[i].low, 1e-12);
        assert_near(got.high, cases[i].high, 1e-12);
        assert_true(got.low >= 0 && got.high <= 1);
    }
    assert_true(tare_wilson(0, 10, 0.95).low == 0);
    assert_true(tare_wilson(10, 10, 0.95).high == 1);
    assert_false(tare_wilson(0, 0, 0.95).ok);
}

static struct tare_interval ratio(const double *num, const double *den, size_t n, uint64_t seed)
{
    struct tare_interval got = {.ok = true, .low = 77};
    struct tare_err err = {0};
    assert_int_equal(tare_ratio_interval(num, den, n, 0.95, seed, &got, &err), 0);
    assert_non_null(got.method);
    return got;
}

static void test_small(void **state)
{
    (void)state;
    static const double num[] = {0, 1, 5, 5}, ones[] = {1, 1, 1, 1}, zeros[] = {0, 0, 0, 0},
                        some[] = {0, 1, 1, 1};
    static const double same_num[] = {3, 6, 1.5, 9}, same_den[] = {2, 4, 1, 6},
                        lost[] = {1, (double)NAN, 1, 1};
    assert_false(ratio(num, ones, 0, 1).ok);
    assert_false(ratio(num, ones, 1, 1).ok);
    /* Two units say next to nothing: 0.5 +- t with one degree of freedom. */
    struct tare_interval got = ratio(num, ones, 2, 1);
    assert_true(got.ok && got.level == 0.95 && strcmp(got.method, "Fieller") == 0);
    assert_near(got.high - 0.5, 12.7062047361746933 / 2, 1e-12);
    assert_near(0.5 - got.low, 12.7062047361746933 / 2, 1e-12);
    /* Every unit has the same ratio: nothing is uncertain. */
    got = ratio(same_num, same_den, 4, 1);
    assert_true(got.ok && got.low == 1.5 && got.high == 1.5);
    assert_false(ratio(num, zeros, 4, 1).ok);
    assert_false(ratio(num, some, 2, 1).ok); /* a denominator of 0.5 +- 6 */
    assert_false(ratio(lost, ones, 4, 1).ok);
}

static void test_seed(void **state)
{
    (void)state;
    double num[30], den[30];
    for (int i = 0; i < 30; i++) {
        num[i] = (i * 7) % 11;
        den[i] = 1 + i % 3;
    }
    struct tare_interval a = ratio(num, den, 30, 5), b = ratio(num, den, 30, 5), c = ratio(num, den, 30, 6);
    assert_true(a.low == b.low && a.high == b.high);
    assert_true(a.low != c.low || a.high != c.high);
    assert_true(fabs(a.low - c.low) < 0.1 * (a.high - a.low)); /* another draw, not another answer */
    assert_true(fabs(a.high - c.high) < 0.1 * (a.high - a.low));
}

/* Wilson's limits from their closed form, for any effective number of trials. */
static void assert_wilson(struct tare_interval got, double p, double n)
{
    const double z2 = 1.9599639845400542 * 1.9599639845400542;
    double center = (p + z2 / (2 * n)) / (1 + z2 / n);
    double half = sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n);
    assert_true(got.ok && got.level == 0.95);
    assert_near(got.low, center - half, 1e-12);
    assert_near(got.high, center + half, 1e-12);
}

static void test_cluster(void **state)
{
    (void)state;
    double num[100], den[100];
    const double few = 1.9599639845400542 / 1.9842169515864171; /* z over t with 99 degrees of freedom */
    for (int i = 0; i < 100; i++) { /* one trial each: n - 1 of them, for the variance is estimated */
        num[i] = i % 4 == 0;
        den[i] = 1;
    }
    assert_wilson(tare_cluster_proportion(num, den, 100, 0.95), 0.25, 99 * few * few);
    for (int i = 0; i < 100; i++) { /* five trials that always agree are worth one */
        num[i] = i % 4 == 0 ? 5 : 0;
        den[i] = 5;
    }
    assert_wilson(tare_cluster_proportion(num, den, 100, 0.95), 0.25, 99 * few * few);
    for (int i = 0; i < 100; i++) { /* trials that all but cancel: never more than there are */
        num[i] = 2 + i % 2;
    }
    assert_wilson(tare_cluster_proportion(num, den, 100, 0.95), 0.5, 500);
    for (int i = 0; i < 100; i++) { /* all right: as many as units, not trials */
        num[i] = 5;
    }
    assert_wilson(tare_cluster_proportion(num, den, 100, 0.95), 1, 100);
    assert_string_equal(tare_cluster_proportion(num, den, 100, 0.95).method,
                        "Wilson score, each item one trial");
    num[3] = 4; /* one wrong of 500, in one unit */
    assert_wilson(tare_cluster_proportion(num, den, 100, 0.95), 0.998, 100);
    memset(num, 0, sizeof num);
    assert_wilson(tare_cluster_proportion(num, den, 100, 0.95), 0, 100);
    assert_false(tare_cluster_proportion(num, den, 1, 0.95).ok);
    assert_false(tare_cluster_proportion(num, num, 100, 0.95).ok);
    num[3] = (double)NAN;
    assert_false(tare_cluster_proportion(num, den, 100, 0.95).ok);
    num[3] = 0;
    den[7] = 1e6; /* one item is nearly all there is */
    assert_false(tare_cluster_proportion(num, den, 100, 0.95).ok);
}

/* Units that agree within themselves: of 2000 experiments 94 to 98 % hold the truth, give or take
 * 1 %, and more where failures are so rare that they cannot be told apart from none. */
static void test_cluster_coverage(void **state)
{
    (void)state;
    static const struct {
        double easy, p; /* share of units without a fault; success in the others */
    } cases[] = {{0, 0.5}, {0.5, 0.8}, {0.9, 0.5}, {0.98, 0.9}};
    unsigned short seed[3] = {7, 8, 9};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        double truth = cases[c].easy + (1 - cases[c].easy) * cases[c].p;
        int held = 0;
        for (int trial = 0; trial < 2000; trial++) {
            double num[100] = {0}, den[100];
            for (int i = 0; i < 100; i++) {
                bool easy = erand48(seed) < cases[c].easy;
                den[i] = 1 + floor(10 * erand48(seed));
                for (int k = 0; k < (int)den[i]; k++) {
                    num[i] += easy || erand48(seed) < cases[c].p;
                }
            }
            struct tare_interval got = tare_cluster_proportion(num, den, 100, 0.95);
            held += got.ok && got.low <= truth && got.high >= truth;
        }
        if (held < 1860 || held > (truth > 0.99 ? 2000 : 1980)) {
            fail_msg("truth %g: %d of 2000 intervals hold it", truth, held);
        }
    }
}

/* Above 20000 units: a share of one half has the standard error sqrt(n / (n - 1) / (4 n)). */
static void test_many(void **state)
{
    (void)state;
    enum { n = 20002 };
    double *num = malloc(n * sizeof *num), *den = malloc(n * sizeof *den);
    assert_true(num && den);
    for (int i = 0; i < n; i++) {
        num[i] = i % 2;
        den[i] = 1;
    }
    double half = 1.9599639845400542 * sqrt((double)n / (n - 1) / (4.0 * n));
    struct tare_interval got = ratio(num, den, n, 1);
    assert_true(got.ok && strstr(got.method, "delta"));
    assert_near(got.low, 0.5 - half, 1e-12);
    assert_near(got.high, 0.5 + half, 1e-12);
    /* The bootstrap of nearly as many agrees to a tenth of the width. */
    struct tare_interval drawn = ratio(num, den, 20000, 1);
    assert_true(drawn.ok && strcmp(drawn.method, "BCa bootstrap, expanded") == 0);
    assert_near(drawn.low, got.low, 0.2 * half);
    assert_near(drawn.high, got.high, 0.2 * half);
    num[7] = (double)NAN;
    assert_false(ratio(num, den, n, 1).ok); /* no interval around what is no number */
    num[7] = (double)INFINITY;
    assert_false(ratio(num, den, n, 1).ok);
    memset(den, 0, n * sizeof *den);
    assert_false(ratio(num, den, n, 1).ok);
    free(num);
    free(den);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normal_quantile),
        cmocka_unit_test(test_wilson),
        cmocka_unit_test(test_small),
        cmocka_unit_test(test_seed),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_cluster),
        cmocka_unit_test(test_cluster_coverage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
