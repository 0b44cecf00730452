/* SPDX-License-Identifier: Apache-2.0 */
/* Noise of neighbours, taming, fits of parts and the cheapest cut, on series whose answer is known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "stats/segment.h"

enum { n_most = 100 };

/* Alternating +-1: every neighbour differs by 2, so that the noise is 2 / 0.6745 / sqrt(2). */
static void test_noise(void **state)
{
    (void)state;
    double x[n_most], scratch[n_most];
    for (size_t i = 0; i < n_most; i++) {
        x[i] = i % 2 ? 1 : -1;
    }
    assert_true(fabs(tare_segment_noise(x, n_most, 1, scratch) - 2 / 0.6744897501960817 / sqrt(2)) < 1e-9);
    for (size_t i = 0; i < n_most; i++) {
        x[i] = 7;
    }
    assert_true(tare_segment_noise(x, n_most, 1, scratch) == 0);
    assert_true(tare_segment_noise(x, 1, 1, scratch) == 0);
}

/* A lone value is drawn in to 3 noise units from the median of those about it; others stay. */
static void test_tame(void **state)
{
    (void)state;
    double x[21] = {0}, out[21];
    x[10] = 50;
    tare_segment_tame(x, 21, 1, out);
    for (size_t i = 0; i < 21; i++) {
        assert_true(out[i] == (i == 10 ? 3 : 0));
    }
}

static void test_fit(void **state)
{
    (void)state;
    double x[40], room[3 * 41];
    struct tare_segment_sums sums;
    for (size_t i = 0; i < 40; i++) {
        x[i] = 2 * (double)i;
    }
    tare_segment_sum(x, 40, room, &sums);
    struct tare_segment_fit line = tare_segment_fit(&sums, 0, 40, 1, 10);
    assert_true(fabs(line.slope - 2) < 1e-9 && fabs(line.middle - 39) < 1e-9 && fabs(line.cost - 10) < 1e-6);
    /* Below 20 values a part is a level: squares of 0, 2, .. 18 about 9. */
    struct tare_segment_fit level = tare_segment_fit(&sums, 0, 10, 1, 10);
    assert_true(level.slope == 0 && fabs(level.middle - 9) < 1e-9 && fabs(level.cost - 330) < 1e-6);
}

static void test_cut(void **state)
{
    (void)state;
    double x[60], room[3 * 61], cost[61];
    size_t from[61], begins[61];
    struct tare_segment_sums sums;
    for (size_t i = 0; i < 60; i++) {
        x[i] = (i < 20 ? 0 : i < 45 ? 10 : 4) + (i % 2 ? 0.5 : -0.5);
    }
    tare_segment_sum(x, 60, room, &sums);
    assert_int_equal(tare_segment_cut(&sums, 0, 60, 1, 12, cost, from, begins), 3);
    assert_true(begins[0] == 0 && begins[1] == 20 && begins[2] == 45);
    assert_int_equal(tare_segment_settle(&sums, 0, 45, 5, 40, 1, 12), 20);
    assert_int_equal(tare_segment_cut(&sums, 0, 20, 1, 12, cost, from, begins), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_noise), cmocka_unit_test(test_tame),
                                       cmocka_unit_test(test_fit), cmocka_unit_test(test_cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
