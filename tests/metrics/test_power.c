/* SPDX-License-Identifier: Apache-2.0 */
/* Energy of curves whose integral is known, through sensors that drop, repeat and jitter. */
#include "power.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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

static double square_w(double s, double period)
{
    return fmod(s, period) < period / 2 ? 250 : 50;
}

/* Joules from 0 to s. */
static double square_j(double s, double period)
{
    double whole = floor(s / period), rest = s - whole * period;
    return whole * period * 150 + (rest < period / 2 ? 250 * rest : 125 * period + 50 * (rest - period / 2));
}

/* One window: its error in units of the stated u. A sensor that looks every refresh_s (0: whenever it is
 * asked, every 0.05 to 0.15 s) at a square wave that began `shift` before. */
static double square_error(double period, double refresh_s, double noise_w, double end, int k, double shift)
{
    struct tare_power p = {0};
    double t = 0, late = refresh_s * ((k * 7919) % 101) / 101.0, from = shift + refresh_s;
    uint32_t seed = 12345U + 1000003U * (uint32_t)k;
    for (int i = 0; t < end; i++) {
        seed = seed * 1664525U + 1013904223U;
        t += 0.05 + 0.1 * (seed >> 8) / 16777216.0;
        double seen_s = refresh_s > 0 ? floor((t + late) / refresh_s) * refresh_s - late : t;
        double noise = noise_w * ((i * 7919) % 11 - 5) / 5.0; /* adds up to next to nothing */
        tare_power_add(&p, llround(t * 1e9), square_w(from + seen_s, period) + noise);
    }
    double first = (double)p.first_ns / 1e9 + from, last = (double)p.last_ns / 1e9 + from;
    return (p.joules - square_j(last, period) + square_j(first, period)) / tare_power_u(&p);
}

/* Square waves of many phases: how often the error lies within two of the stated u. Where a sensor has some
 * noise, so that its looks are told from what it repeats, u is no wider than it must be. */
static void test_square_waves(void **state)
{
    static const struct {
        double period, refresh_s, noise_w, end;
    } cases[] = {{0.73, 0, 0, 60}, {0.73, 0, 1, 60},  {1.9, 0, 1, 60}, {7.3, 0, 1, 60},
                 {3.1, 1, 0, 60},  {13.7, 5, 0, 120}, {31, 5, 0, 120}, {97, 5, 0, 60}};
    enum { n_phases = 200 };
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        int within = 0;
        double square = 0;
        for (int k = 0; k < n_phases; k++) {
            double error = square_error(cases[c].period, cases[c].refresh_s, cases[c].noise_w, cases[c].end,
                                        k, cases[c].period * k / n_phases);
            within += fabs(error) <= 2;
            square += error * error / n_phases;
        }
        print_message("  period %5.2f s, looks every %g s, noise %g W: %d of %d within 2 u, rms %.2f u\n",
                      cases[c].period, cases[c].refresh_s, cases[c].noise_w, within, n_phases, sqrt(square));
        assert_true(within >= 0.9 * n_phases);
        assert_true(cases[c].noise_w <= 0 || sqrt(square) > 0.5);
    }
}

/* What a sensor repeats is no look: two looks 5 s apart, asked ten times a second, 200 W between them. */
static void test_repeated(void **state)
{
    struct tare_power p = {0};
    (void)state;
    for (int i = 0; i <= 100; i++) {
        tare_power_add(&p, i * 100000000LL, i <= 50 ? 50 : 250);
    }
    assert_int_equal(p.n_changes, 1);
    assert_true(tare_power_u(&p) > 200 * 5 / sqrt(12));
}

static void test_nonsense(void **state)
{
    struct tare_power p = {0};
    (void)state;
    tare_power_add(&p, 0, (double)NAN);
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
                                       cmocka_unit_test(test_square_waves), cmocka_unit_test(test_repeated),
                                       cmocka_unit_test(test_nonsense)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
