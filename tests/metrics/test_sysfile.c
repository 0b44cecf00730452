/* SPDX-License-Identifier: Apache-2.0 */
/* Small files: what they hold, and what is wrong with them. */
#include "sysfile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/tare-sysfile-XXXXXX";

static void put(const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    (void)fputs(text, f);
    (void)fclose(f);
}

static void test_numbers(void **state)
{
    static const struct {
        const char *text;
        int code;
        uint64_t value;
    } cases[] = {{"42\n", 0, 42},
                 {"18446744073709551615", 0, UINT64_MAX},
                 {"18446744073709551616", -EINVAL, 0},
                 {"", -EINVAL, 0},
                 {"-3\n", -EINVAL, 0},
                 {"max\n", -EINVAL, 0},
                 {"7 8\n", 0, 7}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t value = 5;
        put(cases[i].text);
        assert_int_equal(tare_sysfile_u64(path, &value), cases[i].code);
        assert_int_equal(value, cases[i].code ? 5 : cases[i].value);
    }
    int64_t value = 0;
    put("-12\n");
    assert_int_equal(tare_sysfile_i64(path, &value), 0);
    assert_int_equal(value, -12);
    assert_int_equal(tare_sysfile_i64("/nowhere/at/all", &value), -ENOENT);
}

static void test_text(void **state)
{
    char text[4];
    (void)state;
    put("abcdef\n");
    assert_int_equal(tare_sysfile_text(path, text, sizeof text), 0);
    assert_string_equal(text, "abc");
    assert_int_equal(tare_sysfile_text("/nowhere/at/all", text, sizeof text), -ENOENT);
    assert_string_equal(text, "");
}

static void test_fields(void **state)
{
    double v = 0;
    const char *text = "pswpin 12\npswpinx 3\nVmHWM:\t  77 kB\nlast 5";
    (void)state;
    assert_true(tare_sysfile_field(text, "pswpin", &v) && v == 12);
    assert_true(tare_sysfile_field(text, "VmHWM:", &v) && v == 77);
    assert_true(tare_sysfile_field(text, "last", &v) && v == 5);
    assert_false(tare_sysfile_field(text, "swpin", &v));
    assert_false(tare_sysfile_field("", "a", &v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_numbers), cmocka_unit_test(test_text),
                                       cmocka_unit_test(test_fields)};
    int fd = mkstemp(path);
    if (fd < 0) {
        return 1;
    }
    close(fd);
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(path);
    return r;
}
