/* SPDX-License-Identifier: Apache-2.0 */
/* Option tables as help and as JSON: what a reader of --help and of tare list must find. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/opt.h"

static const char *const colours[] = {"red", "blue", NULL};
static const struct tare_opt table[] = {
    {.name = "dry_run", .type = TARE_OPT_BOOL, .help = "only show"},
    {.name = "time_limit", .type = TARE_OPT_NS, .def = "600s", .min = 0, .max = 99, .help = "longest life"},
    {.name = "prompt_tok", .type = TARE_OPT_I64, .unit = "tok", .help = "tokens of a prompt"},
    {.name = "colour", .type = TARE_OPT_CHOICE, .choices = colours, .def = "red", .help = "what to paint"},
    TARE_OPT_END};

static void test_help(void **state)
{
    (void)state;
    static const struct {
        const char *prefix, *text;
    } cases[] = {
        {"--", "  --dry-run                  only show\n"
               "  --time-limit duration      longest life (default 600s)\n"
               "  --prompt-tok integer       tokens of a prompt [tok]\n"
               "  --colour choice            what to paint (red, blue) (default red)\n"},
        {"", "  dry_run bool               only show\n"
             "  time_limit duration        longest life (default 600s)\n"
             "  prompt_tok integer         tokens of a prompt [tok]\n"
             "  colour choice              what to paint (red, blue) (default red)\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_buf buf;
        tare_buf_init(&buf, 10000);
        tare_opts_help(table, cases[i].prefix, &buf);
        assert_string_equal(tare_buf_str(&buf), cases[i].text);
        tare_buf_fini(&buf);
    }
}

/* A plug-in may name its options as it likes. */
static void test_long_names(void **state)
{
    (void)state;
    char name[301];
    for (size_t n = 1; n < sizeof name; n++) {
        memset(name, 'n', n);
        name[n] = '\0';
        const struct tare_opt one[] = {{.name = name, .type = TARE_OPT_BYTES, .help = "the end"},
                                       TARE_OPT_END};
        struct tare_buf buf;
        tare_buf_init(&buf, 10000);
        tare_opts_help(one, "--", &buf);
        assert_int_equal(tare_buf_check(&buf, "help", NULL), 0);
        const char *text = tare_buf_str(&buf);
        assert_memory_equal(text, "  --n", 5);
        assert_non_null(strstr(text, " the end\n"));
        assert_true(n > 50 || strstr(text, "n bytes "));
        tare_buf_fini(&buf);
    }
}

static void test_empty(void **state)
{
    (void)state;
    static const struct tare_opt none[] = {TARE_OPT_END};
    struct tare_buf buf;
    tare_buf_init(&buf, 100);
    tare_opts_help(none, "--", &buf);
    tare_opts_help(NULL, "--", &buf);
    assert_string_equal(tare_buf_str(&buf), "");
    tare_buf_fini(&buf);
    struct tare_json *list = tare_json_new_array();
    tare_opts_describe(NULL, list);
    assert_int_equal(tare_json_size(list), 0);
    tare_json_destroy(list);
}

static void test_describe(void **state)
{
    (void)state;
    struct tare_json *list = tare_json_new_array();
    tare_opts_describe(table, list);
    char *text = NULL;
    assert_int_equal(tare_json_print(list, false, &text, NULL), 0);
    assert_string_equal(
        text,
        "[{\"name\":\"dry_run\",\"type\":\"bool\",\"default\":null,\"unit\":null,\"help\":\"only show\"},"
        "{\"name\":\"time_limit\",\"type\":\"duration\",\"default\":\"600s\",\"unit\":null,\"min\":0,\"max\":"
        "99,"
        "\"help\":\"longest life\"},"
        "{\"name\":\"prompt_tok\",\"type\":\"integer\",\"default\":null,\"unit\":\"tok\","
        "\"help\":\"tokens of a prompt\"},"
        "{\"name\":\"colour\",\"type\":\"choice\",\"default\":\"red\",\"unit\":null,\"choices\":[\"red\","
        "\"blue\"],"
        "\"help\":\"what to paint\"}]");
    free(text);
    tare_json_destroy(list);
}

static void test_type_names(void **state)
{
    (void)state;
    static const char *const names[] = {"bool", "integer", "number", "text", "choice", "duration", "bytes"};
    for (int type = TARE_OPT_BOOL; type <= TARE_OPT_BYTES; type++) {
        assert_string_equal(tare_opt_type_name((enum tare_opt_type)type), names[type - TARE_OPT_BOOL]);
    }
    assert_string_equal(tare_opt_type_name((enum tare_opt_type)0), "?");
    assert_string_equal(tare_opt_type_name((enum tare_opt_type)99), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help),     cmocka_unit_test(test_long_names), cmocka_unit_test(test_empty),
        cmocka_unit_test(test_describe), cmocka_unit_test(test_type_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
