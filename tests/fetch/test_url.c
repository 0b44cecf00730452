/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses are asked, and where an answer may send us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fetch/url.h"

static void test_check(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *of_source, *of_mirror; /* what is said against it; NULL: nothing */
    } cases[] = {
        {"https://raw.example.org/a/b.jsonl", NULL, NULL},
        {"https://h", NULL, NULL},
        {"https://h:8443/a?b=c", NULL, NULL},
        {"https://[2001:db8::1]:1/a", NULL, NULL},
        {"http://h/a", NULL, "not https"},
        {"http://127.0.0.1:8000/a", NULL, NULL},
        {"http://LocalHost/a", NULL, NULL},
        {"http://[::1]:80/a", NULL, NULL},
        {"http://127.0.0.1.example.org/a", NULL, "not https"},
        {"http://127.0.0.2/a", NULL, "not https"}, /* ours as well, but not one that is written out here */
        {"HTTPS://h/a", "neither", "neither"},
        {"file:///etc/passwd", "neither", "neither"},
        {"gopher://h/a", "neither", "neither"},
        {"ftp://h/a", "neither", "neither"},
        {"//h/a", "neither", "neither"},
        {"", "neither", "neither"},
        {"https:/h/a", "neither", "neither"},
        {"https://", "no plain host", "no plain host"},
        {"https:///a", "no plain host", "no plain host"},
        {"https://user@h/a", "no plain host", "no plain host"},
        {"https://127.0.0.1:80@evil/a", "no plain host", "no plain host"},
        {"https://h:x/a", "no plain host", "no plain host"},
        {"https://h:123456/a", "no plain host", "no plain host"},
        {"https://h\\@evil/a", "no plain host", "no plain host"},
        {"https://h?x", "no plain host", "no plain host"},
        {"https://h#x", "no plain host", "no plain host"},
        {"https://[evil]/a", "no plain host", "no plain host"},
        {"https://h/a b", "characters", "characters"},
        {"https://h/a\r\nX: y", "characters", "characters"},
        {"https://h/\xc3\xa4", "characters", "characters"},
        {"https://h/a\\b", "characters", "characters"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const wrong[] = {cases[i].of_source, cases[i].of_mirror};
        for (size_t k = 0; k < 2; k++) {
            struct tare_err err = {0};
            int r = tare_url_check(cases[i].url, k == 0 ? TARE_URL_SOURCE : TARE_URL_MIRROR, &err);
            if (r != (wrong[k] ? TARE_E_USAGE : 0) || (wrong[k] && !strstr(err.msg, wrong[k]))) {
                fail_msg("%s: %d \"%s\" instead of \"%s\"", cases[i].url, r, err.msg,
                         wrong[k] ? wrong[k] : "");
            }
            assert_null(strchr(err.msg, '\n'));
        }
    }
}

static void test_long(void **state)
{
    (void)state;
    char url[TARE_URL_MAX + 1];
    struct tare_err err = {0};
    memset(url, 'a', sizeof url);
    memcpy(url, "https://h/", 10);
    url[TARE_URL_MAX] = '\0';
    assert_int_equal(tare_url_check(url, TARE_URL_SOURCE, &err), TARE_E_USAGE);
    url[TARE_URL_MAX - 1] = '\0';
    assert_int_equal(tare_url_check(url, TARE_URL_SOURCE, &err), 0);
}

static void test_follow(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *wrong;
    } cases[] = {
        {"https://h/a", "https://h/b", NULL},
        {"https://h/a", "https://H:443/b", NULL},
        {"https://h:8443/a", "https://h:8443/b", NULL},
        {"http://h/a", "https://h/b", NULL}, /* only better */
        {"http://h:8000/a", "http://h:8000/b", NULL},
        {"https://h/a", "http://h/b", "not https any more"},
        {"https://h/a", "https://i/b", "another host"},
        {"https://h/a", "https://h.evil/b", "another host"},
        {"https://h/a", "https://h:444/b", "another port"},
        {"http://h:8000/a", "http://h:8001/b", "another port"},
        {"https://h/a", "file:///etc/passwd", "neither"},
        {"http://h/a", "gopher://h:70/b", "neither"},
        {"http://h/a", "dict://h/b", "neither"},
        {"http://h/a", "http://h@evil/b", "no plain host"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_err err = {0};
        int r = tare_url_follow(cases[i].from, cases[i].to, &err);
        if (r != (cases[i].wrong ? TARE_E_ENVIRONMENT : 0) ||
            (cases[i].wrong && !strstr(err.msg, cases[i].wrong))) {
            fail_msg("%s to %s: %d \"%s\"", cases[i].from, cases[i].to, r, err.msg);
        }
    }
}

static void test_join(void **state)
{
    (void)state;
    char out[TARE_URL_MAX], base[TARE_URL_MAX + 8];
    struct tare_err err = {0};
    assert_int_equal(tare_url_join("https://m/x", "s/f", out, &err), 0);
    assert_string_equal(out, "https://m/x/s/f");
    assert_int_equal(tare_url_join("https://m/", "s/f", out, &err), 0);
    assert_string_equal(out, "https://m/s/f");
    memset(base, 'a', sizeof base);
    base[TARE_URL_MAX - 4] = '\0';
    assert_int_equal(tare_url_join(base, "s/f", out, &err), TARE_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_follow),
        cmocka_unit_test(test_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
