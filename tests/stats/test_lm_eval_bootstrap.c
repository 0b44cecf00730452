/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard errors with Python's draws: against lm-eval v0.3.0's own golden value of LAMBADA, and against its
 * formula with Python 3.11's generator on other data.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "stats/lm_eval.h"

#include <tare/python_random.h>

#include <stdlib.h>

static void assert_close(const struct tare_lm_eval_value *got, double expected, const char *why)
{
    if (!got->ok || !(fabs(got->value - expected) <= 1e-12 * fmax(1, fabs(expected)))) {
        fail_msg("%s: %.17g (%s), not %.17g", why, got->value, got->method, expected);
    }
}

static void make(uint64_t seed, double *values, size_t n)
{
    struct tare_python_random r;
    tare_python_random_init(&r, seed);
    for (size_t i = 0; i < n; i++) {
        values[i] = -tare_python_random_unit(&r);
    }
}

/*
 * lm-eval v0.3.0, tests/testdata/lambada_openai-v0-res.json: ppl 1.6479047769869253, ppl_stderr
 * 0.006497321146240192. Its test answers each request with -random() of Random(42) and asks twice per item,
 * for the log-likelihood and for whether it is greedy; it makes 10 draws.
 */
static void test_lambada_golden(void **state)
{
    (void)state;
    enum { items = 5153 };
    double *answers = malloc(2 * items * sizeof *answers), *values = malloc(items * sizeof *values);
    assert_true(answers && values);
    make(42, answers, (size_t)2 * items);
    for (size_t i = 0; i < items; i++) {
        values[i] = answers[2 * i];
    }
    struct tare_err err = {0};
    struct tare_lm_eval_value got = {0};
    assert_int_equal(tare_lm_eval_aggregate(TARE_LM_EVAL_PERPLEXITY, values, items, &got, &err), 0);
    assert_close(&got, 1.6479047769869253, "perplexity");
    assert_int_equal(tare_lm_eval_stderr(TARE_LM_EVAL_PERPLEXITY, values, items, 10, &got, &err), 0);
    assert_close(&got, 0.006497321146240192, "its standard error");
    assert_int_equal(got.draws, 10);
    free(answers);
    free(values);
}

/* Each chunk has its own generator, and what does not fill one is not drawn. */
static void test_chunks(void **state)
{
    (void)state;
    static const struct {
        size_t draws, drawn;
        double value;
        const char *why;
    } cases[] = {
        {10, 10, 0.0582744916306874, "less than a chunk"},
        {1000, 1000, 0.05101465215585159, "one chunk"},
        {1500, 1000, 0.05101465215585159, "the second half of a chunk is left out"},
        {2999, 2000, 0.051518942184417556, "two chunks"},
        {3000, 3000, 0.05195359781124252, "three chunks"},
    };
    double x[101];
    make(77, x, 101);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_err err = {0};
        struct tare_lm_eval_value got = {0};
        assert_int_equal(tare_lm_eval_bootstrap(tare_lm_eval_perplexity, x, 101, cases[i].draws, &got, &err),
                         0);
        assert_close(&got, cases[i].value, cases[i].why);
        assert_int_equal(got.draws, cases[i].drawn);
    }
}

static void test_median(void **state)
{
    (void)state;
    struct tare_err err = {0};
    struct tare_lm_eval_value got = {0};
    double x[101];
    make(77, x, 101);
    assert_int_equal(tare_lm_eval_bootstrap_median(x, 101, 500, &got, &err), 0);
    assert_close(&got, 0.04333906501851073, "an odd number");
    assert_int_equal(tare_lm_eval_bootstrap_median(x, 100, 500, &got, &err), 0);
    assert_close(&got, 0.039059933735251136, "an even number: the upper one");
    for (int i = 0; i < 101; i++) {
        x[i] = -floor(-x[i] * 4);
    }
    assert_int_equal(tare_lm_eval_bootstrap_median(x, 101, 300, &got, &err), 0);
    assert_close(&got, 0.5007352453674262, "ties");
}

static void test_nanmean(void **state)
{
    (void)state;
    struct tare_err err = {0};
    struct tare_lm_eval_value got = {0};
    double x[101];
    make(77, x, 101);
    for (int i = 0; i < 101; i += 7) {
        x[i] = (double)NAN;
    }
    assert_int_equal(tare_lm_eval_stderr(TARE_LM_EVAL_NANMEAN, x, 101, 400, &got, &err), 0);
    assert_close(&got, 0.03328192153632805, "nanmean");
}

static void test_absent(void **state)
{
    (void)state;
    struct tare_err err = {0};
    struct tare_lm_eval_value got = {0};
    static const double x[] = {-1, -1e4}, nan_too[] = {1, (double)NAN};
    assert_int_equal(tare_lm_eval_bootstrap(tare_lm_eval_perplexity, x, 2, 1, &got, &err), 0);
    assert_false(got.ok);
    assert_string_equal(got.method, "fewer than two draws");
    assert_int_equal(tare_lm_eval_bootstrap(tare_lm_eval_perplexity, x, 2, 20, &got, &err), 0);
    assert_false(got.ok);
    assert_string_equal(got.method, "a replicate is not finite");
    assert_int_equal(tare_lm_eval_bootstrap(tare_lm_eval_nanmean, nan_too, 2, 20, &got, &err), 0);
    assert_false(got.ok);
}

static void test_deviation(void **state)
{
    (void)state;
    static const double x[] = {1, 2, 4};
    assert_true(fabs(tare_lm_eval_deviation(x, 3) - sqrt(7.0 / 3)) < 1e-15);
    assert_true(tare_lm_eval_deviation(x, 1) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lambada_golden), cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_median),         cmocka_unit_test(test_nanmean),
        cmocka_unit_test(test_absent),         cmocka_unit_test(test_deviation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
