/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict: every reason alone and all together; what was not measured is never valid. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/verdict.h"

static void test_rules(void **state)
{
    (void)state;
    static const struct {
        struct tare_verdict_facts f;
        enum tare_verdict verdict;
        const char *reasons;
    } cases[] = {
        {{.items = 10, .repeats = 5, .ok = 5, .samples = 50}, TARE_VALID, ""},
        {{.items = 1, .repeats = 1, .ok = 1, .samples = 1}, TARE_VALID, ""},
        {{.items = 10, .repeats = 2, .ok = 1, .crash = 1, .samples = 20}, TARE_INVALID, "CRASH"},
        {{.items = 10, .repeats = 2, .ok = 1, .timeout = 1, .samples = 20}, TARE_INVALID, "TIMEOUT"},
        {{.items = 10, .repeats = 2, .ok = 1, .oom = 1, .samples = 20}, TARE_INVALID, "OOM"},
        {{.items = 10, .repeats = 2, .ok = 1, .error = 1, .samples = 20}, TARE_INVALID, "ERROR"},
        {{.items = 10, .repeats = 2, .ok = 1, .pending = 1, .samples = 10},
         TARE_INVALID,
         "PENDING,INCOMPLETE"},
        {{.items = 10, .repeats = 2, .ok = 2, .samples = 20, .failed_samples = 1},
         TARE_INVALID,
         "FAILED_SAMPLES"},
        {{.items = 10, .repeats = 2, .ok = 2, .samples = 19}, TARE_INVALID, "INCOMPLETE"},
        {{.items = 10, .repeats = 2, .ok = 2, .samples = 21}, TARE_INVALID, "INCOMPLETE"},
        {{.items = 10, .repeats = 2, .ok = 2, .samples = 20, .broken_seals = 1},
         TARE_INVALID,
         "SAMPLES_CHANGED"},
        {{.items = TARE_ABSENT, .repeats = 1, .ok = 1, .samples = 0}, TARE_INVALID, "INCOMPLETE"},
        {{.items = 10, .repeats = 5, .skip = 5}, TARE_SKIPPED, ""},
        {{.items = TARE_ABSENT, .repeats = 5, .skip = 5}, TARE_SKIPPED, ""},
        {{.items = 10, .repeats = 2, .skip = 1, .ok = 1, .samples = 10}, TARE_INVALID, "INCOMPLETE"},
        {{.items = 10, .repeats = 2, .skip = 1, .crash = 1}, TARE_INVALID, "CRASH,INCOMPLETE"},
        {{.items = 10, .repeats = 0}, TARE_INVALID, "INCOMPLETE"},         /* nothing was run */
        {{.items = 0, .repeats = 2, .ok = 2}, TARE_INVALID, "INCOMPLETE"}, /* nothing was asked */
        {{.items = 9,
          .repeats = 7,
          .ok = 1,
          .crash = 1,
          .timeout = 1,
          .oom = 1,
          .error = 1,
          .pending = 1,
          .skip = 1,
          .samples = 9,
          .failed_samples = 2},
         TARE_INVALID,
         "CRASH,TIMEOUT,OOM,ERROR,PENDING,FAILED_SAMPLES,INCOMPLETE"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char reasons[100] = "before";
        enum tare_verdict verdict = tare_verdict(&cases[i].f, reasons, sizeof reasons);
        if (verdict != cases[i].verdict || strcmp(reasons, cases[i].reasons) != 0) {
            fail_msg("case %zu: %s, \"%s\"", i, tare_verdict_text(verdict), reasons);
        }
    }
}

/* However little room there is for the reasons, the verdict stands. */
static void test_room(void **state)
{
    (void)state;
    const struct tare_verdict_facts f = {.items = 1, .repeats = 3, .crash = 1, .timeout = 1, .oom = 1};
    static const char all[] = "CRASH,TIMEOUT,OOM,INCOMPLETE";
    for (size_t n = 0; n <= sizeof all; n++) {
        char *reasons = malloc(n + 1); /* of exactly n bytes for the sanitizer, but for n = 0 */
        assert_non_null(reasons);
        memset(reasons, 'x', n + 1);
        assert_int_equal(tare_verdict(&f, reasons, n), TARE_INVALID);
        assert_true(reasons[n] == 'x');
        if (n > 0) {
            assert_true(strlen(reasons) < n);
            assert_memory_equal(reasons, all, strlen(reasons));
        }
        free(reasons);
    }
}

/* The first rule of a code as a set. */
static tare_noise_set set_of(const char *code)
{
    for (size_t i = 0; i < tare_noise_n_rules; i++) {
        if (strcmp(tare_noise_rules[i].code, code) == 0) {
            return (tare_noise_set)1 << i;
        }
    }
    fail_msg("no rule is called %s", code);
    return 0;
}

/* Every code under both policies: which of them make a cell invalid. */
static void test_policies(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        bool flag, voids; /* invalid under "flag", under "void" */
    } cases[] = {
        {"FOREIGN_CPU", false, true},      {"STEAL", false, true},           {"PAGING", false, true},
        {"THROTTLED", false, true},        {"POWER_CAP", false, true},       {"PSI_MEMORY", false, true},
        {"CLOCK_STEP", false, true},       {"CLOCKSOURCE", false, true},     {"BATTERY", false, true},
        {"SETTINGS_CHANGED", false, true}, {"SENSOR_GAP", false, true},      {"WRAP_LOST", false, true},
        {"SLOW_BUILD", false, true},       {"TOO_FEW_SAMPLES", false, true}, {"CPU_WAIT", false, false},
        {"STREAM_STALL", false, false},    {"DATA_MISMATCH", true, true},    {"METER_LATE", false, true}};
    tare_noise_set all = 0, known = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int policy = TARE_NOISE_FLAG; policy <= TARE_NOISE_VOID; policy++) {
            struct tare_verdict_facts f = {.items = 10, .repeats = 5, .ok = 5, .samples = 50};
            char reasons[64] = "";
            bool invalid = policy == TARE_NOISE_FLAG ? cases[i].flag : cases[i].voids;
            f.disturbed = set_of(cases[i].code);
            f.policy = (enum tare_noise_policy)policy;
            all |= f.disturbed;
            if (tare_verdict(&f, reasons, sizeof reasons) != (invalid ? TARE_INVALID : TARE_VALID) ||
                strcmp(reasons, invalid ? cases[i].code : "") != 0) {
                fail_msg("%s, policy %d: \"%s\"", cases[i].code, policy, reasons);
            }
        }
    }
    for (size_t i = 0; i < tare_noise_n_rules; i++) { /* a new code needs a row here */
        known |= set_of(tare_noise_rules[i].code);
    }
    assert_true(all == known);
}

/* Two rules of a code are one reason; the faults of a run come first; a skipped cell has none. */
static void test_noise_reasons(void **state)
{
    (void)state;
    struct tare_verdict_facts f = {.items = 10, .repeats = 2, .ok = 1, .crash = 1, .samples = 20};
    char reasons[100];
    f.disturbed = ~(tare_noise_set)0 >> (64 - tare_noise_n_rules);
    f.policy = TARE_NOISE_VOID;
    assert_int_equal(tare_verdict(&f, reasons, 40), TARE_INVALID);
    assert_string_equal(reasons, "CRASH,FOREIGN_CPU,STEAL,PAGING"); /* no half of a word */
    f = (struct tare_verdict_facts){.items = 10, .repeats = 5, .skip = 5, .policy = TARE_NOISE_VOID};
    f.disturbed = set_of("STEAL");
    assert_int_equal(tare_verdict(&f, reasons, sizeof reasons), TARE_SKIPPED);
    assert_string_equal(reasons, "");
}

/* One reading at a time: what just passes its limit, and what just does not. */
static void test_limits(void **state)
{
    (void)state;
    static const struct {
        const char *reading;
        double still, beyond;
        const char *code;
    } cases[] = {{"foreign_cpu", 2, 2.01, "FOREIGN_CPU"},
                 {"node_foreign_cpu", 2, 2.01, "FOREIGN_CPU"},
                 {"steal", 1, 1.01, "STEAL"},
                 {"node_steal", 1, 1.01, "STEAL"},
                 {"run_queue_wait", 0.5, 0.51, "CPU_WAIT"}, /* of 10 s */
                 {"major_faults", 0, 1, "PAGING"},
                 {"swap_in_pages", 0, 1, "PAGING"},
                 {"stream_stall_time", 0.1, 0.11, "STREAM_STALL"},
                 {"throttle_core", 0, 1, "THROTTLED"},
                 {"throttle_package", 0, 1, "THROTTLED"},
                 {"throttle_events", 0, 1, "THROTTLED"},
                 {"power_cap_events", 0, 1, "POWER_CAP"},
                 {"psi_memory_full", 0, 1, "PSI_MEMORY"},
                 {"clock_step", 0, 0.01, "CLOCK_STEP"},
                 {"clock_step", 0, -0.01, "CLOCK_STEP"},
                 {"clocksource_ok", 1, 0, "CLOCKSOURCE"},
                 {"on_battery", 0, 1, "BATTERY"},
                 {"settings_changed", 0, 1, "SETTINGS_CHANGED"},
                 {"psi_memory_some", 0, 1e9, NULL},
                 {"swap_out_pages", 0, 1e9, NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_reading_record r = {.phase = "measure", .name = cases[i].reading};
        bool seen = false;
        for (size_t k = 0; k < tare_noise_n_rules; k++) {
            const struct tare_noise_rule *rule = &tare_noise_rules[k];
            bool expected = cases[i].code && strcmp(rule->code, cases[i].code) == 0 && rule->reading &&
                            strcmp(rule->reading, cases[i].reading) == 0;
            r.absent = NULL;
            r.value = cases[i].still;
            assert_false(tare_noise_raised(rule, &r, 10));
            r.value = cases[i].beyond;
            assert_int_equal(tare_noise_raised(rule, &r, 10), expected);
            seen = seen || expected;
            r.absent = "not read"; /* which is no disturbance */
            assert_false(tare_noise_raised(rule, &r, 10));
        }
        assert_int_equal(seen, cases[i].code != NULL);
    }
}

static void test_absences(void **state)
{
    (void)state;
    static const struct {
        const char *absent, *code;
    } cases[] = {{"SENSOR_GAP: not read for 3 s", "SENSOR_GAP"},
                 {"WRAP_LOST: 500 s between two reads", "WRAP_LOST"},
                 {"the SENSOR_GAP: is elsewhere", NULL},
                 {"SENSOR", NULL},
                 {"", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_reading_record r = {
            .phase = "measure", .name = "energy_package", .value = (double)NAN, .absent = cases[i].absent};
        for (size_t k = 0; k < tare_noise_n_rules; k++) {
            bool expected = cases[i].code && strcmp(tare_noise_rules[k].code, cases[i].code) == 0;
            assert_int_equal(tare_noise_raised(&tare_noise_rules[k], &r, 10), expected);
        }
    }
}

/* The table as a whole: rules of a code agree, and each can be explained. */
static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < tare_noise_n_rules; i++) {
        const struct tare_noise_rule *a = &tare_noise_rules[i];
        assert_true(a->text && *a->text);
        assert_non_null(tare_noise_text(a->code));
        assert_true((a->basis == TARE_NOISE_FACT) == (a->reading == NULL));
        for (size_t j = 0; j < i; j++) {
            const struct tare_noise_rule *b = &tare_noise_rules[j];
            if (strcmp(a->code, b->code) == 0) {
                assert_true(a->voids == b->voids && a->always == b->always &&
                            a->flags_times == b->flags_times && strcmp(a->text, b->text) == 0);
            }
        }
    }
    assert_null(tare_noise_text("NO_SUCH_CODE"));
    assert_string_equal(tare_noise_policies[TARE_NOISE_VOID], "void");
}

static void test_text(void **state)
{
    (void)state;
    assert_string_equal(tare_verdict_text(TARE_VALID), "VALID");
    assert_string_equal(tare_verdict_text(TARE_INVALID), "INVALID");
    assert_string_equal(tare_verdict_text(TARE_SKIPPED), "SKIPPED");
    assert_string_equal(tare_verdict_text((enum tare_verdict)99), "INVALID");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),    cmocka_unit_test(test_room),          cmocka_unit_test(test_text),
        cmocka_unit_test(test_policies), cmocka_unit_test(test_noise_reasons), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_absences), cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
