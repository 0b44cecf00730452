/* SPDX-License-Identifier: Apache-2.0 */
/* Sums into figures: values, standard errors and covariance by hand, and what is absent. */
#include "fidelity/figures.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct tare_fidelity_figures figures;
static const struct tare_fidelity_about about = {.source = "a test", .unit = "items", .n_vocab = 100};

static void assert_near(double got, double expected, double error)
{
    if (!(fabs(got - expected) <= error)) {
        fail_msg("%.17g, not %.17g", got, expected);
    }
}

static const struct tare_fidelity_figure *find(const char *name)
{
    const struct tare_fidelity_figure *f = tare_fidelity_find(&figures, name);
    if (!f) {
        fail_msg("there is no figure %s", name);
    }
    return f;
}

static void make(const struct tare_fidelity_item *items, size_t n, const struct tare_fidelity_about *of)
{
    struct tare_err err = {0};
    if (tare_fidelity_figures(items, n, of, &figures, &err) < 0) {
        fail_msg("%s", err.msg);
    }
}

/* Positions, and the two negative log-likelihoods. */
static struct tare_fidelity_item item_of(double n, double nll_t, double nll_s, double kl, double same)
{
    struct tare_fidelity_item i = {.is_choice = false};
    i.sums[TARE_SUM_POSITIONS] = n;
    i.sums[TARE_SUM_NLL_T] = nll_t;
    i.sums[TARE_SUM_NLL_S] = nll_s;
    i.sums[TARE_SUM_NLL_DIFFERENCE] = nll_s - nll_t;
    i.sums[TARE_SUM_KL_TS] = kl;
    i.sums[TARE_SUM_SAME_TOP] = same;
    return i;
}

static void test_by_hand(void **state)
{
    const struct tare_fidelity_item items[] = {item_of(2, 2, 3, 1, 1), item_of(2, 4, 4, 0, 2),
                                               item_of(4, 12, 13, 3, 2)};
    (void)state;
    make(items, 3, &about);
    /* Means over positions, not over items: 18/8, 20/8. Residuals of the teacher -2.5, -.5, 3; of the student
     * -2, -1, 3. */
    assert_near(find("log_ppl_teacher")->figure.value, 2.25, 1e-15);
    assert_near(find("log_ppl_student")->figure.value, 2.5, 1e-15);
    assert_near(find("log_ppl_teacher")->se, sqrt(1.5 * (6.25 + .25 + 9) / 64), 1e-15);
    assert_near(find("log_ppl_student")->se, sqrt(1.5 * (4 + 1 + 9) / 64), 1e-15);
    double covariance = 1.5 * (5 + .5 + 9) / 64;
    assert_near(find("log_ppl_covariance")->figure.value, covariance, 1e-15);
    assert_near(find("log_ppl_correlation")->figure.value, 14.5 / sqrt(15.5 * 14), 1e-15);
    /* What the pairing takes away: var s + var t - 2 cov. */
    double t = find("log_ppl_teacher")->se, s = find("log_ppl_student")->se;
    assert_near(find("log_ppl_difference")->figure.value, 0.25, 1e-15);
    assert_near(find("log_ppl_difference")->se, sqrt(t * t + s * s - 2 * covariance), 1e-14);
    assert_near(find("ppl_ratio")->figure.value, exp(0.25), 1e-15);
    assert_near(find("ppl_ratio")->se, exp(0.25) * find("log_ppl_difference")->se, 1e-15);
    assert_near(find("kl_teacher_student")->figure.value, 0.5, 0);
    assert_near(find("top1_agreement")->figure.value, 5.0 / 8, 0);
    assert_int_equal(find("top1_agreement")->figure.n, 3);
    assert_string_equal(find("top1_agreement")->figure.n_what, "items");
}

/* Items of one length: t intervals of four values. */
static void test_intervals(void **state)
{
    const struct tare_fidelity_item items[] = {item_of(10, 10, 11, 1, 9), item_of(10, 20, 22, 2, 9),
                                               item_of(10, 30, 33, 3, 8), item_of(10, 20, 22, 2, 10)};
    (void)state;
    make(items, 4, &about);
    const struct tare_figure *difference = &find("log_ppl_difference")->figure,
                             *ratio = &find("ppl_ratio")->figure, *kl = &find("kl_teacher_student")->figure;
    /* 0.1, 0.2, 0.3, 0.2: standard deviation 0.0816497, t(3) 3.182446. */
    double half = 3.182446305 * sqrt(0.02 / 3) / 2;
    assert_near(difference->low, 0.2 - half, 1e-8);
    assert_near(difference->high, 0.2 + half, 1e-8);
    assert_near(difference->level, 0.95, 0);
    assert_near(ratio->low, exp(difference->low), 1e-15);
    assert_near(ratio->high, exp(difference->high), 1e-15);
    assert_near(kl->low, difference->low, 1e-12);
    assert_near(find("log_ppl_difference")->se, sqrt(0.02 / 3) / 2, 1e-15);
    const struct tare_figure *share = &find("top1_agreement")->figure;
    assert_true(share->low > 0.3 && share->low < 0.9 && share->high > 0.9 && share->high < 1);
}

static void test_one_item_has_no_interval(void **state)
{
    const struct tare_fidelity_item one = item_of(5, 5, 6, 1, 4);
    (void)state;
    make(&one, 1, &about);
    const struct tare_fidelity_figure *kl = find("kl_teacher_student");
    assert_near(kl->figure.value, 0.2, 1e-15);
    assert_true(isnan(kl->figure.low) && isnan(kl->figure.high) && isnan(kl->se));
    assert_non_null(kl->figure.method);
    assert_non_null(strstr(find("log_ppl_covariance")->figure.absent, "too small"));
    assert_true(isnan(find("log_ppl_covariance")->figure.value));
}

static void test_infinite_is_absent(void **state)
{
    const struct tare_fidelity_item items[] = {item_of(2, 2, 3, (double)INFINITY, 1), item_of(2, 2, 3, 1, 1)};
    (void)state;
    make(items, 2, &about);
    const struct tare_figure *f = &find("kl_teacher_student")->figure;
    assert_true(isnan(f->value) && isnan(f->low));
    assert_non_null(strstr(f->absent, "infinite"));
    assert_near(find("top1_agreement")->figure.value, 0.5, 0);
}

static void test_empty_bucket(void **state)
{
    struct tare_fidelity_item items[] = {item_of(2, 2, 3, 1, 1), item_of(2, 2, 3, 1, 1)};
    (void)state;
    items[0].sums[TARE_SUM_BUCKETS + 2] = items[1].sums[TARE_SUM_BUCKETS] = 2;
    items[0].sums[TARE_SUM_KL_BUCKETS + 2] = 1;
    make(items, 2, &about);
    assert_near(find("kl_teacher_student_h3")->figure.value, 0.5, 0);
    assert_int_equal(find("kl_teacher_student_h3")->figure.n, 1); /* items that have such a position */
    assert_near(find("share_h3")->figure.value, 0.5, 0);
    assert_near(find("share_h2")->figure.value, 0, 0);
    assert_non_null(find("kl_teacher_student_h2")->figure.absent);
}

static void test_choices_and_texts(void **state)
{
    const struct tare_fidelity_item items[] = {
        {.is_choice = true, .same_pick = true, .right_t = true, .right_s = true},
        {.is_choice = true, .right_t = true, .choice_js = 0.04},
        {.is_choice = true, .right_s = true},
        {.is_choice = true, .same_pick = true},
        {.is_generated = true, .output_t = 8, .output_s = 8, .common = 8},
        {.is_generated = true, .output_t = 4, .output_s = 8, .common = 4},
        {.is_generated = true, .output_t = 4, .output_s = 8, .common = 0}};
    (void)state;
    make(items, 7, &about);
    assert_null(tare_fidelity_find(&figures, "kl_teacher_student")); /* there was no position */
    assert_near(find("choice_agreement")->figure.value, 0.5, 0);
    assert_near(find("choice_flips_lost")->figure.value, 0.25, 0);
    assert_near(find("choice_flips_won")->figure.value, 0.25, 0);
    assert_near(find("choice_loyalty_e")->figure.value, (4 - 0.2) / 4, 1e-15);
    assert_int_equal(find("choice_agreement")->figure.n, 4);
    assert_near(find("greedy_prefix")->figure.value, 4, 0);
    assert_near(find("greedy_share")->figure.value, 12.0 / 16, 0);
    assert_near(find("greedy_identical")->figure.value, 1.0 / 3, 1e-15); /* one ended earlier: not equal */
    assert_non_null(strstr(find("greedy_prefix")->figure.flags, "CENSORED"));
}

static void test_flags_and_small_vocabularies(void **state)
{
    const struct tare_fidelity_item items[] = {item_of(2, 2, 3, 1, 1), item_of(2, 2, 3, 1, 1)};
    const struct tare_fidelity_about odd = {
        .source = "a file", .unit = "chunks", .n_vocab = 7, .rounded = true, .partial = true};
    (void)state;
    make(items, 2, &odd);
    for (size_t i = 0; i < figures.n; i++) {
        assert_string_equal(figures.list[i].figure.flags, "TEACHER_ROUNDED,ITEMS_FAILED");
        assert_string_equal(figures.list[i].figure.source, "a file");
        assert_true(isnan(figures.list[i].figure.value) == (figures.list[i].figure.absent != NULL));
    }
    assert_non_null(find("top10_overlap")->figure.absent);
    assert_null(find("top5_overlap")->figure.absent);
}

static void test_nothing(void **state)
{
    (void)state;
    make(NULL, 0, &about);
    assert_int_equal(figures.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_intervals),
        cmocka_unit_test(test_one_item_has_no_interval),
        cmocka_unit_test(test_infinite_is_absent),
        cmocka_unit_test(test_empty_bucket),
        cmocka_unit_test(test_choices_and_texts),
        cmocka_unit_test(test_flags_and_small_vocabularies),
        cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
