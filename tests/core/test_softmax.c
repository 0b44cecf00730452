/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log-softmax against long double arithmetic over rows of every awkward size and shape, within the
 * 2e-6 nats that core/softmax.h states; ties, infinities and NaN.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/softmax.h"

static const double stated_error = 2e-6;

static double reference(const float *row, size_t n, size_t target, bool *out_greedy)
{
    float max = row[0];
    size_t best = 0;
    for (size_t i = 1; i < n; i++) {
        if (row[i] > max) {
            max = row[i];
            best = i;
        }
    }
    long double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += expl((long double)row[i] - (long double)max);
    }
    *out_greedy = best == target;
    return (double)((long double)row[target] - (long double)max - logl(sum));
}

static void assert_row(const float *row, size_t n, size_t target, const char *what)
{
    bool greedy = false, expected_greedy = false;
    double expected = reference(row, n, target, &expected_greedy);
    double got = tare_log_softmax(row, n, target, &greedy);
    /* Far below the maximum the difference itself dominates: one rounding of a double. */
    double allowed = stated_error + fabs(expected) * 4e-16;
    if (!(fabs(got - expected) <= allowed) || greedy != expected_greedy) {
        fail_msg("%s, n %zu, target %zu: %.12g (%d), not %.12g (%d)", what, n, target, got, greedy, expected,
                 expected_greedy);
    }
}

static void assert_all_targets(const float *row, size_t n, const char *what)
{
    size_t step = n / 7 + 1;
    for (size_t target = 0; target < n; target += step) {
        assert_row(row, n, target, what);
    }
    assert_row(row, n, n - 1, what);
}

static float uniform(unsigned short seed[3], float low, float high)
{
    return low + (high - low) * (float)erand48(seed);
}

static void test_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = {1,    2,    3,    15,   16,    17,    31,    32,    33,    63,    64,
                                   100,  255,  1007, 1008, 1023,  1024,  1025,  1039,  1040,  2047,  2048,
                                   2049, 4096, 5000, 9999, 16384, 32000, 50257, 65536, 99999, 100000};
    static const struct {
        float low, high;
        const char *what;
    } ranges[] = {{-1, 1, "flat"},        {-12, 12, "usual"},         {-100, 100, "wide"},
                  {999, 1001, "shifted"}, {-1e30F, 1e30F, "extreme"}, {-3e38F, -1e38F, "near the lowest"}};
    unsigned short seed[3] = {7, 8, 9};
    float *row = malloc(100000 * sizeof *row);
    assert_non_null(row);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
            for (size_t i = 0; i < sizes[s]; i++) {
                row[i] = uniform(seed, ranges[r].low, ranges[r].high);
            }
            assert_all_targets(row, sizes[s], ranges[r].what);
        }
    }
    free(row);
}

/* All but one entry at the same distance d below the maximum: roundings cannot cancel one another. */
static void test_worst(void **state)
{
    (void)state;
    enum { n = 100000 };
    float *row = malloc(n * sizeof *row);
    assert_non_null(row);
    for (float d = 0; d < 100; d += 1.37F) {
        for (size_t i = 0; i < n; i++) {
            row[i] = -d;
        }
        row[n / 3] = 0;
        assert_row(row, n, n / 3, "one high");
        assert_row(row, n, 0, "one of many low");
        for (size_t i = 0; i < n; i++) {
            row[i] += 17.3F;
        }
        assert_row(row, n, n / 3, "one high, shifted");
    }
    free(row);
}

static void test_million(void **state)
{
    (void)state;
    enum { n = 1000000 };
    unsigned short seed[3] = {1, 1, 2};
    float *row = malloc(n * sizeof *row);
    assert_non_null(row);
    for (size_t i = 0; i < n; i++) {
        row[i] = uniform(seed, -8, 8);
    }
    assert_all_targets(row, n, "a million");
    free(row);
}

static void test_known(void **state)
{
    (void)state;
    bool greedy = false;
    float row[1000] = {0};
    assert_true(tare_log_softmax(row, 1, 0, &greedy) == 0 && greedy); /* a sure thing */
    for (size_t n = 2; n <= 1000; n++) {
        assert_true(fabs(tare_log_softmax(row, n, n - 1, &greedy) + log((double)n)) < stated_error);
        assert_false(greedy); /* all are as likely: the lowest id is the one */
        (void)tare_log_softmax(row, n, 0, &greedy);
        assert_true(greedy);
    }
    const float two[] = {0, 1.0986123F}; /* ln 3: 1/4 and 3/4 */
    assert_true(fabs(tare_log_softmax(two, 2, 0, &greedy) + 1.3862943611198906) < stated_error);
    assert_false(greedy);
    assert_true(fabs(tare_log_softmax(two, 2, 1, &greedy) + 0.2876820724517809) < stated_error);
    assert_true(greedy);
}

/* Ties at every distance from the target, within and across lanes. */
static void test_ties(void **state)
{
    (void)state;
    enum { n = 100 };
    for (size_t a = 0; a < n; a++) {
        for (size_t b = 0; b < n; b++) {
            float row[n];
            for (size_t i = 0; i < n; i++) {
                row[i] = -1;
            }
            row[a] = row[b] = 2;
            bool greedy = false;
            (void)tare_log_softmax(row, n, b, &greedy);
            assert_int_equal(greedy, b <= a);
        }
    }
}

/* A model that forbids tokens gives them minus infinity. */
static void test_infinities(void **state)
{
    (void)state;
    for (size_t n = 2; n < 100; n++) {
        float row[100];
        for (size_t i = 0; i < n; i++) {
            row[i] = -INFINITY;
        }
        row[n / 2] = 3;
        bool greedy = false;
        assert_true(tare_log_softmax(row, n, n / 2, &greedy) == 0 && greedy);
        assert_true(tare_log_softmax(row, n, n / 2 ? 0 : 1, &greedy) == (double)-INFINITY && !greedy);
    }
}

/* A NaN anywhere must not pass for a probability. */
static void test_nan(void **state)
{
    (void)state;
    enum { n = 70 };
    for (size_t at = 0; at < n; at++) {
        float row[n];
        for (size_t i = 0; i < n; i++) {
            row[i] = (float)i;
        }
        row[at] = NAN;
        bool greedy = false;
        assert_true(isnan(tare_log_softmax(row, n, 5, &greedy)));
        row[at] = INFINITY; /* nor infinite certainty */
        assert_true(isnan(tare_log_softmax(row, n, at, &greedy)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes), cmocka_unit_test(test_worst), cmocka_unit_test(test_million),
        cmocka_unit_test(test_known), cmocka_unit_test(test_ties),  cmocka_unit_test(test_infinities),
        cmocka_unit_test(test_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
