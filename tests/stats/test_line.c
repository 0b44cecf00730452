/* SPDX-License-Identifier: Apache-2.0 */
/* The slope of a line: exact cases, and an example with its interval. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "stats/line.h"

#include <tare/rng.h>

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

static double normal(struct tare_rng *rng)
{
    return tare_normal_quantile(((double)tare_rng_below(rng, 1u << 30) + 0.5) / (1u << 30));
}

static double skewed(struct tare_rng *rng)
{
    return -log(((double)tare_rng_below(rng, 1u << 30) + 0.5) / (1u << 30)) - 1;
}

static double even(struct tare_rng *rng)
{
    return (double)tare_rng_below(rng, 1u << 30) / (1u << 30) - 0.5;
}

/* 2,000 lines of known slope through lengths that double, as views fit them: how often do the intervals of
 * the slope and of the line in its middle hold the truth? */
static void test_coverage(void **state)
{
    (void)state;
    static const struct {
        const char *errors;
        double (*draw)(struct tare_rng *rng);
        size_t n;
    } cases[] = {{"normal", normal, 3}, {"normal", normal, 5}, {"normal", normal, 20}, {"even", even, 4},
                 {"even", even, 10},    {"skewed", skewed, 4}, {"skewed", skewed, 10}};
    enum { sets = 2000 };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        double x[20], y[20];
        int slopes = 0, bands = 0;
        struct tare_rng rng;
        tare_rng_init(&rng, 400 + k);
        for (int t = 0; t < sets; t++) {
            for (size_t i = 0; i < cases[k].n; i++) {
                x[i] = (double)i * log(2);
                y[i] = 1.5 + 0.7 * x[i] + 0.05 * cases[k].draw(&rng);
            }
            struct tare_fit_line l = tare_line_fit(x, y, cases[k].n);
            struct tare_interval s = tare_line_slope(&l, 0.95);
            slopes += s.ok && s.low <= 0.7 && 0.7 <= s.high;
            double middle = x[cases[k].n - 1] / 2;
            bands +=
                fabs(l.intercept + l.slope * middle - (1.5 + 0.7 * middle)) <= tare_line_band(&l, middle);
        }
        print_message("%-6s %2zu points: slope %.1f %%, line %.1f %%\n", cases[k].errors, cases[k].n,
                      100.0 * slopes / sets, 100.0 * bands / sets);
        assert_in_range(slopes, 93 * sets / 100, 97 * sets / 100);
        if (cases[k].draw == normal) { /* what the method supposes; of few other errors it holds less */
            assert_in_range(bands, 93 * sets / 100, 97 * sets / 100);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_exact_line), cmocka_unit_test(test_by_hand),
                                       cmocka_unit_test(test_too_little), cmocka_unit_test(test_coverage)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
