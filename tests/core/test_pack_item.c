/* SPDX-License-Identifier: Apache-2.0 */
/* The canonical line of an item, kind by kind, and that every member that matters shows in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/pack_item.h"

#define BYTES(text)              \
    {                            \
        (text), sizeof(text) - 1 \
    }

static const struct tare_bytes two[] = {BYTES(" a"), BYTES("\"b\"")};
static const struct tare_bytes one_stop[] = {BYTES("\n")};
static const struct tare_span spans[] = {{0, 1}, {2, 4}};

static void test_lines(void **state)
{
    (void)state;
    static const struct {
        struct tare_item item;
        const char *line;
    } cases[] = {
        {{.kind = TARE_ITEM_TEXT, .text = BYTES("x")}, "{\"kind\":\"text\",\"text\":\"x\",\"level\":0}\n"},
        {{.kind = TARE_ITEM_SPANS, .text = BYTES("abcd"), .spans = spans, .n_spans = 2, .level = -3},
         "{\"kind\":\"spans\",\"text\":\"abcd\",\"spans\":[[0,1],[2,4]],\"level\":-3}\n"},
        {{.kind = TARE_ITEM_CHOICE, .text = BYTES("q"), .choices = two, .n_choices = 2, .gold = 1},
         "{\"kind\":\"choice\",\"text\":\"q\",\"choices\":[\" a\",\"\\\"b\\\"\"],\"gold\":1,\"level\":0}\n"},
        {{.kind = TARE_ITEM_CHOICE, .contexts = two, .choices = two, .n_choices = 1},
         "{\"kind\":\"choice\",\"text\":\"\",\"contexts\":[\" a\"],\"choices\":[\" "
         "a\"],\"gold\":0,\"level\":0}\n"},
        {{.kind = TARE_ITEM_GENERATE, .text = BYTES("q"), .stops = one_stop, .n_stops = 1, .max_output = 7},
         "{\"kind\":\"generate\",\"text\":\"q\",\"stops\":[\"\\u000a\"],\"n_tokens\":0,\"max_output\":7,"
         "\"level\":0}\n"},
        {{.kind = TARE_ITEM_GENERATE, .text = BYTES(""), .reference = BYTES("r"), .n_tokens = 5},
         "{\"kind\":\"generate\",\"text\":\"\",\"stops\":[],\"reference\":\"r\",\"n_tokens\":5,\"max_"
         "output\":0,"
         "\"level\":0}\n"},
        {{.kind = TARE_ITEM_TOKENS, .n_tokens = 16, .max_output = 2},
         "{\"kind\":\"tokens\",\"text\":\"\",\"stops\":[],\"n_tokens\":16,\"max_output\":2,\"level\":0}\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_buf to;
        struct tare_err err = {0};
        tare_buf_init(&to, 1000);
        assert_int_equal(tare_pack_item(&cases[i].item, &to, &err), 0);
        assert_string_equal(tare_buf_str(&to), cases[i].line);
        tare_buf_fini(&to);
    }
}

static void test_unknown_kind(void **state)
{
    (void)state;
    static const int kinds[] = {0, 6, -1, 1000};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct tare_item item = {.kind = (enum tare_item_kind)kinds[i]};
        struct tare_buf to;
        struct tare_err err = {0};
        tare_buf_init(&to, 1000);
        assert_int_equal(tare_pack_item(&item, &to, &err), TARE_E_UNSUPPORTED);
        assert_int_equal(to.used, 0);
        tare_buf_fini(&to);
    }
}

static void test_texts(void **state)
{
    (void)state;
    static const struct {
        struct tare_bytes text;
        const char *json;
    } cases[] = {
        {BYTES(""), "\"\""},
        {{NULL, 0}, "\"\""},
        {BYTES("a\\b/c\"d"), "\"a\\\\b/c\\\"d\""},
        {BYTES("\x01\t\n\x1f\x7f"), "\"\\u0001\\u0009\\u000a\\u001f\x7f\""},
        {BYTES("a\0b"), "\"a\\u0000b\""},
        {BYTES("\xc3\xa4\xf0\x9f\x98\x80"), "\"\xc3\xa4\xf0\x9f\x98\x80\""},
        {BYTES("a\xff"), "{\"hex\":\"61ff\"}"},
        {BYTES("\xc3"), "{\"hex\":\"c3\"}"},
        {BYTES("\xed\xa0\x80"), "{\"hex\":\"eda080\"}"}, /* a surrogate is no character */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_buf to;
        tare_buf_init(&to, 1000);
        tare_pack_text(cases[i].text, &to);
        assert_string_equal(tare_buf_str(&to), cases[i].json);
        tare_buf_fini(&to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_unknown_kind),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
