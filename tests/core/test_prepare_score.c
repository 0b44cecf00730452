/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Items that are scored, for a tokenizer whose pieces can be counted by hand: windows of texts, the first
 * token, graded flags, the cut between context and choice, and what fits the context.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "prepared.h"

/* Every token of the document is predicted exactly once, in order, each window from a fresh start. */
static void test_text_windows(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        int64_t window, n_ctx;
        size_t n_requests;
        int32_t code;
        const char *why;
    } cases[] = {
        {10, 4, 100, 3, 0, "the last window is short"},
        {12, 4, 100, 3, 0, "the windows come out even"},
        {3, 4, 100, 1, 0, "shorter than a window"},
        {4, 4, 100, 1, 0, "exactly a window"},
        {5, 4, 100, 2, 0, "a last window of one token"},
        {1, 4, 100, 1, 0, "a single token"},
        {0, 4, 100, 0, 0, "an empty document"},
        {5, 1, 100, 5, 0, "windows of one token"},
        {20, 0, 8, 3, 0, "the window is the context"},
        {16, 8, 8, 2, 0, "the window is the context, said aloud"},
        {16, 9, 8, 2, TARE_E_LIMIT, "a window longer than the context"},
        {8, 9, 8, 1, 0, "a window longer than the context, but not the text"},
        {513, 0, TARE_UNKNOWN, 2, 0, "the context is unknown: 512"},
    };
    char text[600];
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)('a' + i % 26);
    }
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct tare_item item = {.kind = TARE_ITEM_TEXT, .text = {text, cases[c].n}, .level = 5};
        struct setup s;
        set_up(&s, &item, 1, 1, cases[c].n_ctx, bos);
        s.args.window_tok = cases[c].window;
        const struct tare_prepared_item *p = prepare(&s);
        if (p->n_requests != cases[c].n_requests || p->code != cases[c].code) {
            fail_msg("%s: %u requests, code %d", cases[c].why, p->n_requests, p->code);
        }
        assert_int_equal(p->den, cases[c].n);
        assert_int_equal(p->level, 5);
        size_t at = 0;
        for (uint32_t i = 0; i < p->n_requests; i++) {
            const struct tare_prepared_request *q = &p->requests[i];
            assert_int_equal(q->tokens[0], bos);
            assert_int_equal(q->first, 1);
            assert_null(q->graded);
            assert_int_equal(q->n_expected, q->n_tokens - 1);
            assert_int_equal(q->shared_prefix, 0);
            assert_true(cases[c].code != 0 || cases[c].n_ctx < 0 || q->n_tokens - 1 <= cases[c].n_ctx);
            assert_tokens(q->tokens + 1, q->n_tokens - 1, text + at);
            at += q->n_tokens - 1;
        }
        assert_int_equal(at, cases[c].n);
        assert_int_equal(s.prepared.max_requests, cases[c].n_requests);
        done(&s);
    }
}

static void test_no_first_token(void **state)
{
    (void)state;
    static const struct tare_item item = {.kind = TARE_ITEM_TEXT, .text = BYTES("abc")};
    struct setup s;
    set_up(&s, &item, 1, 1, 10, TARE_UNKNOWN);
    assert_fails(&s, TARE_E_UNSUPPORTED, "beginning-of-sequence");
}

/* The text is "abcdefghij" in pieces of 3 bytes: abc def ghi j. Flags begin with the first token's. */
static void test_spans(void **state)
{
    (void)state;
    static const struct {
        struct tare_span spans[3];
        size_t n_spans;
        const char *flags; /* with the model's first token; up to the last graded one */
        const char *why;
    } cases[] = {
        {{{3, 6}}, 1, "001", "exactly a token"},
        {{{0, 3}}, 1, "01", "the first token of the text"},
        {{{9, 10}}, 1, "00001", "the last token, shorter than others"},
        {{{2, 4}}, 1, "011", "across an edge: both tokens"},
        {{{5, 6}}, 1, "001", "the end of a token"},
        {{{3, 4}}, 1, "001", "the begin of a token"},
        {{{0, 10}}, 1, "01111", "everything"},
        {{{0, 1}, {6, 7}}, 2, "0101", "two spans apart"},
        {{{3, 4}, {5, 6}}, 2, "001", "two spans in one token count once"},
        {{{1, 2}, {2, 3}, {8, 10}}, 3, "01011", "touching spans, then one across an edge"},
        {{{3, 3}, {7, 8}}, 2, "0001", "a span without bytes grades nothing"},
        {{{4, 4}, {7, 8}}, 2, "0001", "a span without bytes inside a token neither"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct tare_item item = {.kind = TARE_ITEM_SPANS,
                                 .text = BYTES("abcdefghij"),
                                 .spans = cases[c].spans,
                                 .n_spans = cases[c].n_spans};
        struct setup s;
        set_up(&s, &item, 1, 3, 100, bos);
        const struct tare_prepared_item *p = prepare(&s);
        const struct tare_prepared_request *q = p->requests;
        size_t graded = 0, n = strlen(cases[c].flags);
        for (size_t i = 0; i < n; i++) {
            graded += cases[c].flags[i] == '1';
        }
        if (p->n_requests != 1 || q->n_tokens != n || q->n_expected != graded || p->den != (int64_t)graded) {
            fail_msg("%s: %u tokens, %u expected", cases[c].why, q->n_tokens, q->n_expected);
        }
        assert_int_equal(q->first, strchr(cases[c].flags, '1') - cases[c].flags);
        assert_tokens(q->tokens, n, "^adgj");
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(q->graded[i], cases[c].flags[i] - '0');
        }
        done(&s);
    }
}

/* A token without bytes of its own overlaps nothing: pieces of 2 are e e ab, e e cd, ... with e empty. */
static void test_spans_and_empty_tokens(void **state)
{
    (void)state;
    static const struct tare_span span = {1, 6};
    static const struct tare_item item = {
        .kind = TARE_ITEM_SPANS, .text = BYTES("abcdefgh"), .spans = &span, .n_spans = 1};
    struct setup s;
    set_up(&s, &item, 1, 2, 100, bos);
    s.fake.lie = FAKE_TWO_EMPTY;
    const struct tare_prepared_request *q = prepare(&s)->requests;
    static const uint8_t flags[] = {0, 0, 0, 1, 0, 0, 1, 0, 0, 1};
    assert_int_equal(q->n_tokens, sizeof flags);
    assert_memory_equal(q->graded, flags, sizeof flags);
    assert_int_equal(q->n_expected, 3);
    done(&s);
}

static void test_spans_without_first_token(void **state)
{
    (void)state;
    static const struct tare_span spans[] = {{1, 2}, {4, 6}};
    struct tare_item item = {
        .kind = TARE_ITEM_SPANS, .text = BYTES("abcdefgh"), .spans = spans + 1, .n_spans = 1};
    struct setup s;
    set_up(&s, &item, 1, 2, 100, TARE_UNKNOWN);
    const struct tare_prepared_request *q = prepare(&s)->requests;
    assert_int_equal(q->n_tokens, 3);
    assert_int_equal(q->first, 2);
    assert_tokens(q->tokens, 3, "ace");
    done(&s);
    item.spans = spans; /* what comes before the first token? */
    set_up(&s, &item, 1, 2, 100, TARE_UNKNOWN);
    assert_fails(&s, TARE_E_UNSUPPORTED, "made_up");
    item.n_spans = 0;
    set_up(&s, &item, 1, 2, 100, bos);
    assert_fails(&s, TARE_E_UNSUPPORTED, "graded");
}

/* Only what is fed must fit: the last graded token and all behind it are not. */
static void test_spans_length(void **state)
{
    (void)state;
    static const struct {
        struct tare_span span;
        int64_t n_ctx;
        int32_t code;
    } cases[] = {
        {{0, 1}, 1, 0}, {{7, 8}, 8, 0}, {{7, 8}, 7, TARE_E_LIMIT}, {{3, 4}, 4, 0}, {{3, 4}, 3, TARE_E_LIMIT}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct tare_item item = {
            .kind = TARE_ITEM_SPANS, .text = BYTES("abcdefgh"), .spans = &cases[c].span, .n_spans = 1};
        struct setup s;
        set_up(&s, &item, 1, 1, cases[c].n_ctx, bos);
        assert_int_equal(prepare(&s)->code, cases[c].code);
        done(&s);
    }
}

/* Context and choice are tokenized apart: "abc" + "def" in pieces of 2 is ab c de f, not ab cd ef. */
static void test_choice(void **state)
{
    (void)state;
    static const struct tare_bytes choices[] = {BYTES("def"), BYTES("x"), BYTES("yyyyy")};
    static const struct tare_item item = {
        .kind = TARE_ITEM_CHOICE, .text = BYTES("abc"), .choices = choices, .n_choices = 3, .gold = 2};
    static const char *const tokens[2][3] = {{"acdf", "acx", "acyyy"}, {"^acdf", "^acx", "^acyyy"}};
    for (int with = 0; with < 2; with++) {
        struct setup s;
        set_up(&s, &item, 1, 2, 100, with ? bos : TARE_UNKNOWN);
        const struct tare_prepared_item *p = prepare(&s);
        assert_int_equal(p->n_requests, 3);
        assert_int_equal(p->gold, 2);
        assert_int_equal(p->den, 1);
        for (size_t i = 0; i < 3; i++) {
            const struct tare_prepared_request *q = &p->requests[i];
            uint32_t context = 2 + (uint32_t)with;
            assert_int_equal(q->n_tokens, strlen(tokens[with][i]));
            assert_tokens(q->tokens, q->n_tokens, tokens[with][i]);
            assert_int_equal(q->first, context);
            assert_int_equal(q->n_expected, q->n_tokens - context);
            assert_int_equal(q->shared_prefix, i ? context : 0);
            assert_int_equal(q->n_bytes, choices[i].n);
            assert_null(q->graded);
        }
        assert_int_equal(s.prepared.max_requests, 3);
        done(&s);
    }
}

static void test_choice_length(void **state)
{
    (void)state;
    static const struct tare_bytes choices[] = {BYTES("defgh"), BYTES("x")};
    static const struct tare_item item = {
        .kind = TARE_ITEM_CHOICE, .text = BYTES("abc"), .choices = choices, .n_choices = 2};
    static const struct {
        int64_t n_ctx;
        int32_t code;
    } cases[] = {{8, 0}, {7, TARE_E_LIMIT}}; /* fed: the first token, abc and defg */
    for (size_t c = 0; c < 2; c++) {
        struct setup s;
        set_up(&s, &item, 1, 1, cases[c].n_ctx, bos);
        assert_int_equal(prepare(&s)->code, cases[c].code);
        done(&s);
    }
}

static void test_choice_refused(void **state)
{
    (void)state;
    static const struct tare_bytes choices[] = {BYTES("d"), BYTES("")};
    static const struct {
        struct tare_item item;
        int64_t first_token;
        int code;
        const char *says;
    } cases[] = {
        {{.text = BYTES("abc"), .choices = choices, .n_choices = 2}, bos, TARE_E_UNSUPPORTED, "choice"},
        {{.text = BYTES(""), .choices = choices, .n_choices = 1}, TARE_UNKNOWN, TARE_E_UNSUPPORTED, "choice"},
        {{.text = BYTES("abc"), .choices = choices, .n_choices = 0}, bos, TARE_E_PLUGIN, "choice"},
        {{.text = BYTES("abc"), .choices = choices, .n_choices = 1, .gold = 1}, bos, TARE_E_PLUGIN, "choice"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct tare_item item = cases[c].item;
        item.kind = TARE_ITEM_CHOICE;
        struct setup s;
        set_up(&s, &item, 1, 1, 100, cases[c].first_token);
        assert_fails(&s, cases[c].code, cases[c].says);
    }
    static const struct tare_item empty = {
        .kind = TARE_ITEM_CHOICE, .text = BYTES(""), .choices = choices, .n_choices = 1};
    struct setup s;
    set_up(&s, &empty, 1, 1, 100, bos); /* the model's first token is context enough */
    assert_int_equal(prepare(&s)->requests[0].first, 1);
    done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_windows),
        cmocka_unit_test(test_no_first_token),
        cmocka_unit_test(test_spans),
        cmocka_unit_test(test_spans_and_empty_tokens),
        cmocka_unit_test(test_spans_without_first_token),
        cmocka_unit_test(test_spans_length),
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_choice_length),
        cmocka_unit_test(test_choice_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
