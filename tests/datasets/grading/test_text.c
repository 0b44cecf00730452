/* SPDX-License-Identifier: Apache-2.0 */
/* Growing text, words, and bytes that are no UTF-8, as Python 3.11's decode("utf-8", "replace") makes them
 * fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/grading/text.h"

static void test_take(void **state)
{
    (void)state;
    struct tare_string text = {0};
    struct tare_err err = {0};
    char *out = NULL;
    size_t n = 9;
    assert_int_equal(tare_string_take(&text, "t", &out, &n, &err), 0);
    assert_string_equal(out, "");
    assert_int_equal(n, 0);
    free(out);
    for (int i = 0; i < 1000; i++) {
        tare_string_puts(&text, "ab");
        tare_string_putc(&text, '\0');
    }
    assert_int_equal(tare_string_take(&text, "t", &out, &n, &err), 0);
    assert_int_equal(n, 3000);
    assert_memory_equal(out + 2997, "ab\0", 4);
    free(out);
    text.failed = true; /* as a refused allocation leaves it */
    tare_string_puts(&text, "x");
    assert_int_equal(tare_string_take(&text, "t", &out, &n, &err), TARE_E_NOMEM);
    assert_int_equal(n, 3000);
}

#define R "\xef\xbf\xbd"

static void test_repaired(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\xc3", R},
        {"\xc3"
         "a",
         R "a"},
        {"\xe2\x82", R},
        {"\xe2\x82"
         "a",
         R "a"},
        {"\xe2\xe2\x82\xac", R "\xe2\x82\xac"},
        {"\x80\x80", R R},
        {"\xc0\x80", R R},
        {"\xe0\x80\x80", R R R},
        {"\xed\xa0\x80", R R R},
        {"\xf0\x9f\x98", R},
        {"\xf0\x8f\x98\x80", R R R R},
        {"\xf4\x90\x80\x80", R R R R},
        {"\xf5\x80", R R},
        {"\xff\xfe", R R},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_string out = {0};
        tare_string_add_repaired(&out, (struct tare_bytes){cases[i].in, strlen(cases[i].in)});
        tare_string_putc(&out, '\0');
        assert_string_equal(out.data, cases[i].out);
        tare_string_fini(&out);
    }
}

static void test_words(void **state)
{
    (void)state;
    static const char text[] = "  one\ttwo\xc2\xa0three\n\n\xe2\x80\xa8"
                               "four\x1f";
    static const char *const expected[] = {"one", "two", "three", "four"};
    struct tare_words words = {0};
    tare_words_split(&words, (struct tare_bytes){text, sizeof text - 1});
    assert_int_equal(words.n, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(words.list[i].n, strlen(expected[i]));
        assert_memory_equal(words.list[i].data, expected[i], words.list[i].n);
    }
    tare_words_split(&words, (struct tare_bytes){"", 0});
    tare_words_split(&words, (struct tare_bytes){" \n", 2});
    assert_int_equal(words.n, 4);
    for (int i = 0; i < 200; i++) {
        tare_words_split(&words, (struct tare_bytes){"x", 1});
    }
    assert_int_equal(words.n, 204);
    tare_words_fini(&words);
}

static void test_plain(void **state)
{
    (void)state;
    struct tare_err err = {0};
    assert_int_equal(tare_plain_fault(tare_err_set(&err, TARE_E_FORMAT, "a\nb\xc3\xa9\xc3\x7f\xff"), &err),
                     TARE_E_FORMAT);
    assert_string_equal(err.msg, "a b\xc3\xa9? ?");
    assert_int_equal(tare_plain_fault(TARE_E_LIMIT, NULL), TARE_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_take), cmocka_unit_test(test_repaired),
                                       cmocka_unit_test(test_words), cmocka_unit_test(test_plain)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
