/* SPDX-License-Identifier: Apache-2.0 */
/* Exact match by the rules of lm-eval's tasks; what Python's re removes was tried with Python 3.11. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/grading/exact_match.h"

#define BYTES(text)              \
    {                            \
        (text), sizeof(text) - 1 \
    }
#define GSM8K                                                                                                \
    "{\"ignore_case\":true,\"ignore_punctuation\":false,\"regexes_to_ignore\":[\",\",\"\\\\$\",\"(?s).*####" \
    " \",\"\\\\.$\"]}"
#define NQ                                                                                                \
    "{\"ignore_case\":true,\"ignore_punctuation\":true,\"regexes_to_ignore\":[\"\\\\b(?:The |the |An |A " \
    "|The |a |an )\"]}"

static struct tare_exact_match *made(const char *options)
{
    struct tare_err err = {0};
    struct tare_json *json = NULL;
    struct tare_exact_match *m = NULL;
    if (options && tare_json_parse(options, strlen(options), "test", &json, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    if (tare_exact_match_parse(json, "test", &m, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    tare_json_destroy(json);
    return m;
}

static const struct {
    const char *options;
    struct tare_bytes output, gold;
    double score;
    const char *why;
} cases[] = {
    {NULL, BYTES("Paris"), BYTES("Paris"), 1, "equal"},
    {NULL, BYTES("Paris "), BYTES("Paris"), 0, "nothing is stripped"},
    {NULL, BYTES("paris"), BYTES("Paris"), 0, "case counts"},
    {NULL, BYTES(""), BYTES(""), 1, "nothing equals nothing"},
    {NULL, BYTES("a\0b"), BYTES("a\0c"), 0, "all bytes count"},
    {NULL, BYTES("\xe2\x82"), BYTES("\xef\xbf\xbd"), 1, "half a character is a replacement"},
    {GSM8K, BYTES("1,200"), BYTES("She earns it.\n#### 1200"), 1, "GSM8K: the gold is the whole solution"},
    {GSM8K, BYTES("$18."), BYTES("x\n#### 18"), 1, "currency and a last period"},
    {GSM8K, BYTES("18.\n"), BYTES("#### 18\n"), 1, "a period before a last line feed"},
    {GSM8K, BYTES("18.\n\n"), BYTES("#### 18\n\n"), 0, "but before one only"},
    {GSM8K, BYTES("18.0"), BYTES("#### 18"), 0, "numbers are texts"},
    {GSM8K, BYTES("[invalid]"), BYTES("#### 18"), 0, "no answer"},
    {GSM8K, BYTES("#### 1 #### 7"), BYTES("7"), 1, "a greedy dot: the last mark"},
    {GSM8K, BYTES("18.."), BYTES("18"), 0, "one period"},
    {NQ, BYTES("The Beatles"), BYTES("beatles"), 1, "NQ: the article goes before the case"},
    {NQ, BYTES("THE Beatles"), BYTES("beatles"), 0, "so one in capitals stays"},
    {NQ, BYTES("over the hill!"), BYTES("over hill"), 1, "in the middle, too; punctuation"},
    {NQ, BYTES("bathe in a sea"), BYTES("bathe in sea"), 1, "words only"},
    {"{\"ignore_numbers\":true}", BYTES("route 66"), BYTES("route "), 1, "digits go, the blank stays"},
    {"{\"ignore_punctuation\":true}", BYTES("\xe2\x80\x9cyes\xe2\x80\x9d."),
     BYTES("\xe2\x80\x9cyes\xe2\x80\x9d"), 1, "ASCII punctuation only"},
    {"{\"ignore_case\":true}", BYTES("\xc3\x89T\xc3\x89"), BYTES("\xc3\xa9t\xc3\xa9"), 1,
     "case of any script"},
    {"{\"regexes_to_ignore\":[\"a\",\"bc\"]}", BYTES("bac"), BYTES(""), 1, "one after the other"},
    {"{\"regexes_to_ignore\":[\"x*\"]}", BYTES("axxb"), BYTES("ab"), 1, "empty matches"},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_exact_match *m = made(cases[i].options);
        struct tare_err err = {0};
        double score = -1;
        assert_int_equal(tare_exact_match_score(m, cases[i].output, &cases[i].gold, 1, &score, &err), 0);
        if (score != cases[i].score) {
            fail_msg("%s: %g", cases[i].why, score);
        }
        tare_exact_match_destroy(m);
    }
}

static void test_several(void **state)
{
    (void)state;
    static const struct tare_bytes golds[] = {BYTES("one"), BYTES("1"), BYTES("uno")}, yes = BYTES("uno"),
                                   no = BYTES("un");
    struct tare_exact_match *m = made(NULL);
    struct tare_err err = {0};
    double score = -1;
    assert_int_equal(tare_exact_match_score(m, yes, golds, 3, &score, &err), 0);
    assert_true(score == 1);
    assert_int_equal(tare_exact_match_score(m, no, golds, 3, &score, &err), 0);
    assert_true(score == 0);
    score = -1;
    assert_int_equal(tare_exact_match_score(m, yes, golds, 0, &score, &err), 0);
    assert_true(score == 0);
    tare_exact_match_destroy(m);
    tare_exact_match_destroy(NULL);
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const options[] = {"[]",
                                          "{\"ignore_case\":1}",
                                          "{\"ignore_cases\":true}",
                                          "{\"regexes_to_ignore\":\",\"}",
                                          "{\"regexes_to_ignore\":[1]}",
                                          "{\"regexes_to_ignore\":[\"ok\",\"(\"]}"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        struct tare_err err = {0};
        struct tare_json *json = NULL;
        struct tare_exact_match *m = NULL;
        assert_int_equal(tare_json_parse(options[i], strlen(options[i]), "test", &json, &err), 0);
        if (tare_exact_match_parse(json, "task t", &m, &err) != TARE_E_FORMAT || !strstr(err.msg, "task t")) {
            fail_msg("%s: %s", options[i], err.msg);
        }
        assert_null(m);
        tare_json_destroy(json);
    }
}

static void test_contains(void **state)
{
    (void)state;
    static const struct {
        struct tare_bytes output, label;
        double score;
        const char *why;
    } looked[] = {
        {BYTES("in the year 1912."), BYTES("1912"), 1, "in the middle"},
        {BYTES("PARIS it is"), BYTES("Paris"), 1, "any case"},
        {BYTES("\xc3\x89T\xc3\x89"), BYTES("\xc3\xa9t\xc3\xa9"), 1, "of any script"},
        {BYTES("a b"), BYTES("a.b"), 0, "a label is no pattern"},
        {BYTES("x (y) z"), BYTES("(y)"), 1, "with parentheses"},
        {BYTES("anything"), BYTES(""), 1, "nothing is everywhere"},
        {BYTES("19 12"), BYTES("1912"), 0, "in one piece"},
    };
    for (size_t i = 0; i < sizeof looked / sizeof *looked; i++) {
        struct tare_err err = {0};
        double score = -1;
        assert_int_equal(tare_contains_score(looked[i].output, &looked[i].label, 1, &score, &err), 0);
        if (score != looked[i].score) {
            fail_msg("%s: %g", looked[i].why, score);
        }
    }
    static const struct tare_bytes two[] = {BYTES("no"), BYTES("yes")};
    struct tare_err err = {0};
    double score = -1;
    assert_int_equal(tare_contains_score((struct tare_bytes)BYTES("yes"), two, 2, &score, &err), 0);
    assert_true(score == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_several),
                                       cmocka_unit_test(test_refused), cmocka_unit_test(test_contains)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
