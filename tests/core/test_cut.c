/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts with known answers: the windows that lm-evaluation-harness documents, and Python's white space. */
#include "core/cut.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(text)              \
    {                            \
        text, sizeof text "" - 1 \
    }

static void test_blanks(void **state)
{
    (void)state;
    static const struct {
        struct tare_bytes text;
        size_t blanks;
        const char *why;
    } cases[] = {
        {BYTES(""), 0, "nothing"},
        {BYTES("a"), 0, "no blank"},
        {BYTES("a "), 1, "a blank"},
        {BYTES("a b"), 0, "one within"},
        {BYTES("a \t\r\n\v\f"), 6, "all of ASCII that C knows"},
        {BYTES("a\x1c\x1d\x1e\x1f"), 4, "separators, which Python takes for white space and C does not"},
        {BYTES("   "), 3, "nothing else"},
        {BYTES("a\xc2\xa0"), 2, "no-break space"},
        {BYTES("a\xc2\x85 "), 3, "next line, and a blank"},
        {BYTES("a\xe3\x80\x80"), 3, "ideographic space"},
        {BYTES("a\xe2\x80\x83\xe2\x80\xa8"), 6, "em space, line separator"},
        {BYTES("a\xe2\x80\x8b"), 0, "zero-width space is none"},
        {BYTES("\xc3\xa9"), 0, "a letter of two bytes"},
        {BYTES("a\xa0"), 0, "half a character"},
        {BYTES("\x80"), 0, "half a character alone"},
        {BYTES("a\xc0\xa0"), 0, "a blank written too long"},
        {BYTES("a\xe0\x80\xa0"), 0, "a blank written longer still"},
        {BYTES("\xf0\x9f\x9a\x80"), 0, "four bytes"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        if (tare_cut_blanks(cases[c].text) != cases[c].blanks) {
            fail_msg("%s: %zu bytes", cases[c].why, tare_cut_blanks(cases[c].text));
        }
    }
}

/* m = 4, 10 tokens: input P012 scores 0-3, input 3456 scores 4-7, input 5678 scores 8-9. */
static void test_windows_as_documented(void **state)
{
    (void)state;
    static const struct tare_cut_window expected[] = {{0, 5, 1}, {4, 5, 1}, {6, 5, 3}};
    assert_int_equal(tare_cut_windows(10, 4), 3);
    for (size_t i = 0; i < 3; i++) {
        const struct tare_cut_window w = tare_cut_window(10, 4, i);
        assert_int_equal(w.begin, expected[i].begin);
        assert_int_equal(w.n, expected[i].n);
        assert_int_equal(w.first, expected[i].first);
    }
}

/* Whatever the lengths: each token is scored once and in order, inputs have at most m tokens, and only the
 * first window may have fewer. */
static void test_windows_cover(void **state)
{
    (void)state;
    for (size_t n = 0; n < 40; n++) {
        for (size_t m = 1; m < 12; m++) {
            size_t scored = 0;
            for (size_t i = 0; i < tare_cut_windows(n, m); i++) {
                const struct tare_cut_window w = tare_cut_window(n, m, i);
                assert_true(w.first >= 1 && w.first < w.n);
                assert_int_equal(w.begin + w.first, scored + 1); /* the prefix is 0 */
                assert_true(w.n - 1 <= m && (w.n - 1 == m || n < m));
                scored += w.n - w.first;
            }
            assert_int_equal(scored, n);
        }
    }
}

static void test_left(void **state)
{
    (void)state;
    assert_int_equal(tare_cut_left(10, 10), 0);
    assert_int_equal(tare_cut_left(11, 10), 1);
    assert_int_equal(tare_cut_left(3, SIZE_MAX), 0);
    assert_int_equal(tare_cut_left(0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_blanks),
                                       cmocka_unit_test(test_windows_as_documented),
                                       cmocka_unit_test(test_windows_cover), cmocka_unit_test(test_left)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
