/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scores of sums against sacrebleu (version 2, its sources of January 2026 run on the same numbers), and
 * against what the definitions make of extreme ones.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <tare/corpus_score.h>

/* Ten digits more than a table shows; a different order of additions is no fault. */
static void assert_close(double got, double expected, const char *why)
{
    if (!(fabs(got - expected) <= 1e-12 * fmax(1, fabs(expected)))) {
        fail_msg("%s: %.17g, not %.17g", why, got, expected);
    }
}

static void test_bleu(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        double stats[TARE_BLEU_STATS], score;
    } cases[] = {
        {"no smoothing, no penalty", {11, 11, 9, 7, 5, 3, 10, 8, 6, 4}, 83.75922397086269},
        {"all matches", {5, 5, 5, 4, 3, 2, 5, 4, 3, 2}, 100},
        {"three orders without a match, and too short", {8, 10, 3, 0, 0, 0, 8, 7, 6, 5}, 5.660233915657916},
        {"two orders without a match", {8, 10, 3, 1, 0, 0, 8, 7, 6, 5}, 9.51934081834847},
        {"the longest order without a match", {12, 10, 6, 2, 1, 0, 12, 11, 10, 9}, 14.991106946711685},
        {"much too short", {6, 20, 6, 5, 4, 3, 6, 5, 4, 3}, 9.697196786440509},
        {"an output too short for the longest order", {3, 3, 3, 2, 1, 0, 3, 2, 1, 0}, 0},
        {"no match at all is not smoothed", {4, 9, 0, 0, 0, 0, 4, 3, 2, 1}, 0},
        {"no output", {0, 4, 0, 0, 0, 0, 0, 0, 0, 0}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_close(tare_bleu_score(cases[i].stats), cases[i].score, cases[i].why);
    }
}

static void test_chrf(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        double stats[TARE_CHRF_STATS], score;
    } cases[] = {
        {"all orders", {10, 12, 8, 9, 11, 6, 8, 10, 4, 7, 9, 2, 6, 8, 1, 5, 7, 0}, 33.94590732570561},
        {"texts of two characters have two orders", {2, 2, 1, 1, 1, 0}, 25},
        {"orders that one side lacks do not count", {3, 4, 3, 2, 3, 2, 1, 2, 1, 0, 1, 0}, 68.86227544910179},
        {"no reference", {3, 0, 0, 3, 0, 0, 3, 0, 0, 3, 0, 0, 3, 0, 0, 3, 0, 0}, 0},
        {"no output", {0, 3, 0, 0, 3, 0, 0, 3, 0, 0, 3, 0, 0, 3, 0, 0, 3, 0}, 0},
        {"nothing matches", {5, 5, 0, 5, 5, 0, 5, 5, 0, 5, 5, 0, 5, 5, 0, 5, 5, 0}, 0},
        {"all matches", {5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5}, 100},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_close(tare_chrf_score(cases[i].stats), cases[i].score, cases[i].why);
    }
}

static void test_ter(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        double stats[TARE_TER_STATS], score;
    } cases[] = {
        {"edits over words", {3, 8}, 37.5},
        {"more edits than words; a mean length", {12, 8.5}, 141.1764705882353},
        {"none", {0, 7}, 0},
        {"nothing against nothing", {0, 0}, 0},
        {"something against nothing", {4, 0}, 100},
        {"the last digit", {1, 3}, 33.33333333333333},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_close(tare_ter_score(cases[i].stats), cases[i].score, cases[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bleu),
        cmocka_unit_test(test_chrf),
        cmocka_unit_test(test_ter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
