/* SPDX-License-Identifier: Apache-2.0 */
/* Levels that were put there are found, and what is too small or too short is not called one. */
#include "stats/series.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { n = 120 };

/* Levels of three thirds, with a little that repeats after 101 values. */
static void fill(double *x, double first, double second, double third)
{
    for (size_t i = 0; i < n; i++) {
        double level = i < n / 3 ? first : i < 2 * n / 3 ? second : third;
        x[i] = level * (1 + ((double)(i * 7919 % 101) / 101 - 0.5) / 100);
    }
}

static void test_parts(void **state)
{
    static const struct {
        double levels[3], min_shift;
        size_t n, begins[3];
    } cases[] = {{{10, 10, 10}, 0, 1, {0}},
                 {{10, 12, 12}, 0, 2, {0, n / 3}},
                 {{10, 12, 9}, 0, 3, {0, n / 3, 2 * n / 3}},
                 {{10, 10.3, 10.3}, 1, 1, {0}}, /* there, but smaller than what counts */
                 {{10, 10.3, 10.3}, 0.1, 2, {0, n / 3}}};
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        double x[n];
        size_t *parts = NULL, n_parts = 0;
        struct tare_err err = {0};
        fill(x, cases[c].levels[0], cases[c].levels[1], cases[c].levels[2]);
        assert_int_equal(tare_series_parts(x, n, cases[c].min_shift, &parts, &n_parts, &err), 0);
        assert_int_equal(n_parts, cases[c].n);
        for (size_t i = 0; i < n_parts; i++) {
            assert_int_equal(parts[i], cases[c].begins[i]);
        }
        free(parts);
    }
}

static void test_course(void **state)
{
    static const struct {
        double levels[3];
        enum tare_course course;
    } cases[] = {{{10, 10, 10}, TARE_COURSE_FLAT},
                 {{12, 10, 10}, TARE_COURSE_WARM_UP},
                 {{9, 10, 10}, TARE_COURSE_SLOW_DOWN},
                 {{10, 10, 12}, TARE_COURSE_NONE}}; /* the last level has a third only */
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        double x[n];
        enum tare_course course = TARE_COURSE_FLAT;
        size_t first = 0;
        struct tare_err err = {0};
        fill(x, cases[c].levels[0], cases[c].levels[1], cases[c].levels[2]);
        assert_int_equal(tare_series_course(x, n, 0.1, &course, &first, &err), 0);
        assert_int_equal(course, cases[c].course);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts), cmocka_unit_test(test_course)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
