/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines, cut as a shell would cut them and with nothing else of a shell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "words.h"

static void test_cut(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *words[6];
        const char *why;
    } cases[] = {
        {"", {NULL}, "nothing"},
        {" \t\n ", {NULL}, "blanks only"},
        {"a b", {"a", "b"}, "two words"},
        {"  a\t\tb\n", {"a", "b"}, "blanks around"},
        {"'a b' c", {"a b", "c"}, "single quotes hold together"},
        {"\"a  b\"c", {"a  bc"}, "a quote ends inside of a word"},
        {"a'' ''", {"a", ""}, "an empty word is a word"},
        {"a\\ b \\' \"\\\"\"", {"a b", "'", "\""}, "a backslash takes the next byte"},
        {"'a\\b'", {"a\\b"}, "but not in single quotes"},
        {"$HOME `x` *;|&", {"$HOME", "`x`", "*;|&"}, "no shell"},
        {"a\\", {"a\\"}, "a backslash at the end is itself"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        char **words = NULL;
        size_t n = 99, i = 0;
        assert_int_equal(tare_words_split(cases[c].text, "test", &words, &n, NULL), 0);
        for (; cases[c].words[i]; i++) {
            if (i >= n || strcmp(words[i], cases[c].words[i]) != 0) {
                fail_msg("%s: word %zu is '%s'", cases[c].why, i, i < n ? words[i] : "(none)");
            }
        }
        assert_int_equal(n, i);
        assert_null(words[n]);
        free(words);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {"'a", "a \"b", "\"a\\\"", "'"};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct tare_err err = {0};
        char **words = NULL;
        size_t n = 99;
        assert_int_equal(tare_words_split(cases[c], "option x", &words, &n, &err), TARE_E_USAGE);
        assert_non_null(strstr(err.msg, "option x"));
        assert_null(words);
        assert_int_equal(n, 99);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cut), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
