/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tasks generate and tokens, which are not graded: that prompts are what their options say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/opt.h"
#include "fixture.h"

extern const struct tare_task tare_task_generate;
extern const struct tare_task tare_task_tokens;

static void test_prompts_of_the_prose(void **state)
{
    (void)state;
    struct fixture f = fixture_opened(&tare_task_generate, NULL, 1);
    assert_int_equal(tare_task_generate.count(f.self), 8);
    for (size_t i = 0; i < 8; i++) {
        struct tare_item item = fixture_item(&f, i);
        size_t n = 0;
        char *document = fixture_read(tare_task_generate.source(f.self, i), &n);
        assert_int_equal(item.kind, TARE_ITEM_GENERATE);
        assert_in_range(item.text.n, 150, 200);
        assert_memory_equal(item.text.data, document, item.text.n);
        assert_int_equal(document[item.text.n], ' ');
        assert_null(item.reference.data);
        assert_int_equal(item.n_stops, 0);
        assert_int_equal(item.max_output, 64);
        free(document);
    }
    assert_null(tare_task_generate.metrics[0].name);
    fixture_done(&f);
}

static void write_text(char *path, const char *bytes, size_t n)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    assert_int_equal(close(fd), 0);
}

static void test_cut_and_stop(void **state)
{
    (void)state;
    static const char text[] = "ab cd 12 ef\0short\0one two three\0nospaceatallhere";
    char path[] = "/tmp/tare_requests_XXXXXX";
    write_text(path, text, sizeof text - 1);
    struct fixture f = fixture_make(&tare_task_generate);
    fixture_set_text(&f, "path", path);
    fixture_set_text(&f, "stop", "a\\n\\tb\\");
    fixture_set(&f, "prompt_bytes=7 max_output=3 items=5");
    assert_int_equal(fixture_open(&f, 1), 0);
    assert_int_equal(tare_task_generate.count(f.self), 2);
    fixture_assert_bytes(fixture_item(&f, 0).text, "ab", 2); /* not before 12 */
    fixture_assert_bytes(fixture_item(&f, 1).text, "one two", 7);
    struct tare_item item = fixture_item(&f, 1);
    assert_int_equal(item.max_output, 3);
    assert_int_equal(item.n_stops, 1);
    fixture_assert_bytes(item.stops[0], "a\n\\tb\\", 6);
    fixture_done(&f);

    f = fixture_make(&tare_task_generate);
    fixture_set_text(&f, "path", path);
    assert_int_equal(fixture_open(&f, 1), TARE_E_FORMAT);
    assert_non_null(strstr(f.err.msg, "200 bytes"));
    fixture_done(&f);
    (void)unlink(path);
}

static void test_empty_stop(void **state)
{
    (void)state;
    struct fixture f = fixture_make(&tare_task_generate);
    fixture_set_text(&f, "stop", "");
    assert_int_equal(fixture_open(&f, 1), TARE_E_USAGE);
    assert_non_null(strstr(f.err.msg, "empty"));
    fixture_done(&f);
}

static void test_tokens(void **state)
{
    (void)state;
    struct fixture f = fixture_opened(&tare_task_tokens, NULL, 1);
    struct tare_item item = fixture_item(&f, 999);
    assert_int_equal(tare_task_tokens.count(f.self), 1000);
    assert_int_equal(item.kind, TARE_ITEM_TOKENS);
    assert_int_equal(item.n_tokens, 16);
    assert_int_equal(item.max_output, 16);
    assert_int_equal(item.text.n, 0);
    assert_null(tare_task_tokens.metrics[0].name);
    assert_int_equal(tare_task_tokens.item(f.self, 1000, &item, &f.err), TARE_E_USAGE);
    fixture_done(&f);

    f = fixture_opened(&tare_task_tokens, "items=100000000 prompt_tok=3 max_output=0", 1);
    item = fixture_item(&f, 99999999);
    assert_int_equal(tare_task_tokens.count(f.self), 100000000);
    assert_int_equal(item.n_tokens, 3);
    assert_int_equal(item.max_output, 0);
    assert_int_not_equal(
        tare_opts_set(tare_task_tokens.options, f.self, "items", "100000001", "tokens", &f.err), 0);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prompts_of_the_prose),
        cmocka_unit_test(test_cut_and_stop),
        cmocka_unit_test(test_empty_stop),
        cmocka_unit_test(test_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
