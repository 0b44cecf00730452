/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of what a check holds against each other: the largest difference, the first fact that does not
 * hold; and a fault that was seen stays one. */
#include "verify/verify.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct tare_verify fresh(void)
{
    struct tare_verify v;
    memset(&v, 0, sizeof v);
    v.result.difference = (double)NAN;
    return v;
}

static void test_largest_difference(void **state)
{
    struct tare_verify v = fresh();
    (void)state;
    tare_verify_compare(&v, 1.0, 1.0, "first");
    assert_string_equal(v.result.where, "first");
    tare_verify_compare(&v, 1.0, 3.5, "second, number %d", 2);
    tare_verify_compare(&v, 1.0, 2.0, "third");
    assert_string_equal(v.result.where, "second, number 2");
    assert_true(v.result.difference > 2.49 && v.result.difference < 2.51);
    assert_true(v.result.seen < 1.01 && v.result.expected > 3.49);
    assert_int_equal(v.result.compared, 3);
}

static void test_no_number_agrees_with_nothing(void **state)
{
    static const double odd[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct tare_verify v = fresh();
        tare_verify_compare(&v, odd[i], odd[i], "odd");
        tare_verify_compare(&v, 0, 1, "even");
        assert_true(isinf(v.result.difference));
        assert_string_equal(v.result.where, "odd");
    }
}

static void test_first_fault_is_told(void **state)
{
    struct tare_verify v = fresh();
    (void)state;
    assert_true(tare_verify_require(&v, true, "fine"));
    assert_int_equal(v.result.outcome, 0);
    assert_false(tare_verify_require(&v, false, "broken at %d", 3));
    assert_false(tare_verify_require(&v, false, "again"));
    assert_int_equal(v.result.outcome, TARE_VERIFY_FAILED);
    assert_string_equal(v.result.note, "broken at 3");
    assert_int_equal(tare_verify_absent(&v, "not possible"), 0);
    assert_int_equal(v.result.outcome, TARE_VERIFY_FAILED);
    assert_string_equal(v.result.note, "broken at 3");
}

static void test_absent_stays_without_a_fault(void **state)
{
    struct tare_verify v = fresh();
    (void)state;
    (void)tare_verify_absent(&v, "no %s", "vocabulary");
    assert_int_equal(v.result.outcome, TARE_VERIFY_ABSENT);
    assert_string_equal(v.result.note, "no vocabulary");
    tare_verify_note(&v, "how far");
    assert_string_equal(v.result.note, "no vocabulary");
}

static void test_scores(void **state)
{
    static const double all[] = {-1, -2, -3, -4}, part[] = {-2, -3.5};
    const struct tare_wire_answer a = {.n = 2, .logprob = part}, b = {.n = 4, .logprob = all};
    struct tare_verify v = fresh();
    (void)state;
    tare_verify_same_scores(&v, &a, 1, &b, 1, "one");
    assert_true(v.result.difference < 1e-12);
    tare_verify_same_scores(&v, &a, 1, &b, 2, "two");
    assert_true(v.result.difference > 0.49);
    assert_string_equal(v.result.where, "two, answer 2 of 2");
    tare_verify_same_scores(&v, &a, 3, &b, 2, "too few");
    assert_int_equal(v.result.outcome, TARE_VERIFY_FAILED);
}

static void test_ends(void **state)
{
    static const uint32_t good[] = {0, 2, 5}, back[] = {3, 2, 5}, beyond[] = {2, 6, 5}, shorter[] = {1, 2, 4};
    struct tare_wire_tokens t = {.n = 3, .ends = good};
    (void)state;
    assert_true(tare_verify_covers(&t, 5));
    assert_false(tare_verify_covers(&t, 6));
    t.ends = back;
    assert_false(tare_verify_covers(&t, 5));
    t.ends = beyond;
    assert_false(tare_verify_covers(&t, 5));
    t.ends = shorter;
    assert_false(tare_verify_covers(&t, 5));
    t.n = 0;
    assert_true(tare_verify_covers(&t, 0));
}

static void test_every_check_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; tare_verify_checks[i]; i++) {
        const struct tare_verify_check *c = tare_verify_checks[i];
        assert_true(c->run && c->proves && strlen(c->name) <= 14); /* the table's column */
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(c->name, tare_verify_checks[k]->name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_largest_difference),
                                       cmocka_unit_test(test_no_number_agrees_with_nothing),
                                       cmocka_unit_test(test_first_fault_is_told),
                                       cmocka_unit_test(test_absent_stays_without_a_fault),
                                       cmocka_unit_test(test_scores),
                                       cmocka_unit_test(test_ends),
                                       cmocka_unit_test(test_every_check_is_whole)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
