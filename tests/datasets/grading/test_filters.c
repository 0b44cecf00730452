/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filter chains. What regex gives was printed by lm-eval's rule (findall, then the first or the last match,
 * of several groups the first that is not empty, stripped) with Python 3.11's re on the same pattern and
 * text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/grading/filters.h"

#define BYTES(text)              \
    {                            \
        (text), sizeof(text) - 1 \
    }

static struct tare_json *parsed(const char *text)
{
    struct tare_err err = {0};
    struct tare_json *json = NULL;
    if (tare_json_parse(text, strlen(text), "test", &json, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    return json;
}

static struct tare_filters *made(const struct tare_json *chain)
{
    struct tare_err err = {0};
    struct tare_filters *f = NULL;
    if (tare_filters_parse(chain, "test", &f, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    return f;
}

static void assert_applied(const struct tare_filters *f, struct tare_bytes in, struct tare_bytes expected,
                           const char *why)
{
    struct tare_err err = {0};
    char *out = NULL;
    size_t n = 0;
    if (tare_filters_apply(f, in, &out, &n, &err) < 0) {
        fail_msg("%s: %s", why, err.msg);
    }
    if (n != expected.n || memcmp(out, expected.data, n) != 0) {
        fail_msg("%s: '%s', not '%.*s'", why, out, (int)expected.n, expected.data);
    }
    assert_int_equal(out[n], 0);
    free(out);
}

struct regex_case {
    const char *pattern;
    struct tare_bytes in;
    int select;
    struct tare_bytes out;
    const char *why;
};

static const struct regex_case regexes[] = {
    {"#### (\\-?[0-9\\.\\,]+)", BYTES("so 3+4=7\n#### 7"), 0, BYTES("7"), "GSM8K strict"},
    {"#### (\\-?[0-9\\.\\,]+)", BYTES("#### 1,200.\n#### 5"), 0, BYTES("1,200."),
     "the first match, with what the set takes"},
    {"#### (\\-?[0-9\\.\\,]+)", BYTES("#### -3"), 0, BYTES("-3"), "a negative number"},
    {"#### (\\-?[0-9\\.\\,]+)", BYTES("####7"), 0, BYTES("[invalid]"), "the blank is needed"},
    {"(-?[$0-9.,]{2,})|(-?[0-9]+)", BYTES("#### 7 and $1,200. or 13"), -1, BYTES("13"),
     "GSM8K flexible: the last"},
    {"(-?[$0-9.,]{2,})|(-?[0-9]+)", BYTES("she has 5"), -1, BYTES("5"), "one digit is the second group"},
    {"(-?[$0-9.,]{2,})|(-?[0-9]+)", BYTES("It costs $40."), -1, BYTES("$40."), "signs and the period stay"},
    {"(-?[$0-9.,]{2,})|(-?[0-9]+)", BYTES("no number."), -1, BYTES("[invalid]"),
     "two characters are needed: no match"},
    {"(-?[$0-9.,]{2,})|(-?[0-9]+)", BYTES("wait... what"), -1, BYTES("..."), "periods alone match"},
    {"(-?[$0-9.,]{2,})|(-?[0-9]+)", BYTES("3, 4"), 0, BYTES("3,"), "the first match"},
    {"The answer is (\\-?[0-9\\.\\,]+).", BYTES("The answer is 18."), 0, BYTES("18"),
     "the last dot eats the period"},
    {"The answer is (\\-?[0-9\\.\\,]+).", BYTES("The answer is 18"), 0, BYTES("1"),
     "at the end it eats a digit: backtracking"},
    {"The answer is (\\-?[0-9\\.\\,]+).", BYTES("The answer is 5"), 0, BYTES("[invalid]"),
     "of one digit nothing is left"},
    {"The answer is (\\-?[0-9\\.\\,]+).", BYTES("The answer is 5\n"), 0, BYTES("[invalid]"),
     "a dot is no line feed"},
    {"The answer is (\\-?[0-9\\.\\,]+).", BYTES("The answer is 1,000 dollars"), 0, BYTES("1,000"),
     "it eats a blank"},
    {"(?<=The answer is )(.*)(?=.)", BYTES("The answer is (A)."), 0, BYTES("(A)"),
     "BBH: look-behind and look-ahead"},
    {"(?<=the answer is )(.*)(?=.)", BYTES("So the answer is 4 apples.\nQ"), 0, BYTES("4 apples"),
     "BBH: a line only"},
    {"((?<=The answer is )(.*)(?=.)|(?<=the answer is )(.*)(?=.)|(?<=The answer: )(.*)(?=.)|(?<=The final "
     "answer: )(.*)(?=.))",
     BYTES("The answer: yes."), 0, BYTES("yes"), "groups in groups"},
    {"(\\([A-Z]\\))", BYTES("(A) or (B)"), -1, BYTES("(B)"), "MMLU letters"},
    {"answer is \\(?([ABCDEFGHIJ])\\)?", BYTES("the answer is (C)"), 0, BYTES("C"), "MMLU-Pro"},
    {"\\b(Yes|No|yes|no)\\b", BYTES("Nothing, yes"), 0, BYTES("yes"), "words"},
    {"^\\s*([A-D])", BYTES(" \n C"), 0, BYTES("C"), "^ is the beginning of the text"},
    {"^(.*?)\\s*$", BYTES("one line \n"), 0, BYTES("one line"), "$ before a line feed"},
    {"^(.*?)(?=\\n|$)", BYTES("first\nsecond"), 0, BYTES("first"), "a lazy dot"},
    {"^(.*?)\\s*$", BYTES("two\nlines"), 0, BYTES("[invalid]"), "$ is not every line's"},
    {"(?=(female|woman|man|male))", BYTES("a female"), -1, BYTES("male"), "empty matches that capture"},
    {"x*", BYTES("axb"), 0, BYTES(""), "an empty match first"},
    {"x*", BYTES("axb"), -1, BYTES(""), "and last"},
    {"(x)|(y)|()", BYTES("zz"), 0, BYTES("[invalid]"), "all groups empty: the fallback"},
    {"(a)?b", BYTES("ab b"), -1, BYTES(""), "a group that took no part is empty"},
    {"\\d+", BYTES("\331\243\331\244 5"), 0, BYTES("\331\243\331\244"), "digits of any script"},
    {"\\w+", BYTES("\303\251t\303\251 x"), 0, BYTES("\303\251t\303\251"), "letters of any script"},
    {"a\\Z", BYTES("a\n"), 0, BYTES("[invalid]"), "\\Z is the very end"},
    {"a$", BYTES("a\n"), 0, BYTES("a"), "$ is not"},
    {"[\\s\\S]+$", BYTES("a\nb"), 0, BYTES("a\nb"), "all of it"},
    {"a\\sb", BYTES("a\034b"), 0, BYTES("a\034b"), "ASCII's separators are white space"},
    {"a\\sb", BYTES("a\341\240\216b"), 0, BYTES("[invalid]"), "the Mongolian vowel separator is none"},
    {"[^\\S]", BYTES("a\302\240\342\200\250"), 0, BYTES(""), "not no white space; and stripped"},
    {"a{,2}b", BYTES("aaab"), 0, BYTES("aab"), "a missing lower limit"},
    {"a{x}", BYTES("a{x}"), 0, BYTES("a{x}"), "a brace that is no quantifier"},
    {"\\\\boxed\\{([A-D])\\}", BYTES("so \\boxed{B}"), 0, BYTES("B"), "braces with backslashes"},
    {"[[a]+", BYTES("[[ab"), 0, BYTES("[[a"), "a bracket in a set"},
    {"[]a]+", BYTES("]a]b"), 0, BYTES("]a]"), "a set that begins with a bracket"},
    {"[^]]+", BYTES("ab]"), 0, BYTES("ab"), "a negated one"},
    {"\\u00e9\\x41", BYTES("\303\251A"), 0, BYTES("\303\251A"), "characters by number"},
    {"(\\d)\\1", BYTES("12334"), 0, BYTES("3"), "a group again"},
    {"(?P<q>['\\\"]).*?(?P=q)", BYTES("say 'x\"' or"), 0, BYTES("'"), "a named group again"},
    {"(?i)ANSWER: (\\w)", BYTES("Answer: b"), 0, BYTES("b"), "any case"},
    {"(?s)a.b", BYTES("a\nb"), 0, BYTES("a\nb"), "a dot that takes line feeds"},
    {"(?m)^b$", BYTES("a\nb\nc"), 0, BYTES("b"), "lines"},
    {"\\v", BYTES("a\013b\n"), 0, BYTES(""), "a vertical tab, then stripped"},
    {"[\\w.-]+", BYTES("a.b-c d"), 0, BYTES("a.b-c"), "a hyphen at the end of a set"},
    {"(?:a|ab)c", BYTES("abc"), 0, BYTES("abc"), "the second alternative by backtracking"},
    {"(a|ab)(c|bcd)(d*)", BYTES("abcd"), 0, BYTES("a"), "leftmost, first alternative: not the longest"},
    {"(?#note)z+", BYTES("zz"), 0, BYTES("zz"), "a comment"},
    {"\347\255\224\346\241\210\346\230\257 \\(?([ABC])\\)?",
     BYTES("\347\255\224\346\241\210\346\230\257 (B)"), 0, BYTES("B"), "CJK"},
    {"\\101\\0", BYTES("A\000"), 0, BYTES("A\000"), "octal"},
    {"(?i)[a-]{1,}(?>\xe2\x84\xaa{,}\\\\?(?i:0)*?)a", BYTES("aa"), 0, BYTES("aa"),
     "no repeat becomes possessive by mistake"},
};

static void test_regex(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof regexes / sizeof *regexes; i++) {
        const struct regex_case *c = &regexes[i];
        struct tare_json *chain = tare_json_new_array(), *filter = tare_json_add_object(chain, NULL);
        tare_json_add_str(filter, "function", "regex");
        tare_json_add_str(filter, "regex_pattern", c->pattern);
        tare_json_add_i64(filter, "group_select", c->select);
        struct tare_filters *f = made(chain);
        assert_applied(f, c->in, c->out, c->why);
        tare_filters_destroy(f);
        tare_json_destroy(chain);
    }
}

static const struct {
    const char *chain;
    struct tare_bytes in, out;
    const char *why;
} chains[] = {
    {"[]", BYTES(" a\n"), BYTES(" a\n"), "none"},
    {"[{\"function\":\"take_first\"}]", BYTES(" a\n"), BYTES(" a\n"), "lm-eval's default"},
    {"[{\"function\":\"remove_whitespace\"},{\"function\":\"take_first\"}]", BYTES("\xc2\xa0 a b\x1f\n"),
     BYTES("a b"), "nq_open; white space is Unicode's and ASCII's separators"},
    {"[{\"function\":\"regex\"},{\"function\":\"take_first\"}]", BYTES("= 5 #### 12"), BYTES("12"),
     "regex's own pattern"},
    {"[{\"function\":\"regex\",\"fallback\":\" no \"}]", BYTES("5"), BYTES(" no "),
     "a fallback is not stripped"},
    {"[{\"function\":\"regex\",\"regex_pattern\":\"(x)?(y)?\",\"fallback\":\" no \"}]", BYTES("z"),
     BYTES("no"), "but is where the groups are empty"},
    {"[{\"function\":\"lowercase\"}]", BYTES("\xc3\x89T\xc3\x89"), BYTES("\xc3\xa9t\xc3\xa9"), "lower case"},
    {"[{\"function\":\"uppercase\"}]",
     BYTES("stra\xc3\x9f"
           "e"),
     BYTES("STRASSE"), "one character becomes two"},
    {"[{\"function\":\"map\",\"mapping_dict\":{\"A\":0,\"B\":\"b\"},\"default_value\":-1}]", BYTES("A"),
     BYTES("0"), "to a number"},
    {"[{\"function\":\"map\",\"mapping_dict\":{\"A\":0,\"B\":\"b\"},\"default_value\":-1}]", BYTES("B"),
     BYTES("b"), "to a text"},
    {"[{\"function\":\"map\",\"mapping_dict\":{\"A\":0,\"B\":\"b\"},\"default_value\":-1}]", BYTES("AB"),
     BYTES("-1"), "the whole response, else the default"},
    {"[{\"function\":\"lowercase\"},{\"function\":\"regex\",\"regex_pattern\":\"([a-d])\"},"
     "{\"function\":\"uppercase\"}]",
     BYTES("XYZ C"), BYTES("C"), "one after another"},
    {"[{\"function\":\"regex\",\"regex_pattern\":\"(.*)\"}]", BYTES("a\xe2\x82z"), BYTES("a\xef\xbf\xbdz"),
     "half a character is one replacement"},
    {"[]", BYTES("\xc0\xaf\xed\xa0\x80\xf4\x90"),
     BYTES("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"),
     "bytes that begin no character are one each"},
    {"[]", BYTES("\xf0\x9f\x98"), BYTES("\xef\xbf\xbd"), "cut off at the end"},
    {"[]", BYTES(""), BYTES(""), "nothing"},
    {"[]", BYTES("a\0b"), BYTES("a\0b"), "NUL is a character"},
};

static void test_chains(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i++) {
        struct tare_json *chain = parsed(chains[i].chain);
        struct tare_filters *f = made(chain);
        assert_applied(f, chains[i].in, chains[i].out, chains[i].why);
        assert_applied(f, chains[i].in, chains[i].out, chains[i].why); /* nothing is kept */
        tare_filters_destroy(f);
        tare_json_destroy(chain);
    }
    struct tare_filters *none = made(NULL);
    assert_applied(none, (struct tare_bytes)BYTES("x"), (struct tare_bytes)BYTES("x"), "no chain");
    tare_filters_destroy(none);
    tare_filters_destroy(NULL);
}

static const struct {
    const char *chain;
    int code;
    const char *said;
} refused[] = {
    {"{}", TARE_E_FORMAT, "array"},
    {"[1]", TARE_E_FORMAT, "'function'"},
    {"[{\"function\":1}]", TARE_E_FORMAT, "'function'"},
    {"[{\"function\":\"regexp\"}]", TARE_E_FORMAT, "regexp"},
    {"[{\"function\":\"regex\",\"pattern\":\"a\"}]", TARE_E_FORMAT, "'pattern'"},
    {"[{\"function\":\"regex\",\"regex_pattern\":1}]", TARE_E_FORMAT, "'regex_pattern'"},
    {"[{\"function\":\"regex\",\"regex_pattern\":\"(\"}]", TARE_E_FORMAT, "regular expression"},
    {"[{\"function\":\"regex\",\"group_select\":1}]", TARE_E_FORMAT, "group_select"},
    {"[{\"function\":\"regex\",\"group_select\":-2}]", TARE_E_FORMAT, "group_select"},
    {"[{\"function\":\"regex\",\"fallback\":null}]", TARE_E_FORMAT, "'fallback'"},
    {"[{\"function\":\"remove_whitespace\",\"k\":1}]", TARE_E_FORMAT, "'k'"},
    {"[{\"function\":\"map\",\"mapping_dict\":{}}]", TARE_E_FORMAT, "default_value"},
    {"[{\"function\":\"map\",\"mapping_dict\":[],\"default_value\":1}]", TARE_E_FORMAT, "mapping_dict"},
    {"[{\"function\":\"map\",\"mapping_dict\":{\"a\":0.5},\"default_value\":1}]", TARE_E_FORMAT,
     "whole number"},
    {"[{\"function\":\"map\",\"mapping_dict\":{\"a\":true},\"default_value\":1}]", TARE_E_FORMAT,
     "whole number"},
    {"[{\"function\":\"take_first\"},{\"function\":\"lowercase\"}]", TARE_E_UNSUPPORTED, "must be the last"},
    {"[{\"function\":\"take_first\"},{\"function\":\"take_first\"}]", TARE_E_UNSUPPORTED, "must be the last"},
    {"[{\"function\":\"take_first_k\",\"k\":2}]", TARE_E_UNSUPPORTED, "several responses"},
    {"[{\"function\":\"majority_vote\"}]", TARE_E_UNSUPPORTED, "several responses"},
    {"[{\"function\":\"multi_choice_regex\"}]", TARE_E_UNSUPPORTED, "choices"},
    {"[{\"function\":\"regex_pos\"}]", TARE_E_UNSUPPORTED, "list"},
    {"[{\"function\":\"custom\"}]", TARE_E_UNSUPPORTED, "Python"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct tare_json *chain = parsed(refused[i].chain);
        struct tare_filters *f = NULL;
        struct tare_err err = {0};
        int r = tare_filters_parse(chain, "task t", &f, &err);
        if (r != refused[i].code || !strstr(err.msg, refused[i].said) || !strstr(err.msg, "t")) {
            fail_msg("%s: %d, %s", refused[i].chain, r, err.msg);
        }
        assert_null(f);
        tare_json_destroy(chain);
    }
}

/* What Python would search for longer than anybody waits ends with an error, not with "no match". */
static void test_endless(void **state)
{
    (void)state;
    struct tare_json *chain = parsed("[{\"function\":\"regex\",\"regex_pattern\":\"(a|a)+b\"}]");
    struct tare_filters *f = made(chain);
    struct tare_err err = {0};
    char *out = NULL;
    size_t n = 0;
    static const char text[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac b";
    assert_int_equal(tare_filters_apply(f, (struct tare_bytes)BYTES(text), &out, &n, &err), TARE_E_LIMIT);
    assert_null(out);
    tare_filters_destroy(f);
    tare_json_destroy(chain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regex),
        cmocka_unit_test(test_chains),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_endless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
