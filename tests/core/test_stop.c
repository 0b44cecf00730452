/* SPDX-License-Identifier: Apache-2.0 */
/* Stop strings, against a search that tries every place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/stop.h"

#define BYTES(text)              \
    {                            \
        text, sizeof text "" - 1 \
    }

static void test_cases(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n_new;
        struct tare_bytes stops[2];
        bool found;
        size_t cut;
        const char *why;
    } cases[] = {
        {"abc\n", 1, {BYTES("\n")}, true, 3, "the new byte is it"},
        {"abc\n", 4, {BYTES("\n")}, true, 3, "in the middle of what is new"},
        {"\nabc", 3, {BYTES("\n")}, false, 0, "it ended before: seen already"},
        {"ab##", 1, {BYTES("##")}, true, 2, "begun in the old, ended in the new"},
        {"END", 1, {BYTES("END")}, true, 0, "from the very first byte"},
        {"EN", 2, {BYTES("END")}, false, 0, "not complete"},
        {"ab##x", 1, {BYTES("##")}, false, 0, "ended one byte too early to be new"},
        {"a\nb##", 4, {BYTES("##"), BYTES("\n")}, true, 1, "the earlier of two"},
        {"a##\n", 3, {BYTES("\n"), BYTES("##")}, true, 1, "the earlier of two, whatever their order"},
        {"aaa", 3, {BYTES("aa")}, true, 0, "the first of overlapping places"},
        {"abc", 3, {BYTES(""), BYTES("x")}, false, 0, "an empty string stops nothing"},
        {"", 0, {BYTES("x")}, false, 0, "no text"},
        {"ab", 0, {BYTES("b")}, false, 0, "nothing new"},
        {"a\0b", 0, {BYTES("x")}, false, 0, "no match"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t cut = 77, n_stops = cases[i].stops[1].data ? 2 : 1;
        bool found = tare_stop_match(cases[i].text, strlen(cases[i].text), cases[i].n_new, cases[i].stops,
                                     n_stops, &cut);
        if (found != cases[i].found || cut != (found ? cases[i].cut : 77)) {
            fail_msg("%s: %d, %zu", cases[i].why, found, cut);
        }
    }
}

static void test_bytes(void **state)
{
    (void)state;
    const struct tare_bytes nul = {"\0\xff", 2};
    size_t cut = 0;
    assert_true(tare_stop_match("a\0\xff", 3, 1, &nul, 1, &cut));
    assert_int_equal(cut, 1);
    assert_false(tare_stop_match("a\0\xfe", 3, 3, &nul, 1, &cut));
    assert_false(tare_stop_match("abc", 3, 3, NULL, 0, &cut));
}

static bool slow_match(const char *text, size_t n, size_t n_new, const struct tare_bytes *stops,
                       size_t n_stops, size_t *out_cut)
{
    for (size_t begin = 0; begin < n; begin++) {
        for (size_t i = 0; i < n_stops; i++) {
            size_t end = begin + stops[i].n;
            if (stops[i].n > 0 && end <= n && end > n - n_new &&
                memcmp(text + begin, stops[i].data, stops[i].n) == 0) {
                *out_cut = begin;
                return true;
            }
        }
    }
    return false;
}

/* All texts of up to 8 letters a and b, all amounts of new bytes, some pairs of stop strings. */
static void test_exhaustive(void **state)
{
    (void)state;
    static const struct tare_bytes stops[][2] = {{BYTES("ab"), BYTES("bb")},
                                                 {BYTES("aba"), BYTES("a")},
                                                 {BYTES("bbbb"), BYTES("ba")},
                                                 {BYTES("aabaab"), BYTES("bbabb")}};
    for (size_t n = 0; n <= 8; n++) {
        for (unsigned bits = 0; bits < 1U << n; bits++) {
            char text[8];
            for (size_t i = 0; i < n; i++) {
                text[i] = bits >> i & 1 ? 'b' : 'a';
            }
            for (size_t n_new = 0; n_new <= n; n_new++) {
                for (size_t s = 0; s < sizeof stops / sizeof *stops; s++) {
                    size_t cut = 99, expected = 99;
                    bool found = tare_stop_match(text, n, n_new, stops[s], 2, &cut);
                    assert_int_equal(found, slow_match(text, n, n_new, stops[s], 2, &expected));
                    assert_int_equal(cut, expected);
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_exhaustive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
