/* SPDX-License-Identifier: Apache-2.0 */
/* What a line of the certificate means: a check that cannot fail would certify nothing. */
#include "selftest/selftest.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_judge(void **state)
{
    static const struct {
        struct tare_check_line line;
        enum tare_check_outcome outcome;
        const char *why;
    } cases[] = {{{.error = 0.5, .target = 1}, TARE_CHECK_PASS, "within"},
                 {{.error = -1, .target = 1}, TARE_CHECK_PASS, "at the target, from below"},
                 {{.error = -1.01, .target = 1}, TARE_CHECK_FAIL, "too low is as bad as too high"},
                 {{.error = 1e-12, .target = 0}, TARE_CHECK_FAIL, "exact means exact"},
                 {{.error = 0, .target = 0}, TARE_CHECK_PASS, "exact"},
                 {{.error = (double)NAN, .target = 1}, TARE_CHECK_FAIL, "no number is no pass"},
                 {{.error = 0, .target = (double)NAN}, TARE_CHECK_FAIL, "no target is no pass"},
                 {{.error = 0, .target = 1, .absent = "no GPU"}, TARE_CHECK_ABSENT, "not possible here"},
                 {{.reading = 5, .informative = true}, TARE_CHECK_INFO, "a number without a truth"},
                 {{.reading = (double)NAN, .error = (double)NAN, .informative = true},
                  TARE_CHECK_FAIL,
                  "not even a number"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (tare_check_judge(&cases[i].line) != cases[i].outcome) {
            fail_msg("%s: judged %s", cases[i].why,
                     tare_check_outcome_text(tare_check_judge(&cases[i].line)));
        }
    }
}

struct keeper {
    struct tare_check_sink sink;
    struct tare_check_line last;
};

static int keep(struct tare_check_sink *to, const struct tare_check_line *line, struct tare_err *err)
{
    (void)err;
    ((struct keeper *)to)->last = *line;
    return 0;
}

static void test_errors(void **state)
{
    struct keeper k = {{keep}, {0}};
    const struct tare_check_context c = {.to = &k.sink};
    struct tare_err err = {0};
    (void)state;
    assert_int_equal(tare_check_add(&c, "q", "w", "us", 200, 199.5, 1, &err), 0);
    assert_true(k.last.error == -0.5);
    assert_string_equal(k.last.error_unit, "us");
    assert_int_equal(tare_check_add_percent(&c, "q", "w", "J", 200, 203, 1, &err), 0);
    assert_true(fabs(k.last.error - 1.5) < 1e-12);
    assert_string_equal(k.last.error_unit, "%");
    assert_int_equal(tare_check_judge(&k.last), TARE_CHECK_FAIL);
    assert_int_equal(tare_check_add_percent(&c, "q", "w", "J", 0, 0, 1, &err), 0);
    assert_int_equal(tare_check_judge(&k.last), TARE_CHECK_FAIL); /* nothing is a percentage of nothing */
    assert_int_equal(tare_check_add_absent(&c, "q", "w", "no such thing", &err), 0);
    assert_int_equal(tare_check_judge(&k.last), TARE_CHECK_ABSENT);
}

/* The checks that need no quiet machine, through the same door as `tare selftest`. */
static int all_pass(struct tare_check_sink *to, const struct tare_check_line *line, struct tare_err *err)
{
    (void)to;
    return tare_check_judge(line) == TARE_CHECK_PASS
               ? 0
               : tare_err_set(err, TARE_E_LIMIT, "%s (%s): error %g, target %g", line->quantity,
                              line->workload, line->error, line->target);
}

static void test_intervals(void **state)
{
    struct tare_check_sink sink = {all_pass};
    const struct tare_check_context c = {.to = &sink, .seed = 1};
    struct tare_err err = {0};
    (void)state;
    for (const struct tare_check *check = tare_checks; check->name; check++) {
        if (strcmp(check->name, "intervals") == 0 && check->run(&c, &err) < 0) {
            fail_msg("%s", err.msg);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_judge), cmocka_unit_test(test_errors),
                                       cmocka_unit_test(test_intervals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
