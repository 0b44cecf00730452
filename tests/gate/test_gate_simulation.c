/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate's error rates, by simulation with fixed seeds: the code that `tare check` decides with, on runs of
 * four noise models whose truth is known. A sanitizer's build runs a small part, which shows that the code is
 * sound and not what its rates are: the bounds below are then those that the small part can carry.
 */
#include "gate_noise.h"

#include "stats/discrete.h"

#include <setjmp.h>
#include <stdio.h>
/* setjmp.h, stdarg.h, stddef.h, stdint.h come before cmocka.h */
#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__)
enum { trials_quiet = 400, trials_power = 100, trials_check = 60 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { trials_quiet = 400, trials_power = 100, trials_check = 60 };
#else
enum { trials_quiet = 40000, trials_power = 2000, trials_check = 1500 };
#endif
#else
enum { trials_quiet = 40000, trials_power = 2000, trials_check = 1500 };
#endif

enum { blocks = 10, runs = 3, metrics_of_check = 10 };
static const struct tare_gate_limits limits = {.margin = 0.02, .equivalence = 0.05};
static const bool is_full = trials_quiet >= 40000;

/* Upper bound of a rate of which k in n were seen: exact binomial (Clopper-Pearson), one-sided 95 %. */
static double upper_bound(int64_t k, int64_t n)
{
    double low = (double)k / (double)n, high = 1;
    for (int i = 0; i < 100; i++) {
        double p = (low + high) / 2, term = pow(1 - p, (double)n), sum = term;
        for (int64_t j = 1; j <= k; j++) {
            term *= (double)(n - j + 1) / (double)j * p / (1 - p);
            sum += term;
        }
        low = sum > 0.05 ? p : low;
        high = sum > 0.05 ? high : p;
    }
    return high;
}

/* One metric: stage 1, and stage 2 if it asks for it. */
static enum tare_gate_word play(struct tare_rng *rng, enum gate_noise noise, double cv, double change)
{
    double d[2 * blocks];
    struct tare_gate_decision decision;
    struct tare_err err;
    bool suspicious = false;
    gate_noise_blocks(rng, noise, cv, change, runs, d, blocks);
    assert_int_equal(tare_gate_suspicious(d, blocks, &limits, &suspicious, &err), 0);
    size_t n = blocks;
    if (suspicious) {
        gate_noise_blocks(rng, noise, cv, change, runs, d + blocks, blocks);
        n = 2 * blocks;
    }
    assert_int_equal(tare_gate_timing(d, n, blocks, &limits, &decision, &err), 0);
    assert_int_equal(decision.suspicious, suspicious);
    return decision.word;
}

static int64_t count(enum gate_noise noise, double cv, double change, enum tare_gate_word word,
                     int64_t trials)
{
    struct tare_rng root;
    int64_t found = 0;
    tare_rng_init(&root, UINT64_C(20260101));
    for (int64_t t = 0; t < trials; t++) {
        char label[80];
        (void)snprintf(label, sizeof label, "%d %g %g", (int)noise, cv, change);
        struct tare_rng rng = tare_rng_split(&root, label, (uint64_t)t);
        found += play(&rng, noise, cv, change) == word;
    }
    return found;
}

/* No change at all: at most 0.1 % of metrics may fail, and the bound of what was seen at most 0.15 %. */
static void quiet_metrics_do_not_fail(void **state)
{
    static const double cvs[] = {0.02, 0.05};
    (void)state;
    for (int noise = 0; noise < GATE_N_NOISES; noise++) {
        for (size_t i = 0; i < sizeof cvs / sizeof *cvs; i++) {
            int64_t failed = count((enum gate_noise)noise, cvs[i], 0, TARE_GATE_FAILED, trials_quiet);
            double rate = (double)failed / trials_quiet, bound = upper_bound(failed, trials_quiet);
            print_message("quiet  %-8s CV %.0f %%: %lld of %d failed, %.4f %%, at most %.4f %%\n",
                          gate_noise_text((enum gate_noise)noise), 100 * cvs[i], (long long)failed,
                          trials_quiet, 100 * rate, 100 * bound);
            assert_true(is_full ? rate <= 0.001 : failed <= 3);
            assert_true(!is_full || bound <= 0.0015);
        }
    }
}

/* A regression that is real but within the margin is none that a gate should stop. */
static void changes_within_the_margin_do_not_fail(void **state)
{
    (void)state;
    for (int noise = 0; noise < GATE_N_NOISES; noise++) {
        int64_t failed = count((enum gate_noise)noise, 0.02, 0.005, TARE_GATE_FAILED, trials_power);
        print_message("+0.5 %% %-8s CV 2 %%: %lld of %d failed\n", gate_noise_text((enum gate_noise)noise),
                      (long long)failed, trials_power);
        assert_true((double)failed <= (is_full ? 0.005 : 0.03) * trials_power);
    }
}

static void regressions_of_five_percent_fail(void **state)
{
    static const struct {
        double cv, change, least;
    } rows[] = {{0.01, 0.05, 0.90}, {0.02, 0.05, 0.90}, {0.03, 0.05, 0.85}, {0.02, 0.10, 0.93}};
    (void)state;
    for (int noise = 0; noise < GATE_N_NOISES; noise++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            int64_t failed =
                count((enum gate_noise)noise, rows[i].cv, rows[i].change, TARE_GATE_FAILED, trials_power);
            double power = (double)failed / trials_power;
            print_message("power  %-8s CV %.0f %%, +%.0f %%: %.1f %%\n",
                          gate_noise_text((enum gate_noise)noise), 100 * rows[i].cv, 100 * rows[i].change,
                          100 * power);
            assert_true(power >= rows[i].least - (is_full ? 0 : 0.1));
        }
    }
}

/* Ten metrics of one check, independent, which is the worst case: at most 1 % of checks fail. */
static void quiet_checks_do_not_fail(void **state)
{
    struct tare_rng root;
    int64_t failed = 0;
    (void)state;
    tare_rng_init(&root, UINT64_C(77));
    for (int t = 0; t < trials_check; t++) {
        struct tare_rng rng = tare_rng_split(&root, "check", (uint64_t)t);
        struct tare_gate_decision made[metrics_of_check], *list[metrics_of_check];
        struct tare_err err;
        bool any = false;
        for (int m = 0; m < metrics_of_check; m++) {
            double d[2 * blocks];
            enum gate_noise noise = (enum gate_noise)(m % GATE_N_NOISES);
            /* All metrics of a check get their second stage if one asks for it. */
            gate_noise_blocks(&rng, noise, 0.03, 0, runs, d, 2 * blocks);
            assert_int_equal(tare_gate_timing(d, 2 * blocks, blocks, &limits, &made[m], &err), 0);
            list[m] = &made[m];
        }
        assert_int_equal(tare_gate_holm(list, metrics_of_check, &err), 0);
        for (int m = 0; m < metrics_of_check; m++) {
            any = any || made[m].word == TARE_GATE_FAILED;
        }
        failed += any;
    }
    print_message("quiet checks of %d metrics: %lld of %d failed, at most %.3f %%\n", metrics_of_check,
                  (long long)failed, trials_check, 100 * upper_bound(failed, trials_check));
    assert_true((double)failed <= (is_full ? 0.01 : 0.05) * trials_check);
}

/* What is called equivalent is within the margin: a change of that size is called so in at most 1 % a side.
 */
static void changes_at_the_margin_are_not_called_equivalent(void **state)
{
    (void)state;
    for (int noise = 0; noise < GATE_N_NOISES; noise++) {
        int64_t n = count((enum gate_noise)noise, 0.02, 0.05, TARE_GATE_EQUIVALENT, trials_power);
        assert_true((double)n <= (is_full ? 0.01 : 0.04) * trials_power);
    }
    int64_t same = count(GATE_NORMAL, 0.02, 0, TARE_GATE_EQUIVALENT, trials_power);
    print_message("no change, normal, CV 2 %%: %.1f %% called equivalent\n",
                  100.0 * (double)same / trials_power);
    assert_true((double)same >= 0.8 * trials_power);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quiet_metrics_do_not_fail),
        cmocka_unit_test(changes_within_the_margin_do_not_fail),
        cmocka_unit_test(regressions_of_five_percent_fail),
        cmocka_unit_test(quiet_checks_do_not_fail),
        cmocka_unit_test(changes_at_the_margin_are_not_called_equivalent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
