/* SPDX-License-Identifier: Apache-2.0 */
/* Energy of curves whose integral is known, through sensors that drop, repeat and jitter. */
#include "power.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static double ramp_w(double s)
{
    return 10 + 5 * s;
}

/* The trapezoid is exact on a line, whatever the distances. */
static void test_ramp_with_jitter(void **state)
{
    struct tare_power p = {0};
    double t = 0;
    (void)state;
    for (int i = 0; i <= 200; i++) {
        tare_power_add(&p, llround(t * 1e9), ramp_w(t));
        t += 0.05 + 0.1 * ((i * 7919) % 100) / 100.0;
    }
    double end = (double)p.last_ns / 1e9, exact = 10 * end + 2.5 * end * end;
    assert_true(fabs(p.joules / exact - 1) < 1e-9);
    assert_true(fabs(tare_power_mean(&p) - exact / end) < 1e-6);
    assert_int_equal(p.n_bad, 0);
}

/* Dropped samples make longer spans, duplicates none: on a smooth curve below 0.5 %. */
static void test_dropped_and_doubled(void **state)
{
    struct tare_power p = {0};
    (void)state;
    for (int i = 0; i <= 1000; i++) {
        double t = i * 0.1;
        if (i % 7 == 3) {
            continue;
        }
        tare_power_add(&p, i * 100000000LL, 100 + 30 * sin(t / 5));
        if (i % 5 == 0) {
            tare_power_add(&p, i * 100000000LL, 100 + 30 * sin(t / 5));
        }
    }
    double exact = 100 * 100 + 30 * 5 * (1 - cos(100.0 / 5));
    assert_true(fabs(p.joules / exact - 1) < 0.005);
    assert_true(p.n_bad > 0);
    assert_int_equal(p.longest_ns, 200000000LL);
}

/* A square wave out of step with the sensor: the error lies within three of the stated u. */
static void test_square_wave(void **state)
{
    struct tare_power p = {0};
    double period = 0.73, t = 0;
    (void)state;
    for (int i = 0; t < 60; i++) {
        t = 0.1 * i + 0.05 * ((i * 7919) % 101) / 101.0;
        tare_power_add(&p, llround(t * 1e9), fmod(t, period) < period / 2 ? 250 : 50);
    }
    double end = (double)p.last_ns / 1e9, whole = floor(end / period), rest = end - whole * period;
    double exact =
        whole * period * 150 + (rest < period / 2 ? 250 * rest : 125 * period + 50 * (rest - period / 2));
    assert_true(tare_power_u(&p) > 0);
    assert_true(fabs(p.joules - exact) < 3 * tare_power_u(&p));
}

static void test_nonsense(void **state)
{
    struct tare_power p = {0};
    (void)state;
    tare_power_add(&p, 0, NAN);
    tare_power_add(&p, 0, -1);
    assert_int_equal(p.n, 0);
    assert_int_equal(p.n_bad, 2);
    assert_true(isnan(tare_power_mean(&p)));
    tare_power_add(&p, 10, 5);
    tare_power_add(&p, 5, 5);
    assert_int_equal(p.n, 1);
    assert_true(isnan(tare_power_mean(&p)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ramp_with_jitter),
                                       cmocka_unit_test(test_dropped_and_doubled),
                                       cmocka_unit_test(test_square_wave), cmocka_unit_test(test_nonsense)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
