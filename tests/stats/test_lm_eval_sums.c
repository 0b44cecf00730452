/* SPDX-License-Identifier: Apache-2.0 */
/* Values made of sums, against the same formulas in Python, and sacrebleu for those of corpora. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "stats/lm_eval.h"

#include <tare/corpus_score.h>
#include <tare/python_random.h>

static void assert_close(double got, double expected, const char *why)
{
    if (!(fabs(got - expected) <= 1e-12 * fmax(1, fabs(expected)))) {
        fail_msg("%s: %.17g, not %.17g", why, got, expected);
    }
}

enum { N = 101 };

static void make(double *values)
{
    struct tare_python_random r;
    tare_python_random_init(&r, 77);
    for (int i = 0; i < N; i++) {
        values[i] = -tare_python_random_unit(&r);
    }
}

static void test_means(void **state)
{
    (void)state;
    double x[N];
    make(x);
    assert_close(tare_lm_eval_mean(x, NULL, N), -0.4875824923573209, "mean");
    assert_close(tare_lm_eval_perplexity(x, NULL, N), 1.6283748490850287, "perplexity");
    for (int i = 0; i < N; i += 7) {
        x[i] = (double)NAN;
    }
    assert_close(tare_lm_eval_nanmean(x, NULL, N), -0.4720943510619494, "nanmean");
    assert_true(isnan(tare_lm_eval_nanmean(x, NULL, 1)));
}

/* A drawing with repeats, of a length that four does not divide. */
static void test_drawn(void **state)
{
    (void)state;
    static const double x[] = {1, 2, 4, 8};
    static const uint32_t index[] = {3, 0, 0, 2, 3, 1, 1};
    assert_close(tare_lm_eval_mean(x, index, 7), 26.0 / 7, "mean");
    assert_close(tare_lm_eval_perplexity(x, index, 7), exp(-26.0 / 7), "perplexity");
    assert_close(tare_lm_eval_nanmean(x, index, 7), 26.0 / 7, "nanmean");
    assert_close(tare_lm_eval_bits_per_byte(x, (const uint32_t[]){1, 1, 0}, 3), -9.0 / 18 / log(2), "pairs");
}

/* 1e16 and many ones: added one after another, the ones would be lost. */
static void test_rounding(void **state)
{
    (void)state;
    static double x[1001];
    x[0] = 1e16;
    for (int i = 1; i < 1001; i++) {
        x[i] = 1;
    }
    assert_true(tare_lm_eval_mean(x, NULL, 1001) == (1e16 + 1000) / 1001);
}

static void test_weighted(void **state)
{
    (void)state;
    static const double rows[] = {-10.5, 12, -20.25, 30, -3.0, 4, -40.125, 55};
    assert_close(tare_lm_eval_weighted_perplexity(rows, NULL, 4), 2.0780618232634964, "weighted");
    assert_close(tare_lm_eval_bits_per_byte(rows, NULL, 4), 1.0552385756997245, "bits");
}

/* The score of a corpus is the score of the sums, not the mean of scores. */
static void test_corpora(void **state)
{
    (void)state;
    static const double bleu[2 * TARE_BLEU_STATS] = {5, 5, 5, 4, 3, 2, 5, 4, 3, 2,
                                                     6, 6, 4, 3, 2, 1, 5, 4, 3, 2};
    assert_close(tare_lm_eval_bleu(bleu, NULL, 2), 83.75922397086269, "BLEU");
    static const double ter[] = {1, 2, 2, 6};
    assert_close(tare_lm_eval_ter(ter, NULL, 2), 37.5, "TER");
    static const double chrf[2 * TARE_CHRF_STATS] = {1, 1, 1, 1, 1, 1, [TARE_CHRF_STATS] = 1, 1, 0, 1, 1, 1};
    assert_close(tare_lm_eval_chrf(chrf, NULL, 2), 75, "chrF");
    assert_close(tare_lm_eval_chrf(chrf, (const uint32_t[]){0, 0}, 2), 100, "chrF of a drawing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_means),    cmocka_unit_test(test_drawn),   cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_weighted), cmocka_unit_test(test_corpora),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
