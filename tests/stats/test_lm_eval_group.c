/* SPDX-License-Identifier: Apache-2.0 */
/* Two MMLU subjects pooled by lm-eval's formula in Python, and what has no pooled value. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "stats/lm_eval.h"

static const double accuracies[] = {0.32, 0.29901960784313725};
static const double stderrs[] = {0.04688261722621504, 0.03213325717373618};
static const size_t sizes[] = {100, 204};

static void assert_value(struct tare_lm_eval_value got, double expected)
{
    if (!got.ok || !(fabs(got.value - expected) <= 1e-14)) {
        fail_msg("%.17g (%s), not %.17g", got.value, got.method, expected);
    }
}

static void test_pooled(void **state)
{
    (void)state;
    assert_value(tare_lm_eval_group_mean(accuracies, sizes, 2, true), 0.3059210526315789);
    assert_value(tare_lm_eval_group_mean(accuracies, sizes, 2, false), 0.3095098039215686);
    assert_value(tare_lm_eval_group_stderr(stderrs, sizes, 2), 0.02650978809051574);
    assert_value(tare_lm_eval_group_stderr(stderrs, sizes, 1), stderrs[0]); /* of one task its own */
}

static void test_absent(void **state)
{
    (void)state;
    static const double missing[] = {0.1, (double)NAN};
    static const size_t ones[] = {1, 1}, zeros[] = {0, 0};
    assert_false(tare_lm_eval_group_mean(missing, sizes, 2, true).ok);
    assert_false(tare_lm_eval_group_mean(accuracies, zeros, 2, true).ok);
    assert_false(tare_lm_eval_group_mean(accuracies, sizes, 0, false).ok);
    assert_false(tare_lm_eval_group_stderr(missing, sizes, 2).ok);
    assert_false(tare_lm_eval_group_stderr(stderrs, ones, 2).ok);
    assert_false(tare_lm_eval_group_stderr(stderrs, sizes, 0).ok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pooled), cmocka_unit_test(test_absent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
