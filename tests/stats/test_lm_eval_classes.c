/* SPDX-License-Identifier: Apache-2.0 */
/* F1 and Matthews' correlation against the same formulas in Python, and tables that can be reckoned by hand.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "stats/lm_eval.h"

#include <tare/python_random.h>

static void assert_close(double got, double expected, const char *why)
{
    if (!(fabs(got - expected) <= 1e-12)) {
        fail_msg("%s: %.17g, not %.17g", why, got, expected);
    }
}

/* n items of so many classes; that share of them is predicted as it is, else another or, of three, any. */
static void make(uint64_t seed, int classes, double right, double *rows, size_t n)
{
    struct tare_python_random r;
    tare_python_random_init(&r, seed);
    for (size_t i = 0; i < n; i++) {
        double gold = floor(tare_python_random_unit(&r) * classes), predicted = gold;
        if (!(tare_python_random_unit(&r) < right)) {
            predicted = classes == 2 ? 1 - gold : floor(tare_python_random_unit(&r) * classes);
        }
        rows[2 * i] = gold;
        rows[2 * i + 1] = predicted;
    }
}

static void test_two_classes(void **state)
{
    (void)state;
    struct tare_err err = {0};
    struct tare_lm_eval_value got = {0};
    double rows[180];
    make(5, 2, 0.7, rows, 90);
    assert_close(tare_lm_eval_f1(rows, NULL, 90), 0.5185185185185185, "F1");
    assert_close(tare_lm_eval_mcc(rows, NULL, 90), 0.12471969567313897, "Matthews, by his own formula too");
    assert_int_equal(tare_lm_eval_stderr(TARE_LM_EVAL_F1, rows, 90, 300, &got, &err), 0);
    assert_close(got.value, 0.069306825419189, "standard error of F1");
    assert_int_equal(tare_lm_eval_stderr(TARE_LM_EVAL_MCC, rows, 90, 100, &got, &err), 0);
    assert_close(got.value, 0.11358360319279603, "standard error of Matthews'");
}

static void test_three_classes(void **state)
{
    (void)state;
    double rows[120];
    make(6, 3, 0.5, rows, 60);
    assert_close(tare_lm_eval_mcc(rows, NULL, 60), 0.5158935121615326, "Matthews");
    assert_close(tare_lm_eval_macro_f1(rows, NULL, 60), 2.0 / 3, "macro F1");
    assert_true(isnan(tare_lm_eval_f1(rows, NULL, 60))); /* binary F1 of three classes is none */
}

struct edge {
    const char *why;
    double rows[8];
    size_t n;
    double f1, macro_f1, mcc;
};

static const struct edge edges[] = {
    {"all right", {0, 0, 1, 1, 2, 2}, 3, (double)NAN, 1, 1},
    {"all wrong, two classes", {0, 1, 1, 0}, 2, 0, 0, -1},
    {"one class only: no correlation", {1, 1, 1, 1}, 2, 1, 1.0 / 3, 0},
    {"never of class 1: a share of nothing", {0, 0, 0, 0}, 2, 0, 1.0 / 3, 0},
    {"always the same prediction", {0, 1, 1, 1}, 2, 2.0 / 3, 2.0 / 9, 0},
    {"a gold class that is out of range", {-100, 1, 1, 1}, 2, (double)NAN, (double)NAN, (double)NAN},
    {"no whole number", {0.5, 1, 1, 1}, 2, (double)NAN, (double)NAN, (double)NAN},
};

static void assert_same(double got, double expected, const char *why)
{
    if (isnan(expected)) {
        assert_true(isnan(got));
    } else {
        assert_close(got, expected, why);
    }
}

static void test_edges(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        const struct edge *e = &edges[i];
        assert_same(tare_lm_eval_f1(e->rows, NULL, e->n), e->f1, e->why);
        assert_same(tare_lm_eval_macro_f1(e->rows, NULL, e->n), e->macro_f1, e->why);
        assert_same(tare_lm_eval_mcc(e->rows, NULL, e->n), e->mcc, e->why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_classes),
        cmocka_unit_test(test_three_classes),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
