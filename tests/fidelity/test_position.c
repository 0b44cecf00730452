/* SPDX-License-Identifier: Apache-2.0 */
/* One position: a published example, ranks and ties by hand, rows that are refused. */
#include "fidelity/position.h"

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

static struct tare_position compared(const float *t, const float *s, size_t n, size_t target)
{
    struct tare_comparer c;
    struct tare_position p;
    const char *bad = NULL;
    assert_int_equal(tare_comparer_init(&c, n, NULL), 0);
    assert_int_equal(tare_compare_rows(&c, t, s, target, &p, &bad), 0);
    tare_comparer_fini(&c);
    return p;
}

/* (.75, .2, .05) and (.8, .1, .1), each row with a constant of its own. */
static void test_published_example(void **state)
{
    const float t[] = {logf(.75F) + 3, logf(.2F) + 3, logf(.05F) + 3},
                s[] = {logf(.8F) - 7, logf(.1F) - 7, logf(.1F) - 7};
    const struct tare_position p = compared(t, s, 3, 1);
    (void)state;
    assert_near(p.js, 0.0131457, 2e-7);
    assert_near(p.kl_ts, .75 * log(.75 / .8) + .2 * log(2) + .05 * log(.5), 1e-6);
    assert_near(p.kl_st, .8 * log(.8 / .75) + .1 * log(.5) + .1 * log(2), 1e-6);
    assert_near(p.entropy_t, -.75 * log(.75) - .2 * log(.2) - .05 * log(.05), 1e-6);
    assert_near(p.logprob_t, log(.2), 1e-6);
    assert_near(p.logprob_s, log(.1), 1e-6);
    assert_int_equal(p.top_t, 0);
    assert_int_equal(p.top_s, 0);
    assert_int_equal(p.rank, 1);
    assert_int_equal(p.common_few, 3);
    assert_false(p.swapped);
}

static void test_equal_rows(void **state)
{
    float row[1000];
    (void)state;
    for (int i = 0; i < 1000; i++) {
        row[i] = sinf((float)i) * 9;
    }
    const struct tare_position p = compared(row, row, 1000, 3);
    assert_near(p.kl_ts, 0, 1e-15);
    assert_near(p.kl_st, 0, 1e-15);
    assert_near(p.js, 0, 1e-15);
    assert_int_equal(p.common_many, TARE_TOP_MANY);
    assert_near(p.logprob_t, p.logprob_s, 0);
}

static void test_ranks(void **state)
{
    static const struct {
        const char *why;
        float t[6], s[6];
        uint32_t top_t, top_s, rank;
        bool swapped;
    } cases[] = {
        {"the student's order is the other way round", {6, 5, 4, 3, 2, 1}, {1, 2, 3, 4, 5, 6}, 0, 5, 6, true},
        {"ties go to the lowest id", {1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1}, 0, 0, 1, false},
        {"a tie in the student behind a lower id", {0, 9, 8, 0, 0, 0}, {5, 5, 5, 0, 0, 0}, 1, 0, 2, false},
        {"a tie of the first two, the lower id first", {0, 8, 9, 0, 0, 0}, {0, 7, 7, 0, 0, 0}, 2, 1, 2, true},
        {"the same first token, others above the second",
         {9, 8, 0, 0, 0, 0},
         {9, 1, 5, 5, 5, 5},
         0,
         0,
         1,
         false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct tare_position p = compared(cases[i].t, cases[i].s, 6, 0);
        if (p.top_t != cases[i].top_t || p.top_s != cases[i].top_s || p.rank != cases[i].rank ||
            p.swapped != cases[i].swapped) {
            fail_msg("%s: %u %u %u %d", cases[i].why, p.top_t, p.top_s, p.rank, p.swapped);
        }
    }
}

static void test_top_of_few(void **state)
{
    const float row[] = {3, 1, 3, 2};
    uint32_t top[4];
    (void)state;
    tare_top(row, 4, 4, top);
    assert_int_equal(top[0], 0);
    assert_int_equal(top[1], 2);
    assert_int_equal(top[2], 3);
    assert_int_equal(top[3], 1);
    const struct tare_position p = compared(row, (const float[]){1, 9, 2, 3}, 4, 0);
    assert_int_equal(p.common_many, 4); /* all of them: what that is worth, the vocabulary's size says */
}

static void test_ruled_out(void **state)
{
    const float none = -INFINITY, t[] = {0, 0, none}, s[] = {0, none, none};
    (void)state;
    struct tare_position p = compared(t, s, 3, 1);
    assert_true(isinf(p.kl_ts) && p.kl_ts > 0);
    assert_near(p.kl_st, log(2), 1e-15);
    assert_near(p.entropy_t, log(2), 1e-15);
    assert_true(isinf(p.logprob_s) && p.logprob_s < 0);
}

static void test_refused_rows(void **state)
{
    const float good[] = {1, 2};
    const float bad[][2] = {{1, (float)NAN}, {1, INFINITY}, {-INFINITY, -INFINITY}};
    struct tare_comparer c;
    struct tare_position p, before;
    (void)state;
    memset(&p, 0x5a, sizeof p);
    before = p;
    assert_int_equal(tare_comparer_init(&c, 2, NULL), 0);
    for (size_t i = 0; i < 3; i++) {
        const char *side = NULL;
        assert_int_equal(tare_compare_rows(&c, bad[i], good, 0, &p, &side), TARE_E_BACKEND);
        assert_string_equal(side, "teacher");
        assert_int_equal(tare_compare_rows(&c, good, bad[i], 0, &p, &side), TARE_E_BACKEND);
        assert_string_equal(side, "student");
    }
    assert_memory_equal(&p, &before, sizeof p);
    tare_comparer_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_example),
        cmocka_unit_test(test_equal_rows),
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_top_of_few),
        cmocka_unit_test(test_ruled_out),
        cmocka_unit_test(test_refused_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
