/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting, by comparisons and by radix. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "stats/interval.h"

static double *numbers(size_t n)
{
    double *x = malloc(n * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++) {
        x[i] = (double)(i + 1);
    }
    return x;
}

static void test_sort(void **state)
{
    (void)state;
    double x[] = {3, -1, (double)INFINITY, 3, 0, (double)-INFINITY, 2.5};
    static const double sorted[] = {(double)-INFINITY, -1, 0, 2.5, 3, 3, (double)INFINITY};
    tare_sort(x, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_true(x[i] == sorted[i]);
    }
    tare_sort(x, 1);
    tare_sort(NULL, 0);
    assert_true(x[0] == (double)-INFINITY);
}

/* Sorted by radix: numbers of both signs, over many powers, with ties; nothing lost and in order. */
static void test_sort_many(void **state)
{
    (void)state;
    enum { n = 20011 };
    double *x = numbers(n), sum = 0, sum_after = 0;
    uint64_t seed = 1;
    for (size_t i = 0; i < n; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        x[i] = i % 7 == 0 ? 42 : ldexp((double)(seed >> 40) - (1 << 23), (int)(seed % 40) - 20);
        sum += floor(fabs(x[i]));
    }
    tare_sort(x, n);
    size_t ties = 0;
    for (size_t i = 0; i < n; i++) {
        assert_true(i == 0 || x[i - 1] <= x[i]);
        sum_after += floor(fabs(x[i]));
        ties += x[i] == 42;
    }
    assert_true(sum_after == sum);
    assert_true(ties >= n / 7);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sort), cmocka_unit_test(test_sort_many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
