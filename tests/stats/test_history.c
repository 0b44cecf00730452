/* SPDX-License-Identifier: Apache-2.0 */
/* Alarms of the newest session: none, suspect, confirmed; how often by chance; power. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "stats/history.h"
#include "stats/interval.h"

#include <tare/rng.h>

static double logs[64];

static void fill(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        logs[i] = 0.002 * (double)((int)(i * 7 % 5) - 2);
    }
}

static void test_states(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        size_t n, level;
        double last, second;
        enum tare_alarm_state state;
    } cases[] = {
        {"ten sessions are too few: one of them is judged", 10, 0, 0.5, 0, TARE_ALARM_FEW},
        {"like the others", 20, 0, 0.001, 0, TARE_ALARM_NONE},
        {"far off once", 20, 0, 0.10, 0, TARE_ALARM_SUSPECT},
        {"far off twice", 20, 0, 0.10, 0.10, TARE_ALARM_CONFIRMED},
        {"off to both sides confirms nothing", 20, 0, 0.10, -0.10, TARE_ALARM_SUSPECT},
        {"shown, and below delta", 20, 0, 0.015, 0, TARE_ALARM_NONE},
        {"too few since the last change", 20, 12, 0.5, 0, TARE_ALARM_FEW},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_alarm a;
        fill(cases[i].n);
        logs[cases[i].n - 1] = cases[i].last;
        logs[cases[i].n - 2] = cases[i].second;
        tare_history_alarm(logs, cases[i].n, cases[i].level, 0.02, &a);
        if (a.state != cases[i].state) {
            fail_msg("%s: %s", cases[i].why, tare_alarm_text(a.state));
        }
    }
}

/* Values that never moved, and then did. */
static void test_constant(void **state)
{
    (void)state;
    struct tare_alarm a;
    for (size_t i = 0; i < 15; i++) {
        logs[i] = 1;
    }
    tare_history_alarm(logs, 15, 0, 0.02, &a);
    assert_int_equal(a.state, TARE_ALARM_NONE);
    logs[14] = 1.1;
    tare_history_alarm(logs, 15, 0, 0.02, &a);
    assert_int_equal(a.state, TARE_ALARM_SUSPECT);
    assert_true(tare_history_power(&a, 0.02, 0.05) == 1 && tare_history_power(&a, 0.02, 0.01) == 0);
}

/* Box and Muller: the quantile function is too slow for as many. */
static double normal(struct tare_rng *rng)
{
    double u = ((double)tare_rng_below(rng, 1u << 30) + 0.5) / (1u << 30);
    double v = (double)tare_rng_below(rng, 1u << 30) / (1u << 30);
    return sqrt(-2 * log(u)) * cos(2 * acos(-1) * v);
}

/* 22 normal sessions of 1 %, the last two moved by `shift`: how many of the trials are in this state or
 * beyond? */
static double share(double shift, enum tare_alarm_state least, double *power)
{
    enum { trials = 4000 };
    struct tare_rng rng;
    size_t hits = 0;
    tare_rng_init(&rng, 77);
    for (int t = 0; t < trials; t++) {
        struct tare_alarm a;
        for (size_t i = 0; i < 22; i++) {
            logs[i] = 0.01 * normal(&rng) + (i >= 20 ? shift : 0);
        }
        tare_history_alarm(logs, 22, 0, 0.02, &a);
        hits += a.state >= least;
        *power += tare_history_power(&a, 0.02, 0.05) / trials;
    }
    return (double)hits / trials;
}

static void test_rates(void **state)
{
    (void)state;
    double unused = 0, power = 0;
    double alarms = share(0, TARE_ALARM_CONFIRMED, &unused), suspects = share(0, TARE_ALARM_SUSPECT, &unused);
    double found = share(log1p(0.05), TARE_ALARM_CONFIRMED, &power);
    print_message(
        "confirmed by chance %.3f %%, suspect %.2f %%; a step of 5 %% found %.1f %%, said %.1f %%\n",
        100 * alarms, 100 * suspects, 100 * found, 100 * power);
    assert_true(alarms <= 0.002);
    assert_true(suspects <= 0.015);
    assert_true(found >= 0.7 && fabs(found - power) < 0.1);
}

enum { family = 100, sessions = 22, quiet_reports = 400, moved_reports = 100 };

/* A report over `family` normal series of 1 %, the last two sessions of the first `moved` of them by 10 %:
 * how many are suspect or confirmed, among those that moved and the others, and how many were before? */
static void report(struct tare_rng *rng, size_t moved, size_t *hits, size_t *wrong, size_t *before)
{
    struct tare_alarm a[family];
    *hits = *wrong = *before = 0;
    for (size_t s = 0; s < family; s++) {
        for (size_t i = 0; i < sessions; i++) {
            logs[i] = 0.01 * normal(rng) + (s < moved && i >= sessions - 2 ? log1p(0.10) : 0);
        }
        tare_history_alarm(logs, sessions, 0, 0.02, &a[s]);
        *before += s >= moved && a[s].state >= TARE_ALARM_SUSPECT;
    }
    assert_int_equal(tare_history_adjust(a, family, NULL), 0);
    for (size_t s = 0; s < family; s++) {
        assert_true(a[s].q >= a[s].first);
        *hits += s < moved && a[s].state >= TARE_ALARM_SUSPECT;
        *wrong += s >= moved && a[s].state >= TARE_ALARM_SUSPECT;
    }
}

/* Reports over a hundred series: of quiet ones few have any alarm; what moved is still found. */
static void test_family(void **state)
{
    (void)state;
    struct tare_rng rng;
    size_t any = 0, any_before = 0, found = 0, false_finds = 0, hits, wrong, before;
    tare_rng_init(&rng, 78);
    for (int i = 0; i < quiet_reports; i++) {
        report(&rng, 0, &hits, &wrong, &before);
        any += wrong > 0;
        any_before += before > 0;
    }
    for (int i = 0; i < moved_reports; i++) {
        report(&rng, 5, &hits, &wrong, &before);
        found += hits;
        false_finds += wrong;
    }
    print_message(
        "quiet reports with any suspicion: %.1f %%, unadjusted %.1f %%; five steps of 10 %% in a hundred: "
        "%.1f %% found, %.2f false a report\n",
        100.0 * (double)any / quiet_reports, 100.0 * (double)any_before / quiet_reports,
        100.0 * (double)found / (5.0 * moved_reports), (double)false_finds / moved_reports);
    assert_true((double)any / quiet_reports <= 0.06 && any_before > 5 * any);
    assert_true((double)found >= 0.6 * 5 * moved_reports);
    assert_true((double)false_finds <= 0.05 * (double)(found + false_finds));
}

/* What is not judged is no member of the family, and a series alone keeps its p. */
static void test_adjust(void **state)
{
    (void)state;
    struct tare_alarm a[3];
    fill(20);
    logs[19] = 0.1;
    tare_history_alarm(logs, 20, 0, 0.02, &a[0]);
    tare_history_alarm(logs, 5, 0, 0.02, &a[1]);
    a[2] = a[1];
    double p = a[0].p;
    assert_int_equal(tare_history_adjust(a, 3, NULL), 0);
    assert_int_equal(a[0].state, TARE_ALARM_SUSPECT);
    assert_true(fabs(a[0].q - p) < 1e-15);
    assert_true(isnan(a[1].q));
    assert_int_equal(a[1].state, TARE_ALARM_FEW);
    assert_int_equal(tare_history_adjust(a, 0, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_states), cmocka_unit_test(test_constant),
                                       cmocka_unit_test(test_rates), cmocka_unit_test(test_family),
                                       cmocka_unit_test(test_adjust)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
