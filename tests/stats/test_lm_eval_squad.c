/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of seven questions, against SQuAD 2.0's own script as Hugging Face's evaluate carries it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "stats/lm_eval.h"

/* exact, F1, has an answer, probability of none, answered */
static const double rows[7][TARE_SQUAD_STATS] = {
    {1, 1, 1, 0.125, 1}, {1, 1, 1, 0.0625, 1}, {1, 1, 0, 0.5, 0},      {0, 0, 0, 0.75, 1},
    {1, 1, 1, 0.25, 1},  {0, 0, 0, 0.25, 1},   {0, 0.75, 1, 0.875, 1},
};

static struct tare_lm_eval_value figure(const char *name, size_t begin, size_t n, double *threshold)
{
    struct tare_err err = {0};
    struct tare_lm_eval_value got = {0};
    assert_int_equal(tare_squad_figure(tare_squad_figure_of(name), rows[begin], n, &got, threshold, &err), 0);
    return got;
}

static void test_all(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double value, threshold;
    } cases[] = {
        {"exact", 57.142857142857146, -1},
        {"f1", 67.85714285714286, -1},
        {"HasAns_exact", 75, -1},
        {"HasAns_f1", 93.75, -1},
        {"NoAns_exact", 33.333333333333336, -1},
        {"NoAns_f1", 33.333333333333336, -1},
        {"best_exact", 85.71428571428571, 0.25},
        {"best_f1", 85.71428571428571, 0.25},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double threshold = -1;
        struct tare_lm_eval_value got = figure(cases[i].name, 0, 7, &threshold);
        if (!got.ok || fabs(got.value - cases[i].value) > 1e-12 || threshold != cases[i].threshold) {
            fail_msg("%s: %.17g from %g on", cases[i].name, got.value, threshold);
        }
    }
}

static void test_absent(void **state)
{
    (void)state;
    assert_string_equal(figure("HasAns_f1", 2, 2, NULL).method, "no question has an answer");
    assert_string_equal(figure("NoAns_exact", 0, 2, NULL).method, "every question has an answer");
    assert_false(figure("exact", 0, 0, NULL).ok);
    assert_false(figure("best_f1", 0, 0, NULL).ok);
    /* Without a question that has an answer, no answer at all is best: from the start on. */
    double threshold = -1;
    assert_true(figure("best_f1", 2, 2, &threshold).value == 100 && threshold == 0);
}

static void test_names(void **state)
{
    (void)state;
    struct tare_err err = {0};
    struct tare_lm_eval_value got = {0};
    assert_int_equal(tare_squad_figure_of("HasAns"), 0);
    assert_int_equal(tare_squad_figure_of(NULL), 0);
    assert_int_equal(tare_squad_figure((enum tare_squad_figure)0, rows[0], 7, &got, NULL, &err),
                     TARE_E_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all), cmocka_unit_test(test_absent),
                                       cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
