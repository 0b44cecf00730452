/* SPDX-License-Identifier: Apache-2.0 */
/* Reads of a counter as tables: raw value, time, what must come of it. */
#include "counter.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct step {
    uint64_t raw;
    double at_s;
    enum tare_counter_event event;
    double total;
    const char *why;
};

/* Modulus 1000 counts, at most 100 a second: blind after 10 s. */
static const struct step wraps[] = {
    {900, 0, TARE_COUNTER_FIRST, 0, "the first value says nothing: it may have run for days"},
    {900, 1, TARE_COUNTER_STILL, 0, "no move is no energy, and not the absolute value"},
    {960, 2, TARE_COUNTER_MOVED, 60, "up"},
    {20, 3, TARE_COUNTER_WRAPPED, 120, "40 to the end and 20 behind it: 1000 values, 0 to 999"},
    {0, 4, TARE_COUNTER_RESET, 120, "20 back is 980 round: more than 100 a second can make"},
    {50, 5, TARE_COUNTER_MOVED, 170, "goes on behind a reset"},
    {60, 16, TARE_COUNTER_LOST, 170, "11 s: it may have gone round unseen; 10 is not to be believed"},
    {70, 17, TARE_COUNTER_MOVED, 180, "goes on behind a gap"},
    {500, 18, TARE_COUNTER_RESET, 180, "430 in a second cannot be"},
    {550, 19, TARE_COUNTER_MOVED, 230, "goes on"},
};

static void run(struct tare_counter *c, const struct step *steps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        enum tare_counter_event e = tare_counter_read(c, steps[i].raw, (int64_t)(steps[i].at_s * 1e9));
        if (e != steps[i].event || fabs(c->total - steps[i].total) > 1e-9) {
            fail_msg("step %zu (%s): event %d, total %g", i, steps[i].why, (int)e, c->total);
        }
    }
}

static void test_wraps(void **state)
{
    struct tare_counter c = {.modulus = 1000, .max_rate = 100};
    (void)state;
    run(&c, wraps, sizeof wraps / sizeof *wraps);
    assert_int_equal(c.n_wraps, 1);
    assert_int_equal(c.n_lost, 3);
    assert_int_equal(c.n_resets, 2);
}

static void test_without_modulus(void **state)
{
    struct tare_counter c = {0};
    const struct step steps[] = {{10, 0, TARE_COUNTER_FIRST, 0, "first"},
                                 {25, 100, TARE_COUNTER_MOVED, 15, "no gap is too long"},
                                 {5, 101, TARE_COUNTER_RESET, 15, "back without a range is a reset"}};
    (void)state;
    run(&c, steps, sizeof steps / sizeof *steps);
}

static void test_outside_of_range(void **state)
{
    struct tare_counter c = {.modulus = 100, .max_rate = 1000};
    const struct step steps[] = {{500, 0, TARE_COUNTER_FIRST, 0, "a value beyond the range it claims"},
                                 {10, 0.01, TARE_COUNTER_RESET, 0, "no wrap of 100 explains that"}};
    (void)state;
    run(&c, steps, sizeof steps / sizeof *steps);
}

/* Ten wraps, each seen: the sum is exact. */
static void test_many_wraps(void **state)
{
    struct tare_counter c = {.modulus = 1000, .max_rate = 1000};
    (void)state;
    for (int i = 0; i <= 100; i++) {
        (void)tare_counter_read(&c, (uint64_t)(i * 101 % 1000), (int64_t)(i * 200000000LL));
    }
    assert_true(c.total == 10100);
    assert_int_equal(c.n_wraps, 10);
    assert_int_equal(c.n_lost, 0);
}

/* 82 periods make two standard uncertainties 1 %: 2 x 0.408 / 82. */
static void test_edge(void **state)
{
    (void)state;
    double joules = 50.0 * 82 * 0.001;
    assert_true(fabs(2 * tare_counter_edge_u(50, 0.001) / joules - 0.00996) < 1e-5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_wraps), cmocka_unit_test(test_without_modulus),
                                       cmocka_unit_test(test_outside_of_range),
                                       cmocka_unit_test(test_many_wraps), cmocka_unit_test(test_edge)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
