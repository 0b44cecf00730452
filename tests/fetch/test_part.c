/* SPDX-License-Identifier: Apache-2.0 */
/* A file on its way into place: the lock, going on, wrong bytes, and what is left behind. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fetch/part.h"

/* SHA-256 of "abc", FIPS 180-2. */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define URL "https://h/f"

static char folder[64];
static struct tare_part part, other;

static int make_folder(void **state)
{
    (void)state;
    (void)strcpy(folder, "/tmp/tare_part_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static const char *path_of(const char *name)
{
    static char path[200];
    assert_in_range(snprintf(path, sizeof path, "%s/%s", folder, name), 1, (int)sizeof path - 1);
    return path;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"s/f", "s/f.part", "s/f.part.from", "target"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)unlink(path_of(names[i]));
    }
    (void)rmdir(path_of("s"));
    return rmdir(folder);
}

static int is_there(const char *name)
{
    struct stat st;
    return lstat(path_of(name), &st) == 0;
}

static void open_part(void)
{
    struct tare_err err = {0};
    if (tare_part_open(&part, folder, "s/f", &err) != 0) {
        fail_msg("%s", err.msg);
    }
}

static void put(const char *text, const char *validator)
{
    struct tare_err err = {0};
    assert_int_equal(tare_part_note(&part, URL, validator, &err), 0);
    assert_int_equal(tare_part_write(&part, text, strlen(text), &err), 0);
}

static void test_into_place(void **state)
{
    (void)state;
    struct tare_err err = {0};
    open_part();
    put("ab", "\"v\"");
    assert_int_equal(tare_part_write(&part, "c", 1, &err), 0);
    assert_false(is_there("s/f"));
    assert_int_equal(tare_part_finish(&part, 3, ABC, &err), 0);
    tare_part_close(&part);
    assert_true(is_there("s/f"));
    assert_false(is_there("s/f.part"));
    assert_false(is_there("s/f.part.from"));
}

static void test_goes_on(void **state)
{
    (void)state;
    struct tare_err err = {0};
    open_part();
    put("ab", "\"v\"");
    tare_part_close(&part);
    tare_part_close(&part); /* harmless */
    assert_true(is_there("s/f.part"));
    open_part();
    assert_int_equal(part.bytes, 2);
    assert_string_equal(part.validator, "\"v\"");
    assert_true(tare_part_resumes(&part, URL, 3));
    assert_false(tare_part_resumes(&part, "https://i/f", 3)); /* other bytes, for all we know */
    assert_false(tare_part_resumes(&part, URL, 2));           /* nothing is missing */
    assert_int_equal(tare_part_write(&part, "c", 1, &err), 0);
    assert_int_equal(tare_part_finish(&part, 3, ABC, &err), 0);
    tare_part_close(&part);
    assert_true(is_there("s/f"));
}

static void test_nothing_is_left_without_validator(void **state)
{
    (void)state;
    open_part();
    put("ab", "");
    assert_false(tare_part_resumes(&part, URL, 3));
    tare_part_close(&part);
    assert_false(is_there("s/f.part"));
    assert_false(is_there("s/f.part.from"));
}

static void test_wrong_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"abd", "its SHA-256 is a52d159f"}, {"ab", "its size is 2 bytes where 3"}, {"abcd", "its size is 4"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_err err = {0};
        open_part();
        put(cases[i].text, "\"v\"");
        assert_int_equal(tare_part_finish(&part, 3, ABC, &err), TARE_E_FORMAT);
        assert_non_null(strstr(err.msg, cases[i].why));
        assert_int_equal(part.bytes, 0);
        tare_part_close(&part);
        assert_false(is_there("s/f"));
        assert_false(is_there("s/f.part"));
    }
}

static void test_one_at_a_time(void **state)
{
    (void)state;
    struct tare_err err = {0};
    open_part();
    put("ab", "\"v\"");
    assert_int_equal(tare_part_open(&other, folder, "s/f", &err), TARE_E_ENVIRONMENT);
    assert_non_null(strstr(err.msg, "another process"));
    tare_part_close(&other);
    assert_int_equal(part.bytes, 2);
    assert_true(is_there("s/f.part"));
    tare_part_close(&part);
    assert_int_equal(tare_part_open(&other, folder, "s/f", &err), 0);
    assert_int_equal(tare_part_restart(&other, &err), 0);
    tare_part_close(&other);
    assert_false(is_there("s/f.part"));
}

static void test_links_are_not_followed(void **state)
{
    (void)state;
    struct tare_err err = {0};
    int fd = open(path_of("target"), O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "mine", 4), 4);
    assert_int_equal(close(fd), 0);
    assert_int_equal(mkdir(path_of("s"), 0700), 0);
    assert_int_equal(symlink("../target", path_of("s/f.part")), 0);
    assert_int_equal(tare_part_open(&part, folder, "s/f", &err), TARE_E_IO);
    assert_int_equal(unlink(path_of("s/f.part")), 0);
    char target[100];
    (void)strcpy(target, path_of("target"));
    assert_int_equal(link(target, path_of("s/f.part")), 0);
    assert_int_equal(tare_part_open(&part, folder, "s/f", &err), TARE_E_IO);
    assert_int_equal(unlink(path_of("s/f.part")), 0);
    struct stat st;
    assert_int_equal(stat(target, &st), 0);
    assert_int_equal(st.st_size, 4);
    assert_int_equal(symlink("../target", path_of("s/f.part.from")), 0); /* replaced, not written through */
    open_part();
    put("ab", "\"v\"");
    tare_part_close(&part);
    assert_int_equal(stat(target, &st), 0);
    assert_int_equal(st.st_size, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_into_place, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_goes_on, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_nothing_is_left_without_validator, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_wrong_bytes, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_one_at_a_time, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_links_are_not_followed, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
