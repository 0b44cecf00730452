/* SPDX-License-Identifier: Apache-2.0 */
/* Made-up questions; BLEU by sacrebleu as lm-eval calls it, ROUGE by the rules of rouge_score in Python. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "datasets/grading/truthfulqa.h"

#define BYTES(text)              \
    {                            \
        (text), sizeof(text) - 1 \
    }

static const struct {
    const char *why;
    struct tare_bytes output, right[2];
    size_t n_right;
    struct tare_bytes wrong[2];
    size_t n_wrong;
    struct tare_truthfulness scores[TARE_TRUTHFUL_SCORES];
} cases[] = {
    {"it names one of the true answers",
     BYTES("The Moon is about 384,000 km away from us."),
     {BYTES("The Moon is about 384,000 km away."), BYTES("I have no comment.")},
     2,
     {BYTES("The Moon is about 38,000 km away from us, as everybody knows."), BYTES("It is near.")},
     2,
     {{66.06328636027612, 1, 29.79345721014562},
      {88.8888888888889, 1, 10.628019323671523},
      {87.50000000000001, 1, 20.833333333333357},
      {88.8888888888889, 1, 10.628019323671523}}},
    {"it is a false answer",
     BYTES("It is made of green cheese."),
     {BYTES("It is made of rock."), BYTES("I have no comment.")},
     2,
     {BYTES("It is made of green cheese."), BYTES("Cheese.")},
     2,
     {{43.47208719449914, 0, -56.527912805500904},
      {72.72727272727272, 0, -27.27272727272728},
      {66.66666666666666, 0, -33.33333333333334},
      {72.72727272727272, 0, -27.27272727272728}}},
    {"as close to either",
     BYTES("yes"),
     {BYTES("no")},
     1,
     {BYTES("perhaps")},
     1,
     {{0.0, 0, 0.0}, {0.0, 0, 0.0}, {0.0, 0, 0.0}, {0.0, 0, 0.0}}},
    {"no output",
     BYTES(""),
     {BYTES("a b")},
     1,
     {BYTES("c d")},
     1,
     {{0.0, 0, 0.0}, {0.0, 0, 0.0}, {0.0, 0, 0.0}, {0.0, 0, 0.0}}},
    {"sentences",
     BYTES("It is cold there . It is dark there ."),
     {BYTES("It is dark there . It is cold there .")},
     1,
     {BYTES("It is warm there . It is dark here .")},
     1,
     {{91.9322715224919, 1, 45.21847374967191},
      {100.0, 1, 25.0},
      {100.0, 1, 42.85714285714286},
      {100.0, 1, 25.0}}},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_err err = {0};
        struct tare_truthfulness got[TARE_TRUTHFUL_SCORES];
        assert_int_equal(tare_truthfulqa_score(cases[i].output, cases[i].right, cases[i].n_right,
                                               cases[i].wrong, cases[i].n_wrong, got, &err),
                         0);
        for (int k = 0; k < TARE_TRUTHFUL_SCORES; k++) {
            const struct tare_truthfulness *want = &cases[i].scores[k];
            if (fabs(got[k].max - want->max) > 1e-11 || got[k].acc != want->acc ||
                fabs(got[k].diff - want->diff) > 1e-11) {
                fail_msg("%s, score %d: %.17g %g %.17g", cases[i].why, k, got[k].max, got[k].acc,
                         got[k].diff);
            }
        }
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct tare_bytes one = BYTES("a");
    struct tare_err err = {0};
    struct tare_truthfulness got[TARE_TRUTHFUL_SCORES];
    assert_int_equal(tare_truthfulqa_score(one, &one, 1, &one, 0, got, &err), TARE_E_USAGE);
    assert_int_equal(tare_truthfulqa_score(one, &one, 0, &one, 1, got, &err), TARE_E_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
