/* SPDX-License-Identifier: Apache-2.0 */
/* Option values from text and from JSON: every type, its limits and suffixes, and the way back. */
#include <float.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/opt.h"

struct values {
    bool flag;
    int64_t count, free_count, choice, wait_ns, room_bytes;
    double rate;
    char *path, *name;
};

static const char *const colours[] = {"red", "dark_blue", NULL};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct values, member_)

static const struct tare_opt table[] = {
    {MEMBER(TARE_OPT_BOOL, flag), .def = "yes", .help = "a flag"},
    {MEMBER(TARE_OPT_I64, count), .def = "3", .min = -2, .max = 10, .help = "a limited number"},
    {MEMBER(TARE_OPT_I64, free_count), .help = "a number without limits"},
    {MEMBER(TARE_OPT_CHOICE, choice), .def = "dark-blue", .choices = colours, .help = "a colour"},
    {MEMBER(TARE_OPT_NS, wait_ns), .def = "1.5ms", .min = 0, .max = INT64_MAX, .help = "a time"},
    {MEMBER(TARE_OPT_BYTES, room_bytes), .def = "64KiB", .min = 0, .max = INT64_MAX, .help = "a size"},
    {MEMBER(TARE_OPT_F64, rate), .def = "0.5", .help = "a rate"},
    {MEMBER(TARE_OPT_STR, path), .help = "a path"},
    {MEMBER(TARE_OPT_STR, name), .def = "none", .help = "a name"},
    TARE_OPT_END};

static struct values defaults(void)
{
    struct values v;
    struct tare_err err = {0};
    memset(&v, 0, sizeof v);
    assert_int_equal(tare_opts_init(table, &v, &err), 0);
    return v;
}

static void test_defaults(void **state)
{
    (void)state;
    struct values v = defaults();
    assert_true(v.flag);
    assert_int_equal(v.count, 3);
    assert_int_equal(v.free_count, 0);
    assert_int_equal(v.choice, 1);
    assert_int_equal(v.wait_ns, 1500000);
    assert_int_equal(v.room_bytes, 65536);
    assert_true(v.rate == 0.5);
    assert_null(v.path);
    assert_string_equal(v.name, "none");
    tare_opts_fini(table, &v);
    assert_null(v.name);
    static const struct tare_opt bad[] = {{MEMBER(TARE_OPT_I64, count), .def = "many"}, TARE_OPT_END};
    struct tare_err err = {0};
    assert_int_equal(tare_opts_init(bad, &v, &err), TARE_E_USAGE);
    static const struct tare_opt odd[] = {{MEMBER(99, count), .def = "1"}, TARE_OPT_END};
    assert_int_equal(tare_opts_init(odd, &v, &err), TARE_E_PLUGIN);
    assert_int_equal(tare_opts_init(NULL, &v, &err), 0);
}

/* The integer types: the text, what it becomes. */
static void test_integers(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        int64_t expected;
    } cases[] = {
        {"count", "-2", -2},
        {"count", "10", 10},
        {"count", "1e1", 10},
        {"free_count", "9007199254740991", INT64_C(9007199254740991)},
        {"free-count", "-9007199254740991", INT64_C(-9007199254740991)},
        {"wait_ns", "0", 0},
        {"wait_ns", "7", 7},
        {"wait_ns", "7ns", 7},
        {"wait_ns", "20us", 20000},
        {"wait_ns", "20ms", 20000000},
        {"wait_ns", "1.5s", 1500000000},
        {"wait_ns", "600s", INT64_C(600000000000)},
        {"wait_ns", "1.001us", 1001}, /* times 1000 it is 1000.99...9 in binary */
        {"wait_ns", "1.001s", 1001000000},
        {"wait_ns", "0.000000001s", 1},
        {"wait_ns", "86400.000000001s", INT64_C(86400000000001)},
        {"room_bytes", "17", 17},
        {"room_bytes", "17B", 17},
        {"room_bytes", "1KiB", 1024},
        {"room_bytes", "1MiB", 1048576},
        {"room_bytes", "1.5GiB", 1610612736},
        {"room_bytes", "2kB", 2000},
        {"room_bytes", "2MB", 2000000},
        {"room_bytes", "1.1GB", 1100000000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct values v = defaults();
        struct tare_err err = {0};
        int r = tare_opts_set(table, &v, cases[i].name, cases[i].value, "test", &err);
        const struct tare_opt *opt = tare_opts_find(table, cases[i].name);
        int64_t got = *(const int64_t *)(const void *)((const char *)&v + opt->offset);
        if (r != 0 || got != cases[i].expected) {
            fail_msg("%s=%s: %d, %" PRId64 " %s", cases[i].name, cases[i].value, r, got, err.msg);
        }
        tare_opts_fini(table, &v);
    }
}

static void test_others(void **state)
{
    (void)state;
    static const char *const yes[] = {"true", "yes", "1"}, *const no[] = {"false", "no", "0"};
    struct values v = defaults();
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(tare_opts_set(table, &v, "flag", no[i], "test", NULL), 0);
        assert_false(v.flag);
        assert_int_equal(tare_opts_set(table, &v, "flag", yes[i], "test", NULL), 0);
        assert_true(v.flag);
    }
    assert_int_equal(tare_opts_set(table, &v, "rate", "-1.25e-3", "test", NULL), 0);
    assert_true(v.rate == -1.25e-3);
    assert_int_equal(tare_opts_set(table, &v, "choice", "red", "test", NULL), 0);
    assert_int_equal(v.choice, 0);
    assert_int_equal(tare_opts_set(table, &v, "choice", "dark_blue", "test", NULL), 0);
    assert_int_equal(v.choice, 1);
    assert_int_equal(tare_opts_set(table, &v, "name", "", "test", NULL), 0);
    assert_string_equal(v.name, "");
    assert_int_equal(tare_opts_set(table, &v, "path", "a=b c", "test", NULL), 0);
    assert_string_equal(v.path, "a=b c");
    tare_opts_fini(table, &v);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *says;
    } cases[] = {
        {"flag", "on", "true or false"},
        {"flag", "", "true or false"},
        {"count", "11", "-2 .. 10"},
        {"count", "-3", "-2 .. 10"},
        {"count", "2.5", "integer"},
        {"count", "3s", "integer"},
        {"count", "", "integer"},
        {"count", "x", "integer"},
        {"count", "nan", "integer"},
        {"free_count", "inf", "integer"},
        {"free_count", "9007199254740993", "integer"}, /* would become ...992 */
        {"free_count", "1e30", "integer"},
        {"wait_ns", "5m", "duration"},
        {"wait_ns", "1.5", "duration"},
        {"wait_ns", "0.3ns", "duration"},
        {"wait_ns", "0.0000000001s", "duration"},
        {"wait_ns", "ms", "duration"},
        {"wait_ns", "5 ms", "duration"},
        {"wait_ns", "1e30s", "duration"},
        {"wait_ns", "1e-999s", "duration"},
        {"wait_ns", "-1s", ".."},
        {"room_bytes", "5K", "size"},
        {"room_bytes", "0.3B", "size"},
        {"room_bytes", "5KB", "size"},
        {"choice", "green", "red, dark_blue"},
        {"choice", "", "red, dark_blue"},
        {"rate", "fast", "number"},
        {"rate", "1x", "number"},
        {"rate", "inf", "number"},
        {"rate", "nan", "number"},
        {"coutn", "1", "did you mean \"count\""},
        {"gpu_layers", "1", "gpu_layers"},
    };
    struct values v = defaults(), before = v;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_err err = {0};
        int r = tare_opts_set(table, &v, cases[i].name, cases[i].value, "backend null", &err);
        if (r != TARE_E_USAGE || err.code != r || !strstr(err.msg, cases[i].says) ||
            !strstr(err.msg, "backend null") || !strstr(err.msg, cases[i].name)) {
            fail_msg("%s=%s: %d, \"%s\"", cases[i].name, cases[i].value, r, err.msg);
        }
    }
    assert_memory_equal(&v, &before, sizeof v);
    tare_opts_fini(table, &v);
}

static void test_find(void **state)
{
    (void)state;
    assert_ptr_equal(tare_opts_find(table, "wait-ns"), tare_opts_find(table, "wait_ns"));
    assert_non_null(tare_opts_find(table, "wait_ns"));
    assert_null(tare_opts_find(table, "wait_n"));
    assert_null(tare_opts_find(table, "wait_nss"));
    assert_null(tare_opts_find(table, ""));
    assert_null(tare_opts_find(NULL, "wait_ns"));
}

static struct tare_json *parse(const char *text)
{
    struct tare_json *json = NULL;
    assert_int_equal(tare_json_parse(text, strlen(text), "test", &json, NULL), 0);
    return json;
}

static void test_from_json(void **state)
{
    (void)state;
    struct tare_json *json =
        parse("{\"flag\": false, \"count\": 7, \"choice\": \"red\", \"wait_ns\": \"2s\", "
              "\"room_bytes\": 5, \"rate\": 0.1, \"path\": \"p\", \"name\": null, \"other\": []}");
    static const char *const skip[] = {"other", NULL};
    struct values v = defaults();
    struct tare_err err = {0};
    assert_int_equal(tare_opts_from_json(table, &v, json, skip, "test", &err), 0);
    assert_false(v.flag);
    assert_int_equal(v.count, 7);
    assert_int_equal(v.choice, 0);
    assert_int_equal(v.wait_ns, 2000000000);
    assert_int_equal(v.room_bytes, 5);
    assert_true(v.rate == 0.1);
    assert_string_equal(v.path, "p");
    assert_null(v.name); /* null unsets a text, which has no other way to say it */
    assert_int_equal(tare_opts_from_json(table, &v, NULL, NULL, "test", &err), 0);
    tare_opts_fini(table, &v);
    tare_json_destroy(json);
}

static void test_from_json_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"{\"count\": 11}", "-2 .. 10"},
        {"{\"count\": null}", "count"},
        {"{\"count\": [1]}", "array"},
        {"{\"count\": {}}", "object"},
        {"{\"count\": true}", "count"},
        {"{\"flag\": \"maybe\"}", "true or false"},
        {"{\"path\": 5}", "path"}, /* a number is no text: 5.0 would not come back as it was written */
        {"{\"path\": true}", "path"},
        {"{\"rat\": 1}", "did you mean \"rate\""},
        {"{\"othr\": 1}", "did you mean \"other\""},
        {"[1]", "object"},
        {"[]", "object"},
        {"5", "object"},
    };
    static const char *const skip[] = {"other", NULL};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_json *json = parse(cases[i].text);
        struct values v = defaults();
        struct tare_err err = {0};
        int r = tare_opts_from_json(table, &v, json, skip, "the plan", &err);
        if (r != TARE_E_USAGE || !strstr(err.msg, cases[i].says) || !strstr(err.msg, "the plan")) {
            fail_msg("%s: %d, \"%s\"", cases[i].text, r, err.msg);
        }
        tare_opts_fini(table, &v);
        tare_json_destroy(json);
    }
}

static void assert_same(const struct values *a, const struct values *b)
{
    assert_int_equal(a->flag, b->flag);
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->free_count, b->free_count);
    assert_int_equal(a->choice, b->choice);
    assert_int_equal(a->wait_ns, b->wait_ns);
    assert_int_equal(a->room_bytes, b->room_bytes);
    assert_true(a->rate == b->rate);
    assert_true(!a->path == !b->path && (!a->path || strcmp(a->path, b->path) == 0));
    assert_true(!a->name == !b->name && (!a->name || strcmp(a->name, b->name) == 0));
}

static void assert_comes_back(const struct values *v, bool through_text)
{
    struct tare_json *json = tare_json_new_object();
    tare_opts_to_json(table, v, json);
    char *text = NULL;
    assert_int_equal(tare_json_print(json, true, &text, NULL), 0);
    struct tare_json *read = through_text ? parse(text) : NULL;
    struct values again = defaults();
    struct tare_err err = {0};
    if (tare_opts_from_json(table, &again, read ? read : json, NULL, "test", &err) != 0) {
        fail_msg("%s: %s", text, err.msg);
    }
    assert_same(v, &again);
    tare_opts_fini(table, &again);
    tare_json_destroy(read);
    tare_json_destroy(json);
    free(text);
}

static void test_round_trip(void **state)
{
    (void)state;
    static const double rates[] = {0.1, 1.0 / 3, DBL_MAX, DBL_MIN, -7};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        for (int through_text = 0; through_text < 2; through_text++) {
            struct values v = defaults();
            assert_comes_back(&v, through_text);
            v.flag = false;
            v.count = -2;
            v.free_count = INT64_C(-9007199254740991);
            v.choice = 0;
            v.rate = rates[i];
            assert_int_equal(tare_opts_set(table, &v, "path", "quote \" and\nline", "test", NULL), 0);
            assert_comes_back(&v, through_text);
            tare_opts_fini(table, &v);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_from_json),
        cmocka_unit_test(test_from_json_refused),
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
