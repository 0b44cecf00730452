/* SPDX-License-Identifier: Apache-2.0 */
/* Periods of counters that are watched well, badly, and in passing. */
#include "steps.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Reads a counter of that period every read_s for seconds; every nth read comes late_s late. */
static struct tare_steps look(double period_s, double read_s, double seconds, int nth, double late_s,
                              bool is_close)
{
    struct tare_steps s = {0};
    double last = -1;
    int i = 0;
    for (double t = 0.013; t < seconds; t += read_s + (++i % nth == 0 ? late_s : 0)) {
        double shown = floor(t / period_s);
        tare_steps_note(&s, last < 0 ? 0 : shown - last, llround(t * 1e9), is_close);
        last = shown;
    }
    return s;
}

static void test_close(void **state)
{
    double period_s = 0;
    (void)state;
    struct tare_steps s = look(0.1, 0.001, 0.5, 1000000, 0, true);
    assert_int_equal(tare_steps_period(&s, &period_s), TARE_STEPS_FOUND);
    assert_true(fabs(period_s / 0.1 - 1) < 0.01);
    assert_true(s.smallest == 1);
    /* Late reads that miss moves. */
    s = look(0.02, 0.001, 0.5, 60, 0.045, true);
    assert_int_equal(tare_steps_period(&s, &period_s), TARE_STEPS_FOUND);
    assert_true(fabs(period_s / 0.02 - 1) < 0.1);
}

static void test_too_fast_and_too_few(void **state)
{
    double period_s = -1;
    (void)state;
    struct tare_steps s = look(0.0001, 0.001, 0.05, 1000000, 0, true);
    assert_int_equal(tare_steps_period(&s, &period_s), TARE_STEPS_AT_MOST);
    assert_true(fabs(period_s / 0.001 - 1) < 0.1);
    s = look(0.2, 0.001, 0.5, 1000000, 0, true);
    assert_int_equal(tare_steps_period(&s, &period_s), TARE_STEPS_UNKNOWN);
    s = look(10, 0.001, 0.5, 1000000, 0, true);
    assert_int_equal(tare_steps_period(&s, &period_s), TARE_STEPS_UNKNOWN);
    assert_true(s.smallest <= 0);
}

static void test_in_passing(void **state)
{
    double period_s = 0;
    (void)state;
    struct tare_steps s = look(1, 0.1, 10, 1000000, 0, false);
    assert_int_equal(tare_steps_period(&s, &period_s), TARE_STEPS_FOUND);
    assert_true(fabs(period_s - 1) < 0.05);
    s = look(0.1, 0.1, 10, 3, 0.05, false); /* seen too seldom to tell */
    assert_int_equal(tare_steps_period(&s, &period_s), TARE_STEPS_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_close),
                                       cmocka_unit_test(test_too_fast_and_too_few),
                                       cmocka_unit_test(test_in_passing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
