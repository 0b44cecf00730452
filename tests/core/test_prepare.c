/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preparing in general, and items that are continued: prompts and limits, what a backend must be able to
 * do, tokenizers that lie, and many items.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "prepared.h"

static void test_generate(void **state)
{
    (void)state;
    static const struct tare_bytes stops[] = {BYTES("\n"), BYTES("##")};
    static const struct {
        int64_t n_ctx, first_token;
        uint32_t max_output;
        int32_t code;
    } cases[] = {
        {100, bos, 7, 0},          {10, bos, 7, 0}, /* 4 + 7 tokens, of which the last is never fed */
        {9, bos, 7, TARE_E_LIMIT}, {4, bos, 0, 0},  {3, bos, 0, TARE_E_LIMIT},
        {9, TARE_UNKNOWN, 7, 0},   {4, bos, 1, 0},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const struct tare_item item = {.kind = TARE_ITEM_GENERATE,
                                       .text = BYTES("abc"),
                                       .stops = stops,
                                       .n_stops = 2,
                                       .reference = BYTES("answer"),
                                       .max_output = cases[c].max_output};
        struct setup s;
        set_up(&s, &item, 1, 1, cases[c].n_ctx, cases[c].first_token);
        const struct tare_prepared_item *p = prepare(&s);
        const char *tokens = cases[c].first_token == bos ? "^abc" : "abc";
        assert_int_equal(p->code, cases[c].code);
        assert_int_equal(p->n_requests, 1);
        assert_int_equal(p->den, TARE_UNKNOWN);
        assert_int_equal(p->requests->n_tokens, strlen(tokens));
        assert_tokens(p->requests->tokens, strlen(tokens), tokens);
        assert_int_equal(p->requests->first, strlen(tokens));
        assert_int_equal(p->requests->n_expected, 0);
        assert_int_equal(p->requests->max_output, cases[c].max_output);
        assert_int_equal(s.prepared.max_output, cases[c].max_output);
        assert_int_equal(p->n_stops, 2);
        assert_memory_equal(p->stops[1].data, "##", 2);
        assert_int_equal(p->reference.n, 6);
        assert_memory_equal(p->reference.data, "answer", 6);
        done(&s);
    }
}

/* Cut to an exact number of tokens, the first of which is the beginning of sequence if there is one. */
static void test_generate_from_some_tokens(void **state)
{
    (void)state;
    static const struct {
        int64_t first_token;
        uint32_t n_tokens;
        const char *tokens; /* NULL: refused */
    } cases[] = {{bos, 1, "^"},          {bos, 3, "^ab"},          {bos, 4, "^abc"},        {bos, 5, NULL},
                 {TARE_UNKNOWN, 1, "a"}, {TARE_UNKNOWN, 3, "abc"}, {TARE_UNKNOWN, 4, NULL}, {bos, 0, "^abc"}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const struct tare_item item = {
            .kind = TARE_ITEM_GENERATE, .text = BYTES("abc"), .n_tokens = cases[c].n_tokens, .max_output = 2};
        struct setup s;
        set_up(&s, &item, 1, 1, 100, cases[c].first_token);
        if (!cases[c].tokens) {
            assert_fails(&s, TARE_E_FORMAT, "made_up");
            continue;
        }
        const struct tare_prepared_request *q = prepare(&s)->requests;
        assert_int_equal(q->n_tokens, strlen(cases[c].tokens));
        assert_tokens(q->tokens, q->n_tokens, cases[c].tokens);
        assert_int_equal(q->first, q->n_tokens);
        done(&s);
    }
}

/* Without a token there is nothing to continue. */
static void test_generate_from_nothing(void **state)
{
    (void)state;
    static const struct tare_item items[] = {{.kind = TARE_ITEM_GENERATE, .text = BYTES(""), .max_output = 3},
                                             {.kind = TARE_ITEM_TOKENS, .n_tokens = 0, .max_output = 3}};
    for (size_t i = 0; i < 2; i++) {
        struct setup s;
        set_up(&s, &items[i], 1, 1, 100, TARE_UNKNOWN);
        assert_fails(&s, TARE_E_UNSUPPORTED, "made_up");
    }
    struct setup s;
    set_up(&s, &items[0], 1, 1, 100, bos);
    assert_int_equal(prepare(&s)->requests->n_tokens, 1);
    done(&s);
}

static void test_tokens(void **state)
{
    (void)state;
    static const struct tare_item items[] = {
        {.kind = TARE_ITEM_TOKENS, .n_tokens = 4, .max_output = 2},
        {.kind = TARE_ITEM_TOKENS, .n_tokens = 4, .max_output = 2},
        {.kind = TARE_ITEM_TOKENS, .n_tokens = 5, .max_output = 2},
        {.kind = TARE_ITEM_TOKENS, .n_tokens = 5, .max_output = 9},
        {.kind = TARE_ITEM_TOKENS, .n_tokens = 5, .max_output = 9, .level = 1},
    };
    struct setup s;
    set_up(&s, items, 5, 1, 10, bos);
    s.ops.caps = TARE_CAP_GENERATE; /* no tokenizer */
    s.ops.tokenize = NULL;
    const struct tare_prepared_item *p = prepare(&s);
    assert_tokens(p->requests->tokens, 4, "^aaa");
    assert_int_equal(p->requests->n_tokens, 4);
    assert_int_equal(p->requests->max_output, 2);
    assert_ptr_equal(s.prepared.items[0], s.prepared.items[1]); /* equal items share their memory */
    for (size_t i = 2; i < 5; i++) {
        assert_ptr_not_equal(s.prepared.items[i - 1], s.prepared.items[i]);
    }
    assert_int_equal(s.prepared.items[2]->code, 0);
    assert_int_equal(s.prepared.items[3]->code, TARE_E_LIMIT);
    assert_int_equal(s.prepared.items[4]->level, 1);
    assert_int_equal(s.prepared.max_output, 9);
    done(&s);
    set_up(&s, items, 1, 1, 10, TARE_UNKNOWN);
    assert_tokens(prepare(&s)->requests->tokens, 4, "aaaa");
    done(&s);
}

static void test_capabilities(void **state)
{
    (void)state;
    static const struct tare_bytes choice = BYTES("x");
    static const struct tare_span span = {0, 1};
    static const struct {
        struct tare_item item;
        uint32_t caps;
        const char *says;
    } cases[] = {
        {{.kind = TARE_ITEM_TEXT}, TARE_CAP_GENERATE | TARE_CAP_TOKENIZE, "score"},
        {{.kind = TARE_ITEM_SPANS, .spans = &span, .n_spans = 1}, TARE_CAP_TOKENIZE, "score"},
        {{.kind = TARE_ITEM_CHOICE, .choices = &choice, .n_choices = 1}, TARE_CAP_SCORE, "tokenize"},
        {{.kind = TARE_ITEM_GENERATE}, TARE_CAP_SCORE | TARE_CAP_TOKENIZE, "generate"},
        {{.kind = TARE_ITEM_TOKENS, .n_tokens = 1}, TARE_CAP_SCORE | TARE_CAP_TOKENIZE, "generate"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct tare_item item = cases[c].item;
        item.text = (struct tare_bytes)BYTES("abc");
        struct setup s;
        set_up(&s, &item, 1, 1, 100, bos);
        s.ops.caps = cases[c].caps;
        assert_fails(&s, TARE_E_UNSUPPORTED, cases[c].says);
        assert_non_null(strstr(s.err.msg, "fake"));
        assert_non_null(strstr(s.err.msg, "made_up"));
    }
    static const struct tare_item odd = {.kind = (enum tare_item_kind)99, .text = BYTES("abc")};
    struct setup s;
    set_up(&s, &odd, 1, 1, 100, bos);
    assert_fails(&s, TARE_E_PLUGIN, "99");
}

static void test_lies(void **state)
{
    (void)state;
    static const struct {
        enum fake_lie lie;
        const char *says;
    } cases[] = {{FAKE_ENDS_BACKWARDS, "backwards"},
                 {FAKE_ENDS_SHORT, "cover"},
                 {FAKE_ENDS_BEYOND, "cover"},
                 {FAKE_NO_TOKENS, "cover"},
                 {FAKE_ALWAYS_MORE, "fake"},
                 {FAKE_HUGE_COUNT, "fake"},
                 {FAKE_FAILS, "the vocabulary is lost"}};
    static const struct tare_item item = {.kind = TARE_ITEM_TEXT, .text = BYTES("abcdef")};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct setup s;
        set_up(&s, &item, 1, 2, 100, bos);
        s.fake.lie = cases[c].lie;
        assert_fails(&s, TARE_E_BACKEND, cases[c].says);
    }
}

/* More tokens than bytes: asked again, with room. */
static void test_many_tokens(void **state)
{
    (void)state;
    char text[1000];
    memset(text, 't', sizeof text);
    const struct tare_item item = {.kind = TARE_ITEM_TEXT, .text = {text, sizeof text}};
    struct setup s;
    set_up(&s, &item, 1, 1, 5000, bos);
    s.fake.lie = FAKE_TWO_EMPTY;
    assert_int_equal(prepare(&s)->requests->n_expected, 3 * sizeof text);
    assert_int_equal(s.fake.tokenize_calls, 2);
    done(&s);
}

static void test_many_items(void **state)
{
    (void)state;
    static const struct tare_item items[] = {{.kind = TARE_ITEM_TEXT, .text = BYTES("aa")},
                                             {.kind = TARE_ITEM_TEXT, .text = BYTES("bbb")},
                                             {.kind = TARE_ITEM_TEXT, .text = BYTES("c")}};
    struct setup s;
    set_up(&s, items, 3, 1, 100, bos);
    s.args.first_item = 1; /* resumed: what was done before is not prepared */
    s.task.fails_at = 1;
    const struct tare_prepared_item *p = prepare(&s);
    assert_int_equal(s.prepared.count, 3);
    assert_null(s.prepared.items[0]);
    assert_tokens(p->requests->tokens, 4, "^bbb");
    assert_tokens(s.prepared.items[2]->requests->tokens, 2, "^c");
    done(&s);
    set_up(&s, items, 3, 1, 100, bos);
    s.args.first_item = 3;
    assert_null(prepare(&s));
    done(&s);
    set_up(&s, items, 0, 1, 100, bos);
    assert_null(prepare(&s));
    assert_int_equal(s.prepared.count, 0);
    done(&s);
    set_up(&s, items, 3, 1, 100, bos);
    s.task.fails_at = 3;
    assert_fails(&s, TARE_E_FORMAT, "line 7 is torn");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generate),
        cmocka_unit_test(test_generate_from_some_tokens),
        cmocka_unit_test(test_generate_from_nothing),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_capabilities),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_many_tokens),
        cmocka_unit_test(test_many_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
