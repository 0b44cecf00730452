/* SPDX-License-Identifier: Apache-2.0 */
/* The signed-rank test against a published example, and against all 2^n signs by brute force. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stats/paired.h"

static void assert_near(double got, double expected, double error)
{
    if (!(fabs(got - expected) <= error)) {
        fail_msg("%.17g, not %.17g", got, expected);
    }
}

/* p of any data, ties and zeros among them, against all signs of the ranks that there are. */
static double enumerated_p(const double *d, size_t n)
{
    double rank[16], observed = 0, as_large = 0;
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        double below = 0, same = 0;
        for (size_t j = 0; j < n; j++) {
            below += d[j] != 0 && fabs(d[j]) < fabs(d[i]);
            same += d[j] != 0 && fabs(d[j]) == fabs(d[i]);
        }
        if (d[i] != 0) {
            rank[m++] = below + (same + 1) / 2;
            observed += d[i] > 0 ? rank[m - 1] : 0;
        }
    }
    for (size_t signs = 0; signs < (size_t)1 << m; signs++) {
        double sum = 0;
        for (size_t i = 0; i < m; i++) {
            sum += (signs >> i & 1) ? rank[i] : 0;
        }
        as_large += sum >= observed;
    }
    return ldexp(as_large, -(int)m);
}

static void test_p_enumerated(void **state)
{
    (void)state;
    unsigned short seed[3] = {1, 2, 3};
    for (int trial = 0; trial < 300; trial++) {
        double d[12], p = 0;
        size_t n = 1 + (size_t)(12 * erand48(seed));
        for (size_t i = 0; i < n; i++) { /* whole numbers from -3 to 4: nearly all of them tied, some zero */
            d[i] = trial % 3 ? floor(8 * erand48(seed)) - 3 : erand48(seed) - 0.4;
        }
        assert_int_equal(tare_signed_rank_p(d, n, 0, &p, NULL), 0);
        assert_near(p, enumerated_p(d, n), 1e-14);
        for (size_t i = 0; i < n; i++) {
            d[i] += 0.25; /* exactly, so that a null of as much changes nothing */
        }
        double moved = 0;
        if (trial % 3) {
            assert_int_equal(tare_signed_rank_p(d, n, 0.25, &moved, NULL), 0);
            assert_true(moved == p);
        }
    }
    static const double zeros[] = {0, 0, 0};
    double p = 0;
    assert_int_equal(tare_signed_rank_p(zeros, 3, 0, &p, NULL), 0);
    assert_true(p == 1);
}

/* A test inverted is an interval: p at a bound is what the bound promised, beyond it no less. */
static void test_p_and_bound(void **state)
{
    (void)state;
    unsigned short seed[3] = {4, 4, 4};
    for (int trial = 0; trial < 200; trial++) {
        double d[20], bound = 0, inside = 0, outside = 0;
        for (int i = 0; i < 20; i++) {
            d[i] = erand48(seed) + erand48(seed);
        }
        assert_int_equal(tare_signed_rank_bound(d, 20, 0.01, &bound, NULL), 0);
        assert_int_equal(tare_signed_rank_p(d, 20, bound - 1e-9, &inside, NULL), 0);
        assert_int_equal(tare_signed_rank_p(d, 20, bound + 1e-9, &outside, NULL), 0);
        assert_true(inside <= 0.01 && outside > 0.01);
    }
}

/* Normal tail of the sum of positive ranks, |d| without ties. */
static double textbook_p(const double *d, size_t n)
{
    double sum = 0, dn = (double)n;
    for (size_t i = 0; i < n; i++) {
        double rank = 1;
        for (size_t j = 0; j < n; j++) {
            rank += fabs(d[j]) < fabs(d[i]);
        }
        sum += d[i] > 0 ? rank : 0;
    }
    return 0.5 * erfc((sum - 0.5 - dn * (dn + 1) / 4) / sqrt(dn * (dn + 1) * (2 * dn + 1) / 24) / sqrt(2));
}

static void test_large_p(void **state)
{
    (void)state;
    enum { n = TARE_SIGNED_RANK_EXACT + 1 };
    double *d = malloc(n * sizeof *d), exact = 0, normal = 0;
    assert_non_null(d);
    for (int i = 0; i < n; i++) { /* somewhat more on the right */
        d[i] = (double)((i * 7919) % n) - 0.47 * n;
    }
    assert_int_equal(tare_signed_rank_p(d, n - 1, 0, &exact, NULL), 0);
    assert_int_equal(tare_signed_rank_p(d, n, 0, &normal, NULL), 0);
    assert_true(exact > 0.001 && exact < 0.1);
    assert_near(exact / textbook_p(d, n - 1), 1, 0.01);
    assert_near(normal / textbook_p(d, n), 1, 1e-12);
    free(d);
}

/* Hollander and Wolfe, 1973, table 3.1: a depression scale of nine patients before and after; R's
 * wilcox.test and their example 3.1: V = 40 of 45, p = 0.01953. */
static void test_depression(void **state)
{
    (void)state;
    static const double before[] = {1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30};
    static const double after[] = {0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29};
    double d[9], p = 0;
    for (int i = 0; i < 9; i++) {
        d[i] = before[i] - after[i];
    }
    assert_int_equal(tare_signed_rank_p(d, 9, 0, &p, NULL), 0);
    assert_near(p, 10.0 / 512, 1e-15);
}

static void test_refused(void **state)
{
    (void)state;
    static const double fine[] = {1, 2, 3}, lost[] = {1, (double)NAN, 3},
                        endless[] = {1, 2, (double)INFINITY};
    struct tare_err err = {0};
    double p = 77;
    assert_int_equal(tare_signed_rank_p(fine, 0, 0, &p, &err), TARE_E_USAGE);
    assert_int_equal(tare_signed_rank_p(lost, 3, 0, &p, &err), TARE_E_USAGE);
    assert_int_equal(tare_signed_rank_p(endless, 3, 0, &p, &err), TARE_E_USAGE);
    assert_int_equal(tare_signed_rank_p(fine, 3, (double)NAN, &p, &err), TARE_E_USAGE);
    assert_true(p == 77 && err.msg[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_p_enumerated), cmocka_unit_test(test_p_and_bound),
        cmocka_unit_test(test_large_p),      cmocka_unit_test(test_depression),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
