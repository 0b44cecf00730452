/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's orders: read, defaults, refused, and told to begin at another item. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/spec.h"

static int parse(const char *text, struct tare_spec *out, struct tare_err *err)
{
    return tare_spec_parse(text, strlen(text), out, err);
}

static void test_full(void **state)
{
    (void)state;
    struct tare_spec spec;
    struct tare_err err = {0};
    assert_int_equal(
        parse("{\"backend\": \"/b.so\", \"model\": \"/m\", \"technique\": \"t{bits=4}\", \"task\": \"text\","
              " \"data_dir\": \"/d\", \"seed\": 9, \"warmup\": 3, \"window_tok\": 64,"
              " \"memory_limit_bytes\": 1000000, \"first_item\": 12,"
              " \"options\": {\"threads\": 2}, \"task_options\": {\"items\": 5}}",
              &spec, &err),
        0);
    assert_string_equal(spec.backend, "/b.so");
    assert_string_equal(spec.model, "/m");
    assert_string_equal(spec.technique, "t{bits=4}");
    assert_string_equal(spec.task, "text");
    assert_string_equal(spec.data_dir, "/d");
    assert_int_equal(spec.seed, 9);
    assert_int_equal(spec.warmup, 3);
    assert_int_equal(spec.window_tok, 64);
    assert_int_equal(spec.memory_limit_bytes, 1000000);
    assert_int_equal(spec.first_item, 12);
    assert_true(tare_json_num(tare_json_get(spec.options, "threads")) == 2);
    assert_true(tare_json_num(tare_json_get(spec.task_options, "items")) == 5);
    tare_spec_fini(&spec);
    assert_null(spec.backend);
    tare_spec_fini(&spec); /* of an empty one */
}

static void test_least(void **state)
{
    (void)state;
    struct tare_spec spec;
    struct tare_err err = {0};
    assert_int_equal(parse("{\"backend\": \"b\", \"task\": \"t\", \"data_dir\": \"d\"}", &spec, &err), 0);
    assert_null(spec.model);
    assert_null(spec.technique);
    assert_int_equal(spec.seed, 1);
    assert_int_equal(spec.warmup, 0);
    assert_int_equal(spec.window_tok, 0);
    assert_int_equal(spec.memory_limit_bytes, 0);
    assert_int_equal(spec.first_item, 0);
    assert_int_equal(tare_json_type(spec.options), TARE_JSON_OBJECT);
    assert_int_equal(tare_json_type(spec.task_options), TARE_JSON_OBJECT);
    assert_int_equal(tare_json_size(spec.options), 0);
    tare_spec_fini(&spec);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "line"},
        {"{", "line"},
        {"[1]", "object"},
        {"[[]]", "object"},
        {"5", "object"},
        {"null", "object"},
        {"{}", "backend"},
        {"{\"backend\": \"b\", \"task\": \"t\"}", "data folder"},
        {"{\"backend\": \"b\", \"data_dir\": \"d\"}", "task"},
        {"{\"task\": \"t\", \"data_dir\": \"d\"}", "backend"},
        {"{\"backend\": \"b\", \"task\": \"t\", \"data_dir\": \"d\", \"options\": 5}", "\"options\""},
        {"{\"backend\": \"b\", \"task\": \"t\", \"data_dir\": \"d\", \"task_options\": []}",
         "\"task_options\""},
        {"{\"backend\": \"b\", \"task\": \"t\", \"data_dir\": \"d\", \"warm_up\": 1}",
         "did you mean \"warmup\""},
        {"{\"backend\": \"b\", \"task\": \"t\", \"data_dir\": \"d\", \"first_item\": -1}", "first_item"},
        {"{\"backend\": \"b\", \"task\": \"t\", \"data_dir\": \"d\", \"first_item\": 1, \"first_item\": 2}",
         "twice"},
        {"{\"backend\": 1, \"task\": \"t\", \"data_dir\": \"d\"}", "backend"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_spec spec;
        struct tare_err err = {0};
        memset(&spec, 0x55, sizeof spec);
        struct tare_spec before = spec;
        int r = parse(cases[i].text, &spec, &err);
        if (r >= 0 || r != err.code || !strstr(err.msg, cases[i].says)) {
            fail_msg("%s: %d, \"%s\"", cases[i].text, r, err.msg);
        }
        assert_memory_equal(&spec, &before, sizeof spec);
    }
}

static void test_from(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"backend\": \"b\", \"task\": \"t\", \"data_dir\": \"d\", \"seed\": 7, \"options\": {\"a\": [1, "
        "0.1]}}",
        "{\"first_item\": 3, \"backend\": \"b\", \"task\": \"t\", \"data_dir\": \"d\", \"seed\": 7,"
        " \"options\": {\"a\": [1, 0.1]}}",
    };
    for (size_t i = 0; i < 2; i++) {
        char *text = NULL;
        struct tare_spec spec;
        struct tare_err err = {0};
        assert_int_equal(tare_spec_from(texts[i], 1234567, &text, &err), 0);
        assert_int_equal(parse(text, &spec, &err), 0);
        assert_int_equal(spec.first_item, 1234567);
        assert_int_equal(spec.seed, 7);
        const struct tare_json *a = tare_json_get(spec.options, "a");
        assert_int_equal(tare_json_size(a), 2);
        assert_true(tare_json_num(tare_json_next(tare_json_first(a))) == 0.1);
        tare_spec_fini(&spec);
        free(text);
    }
}

/* A cell that was stored damaged. */
static void test_from_damaged(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "{", "[1]", "5"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *text = NULL;
        struct tare_err err = {0};
        assert_int_equal(tare_spec_from(texts[i], 1, &text, &err), TARE_E_FORMAT);
        assert_null(text);
    }
}

/* A plan writes numbers, the command line texts; both mean the same. */
static void test_number(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        double value; /* NaN: not given */
    } cases[] = {{"{\"n\":128}", 128},       {"{\"n\":\"128\"}", 128},      {"{\"n\":\"many\"}", (double)NAN},
                 {"{\"m\":1}", (double)NAN}, {"{\"n\":null}", (double)NAN}, {"{}", (double)NAN}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_json *json = NULL;
        assert_int_equal(tare_json_parse(cases[i].json, strlen(cases[i].json), "case", &json, NULL), 0);
        double value = tare_spec_number(json, "n");
        if (isnan(cases[i].value) ? !isnan(value) : fabs(value - cases[i].value) > 0) {
            fail_msg("%s: %g", cases[i].json, value);
        }
        tare_json_destroy(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full), cmocka_unit_test(test_least),        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_from), cmocka_unit_test(test_from_damaged), cmocka_unit_test(test_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
