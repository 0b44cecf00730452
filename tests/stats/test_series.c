/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Series: autocorrelation against closed forms, changes of level against simulated series. Seeds are fixed,
 * so every share below is one number that can be looked at; bounds are the specified operating points.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stats/interval.h"
#include "stats/series.h"

#include <tare/rng.h>

static const double one_percent = 0.00995033085316809; /* ln 1.01 */

static void assert_near(double got, double expected, double error)
{
    if (!(fabs(got - expected) <= error)) {
        fail_msg("%.17g, not %.17g", got, expected);
    }
}

static double normal(struct tare_rng *rng)
{
    double u = 1 - tare_rng_unit(rng), v = tare_rng_unit(rng);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

enum noise { NORMAL, SKEWED, OUTLIERS, TIED };

/* Relative noise of coefficient 2 %: normal; log-normal with 4 times the spread; 3 % of the values 10 to 50 %
 * above; rounded to 1 %. */
static double noisy(struct tare_rng *rng, enum noise noise)
{
    double x = 0.02 * normal(rng);
    switch (noise) {
    case NORMAL:
        return x;
    case SKEWED:
        return 0.02 * (exp(normal(rng)) - 1);
    case OUTLIERS:
        return x + (tare_rng_unit(rng) < 0.03 ? 0.1 + 0.4 * tare_rng_unit(rng) : 0);
    default:
        return round(100 * x) / 100;
    }
}

static void test_autocorrelation(void **state)
{
    (void)state;
    static const double saw[] = {1, -1, 1, -1, 1, -1}, ramp[] = {1, 2, 3, 4, 5}, same[] = {3, 3, 3, 3};
    assert_near(tare_series_lag1(saw, 6), -5.0 / 6, 1e-15);
    assert_near(tare_series_lag1(ramp, 5), 0.4, 1e-15); /* (2 + 0 + 0 + 2) / 10 */
    assert_true(isnan(tare_series_lag1(same, 4)));
    assert_true(isnan(tare_series_lag1(ramp, 2)));
    assert_true(isnan(tare_series_time(same, 4)));
    assert_near(tare_series_effective_n(100, 0.5), 100.0 / 3, 1e-12);
    assert_near(tare_series_effective_n(100, 0), 100, 0);
    assert_near(tare_series_effective_n(100, -0.5), 100, 0); /* never more than there are */
    assert_near(tare_series_effective_n(100, 0.9999), 1, 0); /* never less than one */
    assert_true(isnan(tare_series_effective_n(100, (double)NAN)));
}

/* AR(1) with r: lag 1 is r, the integrated time (1 + r) / (1 - r). */
static void test_autoregression(void **state)
{
    (void)state;
    enum { n = 100000 };
    double *x = malloc(n * sizeof *x);
    struct tare_rng rng;
    assert_non_null(x);
    tare_rng_init(&rng, 7);
    static const double rs[] = {0, 0.3, 0.7};
    for (size_t i = 0; i < 3; i++) {
        double r = rs[i], innovation = sqrt(1 - r * r), tau = (1 + r) / (1 - r);
        x[0] = normal(&rng);
        for (size_t j = 1; j < n; j++) {
            x[j] = r * x[j - 1] + innovation * normal(&rng);
        }
        assert_near(tare_series_lag1(x, n), r, 0.01);
        assert_near(tare_series_time(x, n), tau, 0.1 * tau);
        /* The standard error of the mean is sqrt(tau / n), and that of batches finds it. */
        assert_near(tare_series_batch_se(x, n, 200), sqrt(tau / n), 0.15 * sqrt(tau / n));
    }
    free(x);
}

static void test_batches(void **state)
{
    (void)state;
    static const double x[] = {1, 3, 5, 7, 100}; /* batches of 2: 2, 6; the last value is left out */
    assert_near(tare_series_batch_se(x, 5, 2), 2, 1e-12);
    assert_true(isnan(tare_series_batch_se(x, 5, 3)));
    assert_true(isnan(tare_series_batch_se(x, 5, 0)));
}

/* All differences are written out: medians by hand. */
static void test_shift(void **state)
{
    (void)state;
    static const double a[] = {1, 2, 4}, b[] = {2, 5}, c[] = {3, 4, 10}, d[] = {1, 1, 1};
    assert_near(tare_series_shift(a, 3, b, 2), 1, 1e-12); /* -2 0 1 1 3 4 */
    assert_near(tare_series_shift(a, 3, c, 3), 2, 1e-12); /* -1 0 1 2 2 3 6 8 9 */
    assert_near(tare_series_shift(c, 3, a, 3), -2, 1e-12);
    assert_near(tare_series_shift(b, 2, b, 2), 0, 1e-12); /* -3 0 0 3 */
    assert_near(tare_series_shift(d, 3, d, 3), 0, 0);
    assert_near(tare_series_shift(a, 1, b, 1), 1, 0);
}

/* U and its variance by hand: z = (|U - m/2| - 0.5) / s, p = erfc(z / sqrt 2). */
static void test_rank_test(void **state)
{
    (void)state;
    static const double a[] = {1, 2, 3, 4, 5}, b[] = {6, 7, 8, 9, 10}, c[] = {1, 2, 2, 3}, d[] = {2, 3, 4, 5};
    assert_near(tare_series_rank_test(a, 5, b, 5), erfc(12.0 / sqrt(25 * 11.0 / 12) / sqrt(2)), 1e-14);
    /* ranks of c: 1, 3, 3, 5.5 = 12.5, U = 2.5; ties: 3 twos, 2 threes, so 24 + 6 */
    assert_near(tare_series_rank_test(c, 4, d, 4), erfc(5.0 / sqrt(16.0 / 12 * (9 - 30.0 / 56)) / sqrt(2)),
                1e-14);
    assert_near(tare_series_rank_test(a, 5, a, 5), 1, 0);
}

/* The scan by its definition, on a step: ranks 1 .. 5 then 6 .. 10, sum 12.5 below its mean, s^2 = 55/6. */
static void test_scan(void **state)
{
    (void)state;
    double x[] = {3, 1, 2, 5, 4, 9, 7, 8, 6, 10}, same[10] = {0}, scratch[30];
    size_t split = 9;
    assert_near(tare_series_scan(x, 10, scratch, &split), 12.5 / sqrt(55.0 / 6 * 2.5), 1e-12);
    assert_int_equal(split, 5);
    assert_near(tare_series_scan(same, 10, scratch, &split), 0, 0);
    assert_near(tare_series_scan(x, 9, scratch, &split), 0, 0);
    assert_true(tare_series_critical(10) > 2.6112); /* which no ten values pass */
}

/* Rows of the table, by shuffles of another seed: 1 in 1000 pass, within 4 standard deviations. */
static void test_table(void **state)
{
    (void)state;
    enum { trials = 20000, most = 200 };
    static const size_t sizes[] = {20, 50, 120, 200}; /* 50 is interpolated */
    double x[most], scratch[3 * most];
    struct tare_rng rng;
    tare_rng_init(&rng, 99);
    for (size_t i = 0; i < 4; i++) {
        size_t n = sizes[i], split = 0;
        int passed = 0;
        for (size_t j = 0; j < n; j++) {
            x[j] = (double)j;
        }
        for (int t = 0; t < trials; t++) {
            tare_rng_shuffle(&rng, x, n, sizeof *x);
            passed += tare_series_scan(x, n, scratch, &split) > tare_series_critical(n);
        }
        assert_near(passed, trials / 1000.0, 4 * sqrt(trials / 1000.0));
    }
}

/* How many of `trials` quiet series of n show any change. */
static int alarms(enum noise noise, size_t n, int trials, uint64_t seed)
{
    double x[200];
    int seen = 0;
    struct tare_rng rng;
    tare_rng_init(&rng, seed);
    for (int t = 0; t < trials; t++) {
        size_t *begins = NULL, parts = 0;
        for (size_t i = 0; i < n; i++) {
            x[i] = noisy(&rng, noise);
        }
        assert_int_equal(tare_series_parts(x, n, 0, &begins, &parts, NULL), 0);
        seen += parts > 1;
        free(begins);
    }
    return seen;
}

static void test_false_alarms(void **state)
{
    (void)state;
    enum { trials = 2000 };
    static const enum noise noises[] = {NORMAL, SKEWED, OUTLIERS, TIED};
    for (size_t i = 0; i < 4; i++) {
        for (size_t n = 60; n <= 120; n += 60) {
            int seen = alarms(noises[i], n, trials, 11 + i);
            if (seen > trials / 100) {
                fail_msg("noise %zu, n %zu: %d of %d", i, n, seen, trials);
            }
        }
    }
}

/* A step of 5 % in the middle is found within 3 values, and nothing else. */
static void test_step(void **state)
{
    (void)state;
    enum { trials = 500, n = 60 };
    static const enum noise noises[] = {NORMAL, OUTLIERS};
    struct tare_rng rng;
    tare_rng_init(&rng, 5);
    for (size_t k = 0; k < 2; k++) {
        int found = 0;
        for (int t = 0; t < trials; t++) {
            double x[n];
            size_t *begins = NULL, parts = 0;
            for (size_t i = 0; i < n; i++) {
                x[i] = noisy(&rng, noises[k]) + (i >= 30 ? log(1.05) : 0);
            }
            assert_int_equal(tare_series_parts(x, n, one_percent, &begins, &parts, NULL), 0);
            found += parts == 2 && begins[1] >= 27 && begins[1] <= 33;
            free(begins);
        }
        if (found < trials * 95 / 100) {
            fail_msg("noise %zu: %d of %d", k, found, trials);
        }
    }
}

/* AR(1) of 0.3: the raised bar keeps the alarms near 1 in 1000 where the plain one has 2 in 100. */
static void test_dependent(void **state)
{
    (void)state;
    enum { trials = 2000, n = 120 };
    int seen = 0;
    struct tare_rng rng;
    tare_rng_init(&rng, 3);
    for (int t = 0; t < trials; t++) {
        double x[n];
        size_t *begins = NULL, parts = 0;
        x[0] = normal(&rng);
        for (size_t i = 1; i < n; i++) {
            x[i] = 0.3 * x[i - 1] + sqrt(1 - 0.09) * normal(&rng);
        }
        assert_int_equal(tare_series_parts(x, n, 0, &begins, &parts, NULL), 0);
        seen += parts > 1;
        free(begins);
    }
    if (seen > trials * 15 / 1000) {
        fail_msg("%d of %d", seen, trials);
    }
}

/* Level of value i of n, in logs. */
static double shape(enum tare_course course, size_t i, size_t n)
{
    double at = (double)i / (double)n;
    switch (course) {
    case TARE_COURSE_WARM_UP:
        return 0.5 * exp(-(double)i / 8);
    case TARE_COURSE_SLOW_DOWN:
        return at < 0.3 ? 0 : log(1.08);
    case TARE_COURSE_NONE: /* it gets slower and slower */
        return 0.4 * at;
    default:
        return 0;
    }
}

static void test_courses(void **state)
{
    (void)state;
    enum { trials = 200, n = 120 };
    struct tare_rng rng;
    tare_rng_init(&rng, 21);
    for (int course = TARE_COURSE_FLAT; course <= TARE_COURSE_NONE; course++) {
        int right = 0;
        for (int t = 0; t < trials; t++) {
            double x[n];
            size_t first = n;
            enum tare_course got = 0;
            for (size_t i = 0; i < n; i++) {
                x[i] = shape((enum tare_course)course, i, n) + noisy(&rng, NORMAL);
            }
            assert_int_equal(tare_series_course(x, n, one_percent, &got, &first, NULL), 0);
            assert_true(first < n);
            right += (int)got == course;
        }
        if (right < trials * 95 / 100) {
            fail_msg("course %d: %d of %d", course, right, trials);
        }
    }
}

/* What is too small to be called steady is not, however flat; a shift below the least is none. */
static void test_edges(void **state)
{
    (void)state;
    double x[200];
    size_t first = 9, *begins = NULL, parts = 0;
    enum tare_course course = 0;
    memset(x, 0, sizeof x);
    assert_int_equal(tare_series_course(x, 19, one_percent, &course, &first, NULL), 0);
    assert_int_equal(course, TARE_COURSE_NONE);
    assert_int_equal(tare_series_course(x, 20, one_percent, &course, &first, NULL), 0);
    assert_int_equal(course, TARE_COURSE_FLAT);
    assert_int_equal(tare_series_course(x, 0, one_percent, &course, &first, NULL), 0);
    assert_int_equal(course, TARE_COURSE_NONE);
    for (size_t i = 100; i < 200; i++) {
        x[i] = 0.009;
    }
    assert_int_equal(tare_series_parts(x, 200, one_percent, &begins, &parts, NULL), 0);
    assert_int_equal(parts, 1);
    free(begins);
    assert_int_equal(tare_series_parts(x, 200, 0.008, &begins, &parts, NULL), 0);
    assert_int_equal(parts, 2);
    assert_int_equal(begins[1], 100);
    free(begins);
    for (size_t i = 0; i < 200; i++) { /* a ramp too small to matter does not hide a step */
        x[i] = 1e-6 * (double)i + (i >= 60 ? 0.2 : 0);
    }
    assert_int_equal(tare_series_parts(x, 200, one_percent, &begins, &parts, NULL), 0);
    assert_int_equal(parts, 2);
    assert_in_range(begins[1], 58, 62);
    free(begins);
}

/* 7 below 8 others: the scan takes it (z 3.24), the rank test does not (p 0.0015); 8 below 8 both do. */
static void test_merge(void **state)
{
    (void)state;
    for (size_t low = 7; low <= 8; low++) {
        double x[16], scratch[48];
        size_t n = low + 8, split = 0, *begins = NULL, parts = 0;
        for (size_t i = 0; i < n; i++) {
            x[i] = (double)((i * 5) % 8) / 100 + (i >= low);
        }
        assert_true(tare_series_scan(x, n, scratch, &split) > tare_series_critical(n));
        assert_int_equal(split, low);
        assert_int_equal(tare_series_parts(x, n, 0, &begins, &parts, NULL), 0);
        assert_int_equal(parts, low == 7 ? 1 : 2);
        free(begins);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_autocorrelation),
        cmocka_unit_test(test_autoregression),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_shift),
        cmocka_unit_test(test_rank_test),
        cmocka_unit_test(test_scan),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_false_alarms),
        cmocka_unit_test(test_step),
        cmocka_unit_test(test_dependent),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_courses),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
