/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text from outside: every code point is accepted in its one right form, and every other form of up to
 * four bytes is refused, against an encoder written from RFC 3629.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/plain.h"

static size_t encode(uint32_t point, char out[4])
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    size_t n = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--, point >>= 6) {
        out[i] = (char)(0x80 | (point & 0x3f));
    }
    out[0] = (char)(leads[n] | point);
    return n;
}

static bool is_scalar(uint32_t point)
{
    return point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
}

/* All that the bit patterns of 1 to 4 bytes can express: 21 bits, in shortest form. */
static void test_all_points(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 1U << 21; point++) {
        char bytes[4];
        size_t n = encode(point, bytes);
        assert_int_equal(tare_plain_valid(bytes, n), is_scalar(point) ? n : 0);
        assert_true(n == 1 || tare_plain_valid(bytes, n - 1) == 0); /* cut short */
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t valid;
        const char *why;
    } cases[] = {
        {"abc", 3, "ASCII"},
        {"a\xc3\xa9z", 4, "two bytes in between"},
        {"a\x80", 1, "a tail without a lead"},
        {"a\xc0\x80", 1, "NUL in two bytes"},
        {"\xc1\xbf", 0, "an overlong form of two bytes"},
        {"\xe0\x9f\xbf", 0, "an overlong form of three"},
        {"\xf0\x8f\xbf\xbf", 0, "an overlong form of four"},
        {"\xed\xa0\x80", 0, "a surrogate"},
        {"\xf4\x90\x80\x80", 0, "beyond the last point"},
        {"\xf8\x88\x80\x80\x80", 0, "five bytes"},
        {"\xff", 0, "no byte of UTF-8"},
        {"a\xe2\x82z", 1, "the third byte is missing"},
        {"a\xe2\x82", 1, "cut at the end"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t valid = tare_plain_valid(cases[i].text, strlen(cases[i].text));
        if (valid != cases[i].valid) {
            fail_msg("%s: %zu", cases[i].why, valid);
        }
    }
    assert_int_equal(tare_plain_valid("a\0b", 3), 3);
    assert_int_equal(tare_plain_valid(NULL, 0), 0);
}

static void test_made_fit(void **state)
{
    (void)state;
    static const struct {
        const char *text, *utf8, *line;
    } cases[] = {
        {"", "", ""},
        {"a\xc3\xa9", "a\xc3\xa9", "a\xc3\xa9"},
        {"a\xff\xfe", "a??", "a??"},
        {"\xe2\x82z", "??z", "??z"},
        {"\xf0\x9f\x98\x80\xf0", "\xf0\x9f\x98\x80?", "\xf0\x9f\x98\x80?"},
        {"a\nb\tc\x1b[2J\x7f", "a\nb\tc\x1b[2J\x7f", "a b c [2J "},
        {"\xc2\x9b"
         "1m\xc2\xa0",
         "\xc2\x9b"
         "1m\xc2\xa0",
         "  1m\xc2\xa0"}, /* C1 controls, but not U+00A0 */
        {"\xc2", "?", "?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = strdup(cases[i].text);
        assert_non_null(text);
        tare_plain_utf8(text);
        assert_string_equal(text, cases[i].utf8);
        tare_plain_utf8(text); /* once is enough */
        assert_string_equal(text, cases[i].utf8);
        (void)strcpy(text, cases[i].text);
        tare_plain_line(text);
        assert_string_equal(text, cases[i].line);
        free(text);
    }
}

/* Random bytes: always valid afterwards, never longer or shorter, and what was valid stays. */
static void test_random(void **state)
{
    (void)state;
    unsigned short seed[3] = {1, 2, 3};
    for (int trial = 0; trial < 20000; trial++) {
        char before[24], after[24];
        size_t n = (size_t)(erand48(seed) * (sizeof before - 1));
        for (size_t i = 0; i < n; i++) {
            before[i] = (char)(1 + (int)(erand48(seed) * 255));
        }
        before[n] = '\0';
        memcpy(after, before, sizeof after);
        tare_plain_utf8(after);
        assert_int_equal(strlen(after), n);
        assert_int_equal(tare_plain_valid(after, n), n);
        for (size_t i = 0; i < n; i++) {
            assert_true(after[i] == before[i] || (after[i] == '?' && (unsigned char)before[i] >= 0x80));
        }
        assert_memory_equal(after, before, tare_plain_valid(before, n));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_points),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_made_fit),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
