/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers keep their text; words for no number are read; everything else is refused as ever. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <tare/json.h>

static char *there_and_back(const char *text)
{
    struct tare_json *json = NULL;
    struct tare_err err = {0};
    char *out = NULL;
    if (tare_json_parse_exact(text, strlen(text), "test", &json, &err) != 0) {
        fail_msg("%s: %s", text, err.msg);
    }
    assert_int_equal(tare_json_print(json, false, &out, &err), 0);
    tare_json_destroy(json);
    return out;
}

static void test_same_text(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"9007199254740993", "an integer beyond 2^53"},
        {"18446744073709551615", "the largest of 64 bits"},
        {"123456789012345678901234567890", "an integer that no type holds"},
        {"0.1000000000000000055511151231257827", "more digits than a double has"},
        {"1.50", "a zero at the end"},
        {"-0", "minus zero"},
        {"-0.0", "minus zero, a decimal"},
        {"1e3", "an exponent"},
        {"1E+03", "another way to write it"},
        {"5e-324", "the smallest double"},
        {"NaN", "as Python writes it"},
        {"-Infinity", "as Python writes it"},
        {"[1,2.50,Infinity,-3]", "several in order"},
        {"{\"a\":{\"b\":[1.10]},\"c\":1.20,\"d\":\"1.30 NaN\",\"e\":[]}",
         "order through nesting and strings"},
        {"{\"N\":1,\"I\":\"-5\",\"\\\"7\":2.0}", "numbers within keys and strings are no numbers"},
        {"[true,false,null,0.0]", "words that are not numbers"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *out = there_and_back(cases[i].text);
        if (strcmp(out, cases[i].text) != 0) {
            fail_msg("%s: %s became %s", cases[i].why, cases[i].text, out);
        }
        free(out);
    }
}

static void test_values(void **state)
{
    struct tare_json *json = NULL;
    struct tare_err err = {0};
    const char text[] = "[2.50, NaN, -Infinity, 7, \"8\", null]";
    (void)state;
    assert_int_equal(tare_json_parse_exact(text, strlen(text), "test", &json, &err), 0);
    const struct tare_json *v = tare_json_first(json);
    assert_int_equal(tare_json_type(v), TARE_JSON_NUMBER);
    assert_true(tare_json_num(v) == 2.5);
    assert_string_equal(tare_json_number_text(v), "2.50");
    v = tare_json_next(v);
    assert_int_equal(tare_json_type(v), TARE_JSON_NUMBER);
    assert_true(isnan(tare_json_num(v)));
    v = tare_json_next(v);
    assert_true(isinf(tare_json_num(v)) && tare_json_num(v) < 0);
    v = tare_json_next(v);
    int64_t n = 0;
    assert_int_equal(tare_json_i64(v, "n", 0, 9, &n, &err), 0);
    assert_int_equal(n, 7);
    v = tare_json_next(v);
    assert_null(tare_json_number_text(v));
    assert_null(tare_json_number_text(tare_json_next(v)));
    tare_json_destroy(json);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *says, *why;
    } cases[] = {
        {"{\"a\": 1", "line 1", "an object without an end"},
        {"[nan]", "not valid", "only the words that are written by others"},
        {"[+1]", "not valid", "a sign that JSON does not have"},
        {"[NaNNaN]", "not valid", "two words in one"},
        {"[1NaN]", "not valid", "a word behind a number"},
        {"\n\n[1, Infinity, x]", "line 3", "lines are those of the file"},
        {"{\"a\":1,\"a\":2}", "twice", "a key that stands twice"},
        {"[1e999]", "too large", "a number that is infinite without saying so"},
        {"\"x", "not valid", "a string without an end"},
        {"", "not valid", "nothing"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_json *json = NULL;
        struct tare_err err = {0};
        int r = tare_json_parse_exact(cases[i].text, strlen(cases[i].text), "file", &json, &err);
        if (r != TARE_E_FORMAT || json || !strstr(err.msg, cases[i].says)) {
            fail_msg("%s: %d, %s", cases[i].why, r, err.msg);
        }
    }
}

static void test_building(void **state)
{
    struct tare_json *o = tare_json_new_object();
    struct tare_err err = {0};
    char *out = NULL;
    (void)state;
    tare_json_add_number_text(o, "a", "1.50");
    tare_json_add_number_text(o, "b", "b1.50");
    tare_json_add_number_text(o, "c", "[1]");
    tare_json_add_number_text(o, "d", "18446744073709551615");
    assert_int_equal(tare_json_print(o, false, &out, &err), 0);
    assert_string_equal(out, "{\"a\":1.50,\"b\":\"b1.50\",\"c\":\"[1]\",\"d\":18446744073709551615}");
    free(out);
    tare_json_destroy(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_text), cmocka_unit_test(test_values),
                                       cmocka_unit_test(test_refused), cmocka_unit_test(test_building)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
