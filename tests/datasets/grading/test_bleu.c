/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens and matched n-grams against sacrebleu; see texts.h. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/grading/bleu.h"
#include "datasets/grading/text.h"

#include "texts.h"

static void assert_stats(const double *got, const double *expected, size_t n, const char *why)
{
    for (size_t i = 0; i < n; i++) {
        if (got[i] != expected[i]) {
            fail_msg("%s: number %zu is %.17g, not %.17g", why, i, got[i], expected[i]);
        }
    }
}

static void assert_tokens(enum tare_bleu_tokenizer tokenizer, const struct text_case *c, const char *expected)
{
    struct tare_string out = {0};
    struct tare_err err = {0};
    assert_int_equal(tare_bleu_tokenize(tokenizer, c->output, &out, &err), 0);
    if (out.n != strlen(expected) || (out.n > 0 && memcmp(out.data, expected, out.n) != 0)) {
        fail_msg("%s: '%.*s', not '%s'", c->why, (int)out.n, out.data, expected);
    }
    tare_string_fini(&out);
}

static void test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_TEXTS; i++) {
        const struct text_case *c = &texts[i];
        struct tare_err err = {0};
        double stats[TARE_BLEU_STATS];
        assert_tokens(TARE_BLEU_13A, c, c->tokens_13a);
        assert_tokens(TARE_BLEU_INTL, c, c->tokens_intl);
        assert_int_equal(
            tare_bleu_count(TARE_BLEU_13A, c->output, c->references, c->n_references, stats, &err), 0);
        assert_stats(stats, c->bleu_13a, TARE_BLEU_STATS, c->why);
        assert_int_equal(
            tare_bleu_count(TARE_BLEU_INTL, c->output, c->references, c->n_references, stats, &err), 0);
        assert_stats(stats, c->bleu_intl, TARE_BLEU_STATS, c->why);
    }
}

/* Of two references as close the shorter one's length counts, in either order. */
static void test_closest(void **state)
{
    (void)state;
    static const struct tare_bytes output = BYTES("a b c d"),
                                   references[] = {BYTES("a b c d e"), BYTES("a b c"), BYTES("a b c d e f")};
    struct tare_err err = {0};
    double stats[TARE_BLEU_STATS];
    assert_int_equal(tare_bleu_count(TARE_BLEU_13A, output, references, 3, stats, &err), 0);
    assert_true(stats[1] == 3);
    assert_int_equal(tare_bleu_count(TARE_BLEU_13A, output, references, 1, stats, &err), 0);
    assert_true(stats[1] == 5);
}

/* A byte that is no UTF-8 is the character that Python puts in its place. */
static void test_broken(void **state)
{
    (void)state;
    static const struct tare_bytes output = BYTES("a \xff b"), reference = BYTES("a \xef\xbf\xbd b");
    struct tare_err err = {0};
    double stats[TARE_BLEU_STATS];
    assert_int_equal(tare_bleu_count(TARE_BLEU_INTL, output, &reference, 1, stats, &err), 0);
    assert_true(stats[2] == 3 && stats[0] == 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts), cmocka_unit_test(test_closest),
                                       cmocka_unit_test(test_broken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
