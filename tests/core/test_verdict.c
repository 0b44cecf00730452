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
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
