/* SPDX-License-Identifier: Apache-2.0 */
/* Which rule has which value and which standard error. Expected numbers: the same formulas in Python, and
 * sacrebleu. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "stats/lm_eval.h"

#include <tare/corpus_score.h>
#include <tare/python_random.h>

static void assert_close(const struct tare_lm_eval_value *got, double expected, const char *why)
{
    if (!got->ok || !(fabs(got->value - expected) <= 1e-12 * fmax(1, fabs(expected)))) {
        fail_msg("%s: %.17g (%s), not %.17g", why, got->value, got->method, expected);
    }
}

static struct tare_lm_eval_value aggregate(enum tare_lm_eval_rule rule, const double *rows, size_t n)
{
    struct tare_err err = {0};
    struct tare_lm_eval_value got = {0};
    assert_int_equal(tare_lm_eval_aggregate(rule, rows, n, &got, &err), 0);
    return got;
}

static struct tare_lm_eval_value stderr_of(enum tare_lm_eval_rule rule, const double *rows, size_t n,
                                           size_t draws)
{
    struct tare_err err = {0};
    struct tare_lm_eval_value got = {0};
    assert_int_equal(tare_lm_eval_stderr(rule, rows, n, draws, &got, &err), 0);
    return got;
}

static void test_mean(void **state)
{
    (void)state;
    double x[101];
    struct tare_python_random r;
    tare_python_random_init(&r, 77);
    for (int i = 0; i < 101; i++) {
        x[i] = -tare_python_random_unit(&r);
    }
    struct tare_lm_eval_value got = aggregate(TARE_LM_EVAL_MEAN, x, 101);
    assert_close(&got, -0.4875824923573209, "mean");
    got = stderr_of(TARE_LM_EVAL_MEAN, x, 101, TARE_LM_EVAL_DRAWS);
    assert_close(&got, 0.03185953938877016, "its standard error");
    assert_int_equal(got.draws, 0);
    got = aggregate(TARE_LM_EVAL_MEDIAN, x, 100);
    assert_close(&got, -0.4958123239313884, "median of an even number");
    got = aggregate(TARE_LM_EVAL_BRIER, x, 101);
    assert_close(&got, -0.4875824923573209, "a mean, too");
}

/* ARC, PIQA and WinoGrande as lm-eval v0.3.0's tests have them: right answers of all, accuracy and standard
 * error. */
static void test_golden(void **state)
{
    (void)state;
    static const struct {
        int right, all;
        double value, error;
    } cases[] = {
        {945, 1838, 0.514145810663765, 0.011661154475524836},
        {588, 2376, 0.2474747474747475, 0.008855114414834707},
        {287, 1172, 0.24488054607508533, 0.012566273985131354},
        {654, 1267, 0.516179952644041, 0.014045126130978606},
        {32, 100, 0.32, 0.04688261722621504},
    };
    static double x[2400];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int k = 0; k < cases[i].all; k++) {
            x[k] = k < cases[i].right;
        }
        struct tare_lm_eval_value got = aggregate(TARE_LM_EVAL_MEAN, x, (size_t)cases[i].all);
        assert_close(&got, cases[i].value, "accuracy");
        got = stderr_of(TARE_LM_EVAL_MEAN, x, (size_t)cases[i].all, TARE_LM_EVAL_DRAWS);
        assert_close(&got, cases[i].error, "standard error");
    }
}

/* Twenty made-up texts of 4 to 11 tokens. */
static void make_corpus(double bleu[20][TARE_BLEU_STATS])
{
    struct tare_python_random r;
    tare_python_random_init(&r, 8);
    for (int i = 0; i < 20; i++) {
        double *row = bleu[i];
        row[0] = 4 + floor(tare_python_random_unit(&r) * 8);
        row[1] = 4 + floor(tare_python_random_unit(&r) * 8);
        row[2] = floor(tare_python_random_unit(&r) * (fmin(row[0], row[1]) + 1));
        for (int n = 1; n < 4; n++) {
            row[2 + n] = fmax(0, fmin(row[1 + n] - 1, floor(tare_python_random_unit(&r) * 5)));
        }
        for (int n = 0; n < 4; n++) {
            row[6 + n] = row[0] - n;
        }
    }
}

/* However many draws are asked for, a corpus has a hundred. */
static void test_corpora(void **state)
{
    (void)state;
    double bleu[20][TARE_BLEU_STATS], ter[20][TARE_TER_STATS], chrf[20][TARE_CHRF_STATS];
    make_corpus(bleu);
    for (int i = 0; i < 20; i++) {
        ter[i][0] = bleu[i][2];
        ter[i][1] = bleu[i][1] + 0.5;
        for (int n = 0; n < TARE_CHRF_ORDER; n++) {
            chrf[i][3 * n] = fmax(0, 3 * bleu[i][0] - n);
            chrf[i][3 * n + 1] = fmax(0, 3 * bleu[i][1] - n);
            chrf[i][3 * n + 2] = fmax(0, 2 * bleu[i][2] - 3 * n);
        }
    }
    struct tare_lm_eval_value got = aggregate(TARE_LM_EVAL_BLEU, bleu[0], 20);
    assert_close(&got, 5.170791043792618, "BLEU");
    got = stderr_of(TARE_LM_EVAL_BLEU, bleu[0], 20, TARE_LM_EVAL_DRAWS);
    assert_close(&got, 1.322199158062303, "of BLEU");
    assert_int_equal(got.draws, 100);
    got = aggregate(TARE_LM_EVAL_TER, ter[0], 20);
    assert_close(&got, 33.75796178343949, "TER");
    got = stderr_of(TARE_LM_EVAL_TER, ter[0], 20, 100);
    assert_close(&got, 6.032247131316789, "of TER");
    got = aggregate(TARE_LM_EVAL_CHRF, chrf[0], 20);
    assert_close(&got, 8.420664124881194, "chrF");
    got = stderr_of(TARE_LM_EVAL_CHRF, chrf[0], 20, 101);
    assert_close(&got, 2.1380111600599547, "of chrF");
}

static void test_absent(void **state)
{
    (void)state;
    static const struct {
        const char *reason;
        enum tare_lm_eval_rule rule;
        size_t n, draws;
    } cases[] = {
        {"lm-eval has none for this value", TARE_LM_EVAL_WEIGHTED_PERPLEXITY, 2, 1000},
        {"lm-eval has none for this value", TARE_LM_EVAL_BITS_PER_BYTE, 2, 1000},
        {"lm-eval has none for this value", TARE_LM_EVAL_BRIER, 2, 1000},
        {"lm-eval has none for this value", TARE_LM_EVAL_MACRO_F1, 2, 1000},
        {"none is asked for: no draws", TARE_LM_EVAL_MEAN, 2, 0},
        {"none is asked for: no draws", TARE_LM_EVAL_PERPLEXITY, 2, 0},
        {"fewer than two items", TARE_LM_EVAL_MEAN, 1, 1000},
        {"fewer than two items", TARE_LM_EVAL_MEDIAN, 1, 1000},
    };
    static const double rows[] = {0, 1, 1, 1};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_lm_eval_value got = stderr_of(cases[i].rule, rows, cases[i].n, cases[i].draws);
        assert_false(got.ok);
        assert_string_equal(got.method, cases[i].reason);
    }
    assert_false(aggregate(TARE_LM_EVAL_MEAN, rows, 0).ok);
    assert_false(aggregate(TARE_LM_EVAL_MEDIAN, rows, 0).ok);
    static const double infinite[] = {0, -(double)INFINITY};
    assert_string_equal(aggregate(TARE_LM_EVAL_PERPLEXITY, infinite, 2).method, "the value is not finite");
    assert_false(stderr_of(TARE_LM_EVAL_MEAN, infinite, 2, 1).ok);
}

static void test_names(void **state)
{
    (void)state;
    for (int rule = TARE_LM_EVAL_MEAN; rule < TARE_LM_EVAL_RULES; rule++) {
        const struct tare_lm_eval_about *about = tare_lm_eval_about((enum tare_lm_eval_rule)rule);
        assert_non_null(about);
        assert_int_equal(tare_lm_eval_rule_of(about->name), rule);
        assert_true(about->width >= 1);
        assert_true(about->of || rule == TARE_LM_EVAL_MEDIAN);
    }
    assert_int_equal(tare_lm_eval_rule_of("matthews_corrcoef"), TARE_LM_EVAL_MCC);
    assert_int_equal(tare_lm_eval_rule_of("accuracy"), 0);
    assert_int_equal(tare_lm_eval_rule_of(NULL), 0);
    assert_null(tare_lm_eval_about((enum tare_lm_eval_rule)0));
    assert_null(tare_lm_eval_about(TARE_LM_EVAL_RULES));
    struct tare_err err = {0};
    struct tare_lm_eval_value got = {0};
    assert_int_equal(tare_lm_eval_aggregate((enum tare_lm_eval_rule)0, NULL, 0, &got, &err), TARE_E_USAGE);
    assert_int_equal(tare_lm_eval_stderr(TARE_LM_EVAL_RULES, NULL, 0, 1, &got, &err), TARE_E_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mean),   cmocka_unit_test(test_golden), cmocka_unit_test(test_corpora),
        cmocka_unit_test(test_absent), cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
