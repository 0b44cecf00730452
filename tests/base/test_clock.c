/* SPDX-License-Identifier: Apache-2.0 */
/* The clock: it runs forward at the pace of CLOCK_MONOTONIC; labels against dates known from elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static void test_forward(void **state)
{
    (void)state;
    int64_t before = tare_clock_ns(), first = before;
    for (int i = 0; i < 100000; i++) {
        int64_t now = tare_clock_ns();
        assert_true(now >= before);
        before = now;
    }
    assert_true(before > first);
}

/* A sleep of 20 ms takes 20 ms and, even on a busy machine, less than 20 s: the unit is right. */
static void test_unit(void **state)
{
    (void)state;
    struct timespec pause = {.tv_nsec = 20000000};
    int64_t begin = tare_clock_ns();
    assert_int_equal(clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL), 0);
    int64_t took = tare_clock_ns() - begin;
    assert_true(took >= 20000000);
    assert_true(took < INT64_C(20000000000));
}

static void test_wall(void **state)
{
    (void)state;
    int64_t before = (int64_t)time(NULL) - 1;
    int64_t seconds = tare_clock_wall_ns() / 1000000000;
    assert_true(seconds >= before);
    assert_true(seconds <= (int64_t)time(NULL) + 1);
}

/* Expected: GNU date -u -d @SECONDS +%FT%TZ. */
static void test_format(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {951782400, "2000-02-29T00:00:00Z"}, /* a leap day */
        {1767323045, "2026-01-02T03:04:05Z"},
        {4102444799, "2099-12-31T23:59:59Z"}, /* beyond 2038 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[21];
        tare_clock_format(cases[i].seconds * 1000000000, text, sizeof text);
        assert_string_equal(text, cases[i].text);
        tare_clock_format(cases[i].seconds * 1000000000 + 999999999, text,
                          sizeof text); /* cut, not rounded */
        assert_string_equal(text, cases[i].text);
    }
}

static void test_no_room(void **state)
{
    (void)state;
    char text[22];
    memset(text, 'x', sizeof text);
    tare_clock_format(0, text, 20); /* one byte short: nothing rather than a wrong time */
    assert_string_equal(text, "");
    assert_int_equal(text[20], 'x');
    tare_clock_format(0, text, 0);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward), cmocka_unit_test(test_unit),    cmocka_unit_test(test_wall),
        cmocka_unit_test(test_format),  cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
