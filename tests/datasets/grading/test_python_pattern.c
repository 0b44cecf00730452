/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns that must not mean to PCRE2 what they do not mean to Python; test_filters.c has those that both
 * take. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/grading/python_pattern.h"
#include "datasets/grading/regex.h"

static int compile(const char *pattern, struct tare_err *err)
{
    struct tare_regex *regex = NULL;
    int r = tare_regex_compile((struct tare_bytes){pattern, strlen(pattern)}, TARE_REGEX_PYTHON, "p", &regex,
                               err);
    tare_regex_destroy(regex);
    return r;
}

/* Each is an error in Python 3.11, too, but for those that are marked. */
static void test_refused(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "\\Qa\\E",
        "\\Ka",
        "\\R",
        "\\h",
        "\\pL",
        "\\p{L}",
        "\\C",
        "\\G",
        "\\X",
        "\\e",
        "\\c[",
        "\\g1",
        "\\k<a>",
        "\\o{7}",
        "\\N",
        "\\z",
        "(?R)",
        "(?1)",
        "(?&a)",
        "(?P>a)",
        "(?|a)",
        "(?'a'b)",
        "(?<a>b)",
        "(?C1)",
        "(*UTF)a",
        "(*F)",
        "a(?i)b",
        "(?J)a",
        "(?n)a",
        "(?^)a",
        "(?i",
        "[a",
        "(?#a",
        "a\\",
        "\\x1",
        "\\xg0",
        "\\u12",
        "[\\A]",
        "[\\Z]",
        "\\1",
        "(a",
        "a)",
        "*a",
        "[b-a]",
        "\\U00110000",
        "(?(R)a)",
        "(?()a)",
        "(?(1a|b)",
        "(?(?=a)b)",
        "(?(VERSION>=1)a)",
        /* taken by Python, refused here: */
        "(?x)a b",
        "(?a)\\w",
        "(?u)a",
        "\\N{BULLET}",
        "[\\1]",
        "\\ud800",
    };
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        struct tare_err err = {0};
        int r = compile(patterns[i], &err);
        if (r != TARE_E_FORMAT || strncmp(err.msg, "p: ", 3) != 0) {
            fail_msg("%s: %d, %s", patterns[i], r, err.msg);
        }
    }
}

static void test_said(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *said, *why;
    } cases[] = {
        {"a\\.b", "a\\.b", "punctuation stays"},
        {"\\d\\D", "\\p{Nd}\\P{Nd}", "digits of any script"},
        {"a{2,3}b{,3}c{1,}d{4}e{,}", "a{2,3}b{0,3}c{1,}d{4}e{0,}", "repeats"},
        {"{a{}{,x{1,2", "\\{a\\{}\\{,x\\{1,2", "no repeats"},
        {"\\Z", "\\z", "the very end"},
        {"[a[:b:]]", "[a\\[:b:]]", "no class of POSIX's"},
        {"[]a]", "[\\]a]", "a bracket at the start of a set"},
        {"[^]a]", "[^\\]a]", "of a negated one"},
        {"\\x41\\u0042\\U00000043\\104\\0", "\\x{41}\\x{42}\\x{43}\\x{44}\\x{0}", "characters by number"},
        {"\\1\\12", "\\g{1}\\g{12}", "groups by number"},
        {"(?P<n>a)(?(n)b|c)(?(1)d)", "(?P<n>a)(?(<n>)b|c)(?(1)d)", "conditions"},
        {"(?i-s:a)(?#no)b", "(?i-s:a)b", "flags of a group, a comment"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_string out = {0};
        struct tare_err err = {0};
        assert_int_equal(tare_python_pattern((struct tare_bytes){cases[i].pattern, strlen(cases[i].pattern)},
                                             "p", &out, &err),
                         0);
        if (out.n != strlen(cases[i].said) || memcmp(out.data, cases[i].said, out.n) != 0) {
            fail_msg("%s: %.*s, not %s", cases[i].why, (int)out.n, out.data, cases[i].said);
        }
        tare_string_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_refused), cmocka_unit_test(test_said)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
