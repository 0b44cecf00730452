/* SPDX-License-Identifier: Apache-2.0 */
/* The key: where it is read, where it is afterwards, and that it is nowhere else. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "key.h"

static char folder[] = "/tmp/tare-key-XXXXXX";
static char path[64];

static void write_key(const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void test_from_a_file(void **state)
{
    struct key key;
    struct tare_err err = {0};
    (void)state;
    write_key("sk-abc\n", 0600);
    assert_int_equal(setenv("TEST_KEY", "sk-other", 1), 0);
    assert_int_equal(key_load(&key, path, "TEST_KEY", &err), 0);
    assert_string_equal(key.page, "Authorization: Bearer sk-abc");
    key_wipe(&key);
    assert_null(key.page);
    assert_string_equal(getenv("TEST_KEY"), "sk-other"); /* it was not used */
}

static void test_from_the_environment(void **state)
{
    struct key key;
    struct tare_err err = {0};
    struct rlimit limit;
    (void)state;
    assert_int_equal(setenv("TEST_KEY", "sk-env", 1), 0);
    assert_int_equal(key_load(&key, NULL, "TEST_KEY", &err), 0);
    assert_string_equal(key.page, "Authorization: Bearer sk-env");
    assert_string_equal(getenv("TEST_KEY"), ""); /* wiped */
    assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
    assert_true(limit.rlim_cur <= 1);
    key_wipe(&key);
}

/* The flags that the kernel keeps of a mapping: "dd" is not in core dumps. */
static void test_the_page_is_in_no_core(void **state)
{
    struct key key;
    struct tare_err err = {0};
    char line[256], begin[32];
    bool inside = false, seen = false;
    (void)state;
    write_key("sk-abc", 0600);
    assert_int_equal(key_load(&key, path, NULL, &err), 0);
    (void)snprintf(begin, sizeof begin, "%lx-", (unsigned long)key.page);
    FILE *maps = fopen("/proc/self/smaps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps)) {
        inside = strncmp(line, begin, strlen(begin)) == 0 || (inside && !strstr(line, "VmFlags"));
        seen = seen || inside;
        if (seen && strstr(line, "VmFlags")) {
            assert_non_null(strstr(line, " dd"));
            break;
        }
    }
    fclose(maps);
    assert_true(seen);
    key_wipe(&key);
}

static void test_what_is_no_key(void **state)
{
    static char long_key[4000];
    static const struct {
        const char *why, *text;
        mode_t mode;
        int code;
    } cases[] = {
        {"nothing", "", 0600, TARE_E_USAGE},
        {"a line break alone", "\n", 0600, TARE_E_USAGE},
        {"a second line could be a header", "sk-secret\r\nX-Other: y\n", 0600, TARE_E_USAGE},
        {"a space", "sk secret", 0600, TARE_E_USAGE},
        {"a file that others can read", "sk-secret", 0644, TARE_E_USAGE},
        {"too long", long_key, 0600, TARE_E_LIMIT},
    };
    (void)state;
    memset(long_key, 'k', sizeof long_key - 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct key key;
        struct tare_err err = {0};
        write_key(cases[i].text, cases[i].mode);
        if (key_load(&key, path, NULL, &err) != cases[i].code || key.page || strstr(err.msg, "secret")) {
            fail_msg("%s: %s", cases[i].why, err.msg);
        }
    }
}

static void test_none_is_none(void **state)
{
    struct key key;
    struct tare_err err = {0};
    (void)state;
    assert_int_equal(unsetenv("TEST_KEY"), 0);
    assert_int_equal(key_load(&key, NULL, "TEST_KEY", &err), 0);
    assert_null(key.page);
    char text[] = "as it was";
    key_redact(&key, text, sizeof text - 1);
    assert_string_equal(text, "as it was");
    assert_int_equal(key_load(&key, "/nonexistent/key", NULL, &err), TARE_E_IO);
}

static void test_redacts_every_place(void **state)
{
    struct key key;
    struct tare_err err = {0};
    char text[] = "abcab abc and abcabc";
    (void)state;
    write_key("abc", 0600);
    assert_int_equal(key_load(&key, path, NULL, &err), 0);
    key_redact(&key, text, sizeof text - 1);
    assert_string_equal(text, "***ab *** and ******");
    key_wipe(&key);
}

static int set_up(void **state)
{
    (void)state;
    int n = mkdtemp(folder) ? snprintf(path, sizeof path, "%s/key", folder) : -1;
    return n > 0 ? 0 : -1;
}

static int clean_up(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_a_file),
        cmocka_unit_test(test_from_the_environment),
        cmocka_unit_test(test_the_page_is_in_no_core),
        cmocka_unit_test(test_what_is_no_key),
        cmocka_unit_test(test_none_is_none),
        cmocka_unit_test(test_redacts_every_place),
    };
    return cmocka_run_group_tests(tests, set_up, clean_up);
}
