/* SPDX-License-Identifier: Apache-2.0 */
/* Lines, the rest, the beginning and the hash of a file, also where a chunk ends. */
#include "interop/interop.h"

#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void open_text(struct tare_interop_reader *reader, FILE **from, const char *text, size_t n)
{
    *from = fmemopen((void *)(uintptr_t)text, n, "r");
    assert_non_null(*from);
    tare_interop_reader_init(reader, *from, "folder/name.txt");
    assert_string_equal(reader->name, "name.txt");
}

static void test_lines(void **state)
{
    static const char text[] = "one\r\n\ntwo \nlast";
    static const char *const lines[] = {"one", "", "two ", "last"};
    struct tare_interop_reader reader;
    struct tare_err err = {0};
    FILE *from = NULL;
    const char *line = NULL;
    size_t n = 0;
    (void)state;
    open_text(&reader, &from, text, strlen(text));
    assert_int_equal(tare_interop_peek(&reader, &line, &n, &err), 0);
    assert_int_equal(n, strlen(text));
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(tare_interop_line(&reader, &line, &n, &err), 1);
        assert_int_equal(reader.line, i + 1);
        assert_int_equal(n, strlen(lines[i]));
        assert_memory_equal(line, lines[i], n);
    }
    assert_int_equal(tare_interop_line(&reader, &line, &n, &err), 0);
    tare_interop_reader_fini(&reader);
    (void)fclose(from);
}

/* Lines of every length around a chunk's end come whole, and the hash is that of all bytes, read or not. */
static void test_chunks(void **state)
{
    enum { n_lines = 300 };
    char *text = malloc(n_lines * 2000), expected[65], hash[65];
    size_t used = 0, lengths[n_lines];
    struct tare_err err = {0};
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < n_lines; i++) {
        lengths[i] = (i * 7919) % 1999;
        memset(text + used, 'a' + (int)(i % 26), lengths[i]);
        used += lengths[i];
        text[used++] = '\n';
    }
    assert_int_equal(tare_sha256(text, used, expected, &err), 0);
    for (size_t stop = 0; stop <= n_lines; stop += 100) {
        struct tare_interop_reader reader;
        FILE *from = NULL;
        const char *line = NULL;
        size_t n = 0;
        open_text(&reader, &from, text, used);
        for (size_t i = 0; i < stop; i++) {
            assert_int_equal(tare_interop_line(&reader, &line, &n, &err), 1);
            assert_int_equal(n, lengths[i]);
            assert_true(n == 0 || (line[0] == 'a' + (int)(i % 26) && line[n - 1] == line[0]));
        }
        assert_int_equal(tare_interop_hash(&reader, hash, &err), 0);
        assert_string_equal(hash, expected);
        assert_int_equal(reader.bytes, used);
        tare_interop_reader_fini(&reader);
        (void)fclose(from);
    }
    free(text);
}

static void test_all(void **state)
{
    struct tare_interop_reader reader;
    struct tare_err err = {0};
    FILE *from = NULL;
    const char *text = NULL;
    size_t n = 0;
    (void)state;
    open_text(&reader, &from, "a\nbc", 4);
    assert_int_equal(tare_interop_line(&reader, &text, &n, &err), 1);
    assert_int_equal(tare_interop_all(&reader, &text, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_memory_equal(text, "bc", 2);
    tare_interop_reader_fini(&reader);
    (void)fclose(from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines), cmocka_unit_test(test_chunks),
                                       cmocka_unit_test(test_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
