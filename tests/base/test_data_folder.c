/* SPDX-License-Identifier: Apache-2.0 */
/* Where data lie, by option and environment; which names are names of data files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <tare/data_folder.h>

static void set(const char *name, const char *value)
{
    assert_int_equal(value ? setenv(name, value, 1) : unsetenv(name), 0);
}

static void test_the_first_that_is_set(void **state)
{
    (void)state;
    static const struct {
        const char *given, *own, *xdg, *home, *expected;
    } cases[] = {
        {"/g", "/o", "/x", "/h", "/g"},
        {"g/relative", "/o", "/x", "/h", "g/relative"},
        {NULL, "/o", "/x", "/h", "/o"},
        {"", "/o", "/x", "/h", "/o"},
        {NULL, "", "/x", "/h", "/x/tare/datasets"},
        {NULL, NULL, "/x", NULL, "/x/tare/datasets"},
        {NULL, NULL, "x/relative", "/h", "/h/.local/share/tare/datasets"},
        {NULL, NULL, "", "/h", "/h/.local/share/tare/datasets"},
        {NULL, NULL, NULL, "/h", "/h/.local/share/tare/datasets"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[100] = "untouched";
        struct tare_err err = {0};
        set("TARE_DATASETS", cases[i].own);
        set("XDG_DATA_HOME", cases[i].xdg);
        set("HOME", cases[i].home);
        assert_int_equal(tare_data_folder(cases[i].given, out, sizeof out, &err), 0);
        assert_string_equal(out, cases[i].expected);
    }
}

static void test_none_and_too_long(void **state)
{
    (void)state;
    char out[8] = "as was";
    struct tare_err err = {0};
    set("TARE_DATASETS", NULL);
    set("XDG_DATA_HOME", "relative");
    set("HOME", NULL);
    assert_int_equal(tare_data_folder(NULL, out, sizeof out, &err), TARE_E_ENVIRONMENT);
    assert_non_null(strstr(err.msg, "--data"));
    assert_int_equal(tare_data_folder("/1234567", out, sizeof out, &err), TARE_E_LIMIT);
    assert_string_equal(out, "as was");
    assert_int_equal(tare_data_folder("/123456", out, sizeof out, &err), 0);
    assert_string_equal(out, "/123456");
}

static void test_names(void **state)
{
    (void)state;
    static const char *const good[] = {"piqa/valid.jsonl", "a/b", "mmlu/dev/x_dev.csv", "a-1/b+c_D.gz"};
    static const char *const bad[] = {"",       "a",      "/a/b",  "a/",    "a//b",      "a/../b",
                                      "a/.b",   "../a/b", "./a/b", "a/b/",  "a b/c",     "a/b\n",
                                      "a\\b/c", "-a/b",   "a/-b",  "a/b:c", "a/\xc3\xa4"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(tare_data_is_name(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (tare_data_is_name(bad[i])) {
            fail_msg("\"%s\" counts as a name", bad[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_that_is_set),
        cmocka_unit_test(test_none_and_too_long),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
