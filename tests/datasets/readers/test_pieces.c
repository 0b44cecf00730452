/* SPDX-License-Identifier: Apache-2.0 */
/* The small parts that readers are made of: checksum, UTF-8, pointers, keys and paths in archives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datasets/readers/archive_path.h"
#include "datasets/readers/crc32.h"
#include "datasets/readers/keys.h"
#include "datasets/readers/plain.h"
#include "datasets/readers/pointer.h"

/* The check value that catalogues of CRCs give for "123456789", and zlib's for others. */
static void test_crc32(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t sum;
    } cases[] = {
        {"", 0},
        {"a", 0xe8b7be43},
        {"123456789", 0xcbf43926},
        {"The quick brown fox jumps over the lazy dog", 0x414fa339},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = strlen(cases[i].text);
        for (size_t cut = 0; cut <= n; cut++) { /* in two pieces, of any length */
            struct tare_crc32 crc;
            tare_crc32_init(&crc);
            tare_crc32_add(&crc, cases[i].text, cut);
            tare_crc32_add(&crc, cases[i].text + cut, n - cut);
            assert_int_equal(crc.sum, cases[i].sum);
        }
    }
}

static void test_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n, valid;
        const char *why;
    } cases[] = {
        {"", 0, 0, "nothing"},
        {"plain text of more than eight bytes", 35, 35, "ASCII"},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, 9, "two, three and four bytes"},
        {"ab\0cd", 5, 2, "NUL"},
        {"12345678\0", 9, 8, "NUL behind a word of eight"},
        {"1234567\0", 8, 7, "NUL at the end of a word of eight"},
        {"ab\x80", 3, 2, "a continuation on its own"},
        {"ab\xc3", 3, 2, "cut after the lead"},
        {"ab\xf0\x9f\x98", 5, 2, "cut before the last byte"},
        {"ab\xe2\x82(", 5, 2, "a continuation that is none"},
        {"\xc0\x80", 2, 0, "overlong NUL"},
        {"\xc1\xbf", 2, 0, "overlong in two"},
        {"\xe0\x9f\xbf", 3, 0, "overlong in three"},
        {"\xf0\x8f\xbf\xbf", 4, 0, "overlong in four"},
        {"\xed\xa0\x80", 3, 0, "surrogate"},
        {"\xed\x9f\xbf\xee\x80\x80", 6, 6, "beside the surrogates"},
        {"\xf4\x8f\xbf\xbf", 4, 4, "the last code point"},
        {"\xf4\x90\x80\x80", 4, 0, "behind the last"},
        {"\xf5\x80\x80\x80", 4, 0, "a lead that cannot be"},
        {"\xff", 1, 0, "never in UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (tare_readers_valid(cases[i].text, cases[i].n) != cases[i].valid) {
            fail_msg("%s", cases[i].why);
        }
    }
}

static void test_show(void **state)
{
    (void)state;
    char out[TARE_READERS_SHOWN], lengthy[200];
    assert_string_equal(tare_readers_show("a\nb\x1b[2J\xc3\xa9", out), "a?b?[2J??");
    memset(lengthy, 'x', sizeof lengthy - 1);
    lengthy[sizeof lengthy - 1] = '\0';
    assert_int_equal(strlen(tare_readers_show(lengthy, out)), TARE_READERS_SHOWN - 1);
}

static void test_pointer(void **state)
{
    (void)state;
    static const struct {
        const char *text, *tokens; /* joined by '|', NULL: refused */
    } cases[] = {
        {NULL, ""},     {"", ""},          {"/a", "a|"},      {"/", "|"},      {"/a/b/0", "a|b|0|"},
        {"//x", "|x|"}, {"/a~1b", "a/b|"}, {"/m~0n", "m~n|"}, {"/~01", "~1|"}, {"/ ", " |"},
        {"a", NULL},    {"/a~2", NULL},    {"/a~", NULL},     {"#/a", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_pointer pointer = {0};
        struct tare_err err = {0};
        int r = tare_pointer_parse(cases[i].text, &pointer, &err);
        assert_int_equal(r, cases[i].tokens ? 0 : TARE_E_USAGE);
        char joined[64] = "";
        for (size_t k = 0; k < pointer.n; k++) {
            (void)strcat(strcat(joined, pointer.tokens[k]), "|");
        }
        assert_string_equal(joined, cases[i].tokens ? cases[i].tokens : "");
        tare_pointer_fini(&pointer);
    }
    struct tare_pointer pointer = {0};
    struct tare_err err = {0};
    assert_int_equal(tare_pointer_parse("/////////////////////////////////", &pointer, &err), TARE_E_USAGE);
}

static void test_index(void **state)
{
    (void)state;
    assert_int_equal(tare_pointer_index("0"), 0);
    assert_int_equal(tare_pointer_index("12"), 12);
    static const char *const none[] = {"", "-", "01", "1x", "-1", " 1", "99999999999999999999"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_int_equal(tare_pointer_index(none[i]), -1);
    }
}

static void test_keys(void **state)
{
    (void)state;
    struct tare_keys keys = {0};
    struct tare_err err = {0};
    char key[32];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 20000; i++) {
            (void)snprintf(key, sizeof key, "key-%d", i);
            assert_int_equal(tare_keys_add(&keys, key, &err), round == 0);
        }
    }
    assert_int_equal(keys.n, 20000);
    assert_true(keys.cap * sizeof *keys.slots <= 32 * keys.n);
    assert_int_equal(tare_keys_add(&keys, "", &err), 1);
    free(keys.slots);
}

static void test_archive_path(void **state)
{
    (void)state;
    static const struct {
        const char *name, *path, *why; /* path or why */
    } cases[] = {
        {"a.txt", "a.txt", NULL},
        {"data/a.txt", "data/a.txt", NULL},
        {"./data/a.txt", "data/a.txt", NULL},
        {"data/", "data", NULL},
        {"./", "", NULL},
        {".", "", NULL},
        {"..a/b..", "..a/b..", NULL},
        {".hidden", ".hidden", NULL},
        {"\xc3\xa9.txt", "\xc3\xa9.txt", NULL},
        {"", NULL, "no name"},
        {"/", NULL, "absolute"},
        {"/etc/passwd", NULL, "absolute"},
        {"//a", NULL, "absolute"},
        {"..", NULL, "climbs"},
        {"../a", NULL, "climbs"},
        {"a/../../b", NULL, "climbs"},
        {"a/..", NULL, "climbs"},
        {"./../a", NULL, "climbs"},
        {".//a", NULL, "empty component"},
        {"././a", NULL, "\".\""},
        {"a/./b", NULL, "\".\""},
        {"a//b", NULL, "empty component"},
        {"a//", NULL, "empty component"},
        {"a\\b", NULL, "backslash"},
        {"..\\a", NULL, "backslash"},
        {"C:\\a", NULL, "backslash"},
        {"a\nb", NULL, "control"},
        {"a\x7f", NULL, "control"},
        {"a\x1b[2J", NULL, "control"},
        {"\xff", NULL, "UTF-8"},
        {"a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a", NULL, "deeper"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[TARE_ARCHIVE_PATH_BYTES + 1] = "untouched";
        const char *why = tare_archive_path(cases[i].name, out);
        if (cases[i].why ? !why || !strstr(why, cases[i].why) : why || strcmp(out, cases[i].path) != 0) {
            fail_msg("\"%s\": \"%s\", \"%s\"", cases[i].name, out, why ? why : "fine");
        }
    }
}

static void test_lengthy_paths(void **state)
{
    (void)state;
    char name[2000], out[TARE_ARCHIVE_PATH_BYTES + 1];
    memset(name, 'x', sizeof name);
    name[255] = '\0';
    assert_null(tare_archive_path(name, out));
    name[255] = 'x';
    name[256] = '\0';
    assert_non_null(strstr(tare_archive_path(name, out), "255"));
    for (size_t i = 0; i < sizeof name; i++) {
        name[i] = i % 101 == 100 ? '/' : 'x';
    }
    name[1024] = '\0';
    assert_null(tare_archive_path(name, out));
    name[1024] = 'x';
    name[1025] = '\0';
    assert_non_null(strstr(tare_archive_path(name, out), "1024"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc32),        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_show),         cmocka_unit_test(test_pointer),
        cmocka_unit_test(test_index),        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_archive_path), cmocka_unit_test(test_lengthy_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
