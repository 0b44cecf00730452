/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The growing buffer: limits to the byte, the sticky failure, refused memory (realloc is wrapped by the
 * linker), giving the memory away, and reading whole files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#include <cmocka.h>

#include "base/buf.h"

void *__real_realloc(void *at, size_t n);
void *__wrap_realloc(void *at, size_t n);

static bool refuse; /* memory to the code under test */

void *__wrap_realloc(void *at, size_t n)
{
    return refuse ? NULL : __real_realloc(at, n);
}

static void assert_content(const struct tare_buf *buf, const char *bytes, size_t n)
{
    assert_int_equal(buf->used, n);
    assert_memory_equal(tare_buf_str(buf), bytes, n);
    assert_int_equal(tare_buf_str(buf)[n], '\0');
}

static void test_append(void **state)
{
    (void)state;
    struct tare_buf buf;
    tare_buf_init(&buf, 1000);
    assert_string_equal(tare_buf_str(&buf), "");
    tare_buf_add(&buf, "a\0b", 3);
    tare_buf_add(&buf, NULL, 0);
    tare_buf_add_str(&buf, "cd");
    tare_buf_printf(&buf, "%d-%s", 42, "x");
    assert_content(&buf, "a\0bcd42-x", 9);
    tare_buf_clear(&buf);
    assert_content(&buf, "", 0);
    for (int i = 0; i < 1000; i++) { /* through every growth up to the limit */
        char c = (char)('a' + i % 26);
        tare_buf_add(&buf, &c, 1);
        assert_int_equal(buf.data[i + 1], '\0');
    }
    assert_int_equal(tare_buf_check(&buf, "x", NULL), 0);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(buf.data[i], 'a' + i % 26);
    }
    tare_buf_fini(&buf);
    assert_string_equal(tare_buf_str(&buf), "");
}

static void test_limit(void **state)
{
    (void)state;
    static const struct {
        size_t limit, first, second;
        bool ok;
        const char *why;
    } cases[] = {
        {10, 10, 0, true, "full to the last byte"},
        {10, 11, 0, false, "one too many at once"},
        {10, 4, 6, true, "full in two steps"},
        {10, 4, 7, false, "one too many in two steps"},
        {0, 0, 0, true, "nothing is allowed and nothing comes"},
        {0, 1, 0, false, "nothing is allowed"},
        {200, 100, 101, false, "beyond the first growth"},
    };
    char bytes[256];
    memset(bytes, 'x', sizeof bytes);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_buf buf;
        struct tare_err err = {0};
        tare_buf_init(&buf, cases[i].limit);
        tare_buf_add(&buf, bytes, cases[i].first);
        tare_buf_add(&buf, bytes, cases[i].second);
        int r = tare_buf_check(&buf, "the thing", &err);
        if (r != (cases[i].ok ? 0 : TARE_E_LIMIT)) {
            fail_msg("%s: %d", cases[i].why, r);
        }
        assert_true(cases[i].ok || (strstr(err.msg, "the thing") && err.code == TARE_E_LIMIT));
        tare_buf_fini(&buf);
    }
}

static void test_failure_sticks(void **state)
{
    (void)state;
    struct tare_buf buf;
    tare_buf_init(&buf, 4);
    tare_buf_add_str(&buf, "abc");
    tare_buf_add_str(&buf, "de");
    tare_buf_add_str(&buf, "f"); /* would fit, but something is missing before it */
    tare_buf_printf(&buf, "%d", 1);
    assert_content(&buf, "abc", 3);
    assert_int_equal(tare_buf_check(&buf, "x", NULL), TARE_E_LIMIT);
    tare_buf_clear(&buf);
    tare_buf_add_str(&buf, "abcd");
    assert_int_equal(tare_buf_check(&buf, "x", NULL), 0);
    tare_buf_add(&buf, buf.data, SIZE_MAX); /* a size that would wrap around */
    assert_int_equal(tare_buf_check(&buf, "x", NULL), TARE_E_LIMIT);
    assert_content(&buf, "abcd", 4);
    tare_buf_fini(&buf);
}

/* What the C library cannot format is missing too. */
static void test_unprintable(void **state)
{
    (void)state;
    static const wchar_t face[] = {0x1f600, 0}; /* is no character of the "C" locale */
    struct tare_buf buf;
    tare_buf_init(&buf, 100);
    tare_buf_printf(&buf, "%ls", face);
    assert_int_not_equal(tare_buf_check(&buf, "x", NULL), 0);
    tare_buf_fini(&buf);
}

static void test_drop(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        const char *left;
    } cases[] = {{0, "abcdef"}, {1, "bcdef"}, {6, ""}, {7, ""}, {SIZE_MAX, ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_buf buf;
        tare_buf_init(&buf, 10);
        tare_buf_drop(&buf, cases[i].n); /* of nothing */
        tare_buf_add_str(&buf, "abcdef");
        tare_buf_drop(&buf, cases[i].n);
        assert_content(&buf, cases[i].left, strlen(cases[i].left));
        tare_buf_fini(&buf);
    }
}

static void test_take(void **state)
{
    (void)state;
    struct tare_buf buf;
    tare_buf_init(&buf, 10);
    char *empty = tare_buf_take(&buf);
    assert_non_null(empty);
    assert_string_equal(empty, "");
    free(empty);
    tare_buf_add_str(&buf, "abc");
    char *text = tare_buf_take(&buf);
    assert_string_equal(text, "abc");
    free(text);
    assert_content(&buf, "", 0);
    tare_buf_add_str(&buf, "again");
    assert_content(&buf, "again", 5);
    tare_buf_fini(&buf);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct tare_buf buf;
    struct tare_err err = {0};
    tare_buf_init(&buf, 1 << 20);
    tare_buf_add_str(&buf, "kept");
    char many[500];
    memset(many, 'x', sizeof many);
    refuse = true;
    tare_buf_add(&buf, many, sizeof many);
    refuse = false;
    tare_buf_add_str(&buf, "late");
    assert_content(&buf, "kept", 4);
    assert_int_equal(tare_buf_check(&buf, "the thing", &err), TARE_E_NOMEM);
    assert_non_null(strstr(err.msg, "the thing"));
    tare_buf_fini(&buf);
    tare_buf_init(&buf, 10);
    refuse = true;
    assert_null(tare_buf_take(&buf));
    refuse = false;
    assert_int_equal(tare_buf_check(&buf, "x", NULL), TARE_E_NOMEM);
    tare_buf_fini(&buf);
}

static void test_read_file(void **state)
{
    (void)state;
    enum { n = 200000 }; /* several reads */
    char path[] = "/tmp/tare_buf_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    char *bytes = malloc(n);
    assert_non_null(bytes);
    for (int i = 0; i < n; i++) {
        bytes[i] = (char)(i * 7);
    }
    assert_int_equal(write(fd, bytes, n), n);
    assert_int_equal(close(fd), 0);
    struct tare_buf buf;
    struct tare_err err = {0};
    tare_buf_init(&buf, n + 1);
    tare_buf_add_str(&buf, ">");
    assert_int_equal(tare_buf_read_file(&buf, path, &err), 0);
    assert_int_equal(buf.used, n + 1);
    assert_int_equal(buf.data[0], '>');
    assert_memory_equal(buf.data + 1, bytes, n);
    tare_buf_fini(&buf);
    tare_buf_init(&buf, n - 1);
    assert_int_equal(tare_buf_read_file(&buf, path, &err), TARE_E_LIMIT);
    assert_non_null(strstr(err.msg, path));
    tare_buf_fini(&buf);
    free(bytes);
    assert_int_equal(unlink(path), 0);
    tare_buf_init(&buf, 10);
    assert_int_equal(tare_buf_read_file(&buf, path, &err), TARE_E_IO);
    assert_true(strstr(err.msg, path) && strstr(err.msg, "No such file"));
    assert_int_equal(tare_buf_read_file(&buf, "/tmp", &err), TARE_E_IO);
    assert_non_null(strstr(err.msg, "folder"));
    tare_buf_fini(&buf);
}

/* A named pipe without a writer must not hold anybody up. */
static void test_read_pipe(void **state)
{
    (void)state;
    char folder[] = "/tmp/tare_buf_XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/pipe", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    struct tare_buf buf;
    tare_buf_init(&buf, 10);
    (void)alarm(20);
    assert_int_equal(tare_buf_read_file(&buf, path, NULL), 0);
    (void)alarm(0);
    assert_content(&buf, "", 0);
    tare_buf_fini(&buf);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append),         cmocka_unit_test(test_limit),
        cmocka_unit_test(test_failure_sticks), cmocka_unit_test(test_unprintable),
        cmocka_unit_test(test_drop),           cmocka_unit_test(test_take),
        cmocka_unit_test(test_no_memory),      cmocka_unit_test(test_read_file),
        cmocka_unit_test(test_read_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
