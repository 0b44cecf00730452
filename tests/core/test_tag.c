/* SPDX-License-Identifier: Apache-2.0 */
/* Technique tags: what is one and what is not, how entries are rendered, which values become paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/tag.h"

static struct tare_paths paths = {.zoo = "/z"};

static void test_good(void **state)
{
    (void)state;
    static const char *const good[] = {
        "baseline",
        "none",
        "t",
        "infer.compress.quant.weight{method=rtn,bits=4,group=32}",
        "infer.compress.low-rank{ratio=0.6}",
        "a{pattern=2:4}",
        "a{path=/some folder/x+y (1).bin}",
        "a{b_1=-1e-6}+c.d-e+f{g=h}",
        "4bit",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct tare_err err = {0};
        assert_int_equal(tare_tag_check(good[i], "here", &err), 0);
        assert_string_equal(err.msg, "");
    }
}

static void test_bad(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *why;
    } bad[] = {
        {"", "is no tag"},
        {" a", "is no tag"},
        {"A.b", "is no tag"},
        {".a", "is no tag"},
        {"a.", "is no tag"},
        {"a..b", "is no tag"},
        {"a.-b", "is no tag"},
        {"-a", "is no tag"},
        {"{b=1}", "is no tag"},
        {"+a", "is no tag"},
        {"a+", "is no tag"},
        {"a++b", "is no tag"},
        {"a+{b=1}", "is no tag"},
        {"a b", "stands where"},
        {"a_b", "stands where"},
        {"a{b=1}c", "stands where"},
        {"a{b=1}{c=1}", "stands where"},
        {"a{b=1}}", "stands where"},
        {"a}", "stands where"},
        {"a,b", "stands where"},
        {"a{", "key=value"},
        {"a{}", "key=value"},
        {"a{,}", "key=value"},
        {"a{b}", "key=value"},
        {"a{=1}", "key=value"},
        {"a{B=1}", "key=value"},
        {"a{b c=1}", "key=value"},
        {"a{b=1,}", "key=value"},
        {"a{b=1,,c=1}", "key=value"},
        {"a{b=}", "has no value"},
        {"a{b=1=2}", "has no value"},
        {"a{b=\"1\"}", "has no value"},
        {"a{b=\t}", "has no value"},
        {"a{b=1\n}", "has no value"},
        {"a{b={c=1}}", "has no value"},
        {"a{b=1{}", "brace within braces"},
        {"a{b=1", "not closed"},
        {"a{b=1,c=2", "not closed"},
        {"a{b=1,b=1}", "given twice"},
        {"a+b{c=1,d=2,c=3}", "given twice"},
        {"baseline+a", "stands alone"},
        {"a+none", "stands alone"},
        {"baseline{a=1}", "stands alone"},
        {"\xff", "is no tag"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tare_err err = {0};
        int r = tare_tag_check(bad[i].text, "here", &err);
        if (r != TARE_E_USAGE || !strstr(err.msg, bad[i].why) || strncmp(err.msg, "here: ", 6) != 0) {
            fail_msg("\"%s\": %d, \"%s\" lacks \"%s\"", bad[i].text, r, err.msg, bad[i].why);
        }
    }
}

static void test_keys_are_of_one_tag(void **state)
{
    (void)state;
    struct tare_err err = {0};
    assert_int_equal(tare_tag_check("a{b=1}+c{b=1}", "here", &err), 0);
}

static void test_limits(void **state)
{
    (void)state;
    struct tare_err err = {0};
    char text[8192] = "a{";
    for (int i = 0; i < 33; i++) {
        (void)sprintf(text + strlen(text), "%sk%d=1", i ? "," : "", i);
    }
    (void)strcat(text, "}");
    assert_int_equal(tare_tag_check(text, "here", &err), TARE_E_USAGE);
    assert_non_null(strstr(err.msg, "one parameter too many"));
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(tare_tag_check(text, "here", &err), TARE_E_USAGE);
    text[4096] = '\0';
    assert_int_equal(tare_tag_check(text, "here", &err), 0);
}

/* Renders a JSON entry; NULL and the message on failure. */
static char *render(const char *json, struct tare_err *err)
{
    struct tare_json *entry = NULL;
    char *out = NULL;
    assert_int_equal(tare_json_parse(json, strlen(json), "test", &entry, err), 0);
    int r = tare_tag_render(entry, "here", &out, err);
    assert_true(r == 0 || (r == TARE_E_USAGE && err->msg[0] && !out));
    tare_json_destroy(entry);
    return out;
}

static void test_render(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *tag;
    } rows[] = {
        {"{\"technique\": \"a.b{c=1}\"}", "a.b{c=1}"},
        {"{\"technique\": \"a\", \"params\": {}}", "a"},
        {"{\"technique\": \"infer.compress.quant.weight\", \"params\": {\"method\": \"rtn\", \"bits\": 4, "
         "\"group\": 32}}",
         "infer.compress.quant.weight{method=rtn,bits=4,group=32}"},
        {"{\"technique\": \"a\", \"params\": {\"z\": 0.5, \"b\": true, \"c\": false, \"d\": 1e-6, \"e\": "
         "1000000, \"f\": 0.1}}",
         "a{z=0.5,b=true,c=false,d=1e-06,e=1000000,f=0.1}"},
        {"{\"technique\": [\"a{b=1}\", \"c\", \"d{b=2}\"]}", "a{b=1}+c+d{b=2}"},
        {"{\"technique\": [\"a\"]}", "a"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tare_err err = {0};
        char *tag = render(rows[i].json, &err);
        assert_non_null(tag);
        assert_string_equal(tag, rows[i].tag);
        free(tag);
    }
    struct tare_err err = {0};
    assert_null(render("{}", &err));
    assert_null(render("{\"technique\": \"\"}", &err));
    assert_string_equal(err.msg, "");
}

static void test_bad_entries(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"{\"technique\": 4}", "neither a text nor an array"},
        {"{\"technique\": []}", "neither a text nor an array"},
        {"{\"technique\": [\"a\", 4]}", "holds"},
        {"{\"technique\": [\"a\", \"\"]}", "is no tag"},
        {"{\"technique\": [\"a\", \"baseline\"]}", "stands alone"},
        {"{\"technique\": \"a\", \"params\": [1]}", "no object"},
        {"{\"technique\": \"a{b=1}\", \"params\": {\"c\": 1}}", "goes with one technique"},
        {"{\"technique\": [\"a\"], \"params\": {\"c\": 1}}", "goes with one technique"},
        {"{\"technique\": \"a+b\", \"params\": {\"c\": 1}}", "goes with one technique"},
        {"{\"params\": {\"c\": 1}}", "goes with one technique"},
        {"{\"technique\": \"a\", \"params\": {\"c\": null}}", "parameter \"c\""},
        {"{\"technique\": \"a\", \"params\": {\"c\": {}}}", "parameter \"c\""},
        {"{\"technique\": \"a\", \"params\": {\"c\": \"1,d=2\"}}", "holds one of"},
        {"{\"technique\": \"a\", \"params\": {\"c\": \"1}\"}}", "holds one of"},
        {"{\"technique\": \"a\", \"params\": {\"c d\": 1}}", "key=value"},
        {"{\"technique\": \"a\", \"params\": {\"c\": \"\"}}", "has no value"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tare_err err = {0};
        char *tag = render(bad[i][0], &err);
        if (tag || !strstr(err.msg, bad[i][1])) {
            fail_msg("%s: \"%s\" lacks \"%s\"", bad[i][0], err.msg, bad[i][1]);
        }
        free(tag);
    }
}

static void test_resolve(void **state)
{
    (void)state;
    char cwd[TARE_PATH_MAX], *out = NULL, expected[2 * TARE_PATH_MAX];
    struct tare_err err = {0};
    assert_non_null(getcwd(cwd, sizeof cwd));
    assert_int_equal(tare_tag_resolve(&paths,
                                      "a{draft=zoo:llama-0.25m,gamma=4}+b{calib=zoo:c.safetensors}+"
                                      "c{calib=x/y.bin}+d{calib=/abs,other=zoo:n}",
                                      &out, &err),
                     0);
    (void)snprintf(
        expected, sizeof expected,
        "a{draft=/z/llama-0.25m.safetensors,gamma=4}+b{calib=/z/c.safetensors}+c{calib=%s/x/y.bin}+"
        "d{calib=/abs,other=zoo:n}",
        cwd);
    assert_string_equal(out, expected);
    free(out);
}

static void test_resolve_refuses(void **state)
{
    (void)state;
    char *out = NULL;
    struct tare_err err = {0};
    struct tare_paths odd = {.zoo = "/a,b"};
    assert_int_equal(tare_tag_resolve(&paths, "a{draft=zoo:../x}", &out, &err), TARE_E_USAGE);
    assert_int_equal(tare_tag_resolve(&odd, "a{draft=zoo:x}", &out, &err), TARE_E_USAGE);
    assert_non_null(strstr(err.msg, "cannot hold"));
    assert_null(out);
}

static int note(void *ctx, const char *param, const char *path)
{
    char *text = ctx;
    (void)sprintf(text + strlen(text), "%s:%s;", param, path);
    return strcmp(path, "stop") == 0 ? -9 : 0;
}

static void test_files(void **state)
{
    (void)state;
    char seen[256] = "";
    assert_int_equal(tare_tag_files("a{draft=/x,bits=4}+b{calib=/y,drafts=/n}", note, seen), 0);
    assert_string_equal(seen, "draft:/x;calib:/y;");
    seen[0] = '\0';
    assert_int_equal(tare_tag_files("a{draft=stop}+b{calib=/y}", note, seen), -9);
    assert_string_equal(seen, "draft:stop;");
    seen[0] = '\0';
    assert_int_equal(tare_tag_files("no tag{", note, seen), 0);
    assert_string_equal(seen, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_keys_are_of_one_tag),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_render),
        cmocka_unit_test(test_bad_entries),
        cmocka_unit_test(test_resolve),
        cmocka_unit_test(test_resolve_refuses),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
