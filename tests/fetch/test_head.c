/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of answers: what is read out of their lines, and which answers bring what was asked (RFC 9110). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fetch/head.h"

static void feed(struct tare_head *head, const char *line)
{
    struct tare_err err = {0};
    assert_int_equal(tare_head_line(head, line, strlen(line), &err), 0);
}

static void test_lines(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int64_t length, first, total;
        const char *validator;
    } cases[] = {
        {"Content-Length: 12\r\n", 12, -1, -1, ""},
        {"content-length:12", 12, -1, -1, ""},
        {"Content-Length: -1\r\n", -1, -1, -1, ""},
        {"Content-Length: 12x\r\n", -1, -1, -1, ""},
        {"Content-Length: 99999999999999999999999\r\n", -1, -1, -1, ""},
        {"Content-Length 12\r\n", -1, -1, -1, ""},
        {"Content-Lengths: 12\r\n", -1, -1, -1, ""},
        {"Content-Range: bytes 5-9/10\r\n", -1, 5, 10, ""},
        {"Content-Range: bytes 5-8/10\r\n", -1, -1, -1, ""}, /* not to the end */
        {"Content-Range: bytes 5-9/*\r\n", -1, -1, -1, ""},
        {"Content-Range: bytes */10\r\n", -1, -1, -1, ""},
        {"Content-Range: bytes 9-5/6\r\n", -1, -1, -1, ""},
        {"Content-Range: lines 5-9/10\r\n", -1, -1, -1, ""},
        {"Content-Range: bytes 5-9/10 more\r\n", -1, -1, -1, ""},
        {"ETag: \"abc\"\r\n", -1, -1, -1, "\"abc\""},
        {"ETag: W/\"abc\"\r\n", -1, -1, -1, ""},
        {"ETag: abc\r\n", -1, -1, -1, ""},
        {"ETag: \"a\"b\"\r\n", -1, -1, -1, ""},
        {"ETag: \"a\x01\"\r\n", -1, -1, -1, ""},
        {"ETag: \"\r\n", -1, -1, -1, ""},
        {"Last-Modified: Wed, 01 Jan 2025 00:00:00 GMT\r\n", -1, -1, -1, "Wed, 01 Jan 2025 00:00:00 GMT"},
        {"\r\n", -1, -1, -1, ""},
        {"", -1, -1, -1, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_head head = {0};
        tare_head_begin(&head);
        feed(&head, cases[i].line);
        assert_int_equal(head.length, cases[i].length);
        assert_int_equal(head.first, cases[i].first);
        assert_int_equal(head.total, cases[i].total);
        assert_string_equal(tare_head_validator(&head), cases[i].validator);
        assert_int_equal(head.bytes, strlen(cases[i].line));
    }
}

static void test_validator_is_the_etag_first(void **state)
{
    (void)state;
    struct tare_head head = {0};
    tare_head_begin(&head);
    feed(&head, "Last-Modified: Wed, 01 Jan 2025 00:00:00 GMT\r\n");
    feed(&head, "ETag: \"e\"\r\n");
    assert_string_equal(tare_head_validator(&head), "\"e\"");
    tare_head_begin(&head); /* of the next answer nothing is known */
    assert_string_equal(tare_head_validator(&head), "");
    assert_int_equal(head.length, -1);
}

static void test_too_long(void **state)
{
    (void)state;
    static char line[TARE_HEAD_BYTES_MAX + 1];
    struct tare_head head = {0};
    struct tare_err err = {0};
    memset(line, 'x', sizeof line);
    tare_head_begin(&head);
    assert_int_equal(tare_head_line(&head, line, TARE_HEAD_BYTES_MAX, &err), 0);
    tare_head_begin(&head); /* counts on over redirects */
    assert_int_equal(tare_head_line(&head, line, 1, &err), TARE_E_ENVIRONMENT);
}

static void test_judge(void **state)
{
    (void)state;
    static const struct {
        long status;
        int64_t length, first, whole, from;
        int64_t at; /* -1: refused */
        const char *why;
    } cases[] = {
        {200, 10, -1, -1, 0, 0, NULL},
        {200, -1, -1, -1, 0, 0, NULL},
        {200, 9, -1, -1, 0, -1, "sends 9 bytes, where 10 are expected"},
        {200, 11, -1, -1, 0, -1, "sends 11 bytes, where 10"},
        {206, 6, 4, 10, 4, 4, NULL},
        {206, -1, 4, 10, 4, 4, NULL},
        {200, 10, -1, -1, 4, 0, NULL}, /* the whole instead of the rest */
        {200, 6, -1, -1, 4, -1, "where 10"},
        {206, 6, 3, 10, 4, -1, "another part"},
        {206, 6, 4, 11, 4, -1, "another part"},
        {206, 6, -1, -1, 4, -1, "another part"},
        {206, 5, 4, 10, 4, -1, "where 6"},
        {206, 10, 0, 10, 0, -1, "nobody asked"},
        {404, 10, -1, -1, 0, -1, "status 404"},
        {416, -1, -1, -1, 4, -1, "status 416"},
        {204, 0, -1, -1, 0, -1, "status 204"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct tare_head head = {
            .length = cases[i].length, .first = cases[i].first, .total = cases[i].whole};
        struct tare_err err = {0};
        int64_t at = -1;
        int r = tare_head_judge(&head, cases[i].status, cases[i].from, 10, &at, &err);
        assert_int_equal(r, cases[i].why ? TARE_E_ENVIRONMENT : 0);
        assert_int_equal(at, cases[i].at);
        if (cases[i].why && !strstr(err.msg, cases[i].why)) {
            fail_msg("\"%s\" does not say \"%s\"", err.msg, cases[i].why);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_validator_is_the_etag_first),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_judge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
