/* SPDX-License-Identifier: Apache-2.0 */
/* One question at a time against SQuAD's scripts: version 2 as Hugging Face's evaluate carries it, version 1
 * by its rule. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/grading/squad.h"

#define BYTES(text)              \
    {                            \
        (text), sizeof(text) - 1 \
    }

static const struct {
    const char *why;
    struct tare_bytes output, golds[2];
    size_t n_golds;
    double exact, f1;    /* version 2 */
    double exact1, f1_1; /* version 1; -1: it has no such question */
} cases[] = {
    {"equal", BYTES("1912"), {BYTES("1912")}, 1, 1, 1.0, 1, 1.0},
    {"punctuation and case; the better gold",
     BYTES("in 1912."),
     {BYTES("1912"), BYTES("In 1912")},
     2,
     1,
     1.0,
     1,
     1.0},
    {"articles", BYTES("The red house"), {BYTES("a red house")}, 1, 1, 1.0, 1, 1.0},
    {"an article is a word", BYTES("the theatre"), {BYTES("theatre")}, 1, 1, 1.0, 1, 1.0},
    {"white space", BYTES("red  house\n"), {BYTES("red house")}, 1, 1, 1.0, 1, 1.0},
    {"words as often as both have them",
     BYTES("a red red car"),
     {BYTES("red car red bus")},
     1,
     0,
     0.8571428571428571,
     0,
     0.8571428571428571},
    {"no answer where there is none", BYTES(""), {BYTES("")}, 0, 1, 1, -1, -1},
    {"an answer where there is none", BYTES("no"), {BYTES("")}, 0, 0, 0, -1, -1},
    {"nothing is left of either", BYTES("The"), {BYTES("the a")}, 1, 1, 1, 1, 0},
    {"a gold of which nothing is left", BYTES("The"), {BYTES("x"), BYTES("an")}, 2, 0, 0, 1, 0},
    {"punctuation is removed, not cut at", BYTES("U.S.A."), {BYTES("USA")}, 1, 1, 1.0, 1, 1.0},
    {"other scripts; a dash is no ASCII punctuation",
     BYTES("\303\211cole \342\200\223 a\342\200\223b"),
     {BYTES("\303\251cole b")},
     1,
     0,
     0.4,
     0,
     0.4},
    {"more than the gold",
     BYTES("two of three words here"),
     {BYTES("three words")},
     1,
     0,
     0.5714285714285715,
     0,
     0.5714285714285715},
    {"nothing common", BYTES("x y"), {BYTES("z")}, 1, 0, 0, 0, 0},
    {"a blank that does not break", BYTES("half\302\240past"), {BYTES("half past")}, 1, 1, 1.0, 1, 1.0},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_err err = {0};
        double exact = -1, f1 = -1;
        assert_int_equal(tare_squad_score(TARE_SQUAD_2, cases[i].output, cases[i].golds, cases[i].n_golds,
                                          &exact, &f1, &err),
                         0);
        if (exact != cases[i].exact || fabs(f1 - cases[i].f1) > 1e-15) {
            fail_msg("%s: %g, %.17g", cases[i].why, exact, f1);
        }
        exact = f1 = -1;
        int r = tare_squad_score(TARE_SQUAD_1, cases[i].output, cases[i].golds, cases[i].n_golds, &exact, &f1,
                                 &err);
        assert_int_equal(r, cases[i].n_golds ? 0 : TARE_E_USAGE);
        if (exact != cases[i].exact1 || fabs(f1 - cases[i].f1_1) > 1e-15) {
            fail_msg("%s, version 1: %g, %.17g", cases[i].why, exact, f1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
