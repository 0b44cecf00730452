/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets and their edges; which choice is picked, and how far two are apart. */
#include "fidelity/sums.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_near(double got, double expected, double error)
{
    if (!(fabs(got - expected) <= error)) {
        fail_msg("%.17g, not %.17g", got, expected);
    }
}

static void test_buckets(void **state)
{
    static const struct {
        double entropy;
        int bucket;
    } cases[] = {{0, 0}, {0.0999, 0}, {0.1, 1},  {0.5, 2}, {0.99, 2},
                 {1, 3}, {2, 4},      {3.99, 4}, {4, 5},   {12, 5}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_fidelity_item item = {.is_choice = false};
        const struct tare_position p = {.kl_ts = 0.25, .entropy_t = cases[i].entropy, .top_t = 3, .top_s = 3};
        tare_fidelity_add(&item, &p);
        for (int b = 0; b < TARE_ENTROPY_BUCKETS; b++) {
            assert_near(item.sums[TARE_SUM_BUCKETS + b], b == cases[i].bucket, 0);
            assert_near(item.sums[TARE_SUM_KL_BUCKETS + b], b == cases[i].bucket ? 0.25 : 0, 0);
            assert_near(item.sums[TARE_SUM_TOP_BUCKETS + b], b == cases[i].bucket, 0);
        }
    }
}

static void test_sums(void **state)
{
    struct tare_fidelity_item item = {.is_choice = false};
    const struct tare_position p = {.js = 0.09,
                                    .logprob_t = -1,
                                    .logprob_s = -1.5,
                                    .top_t = 1,
                                    .top_s = 2,
                                    .rank = 4,
                                    .common_few = 3,
                                    .common_many = 7,
                                    .swapped = true};
    (void)state;
    tare_fidelity_add(&item, &p);
    tare_fidelity_add(&item, &p);
    assert_near(item.sums[TARE_SUM_POSITIONS], 2, 0);
    assert_near(item.sums[TARE_SUM_LOYALTY_E], 2 * 0.7, 1e-15);
    assert_near(item.sums[TARE_SUM_LOYALTY_2], 2 * (1 - 0.3 / sqrt(log(2))), 1e-15);
    assert_near(item.sums[TARE_SUM_SAME_TOP], 0, 0);
    assert_near(item.sums[TARE_SUM_COMMON_FEW], 1.2, 1e-15);
    assert_near(item.sums[TARE_SUM_COMMON_MANY], 1.4, 1e-15);
    assert_near(item.sums[TARE_SUM_RANK], 8, 0);
    assert_near(item.sums[TARE_SUM_SWAPPED], 2, 0);
    assert_near(item.sums[TARE_SUM_NLL_DIFFERENCE], 1, 1e-15);
}

/* Teacher: the second is likelier as a whole, the first per byte. Student: the second, in both. */
static void test_choices(void **state)
{
    const struct tare_choice_score of[] = {{-4, -20, 8}, {-3, -3, 2}};
    struct tare_fidelity_item whole = {.is_choice = false}, by_bytes = {.is_choice = false};
    (void)state;
    assert_int_equal(tare_fidelity_choose(&whole, of, 2, 1, false, NULL), 0);
    assert_int_equal(tare_fidelity_choose(&by_bytes, of, 2, 1, true, NULL), 0);
    assert_true(whole.same_pick && whole.right_t && whole.right_s);
    assert_true(!by_bytes.same_pick && !by_bytes.right_t && by_bytes.right_s);
    double t = 1 / (1 + exp(-1)), s = 1 / (1 + exp(-17)), m = (t + s) / 2;
    double js = (t * log(t / m) + (1 - t) * log((1 - t) / (1 - m)) + s * log(s / m) +
                 (1 - s) * log((1 - s) / (1 - m))) /
                2;
    assert_near(whole.choice_js, js, 1e-14);
    assert_near(by_bytes.choice_js, js, 1e-14); /* the length decides what is picked, nothing else */
}

static void test_equal_choices(void **state)
{
    const struct tare_choice_score of[] = {{-2, -5, 1}, {-2, -5, 1}};
    struct tare_fidelity_item item = {.is_choice = false};
    (void)state;
    assert_int_equal(tare_fidelity_choose(&item, of, 2, 0, false, NULL), 0);
    assert_true(item.same_pick && item.right_t && item.right_s); /* ties go to the first */
    assert_near(item.choice_js, 0, 1e-16);
}

/* One that rules out every choice has no distribution over them: the figure must not go on without the item.
 */
static void test_choices_ruled_out(void **state)
{
    const double none = (double)-INFINITY;
    const struct tare_choice_score of[] = {{-2, none, 1}, {-2, none, 1}};
    struct tare_fidelity_item item = {.is_choice = false};
    (void)state;
    assert_int_equal(tare_fidelity_choose(&item, of, 2, 0, false, NULL), 0);
    assert_true(isinf(item.choice_js));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_buckets), cmocka_unit_test(test_sums),
                                       cmocka_unit_test(test_choices), cmocka_unit_test(test_equal_choices),
                                       cmocka_unit_test(test_choices_ruled_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
