/* SPDX-License-Identifier: Apache-2.0 */
/* The noise of a machine cannot be known; that the numbers hang together can. */
#include "selftest/noise.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_numbers(void **state)
{
    struct tare_noise n = {0};
    struct tare_err err = {0};
    (void)state;
    assert_int_equal(tare_noise_measure(1000000000, &n, &err), 0);
    assert_true(n.seconds >= 1 && n.seconds < 10);
    assert_true(n.n_spins >= 3 && n.spin_ms > 0);
    assert_true(n.spin_ms * (double)n.n_spins / 1e3 < n.seconds);
    assert_true(n.spin_cv >= 0 && n.spin_robust_cv >= 0 && fabs(n.spin_lag1) <= 1);
    assert_true(n.n_sleeps >= 3 && n.late_p50_us > 0); /* no sleep ends early */
    assert_true(n.late_p50_us <= n.late_p99_us && n.late_p99_us <= n.late_max_us);
    assert_true(n.gaps_per_s >= 0);
    assert_true(n.foreign_percent >= 0 && n.foreign_percent <= 100);
    assert_true(n.steal_percent >= 0 && n.steal_percent <= 100);
}

static void test_too_short(void **state)
{
    struct tare_noise n = {.seconds = -1};
    struct tare_err err = {0};
    (void)state;
    assert_int_equal(tare_noise_measure(1000000, &n, &err), TARE_E_USAGE);
    assert_true(n.seconds == -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_numbers), cmocka_unit_test(test_too_short)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
