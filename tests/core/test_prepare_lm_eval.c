/* SPDX-License-Identifier: Apache-2.0 */
/* The same items by the rules of lm-evaluation-harness, for a tokenizer whose pieces can be counted by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "prepared.h"

static struct tare_task lm_eval_task;

static void set_up_lm_eval(struct setup *s, const struct tare_item *item, uint32_t token_bytes, int64_t n_ctx,
                           int64_t first_token)
{
    set_up(s, item, 1, token_bytes, n_ctx, first_token);
    lm_eval_task = fake_task;
    lm_eval_task.convention = TARE_CONVENTION_LM_EVAL;
    s->args.task = &lm_eval_task;
}

struct expected {
    const char *tokens;
    uint32_t first, shared_prefix;
};

static void check_requests(const struct tare_prepared_item *p, const struct expected *expected, size_t n)
{
    assert_int_equal(p->code, 0);
    assert_int_equal(p->n_requests, n);
    for (size_t i = 0; i < n; i++) {
        const struct tare_prepared_request *q = &p->requests[i];
        assert_int_equal(q->n_tokens, strlen(expected[i].tokens));
        assert_tokens(q->tokens, q->n_tokens, expected[i].tokens);
        assert_int_equal(q->first, expected[i].first);
        assert_int_equal(q->n_expected, q->n_tokens - q->first);
        assert_int_equal(q->shared_prefix, expected[i].shared_prefix);
    }
}

/* "abcd" + "efg" in pieces of 2 is one text: ab cd ef g. The id of a piece is its first byte. */
static void test_joined(void **state)
{
    (void)state;
    static const struct tare_bytes choices[] = {BYTES("efg"), BYTES("exyz")};
    static const struct tare_item item = {
        .kind = TARE_ITEM_CHOICE, .text = BYTES("abcd"), .choices = choices, .n_choices = 2, .gold = 1};
    static const struct expected expected[] = {{"^aceg", 3, 0}, {"^acey", 3, 3}};
    struct setup s;
    set_up_lm_eval(&s, &item, 2, 100, bos);
    const struct tare_prepared_item *p = prepare(&s);
    check_requests(p, expected, 2);
    assert_int_equal(p->gold, 1);
    assert_int_equal(p->requests[1].n_bytes, 4);
    done(&s);
}

/* "abc" by itself is ab c; with "def" behind it, ab cd ef. Only the number of the context's own tokens
 * counts: two of three. Apart, it would have been ab c de f. */
static void test_a_piece_across_the_cut(void **state)
{
    (void)state;
    static const struct tare_bytes choices[] = {BYTES("def"), BYTES("xyz")};
    static const struct tare_item item = {
        .kind = TARE_ITEM_CHOICE, .text = BYTES("abc"), .choices = choices, .n_choices = 2};
    static const struct expected expected[] = {{"^ace", 3, 0}, {"^acy", 3, 3}};
    struct setup s;
    set_up_lm_eval(&s, &item, 2, 100, bos);
    check_requests(prepare(&s), expected, 2);
    done(&s);
}

/* Blanks at the context's end belong to the choice: "ab  " + "cd" has the context "ab". */
static void test_blanks_move(void **state)
{
    (void)state;
    static const struct tare_bytes choices[] = {BYTES("cd")};
    static const struct tare_item item = {
        .kind = TARE_ITEM_CHOICE, .text = BYTES("ab \n"), .choices = choices, .n_choices = 1};
    static const struct expected expected[] = {{"^ab \ncd", 3, 0}};
    struct setup s;
    set_up_lm_eval(&s, &item, 1, 100, bos);
    check_requests(prepare(&s), expected, 1);
    done(&s);
}

static void test_empty_context(void **state)
{
    (void)state;
    static const struct tare_bytes choices[] = {BYTES("cd")};
    static const struct tare_item item = {
        .kind = TARE_ITEM_CHOICE, .text = BYTES(""), .choices = choices, .n_choices = 1};
    static const struct expected expected[] = {{"^cd", 1, 0}};
    struct setup s;
    set_up_lm_eval(&s, &item, 1, 100, bos);
    check_requests(prepare(&s), expected, 1);
    done(&s);
    set_up_lm_eval(&s, &item, 1, 100, TARE_UNKNOWN);
    assert_fails(&s, TARE_E_UNSUPPORTED, "choice");
}

/* One more than fits remains, for the last is a target only; the first token goes with the rest. */
static void test_cut_from_the_left(void **state)
{
    (void)state;
    static const struct tare_bytes choices[] = {BYTES("gh"), BYTES("x")};
    static const struct tare_item item = {
        .kind = TARE_ITEM_CHOICE, .text = BYTES("abcdef"), .choices = choices, .n_choices = 2};
    static const struct expected whole[] = {{"^abcdefgh", 7, 0}, {"^abcdefx", 7, 7}},
                                 cut[] = {{"defgh", 3, 0}, {"cdefx", 4, 0}};
    struct setup s;
    set_up_lm_eval(&s, &item, 1, 8, bos);
    check_requests(prepare(&s), whole, 2);
    done(&s);
    set_up_lm_eval(&s, &item, 1, 4, bos);
    check_requests(prepare(&s), cut, 2);
    done(&s);
}

static void test_a_choice_beyond_the_context(void **state)
{
    (void)state;
    static const struct tare_bytes choices[] = {BYTES("cdefg")};
    static const struct tare_item item = {
        .kind = TARE_ITEM_CHOICE, .text = BYTES("ab"), .choices = choices, .n_choices = 1};
    static const struct {
        int64_t n_ctx;
        int32_t code;
    } cases[] = {{5, 0}, {4, TARE_E_LIMIT}}; /* b and cdef are fed */
    for (size_t c = 0; c < 2; c++) {
        struct setup s;
        set_up_lm_eval(&s, &item, 1, cases[c].n_ctx, bos);
        assert_int_equal(prepare(&s)->code, cases[c].code);
        done(&s);
    }
}

static void test_rolling(void **state)
{
    (void)state;
    static const struct tare_item item = {.kind = TARE_ITEM_TEXT, .text = BYTES("0123456789")};
    static const struct expected expected[] = {{"^0123", 1, 0}, {"34567", 1, 0}, {"56789", 3, 0}};
    struct setup s;
    set_up_lm_eval(&s, &item, 1, 4, bos);
    const struct tare_prepared_item *p = prepare(&s);
    check_requests(p, expected, 3);
    assert_int_equal(p->den, 10);
    done(&s);
    set_up_lm_eval(&s, &item, 1, 4, TARE_UNKNOWN);
    assert_fails(&s, TARE_E_UNSUPPORTED, "beginning-of-sequence");
}

static void test_generate(void **state)
{
    (void)state;
    static const struct tare_bytes stops[] = {BYTES("\n")};
    static const struct tare_item item = {
        .kind = TARE_ITEM_GENERATE, .text = BYTES("abcdef"), .stops = stops, .n_stops = 1, .max_output = 3};
    static const struct {
        int64_t n_ctx;
        const char *tokens;
        int32_t code;
    } cases[] = {
        {100, "^abcdef", 0}, {10, "^abcdef", 0}, {9, "abcdef", 0}, {4, "f", 0}, {3, "^abcdef", TARE_E_LIMIT}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct setup s;
        set_up_lm_eval(&s, &item, 1, cases[c].n_ctx, bos);
        const struct tare_prepared_item *p = prepare(&s);
        assert_int_equal(p->code, cases[c].code);
        assert_int_equal(p->requests[0].n_tokens, strlen(cases[c].tokens));
        assert_tokens(p->requests[0].tokens, p->requests[0].n_tokens, cases[c].tokens);
        assert_int_equal(p->n_stops, 1);
        assert_int_equal(p->requests[0].max_output, 3);
        done(&s);
    }
}

/* What has no rule of its own there is prepared as ever. */
static void test_others_as_ever(void **state)
{
    (void)state;
    static const struct tare_span spans[] = {{2, 4}};
    static const struct tare_item item = {
        .kind = TARE_ITEM_SPANS, .text = BYTES("abcd"), .spans = spans, .n_spans = 1};
    struct setup s;
    set_up_lm_eval(&s, &item, 1, 100, bos);
    const struct tare_prepared_item *p = prepare(&s);
    assert_int_equal(p->requests[0].n_tokens, 5);
    assert_int_equal(p->requests[0].first, 3);
    assert_non_null(p->requests[0].graded);
    done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_joined),        cmocka_unit_test(test_a_piece_across_the_cut),
        cmocka_unit_test(test_blanks_move),   cmocka_unit_test(test_empty_context),
        cmocka_unit_test(test_rolling),       cmocka_unit_test(test_cut_from_the_left),
        cmocka_unit_test(test_generate),      cmocka_unit_test(test_a_choice_beyond_the_context),
        cmocka_unit_test(test_others_as_ever)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
