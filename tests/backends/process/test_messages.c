/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a program: each one that is allowed is understood exactly, each other one refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "messages.h"
#include "wire.h"
#include "words.h"

static void test_understood(void **state)
{
    (void)state;
    struct tare_reply r;
    static const char token[] =
        "{\"event\":\"token\",\"seq\":7,\"token\":-3,\"at\":9223372036854775807,\"bytes\":2}";
    assert_int_equal(tare_reply_parse(token, sizeof token - 1, &r, NULL), 0);
    assert_int_equal(r.kind, TARE_REPLY_TOKEN);
    assert_int_equal(r.seq, 7);
    assert_int_equal(r.token, -3);
    assert_true(r.at_ns == INT64_MAX); /* to the last nanosecond, where a double would round */
    assert_int_equal(r.n_blob, 2);
    tare_reply_fini(&r);
    static const char error[] = "{\"error\":\"no room\",\"code\":\"nomem\",\"seq\":1}";
    assert_int_equal(tare_reply_parse(error, sizeof error - 1, &r, NULL), 0);
    assert_int_equal(r.kind, TARE_REPLY_ERROR);
    assert_int_equal(r.code, TARE_E_NOMEM);
    assert_string_equal(r.text, "no room");
    tare_reply_fini(&r);
    static const char odd[] = "{\"error\":\"x\",\"code\":\"no such code\",\"seq\":1}";
    assert_int_equal(tare_reply_parse(odd, sizeof odd - 1, &r, NULL), 0);
    assert_int_equal(r.code, TARE_E_BACKEND);
    tare_reply_fini(&r);
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "hello",
        "[]",
        "null",
        "{",
        "{}",
        "{\"ok\":\"load\"}",
        "{\"seq\":1}",
        "{\"ok\":1,\"seq\":1}",
        "{\"ok\":\"load\",\"seq\":\"1\"}",
        "{\"ok\":\"load\",\"seq\":1.5}",
        "{\"ok\":\"load\",\"seq\":-1}",
        "{\"ok\":\"load\",\"seq\":1,\"bytes\":-1}",
        "{\"ok\":\"load\",\"seq\":1,\"bytes\":1073741825}",
        "{\"ok\":\"load\",\"seq\":1,\"bytes\":1e3}",
        "{\"ok\":\"load\",\"seq\":1,\"bytes\":\"5\"}",
        "{\"event\":\"token\",\"seq\":1,\"token\":1}",
        "{\"event\":\"token\",\"seq\":1,\"at\":1}",
        "{\"event\":\"token\",\"seq\":1,\"token\":2147483648,\"at\":1}",
        "{\"event\":\"token\",\"seq\":1,\"token\":1,\"at\":9223372036854775808}",
        "{\"event\":\"token\",\"seq\":1,\"token\":1,\"at\":-5}",
        "{\"event\":\"wonder\",\"seq\":1}",
        "{\"event\":\"logits\",\"seq\":1,\"position\":1}",
        "{\"event\":\"logits\",\"seq\":1,\"position\":1,\"rows\":0}",
        "{\"ok\":\"a\",\"seq\":1} {}"};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct tare_reply r;
        struct tare_err err = {0};
        if (tare_reply_parse(cases[c], strlen(cases[c]), &r, &err) != TARE_E_FORMAT || !err.msg[0]) {
            fail_msg("taken: %s", cases[c]);
        }
    }
}

static void test_facts(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int code;
        int64_t n_ctx;
    } cases[] = {
        {"{\"ok\":\"describe\",\"seq\":1,\"facts\":{}}", 0, TARE_UNKNOWN},
        {"{\"ok\":\"describe\",\"seq\":1,\"facts\":{\"n_ctx\":512,\"arch\":\"x\"}}", 0, 512},
        {"{\"ok\":\"describe\",\"seq\":1,\"facts\":{\"n_ctx\":null}}", 0, TARE_UNKNOWN},
        {"{\"ok\":\"describe\",\"seq\":1,\"facts\":{\"n_ctx\":-2}}", TARE_E_FORMAT, TARE_UNKNOWN},
        {"{\"ok\":\"describe\",\"seq\":1,\"facts\":{\"n_ctx\":\"512\"}}", TARE_E_FORMAT, TARE_UNKNOWN},
        {"{\"ok\":\"describe\",\"seq\":1,\"facts\":{\"arch\":\"0123456789012345678901234567890123456789\"}}",
         TARE_E_FORMAT, TARE_UNKNOWN},
        {"{\"ok\":\"describe\",\"seq\":1}", TARE_E_FORMAT, TARE_UNKNOWN},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct tare_reply r;
        struct tare_model_facts f = {.n_ctx = TARE_UNKNOWN};
        assert_int_equal(tare_reply_parse(cases[c].line, strlen(cases[c].line), &r, NULL), 0);
        assert_int_equal(tare_reply_facts(&r, &f, NULL), cases[c].code);
        assert_int_equal(f.n_ctx, cases[c].n_ctx);
        tare_reply_fini(&r);
    }
}

static void test_requests(void **state)
{
    (void)state;
    char line[TARE_MESSAGE_BYTES];
    const struct tare_request q = {.kind = TARE_REQUEST_GENERATE,
                                   .n_tokens = UINT32_MAX,
                                   .first = UINT32_MAX,
                                   .shared_prefix = UINT32_MAX,
                                   .max_output = UINT32_MAX,
                                   .seed = UINT64_MAX,
                                   .temperature = 3.40282347e38F};
    size_t n = tare_message_request(line, INT64_MAX, &q); /* the longest there can be */
    assert_true(n + 1 < TARE_MESSAGE_BYTES && line[n - 1] == '\n' && strlen(line) == n);
    struct tare_json *json = NULL;
    assert_int_equal(tare_json_parse(line, n, "request", &json, NULL), 0);
    assert_string_equal(tare_json_str(tare_json_get(json, "seed")), "18446744073709551615");
    tare_json_destroy(json);
}

static int load_line(const char *set, char **text)
{
    char **words = NULL;
    size_t n = 0;
    const struct tare_load load = {.path = "/m \"x\""};
    assert_int_equal(tare_words_split(set, "set", &words, &n, NULL), 0);
    int r = tare_message_load(3, &load, words, text, NULL);
    free(words);
    return r;
}

static void test_load(void **state)
{
    (void)state;
    static const char *const refused[] = {"a=1 a=2", "a", "=1", "a=1 b"};
    char *text = NULL;
    assert_int_equal(load_line("a=1 'b=x=y z' c=", &text), 0);
    assert_string_equal(text, "{\"op\":\"load\",\"seq\":3,\"path\":\"/m \\\"x\\\"\",\"technique\":null,"
                              "\"settings\":{\"a\":\"1\",\"b\":\"x=y z\",\"c\":\"\"}}");
    free(text);
    text = NULL;
    for (size_t c = 0; c < sizeof refused / sizeof *refused; c++) {
        assert_int_equal(load_line(refused[c], &text), TARE_E_USAGE);
        assert_null(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_understood), cmocka_unit_test(test_refused),
                                       cmocka_unit_test(test_facts), cmocka_unit_test(test_requests),
                                       cmocka_unit_test(test_load)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
