/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Change points: exact small cases, and what is promised of generated series: at most 1 % of quiet series of
 * 120 points raise any alarm in each noise model, and F1 (margin 5) is 0.9 at least where steps are over 2
 * noise units. Seeds are fixed and were not used while the method was made. Sanitized builds take fewer
 * series and, for what chance does to few, wider bars.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "series_made.h"
#include "stats/changes.h"

#if defined(__SANITIZE_ADDRESS__)
enum { quiet_series = 150, step_series = 6 };
static const double most_alarms = 0.03, least_f1 = 0.8;
#else
enum { quiet_series = 1500, step_series = 60 };
static const double most_alarms = 0.01, least_f1 = 0.9;
#endif

static const double one_percent = 0.00995033085316809; /* ln 1.01 */

static struct tare_changes find(const double *x, size_t n)
{
    struct tare_changes c;
    struct tare_err err = {0};
    assert_int_equal(tare_changes_find(x, n, one_percent, &c, &err), 0);
    return c;
}

/* Noise without random numbers: a fixed pattern that neighbours do not share. */
static double pattern(size_t i)
{
    return 0.01 * sin(12.9898 * (double)(i + 1) * (double)(i + 7));
}

static void test_small(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        size_t n, at;
        double step;
        size_t changes;
    } cases[] = {
        {"nothing happens", 60, 30, 0, 0},
        {"10 % in the middle", 60, 30, 0.1, 1},
        {"10 %, six values before the end", 60, 54, 0.1, 1},
        {"half a percent is less than is asked for", 400, 200, 0.005, 0},
        {"nine values have no two parts of five", 9, 4, 1, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double x[400];
        for (size_t j = 0; j < cases[i].n; j++) {
            x[j] = pattern(j) + (j >= cases[i].at ? cases[i].step : 0);
        }
        struct tare_changes c = find(x, cases[i].n);
        if (c.n != cases[i].changes) {
            fail_msg("%s: %zu changes", cases[i].why, c.n);
        }
        if (c.n == 1) {
            const struct tare_change *one = &c.list[0];
            assert_int_equal(one->at, cases[i].at);
            assert_true(fabs(one->shift - cases[i].step) < 0.01);
            assert_true(one->low <= cases[i].step && cases[i].step <= one->high);
            assert_true(one->earliest <= one->at && one->at <= one->latest && one->p <= 0.001);
            assert_true(fabs(one->after - one->before - cases[i].step) < 0.01);
        }
        free(c.list);
    }
}

/* Equal values, one outlier among them, none at all: no change and no trouble. */
static void test_degenerate(void **state)
{
    (void)state;
    double x[40];
    for (size_t i = 0; i < 40; i++) {
        x[i] = 3;
    }
    for (size_t n = 0; n <= 40; n += 8) {
        struct tare_changes c = find(x, n);
        assert_int_equal(c.n, 0);
        free(c.list);
    }
    x[20] = 5;
    struct tare_changes c = find(x, 40);
    assert_int_equal(c.n, 0);
    free(c.list);
    for (size_t i = 25; i < 40; i++) {
        x[i] = 4;
    }
    c = find(x, 40); /* an integer that stepped once */
    assert_int_equal(c.n, 1);
    assert_int_equal(c.list[0].at, 25);
    free(c.list);
}

/* Bad input is refused, and what the caller had is untouched. */
static void test_refused(void **state)
{
    (void)state;
    const double bad[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    struct tare_changes c = {.n = 7, .noise = 3};
    struct tare_err err = {0};
    double x[20];
    for (size_t k = 0; k < 3; k++) {
        for (size_t i = 0; i < 20; i++) {
            x[i] = pattern(i);
        }
        x[11] = bad[k];
        assert_int_equal(tare_changes_find(x, 20, one_percent, &c, &err), TARE_E_FORMAT);
        assert_non_null(strstr(err.msg, "value 12 of 20"));
    }
    assert_int_equal(tare_changes_find(x, 10, 0, &c, &err), TARE_E_FORMAT);
    assert_int_equal(tare_changes_find(x, 10, (double)NAN, &c, &err), TARE_E_FORMAT);
    assert_true(c.n == 7 && c.noise == 3);
}

/* A step in the middle of more values than pairs can be listed of: found, without an interval. */
static void test_long(void **state)
{
    (void)state;
    enum { n = 8200 };
    double *x = malloc(n * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++) {
        x[i] = pattern(i) + (i >= n / 2 ? 0.1 : 0);
    }
    struct tare_changes c = find(x, n);
    bool found = false;
    for (size_t i = 0; i < c.n; i++) {
        found = found || (c.list[i].at == n / 2 && fabs(c.list[i].shift - 0.1) < 0.01);
    }
    assert_true(found);
    free(c.list);
    free(x);
}

static struct made made;

static void test_quiet(void **state)
{
    (void)state;
    for (int noise = 0; noise < MADE_PROMISED; noise++) {
        size_t alarms = 0;
        for (size_t i = 0; i < quiet_series; i++) {
            made_quiet((enum made_noise)noise, 120, 0.02, 20261128, i, &made);
            struct tare_changes c = find(made.x, made.n);
            alarms += c.n > 0;
            free(c.list);
        }
        double share = (double)alarms / quiet_series;
        print_message("quiet %-9s %.2f %% of %d\n", made_noise_name((enum made_noise)noise), 100 * share,
                      quiet_series);
        assert_true(share <= most_alarms);
    }
}

/* Steps of 2 to 10 noise units, one to five of them, and what else happens to series. */
static void test_f1(void **state)
{
    (void)state;
    static const struct {
        enum made_family family;
        enum made_noise noise;
    } cases[] = {{MADE_STEPS, MADE_NORMAL}, {MADE_STEPS, MADE_SKEWED},   {MADE_STEPS, MADE_BIMODAL},
                 {MADE_STEPS, MADE_AR},     {MADE_STEPS, MADE_OUTLIERS}, {MADE_STEPS, MADE_TIES},
                 {MADE_TREND, MADE_NORMAL}, {MADE_STAIRS, MADE_NORMAL}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct made_score score = {0};
        for (size_t i = 0; i < step_series; i++) {
            size_t found[MADE_LONGEST];
            made_series(cases[k].family, cases[k].noise, 0, 2, 10, 424243, i, &made);
            struct tare_changes c = find(made.x, made.n);
            for (size_t j = 0; j < c.n; j++) {
                found[j] = c.list[j].at;
            }
            made_match(found, c.n, &made, 5, &score);
            free(c.list);
        }
        print_message("%-7s %-9s F1 %.3f\n", made_family_name(cases[k].family),
                      made_noise_name(cases[k].noise), made_f1(&score));
        assert_true(made_f1(&score) >= least_f1);
    }
}

/* The stretch from earliest to latest holds the place where the step was made, 9 times of 10. */
static void test_stretch(void **state)
{
    (void)state;
    static const struct {
        enum made_noise noise;
        double low, high, least;
    } cases[] = {{MADE_NORMAL, 1, 2, 0.9}, {MADE_NORMAL, 2, 3, 0.95}, {MADE_AR, 2, 3, 0.9}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        size_t held = 0, seen = 0;
        for (size_t i = 0; i < 2 * (size_t)step_series; i++) {
            made_series(MADE_STEPS, cases[k].noise, 0, cases[k].low, cases[k].high, 777001, i, &made);
            struct tare_changes c = find(made.x, made.n);
            for (size_t j = 0, t = 0; j < c.n && t < made.n_truth; j++) {
                const struct tare_change *one = &c.list[j];
                while (t + 1 < made.n_truth && made.truth[t] + 10 < one->at) {
                    t++;
                }
                held += one->earliest <= made.truth[t] && made.truth[t] <= one->latest;
                seen += one->at <= made.truth[t] + 10 && made.truth[t] <= one->at + 10;
            }
            free(c.list);
        }
        print_message("stretch %-7s %g to %g: %zu of %zu\n", made_noise_name(cases[k].noise), cases[k].low,
                      cases[k].high, held, seen);
        assert_true((double)held >= (least_f1 < 0.9 ? 0.8 : cases[k].least) * (double)seen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_small),  cmocka_unit_test(test_degenerate),
                                       cmocka_unit_test(test_long),   cmocka_unit_test(test_quiet),
                                       cmocka_unit_test(test_f1),     cmocka_unit_test(test_stretch),
                                       cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
