/* SPDX-License-Identifier: Apache-2.0 */
/* ROUGE against the rules of rouge_score in Python, see texts.h, and on sentences. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/grading/rouge.h"

#include "texts.h"

static void assert_close(double got, double expected, const char *why)
{
    if (!(fabs(got - expected) <= 1e-12)) {
        fail_msg("%s: %.17g, not %.17g", why, got, expected);
    }
}

static struct tare_rouge rouge_of(struct tare_bytes output, struct tare_bytes reference)
{
    struct tare_err err = {0};
    struct tare_rouge got;
    assert_int_equal(tare_rouge_score(output, reference, &got, &err), 0);
    return got;
}

static void test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_TEXTS; i++) {
        struct tare_rouge got = rouge_of(texts[i].output, texts[i].references[0]);
        assert_close(got.rouge1, texts[i].rouge[0], texts[i].why);
        assert_close(got.rouge2, texts[i].rouge[1], texts[i].why);
        assert_close(got.rouge_lsum, texts[i].rouge[2], texts[i].why);
    }
}

/* Lin's example (section 3.2): one reference sentence w1 .. w5, two of the output; four words of ten and of
 * five. */
static void test_union(void **state)
{
    (void)state;
    static const struct tare_bytes reference = BYTES("w1 w2 w3 w4 w5"),
                                   output = BYTES("w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5"),
                                   marked = BYTES("w1 w2 w6 w7 w8 . w1 w3 w8 w9 w5");
    assert_close(rouge_of(output, reference).rouge_lsum, 100 * 2 * 0.4 * 0.8 / 1.2, "sentences by lines");
    assert_close(rouge_of(marked, reference).rouge_lsum, 100 * 2 * 0.4 * 0.8 / 1.2,
                 "by a period between blanks");
    assert_close(rouge_of(reference, output).rouge_lsum, 100 * 2 * 0.4 * 0.8 / 1.2, "the other way round");
}

/* Of "a b" and "b a" either word is a longest common subsequence; rouge_score takes the first of the
 * reference, so that the sentence "a" adds none. */
static void test_tie(void **state)
{
    (void)state;
    static const struct tare_bytes reference = BYTES("a b"), output = BYTES("b a\na");
    assert_close(rouge_of(output, reference).rouge_lsum, 40, "one hit of three words and of two");
}

static void test_nothing(void **state)
{
    (void)state;
    static const struct tare_bytes words = BYTES("w1"), none = BYTES(""), marks = BYTES("/ \n."),
                                   lines = BYTES("\n\nw1\n");
    assert_close(rouge_of(none, words).rouge_lsum, 0, "no output");
    assert_close(rouge_of(words, none).rouge1, 0, "no reference");
    assert_close(rouge_of(marks, words).rouge_lsum, 0, "no word");
    assert_close(rouge_of(lines, words).rouge_lsum, 100, "empty lines");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts), cmocka_unit_test(test_union),
                                       cmocka_unit_test(test_tie), cmocka_unit_test(test_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
