/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of answers until they are graded. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/answers.h"

/* Two items of two requests, one that generates. */
static const struct tare_prepared_request scored[2], generates = {.max_output = 4};
static const struct tare_prepared_item choice = {.requests = scored, .n_requests = 2},
                                       generation = {.requests = &generates, .n_requests = 1};
static const struct tare_prepared_item *items[] = {&choice, &choice, &generation};
static const struct tare_prepared prepared = {.items = items, .count = 3};

static struct tare_request_record records[2];
static bool greedy[2];

static struct tare_ask asked(double a, double b)
{
    records[0].loglik = a;
    records[1].loglik = b;
    greedy[0] = true;
    greedy[1] = false;
    return (struct tare_ask){.records = records, .greedy = greedy};
}

static void test_kept(void **state)
{
    struct tare_answers answers;
    struct tare_err err = {0};
    size_t n = 0;
    (void)state;
    assert_int_equal(tare_answers_init(&answers, &prepared, 0, &err), 0);
    const struct tare_ask first = asked(-1, -2);
    tare_answers_keep(&answers, &first, &(struct tare_sample){.item = 1, .n_requests = 2});
    const struct tare_ask second = asked((double)NAN, 0);
    tare_answers_keep(&answers, &second,
                      &(struct tare_sample){.item = 2, .n_requests = 1, .output = "word", .n_output = 4});
    const struct tare_answer *a = tare_answers_of(&answers, 1, &n);
    assert_non_null(a);
    assert_int_equal(n, 2);
    assert_true(a[0].loglik == -1 && a[1].loglik == -2 && a[0].greedy && !a[1].greedy);
    a = tare_answers_of(&answers, 2, &n);
    assert_non_null(a);
    assert_int_equal(n, 1);
    assert_int_equal(a->output.n, 4);
    assert_memory_equal(a->output.data, "word", 4);
    assert_null(tare_answers_of(&answers, 0, &n)); /* never asked */
    assert_null(tare_answers_of(&answers, 3, &n)); /* there is none */
    tare_answers_fini(&answers);
}

static void test_failed_and_before(void **state)
{
    struct tare_answers answers;
    struct tare_err err = {0};
    size_t n = 0;
    (void)state;
    assert_int_equal(tare_answers_init(&answers, &prepared, 1, &err), 0);
    const struct tare_ask ask = asked(-1, -2);
    tare_answers_keep(&answers, &ask,
                      &(struct tare_sample){.item = 1, .n_requests = 1, .code = TARE_E_BACKEND});
    assert_null(tare_answers_of(&answers, 1, &n));
    assert_null(tare_answers_of(&answers, 0, &n));
    tare_answers_fini(&answers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kept), cmocka_unit_test(test_failed_and_before)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
