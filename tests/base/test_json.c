/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON in and out: what RFC 8259 allows, what tare/json.h refuses beyond it, exact integers, and memory
 * that is refused at every single allocation in turn (through the allocation hooks of the JSON library).
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <tare/json.h>

static struct tare_json *parse(const char *text)
{
    struct tare_json *json = NULL;
    struct tare_err err = {0};
    if (tare_json_parse(text, strlen(text), "test", &json, &err) != 0) {
        fail_msg("%s: %s", text, err.msg);
    }
    return json;
}

static char *print(const struct tare_json *json)
{
    char *text = NULL;
    struct tare_err err = {0};
    assert_int_equal(tare_json_print(json, false, &text, &err), 0);
    return text;
}

static void assert_refused(const char *text, size_t n, int code, const char *says, const char *why)
{
    struct tare_json *json = (struct tare_json *)&code;
    struct tare_err err = {0};
    int r = tare_json_parse(text, n, "plan.json", &json, &err);
    if (r != code || err.code != code || json != (struct tare_json *)&code) {
        fail_msg("%s: %d, %s", why, r, err.msg);
    }
    if (!strstr(err.msg, "plan.json") || !strstr(err.msg, says)) {
        fail_msg("%s: \"%s\" does not say \"%s\"", why, err.msg, says);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says, *why;
    } cases[] = {
        {"", "line 1", "nothing"},
        {" \n\n ", "line", "white space only"},
        {"{\"a\": 1", "line 1", "an object without an end"},
        {"{\n\"a\": tru}", "line 2", "no word of JSON"},
        {"{\n\n\"a\" 1}", "line 3", "no colon"},
        {"[1,]", "line 1", "a comma too many"},
        {"{a: 1}", "line 1", "a key without quotes"},
        {"['a']", "line 1", "the wrong quotes"},
        {"\"abc", "line 1", "a string without an end"},
        {"\"\\x41\"", "line 1", "an unknown escape"},
        {"\"\\ud800\"", "line 1", "half a surrogate pair"},
        {"[NaN]", "line 1", "no number of JSON"},
        {"-", "line 1", "a sign alone"},
        {"[0x10]", "line 1", "a hexadecimal number"},
        {"{} {}", "line 1", "two values"},
        {"1\n2", "line 2", "text behind the value"},
        {"{}x", "after the end", "a letter behind the value"},
        {"[1e999]", "too large", "more than a double can hold"},
        {"[-1e999]", "too large", "less than a double can hold"},
        {"{\"a\": 1, \"b\": 2, \"a\": 1}", "\"a\"", "a key twice"},
        {"{\"a\": 1, \"\\u0061\": 2}", "\"a\"", "a key twice in disguise"},
        {"[{\"x\": {\"b\": 1, \"b\": 1}}]", "\"b\"", "a key twice deep inside"},
        {"\n\"a\\u0000b\"", "line 2", "an escaped NUL"},
        {"\"\\\\\\u0000\"", "NUL", "an escaped NUL behind an escaped backslash"},
        {"[\n\"\xff\"]", "line 2", "a byte that is no UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_refused(cases[i].text, strlen(cases[i].text), TARE_E_FORMAT, cases[i].says, cases[i].why);
    }
    assert_refused("{}\0", 3, TARE_E_FORMAT, "NUL", "a NUL behind the value");
    assert_refused("[\n\"a\0b\"]", 8, TARE_E_FORMAT, "line 2", "a NUL in a string");
    assert_refused("{} ", 1, TARE_E_FORMAT, "line 1", "the length ends the text, not the NUL");
}

static void test_accepted(void **state)
{
    (void)state;
    static const struct {
        const char *text, *printed;
    } cases[] = {
        {" { } ", "{}"},
        {"[]\r\n\t", "[]"},
        {"null", "null"},
        {"\"\"", "\"\""},
        {"[true,false,null]", "[true,false,null]"},
        {"{\"a\":{\"a\":1},\"b\":{\"a\":1}}", "{\"a\":{\"a\":1},\"b\":{\"a\":1}}"}, /* twice, but apart */
        {"{\"a\":1,\"A\":2}", "{\"a\":1,\"A\":2}"},                                 /* case counts */
        {"\"\\\\u0000\"", "\"\\\\u0000\""},                                         /* a backslash, no NUL */
        {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
        {"-0.5e1", "-5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_json *json = parse(cases[i].text);
        char *text = print(json);
        assert_string_equal(text, cases[i].printed);
        free(text);
        tare_json_destroy(json);
    }
}

/* 64 arrays or objects in one another are read, 65 are not, whatever is inside the last. */
static void test_depth(void **state)
{
    (void)state;
    static const char *const inside[] = {"", "1", "\"x\"", "1, 2"};
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
        for (int depth = 1; depth <= 70; depth++) {
            char text[200];
            int n =
                snprintf(text, sizeof text, "%.*s%s%.*s", depth,
                         "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", inside[i],
                         depth, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
            if (depth <= 64) {
                tare_json_destroy(parse(text));
            } else {
                assert_refused(text, (size_t)n, TARE_E_FORMAT, "deep", inside[i]);
            }
        }
    }
    enum { much = 100000 };
    char *text = malloc(much);
    assert_non_null(text);
    memset(text, '[', much);
    assert_refused(text, much, TARE_E_FORMAT, "", "a hundred thousand arrays");
    free(text);
}

static void test_walk(void **state)
{
    (void)state;
    struct tare_json *json =
        parse("{\"s\":\"x\",\"n\":2.5,\"t\":true,\"f\":false,\"z\":null,\"a\":[1,2,3],\"o\":{}}");
    static const struct {
        const char *key;
        enum tare_json_type type;
        const char *name;
    } members[] = {{"s", TARE_JSON_STRING, "string"}, {"n", TARE_JSON_NUMBER, "number"},
                   {"t", TARE_JSON_BOOL, "boolean"},  {"f", TARE_JSON_BOOL, "boolean"},
                   {"z", TARE_JSON_NULL, "null"},     {"a", TARE_JSON_ARRAY, "array"},
                   {"o", TARE_JSON_OBJECT, "object"}};
    assert_int_equal(tare_json_size(json), 7);
    const struct tare_json *v = tare_json_first(json);
    for (size_t i = 0; i < 7; i++, v = tare_json_next(v)) {
        assert_string_equal(tare_json_key(v), members[i].key);
        assert_int_equal(tare_json_type(v), members[i].type);
        assert_string_equal(tare_json_type_name(tare_json_type(v)), members[i].name);
        assert_ptr_equal(tare_json_get(json, members[i].key), v);
    }
    assert_null(v);
    assert_string_equal(tare_json_str(tare_json_get(json, "s")), "x");
    assert_true(tare_json_num(tare_json_get(json, "n")) == 2.5);
    assert_true(tare_json_true(tare_json_get(json, "t")));
    assert_false(tare_json_true(tare_json_get(json, "f")));
    assert_int_equal(tare_json_size(tare_json_get(json, "a")), 3);
    assert_null(tare_json_key(tare_json_first(tare_json_get(json, "a"))));
    assert_null(tare_json_get(json, "S"));
    assert_null(tare_json_get(tare_json_get(json, "a"), "s"));
    assert_null(tare_json_str(tare_json_get(json, "n")));
    assert_true(tare_json_num(tare_json_get(json, "s")) == 0);
    assert_false(tare_json_true(tare_json_get(json, "n")));
    tare_json_destroy(json);
}

static void test_nothing(void **state)
{
    (void)state;
    int64_t n = 7;
    struct tare_err err = {0};
    assert_int_equal(tare_json_size(NULL), 0);
    assert_null(tare_json_first(NULL));
    assert_null(tare_json_next(NULL));
    assert_null(tare_json_key(NULL));
    assert_null(tare_json_get(NULL, "a"));
    assert_null(tare_json_str(NULL));
    assert_false(tare_json_true(NULL));
    assert_true(tare_json_num(NULL) == 0);
    assert_int_equal(tare_json_i64(NULL, "seed", 0, 9, &n, &err), TARE_E_FORMAT);
    assert_non_null(strstr(err.msg, "seed"));
    assert_int_equal(n, 7);
    assert_string_equal(tare_json_type_name((enum tare_json_type)99), "nothing");
    tare_json_destroy(NULL);
}

static void test_integers_in(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t min, max, value;
        bool ok;
    } cases[] = {
        {"0", 0, 9, 0, true},
        {"9", 0, 9, 9, true},
        {"10", 0, 9, 0, false},
        {"-1", 0, 9, 0, false},
        {"-5", -5, 9, -5, true},
        {"1e3", 0, 1000, 1000, true},
        {"1.5", 0, 9, 0, false},
        {"\"5\"", 0, 9, 0, false},
        {"true", 0, 9, 0, false},
        {"null", 0, 9, 0, false},
        {"9007199254740991", 0, INT64_MAX, INT64_C(9007199254740991), true}, /* 2^53 - 1 */
        {"-9007199254740991", INT64_MIN, 0, INT64_C(-9007199254740991), true},
        {"9007199254740993", 0, INT64_MAX, 0, false}, /* would be read as ...992 */
        {"1e18", 0, INT64_MAX, 0, false},
        {"1e300", INT64_MIN, INT64_MAX, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_json *json = parse(cases[i].text);
        int64_t value = 77;
        struct tare_err err = {0};
        int r = tare_json_i64(json, "the key", cases[i].min, cases[i].max, &value, &err);
        if (r != (cases[i].ok ? 0 : TARE_E_FORMAT) || value != (cases[i].ok ? cases[i].value : 77)) {
            fail_msg("%s: %d, %" PRId64, cases[i].text, r, value);
        }
        assert_true(cases[i].ok || strstr(err.msg, "the key"));
        tare_json_destroy(json);
    }
}

static void test_detach(void **state)
{
    (void)state;
    struct tare_json *array = tare_json_new_array(), *object = tare_json_new_object();
    tare_json_add_str(array, NULL, "a");
    tare_json_add_i64(array, NULL, 7);
    assert_null(tare_json_detach(array, 2));
    assert_null(tare_json_detach(object, 0));
    assert_null(tare_json_detach(NULL, 0));
    struct tare_json *second = tare_json_detach(array, 1), *first = tare_json_detach(array, 0);
    assert_int_equal(tare_json_size(array), 0);
    tare_json_destroy(array);
    assert_string_equal(tare_json_str(first), "a");
    assert_float_equal(tare_json_num(second), 7, 0);
    tare_json_destroy(first);
    tare_json_destroy(second);
    tare_json_destroy(object);
}

static void test_build(void **state)
{
    (void)state;
    struct tare_json *root = tare_json_new_object();
    struct tare_json *list = tare_json_add_array(root, "list");
    tare_json_add_i64(list, NULL, INT64_MAX);
    tare_json_add_i64(list, NULL, INT64_MIN);
    tare_json_add_i64(list, NULL, INT64_C(9007199254740993));
    tare_json_add_f64(list, NULL, 0.1);
    tare_json_add_f64(list, NULL, (double)NAN);
    tare_json_add_f64(list, NULL, (double)-INFINITY);
    tare_json_add_bool(list, NULL, true);
    tare_json_add_null(list, NULL);
    tare_json_add_str(list, NULL, NULL);
    tare_json_add_str(list, NULL, "a\"\\\n\x01\xc3\xa9");
    struct tare_json *object = tare_json_add_object(root, "o");
    tare_json_add_bool(object, "no", false);
    tare_json_add_copy(root, "copy", object);
    tare_json_add_bool(object, "late", true); /* is not in the copy */
    char *text = print(root);
    assert_string_equal(text, "{\"list\":[9223372036854775807,-9223372036854775808,9007199254740993,"
                              "0.10000000000000001,null,null,true,null,null,\"a\\\"\\\\\\n\\u0001\xc3\xa9\"],"
                              "\"o\":{\"no\":false,\"late\":true},\"copy\":{\"no\":false}}");
    free(text);
    assert_int_equal(tare_json_print(root, true, &text, NULL), 0);
    assert_non_null(strchr(text, '\n'));
    struct tare_json *again = parse(text);
    assert_int_equal(tare_json_size(tare_json_get(again, "list")), 10);
    tare_json_destroy(again);
    free(text);
    tare_json_destroy(root);
}

/* What was built reads like what was parsed, copies of it too. */
static void test_read_what_was_built(void **state)
{
    (void)state;
    struct tare_json *root = tare_json_new_object();
    tare_json_add_i64(root, "i", 41);
    tare_json_add_f64(root, "f", 0.5);
    struct tare_json *copy = tare_json_new_object();
    tare_json_add_copy(copy, "in", root);
    const struct tare_json *both[] = {root, tare_json_get(copy, "in")};
    for (size_t k = 0; k < 2; k++) {
        int64_t n = 0;
        assert_int_equal(tare_json_type(tare_json_get(both[k], "i")), TARE_JSON_NUMBER);
        assert_int_equal(tare_json_i64(tare_json_get(both[k], "i"), "i", 0, 99, &n, NULL), 0);
        assert_int_equal(n, 41);
        assert_true(tare_json_num(tare_json_get(both[k], "f")) == 0.5);
        assert_null(tare_json_str(tare_json_get(both[k], "f")));
    }
    tare_json_destroy(copy);
    tare_json_destroy(root);
}

/* Whatever the bytes, what is printed can be read again. */
static void test_build_from_bytes(void **state)
{
    (void)state;
    struct tare_json *root = tare_json_new_object();
    tare_json_add_str(root, "k\xff", "a\xc3(\xed\xa0\x80z");
    char *text = print(root);
    struct tare_json *again = parse(text);
    const char *value = tare_json_str(tare_json_first(again));
    assert_true(value && value[0] == 'a' && strchr(value, '(') && value[strlen(value) - 1] == 'z');
    tare_json_destroy(again);
    free(text);
    tare_json_destroy(root);
}

/* Doubles survive the way out and in, to the last bit. */
static void test_doubles(void **state)
{
    (void)state;
    static const double values[] = {0.1,
                                    1.0 / 3,
                                    1e-308,
                                    4.9406564584124654e-324,
                                    1.7976931348623157e308,
                                    -2.5e17,
                                    1e22,
                                    123456789.123456789};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct tare_json *list = tare_json_new_array();
        tare_json_add_f64(list, NULL, values[i]);
        char *text = print(list);
        struct tare_json *again = parse(text);
        assert_true(tare_json_num(tare_json_first(again)) == values[i]);
        tare_json_destroy(again);
        free(text);
        tare_json_destroy(list);
    }
}

static void test_load(void **state)
{
    (void)state;
    char path[] = "/tmp/tare_json_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "{\"a\":\n1 x}", 10), 10);
    struct tare_json *json = NULL;
    struct tare_err err = {0};
    assert_int_equal(tare_json_load(path, 100, &json, &err), TARE_E_FORMAT);
    assert_true(strstr(err.msg, path) && strstr(err.msg, "line 2"));
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(tare_json_load(path, 100, &json, &err), TARE_E_FORMAT);
    assert_int_equal(pwrite(fd, "{\"a\":1}", 7, 0), 7);
    assert_int_equal(tare_json_load(path, 6, &json, &err), TARE_E_LIMIT);
    assert_null(json);
    assert_int_equal(tare_json_load(path, 7, &json, &err), 0);
    assert_int_equal(tare_json_size(json), 1);
    tare_json_destroy(json);
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(tare_json_load(path, 100, &json, &err), TARE_E_IO);
}

/* The JSON library's own struct of hooks; only its owner may include the header. */
struct hooks {
    void *(*take)(size_t n);
    void (*give)(void *at);
};

static long allocations_left;

static void *take_some(size_t n)
{
    return allocations_left-- > 0 ? malloc(n) : NULL;
}

static void set_hooks(struct hooks *hooks)
{
    void (*set)(struct hooks *) = NULL;
    void *found = dlsym(RTLD_DEFAULT, "cJSON_InitHooks");
    assert_non_null(found);
    memcpy(&set, &found, sizeof set);
    set(hooks);
}

static int build_and_print(char **out, struct tare_err *err)
{
    struct tare_json *root = tare_json_new_object();
    struct tare_json *inner = tare_json_add_object(tare_json_add_array(root, "list"), NULL);
    tare_json_add_str(inner, "s", "text");
    tare_json_add_i64(inner, "i", 5);
    tare_json_add_f64(inner, "f", 0.25);
    tare_json_add_bool(root, "b", true);
    tare_json_add_copy(root, "c", inner);
    int r = tare_json_print(root, false, out, err);
    tare_json_destroy(root);
    return r;
}

static void test_no_memory_building(void **state)
{
    (void)state;
    struct hooks hooks = {take_some, free};
    set_hooks(&hooks);
    int r = -1;
    long n = 0;
    for (; r < 0 && n < 1000; n++) {
        char *text = NULL;
        struct tare_err err = {0};
        allocations_left = n;
        r = build_and_print(&text, &err);
        assert_int_equal(r, r < 0 ? TARE_E_NOMEM : 0);
        assert_true(r < 0 ? !text
                          : strcmp(text, "{\"list\":[{\"s\":\"text\",\"i\":5,\"f\":0.25}],\"b\":true,"
                                         "\"c\":{\"s\":\"text\",\"i\":5,\"f\":0.25}}") == 0);
        free(text);
    }
    set_hooks(NULL);
    assert_int_equal(r, 0);
    assert_in_range(n, 15, 999);
}

static void test_no_memory_parsing(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":[1,\"two\",{\"b\":null}]}";
    struct hooks hooks = {take_some, free};
    set_hooks(&hooks);
    int r = -1;
    long n = 0;
    for (; r < 0 && n < 1000; n++) {
        struct tare_json *json = NULL;
        struct tare_err err = {0};
        allocations_left = n;
        r = tare_json_parse(text, sizeof text - 1, "test", &json, &err);
        assert_int_equal(r < 0, json == NULL);
        assert_int_equal(err.code, r);
        tare_json_destroy(json);
    }
    set_hooks(NULL);
    assert_int_equal(r, 0);
    assert_in_range(n, 8, 999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_integers_in),
        cmocka_unit_test(test_build),
        cmocka_unit_test(test_detach),
        cmocka_unit_test(test_read_what_was_built),
        cmocka_unit_test(test_build_from_bytes),
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_no_memory_building),
        cmocka_unit_test(test_no_memory_parsing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
