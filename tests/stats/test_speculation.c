/* SPDX-License-Identifier: Apache-2.0 */
/* Speculative decoding: the published example, the closed form, and a simulation of what the formula is the
 * mean of. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stats/speculation.h"

#include <tare/rng.h>

static void assert_near(double got, double expected, double error)
{
    if (!(fabs(got - expected) <= error)) {
        fail_msg("%.17g, not %.17g", got, expected);
    }
}

static const double target[] = {.5, .3, .15, .05}, draft[] = {.25, .25, .25, .25};

static void test_published_example(void **state)
{
    (void)state;
    assert_near(tare_speculation_acceptance(target, draft, 4), 0.7, 1e-15);
    assert_near(tare_speculation_tokens(0.7, 4), 2.7731, 5e-5);
    assert_near(tare_speculation_speedup(0.7, 4, 0.1), 2.7731 / 1.4, 5e-5);
}

static void test_general(void **state)
{
    (void)state;
    static const double alphas[] = {0, 0.1, 0.5, 0.9, 0.999};
    for (size_t i = 0; i < sizeof alphas / sizeof *alphas; i++) {
        for (int64_t length = 0; length < 12; length++) {
            double a = alphas[i], closed = (1 - pow(a, (double)length + 1)) / (1 - a);
            assert_near(tare_speculation_tokens(a, length), closed, 1e-11);
        }
    }
    assert_near(tare_speculation_tokens(1, 7), 8, 0); /* the limit of the closed form, which is 0 / 0 */
    assert_true(isnan(tare_speculation_tokens(1.01, 4)));
    assert_true(isnan(tare_speculation_tokens(-0.1, 4)));
    assert_true(isnan(tare_speculation_tokens(0.5, -1)));
    assert_true(isnan(tare_speculation_speedup(0.5, 4, -1)));
    assert_true(isnan(tare_speculation_acceptance(target, draft, 0)));
}

/* Draws of passes, to 4 standard errors: 2.766 was found so by those who published the example. */
static void test_simulation(void **state)
{
    (void)state;
    enum { passes = 100000, proposals = 4 };
    struct tare_rng rng;
    tare_rng_init(&rng, 1);
    double sum = 0, squares = 0;
    for (int i = 0; i < passes; i++) {
        double tokens = 1;
        for (int k = 0; k < proposals; k++) {
            size_t x = (size_t)tare_rng_below(&rng, 4); /* the draft is uniform */
            if (tare_rng_unit(&rng) >= fmin(1, target[x] / draft[x])) {
                break;
            }
            tokens++;
        }
        sum += tokens;
        squares += tokens * tokens;
    }
    double mean = sum / passes, se = sqrt((squares / passes - mean * mean) / passes);
    assert_near(mean, tare_speculation_tokens(0.7, proposals), 4 * se);
    assert_true(se < 0.01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_example),
        cmocka_unit_test(test_general),
        cmocka_unit_test(test_simulation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
