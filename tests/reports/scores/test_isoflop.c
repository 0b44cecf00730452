/* SPDX-License-Identifier: Apache-2.0 */
/* Approaches 1 and 2 on points of a law whose frontier is known: N_opt grows as C^0.5126, D_opt as C^0.4874.
 */
#include "near.h"

#include "isoflop.h"
#include "law.h"
#include "laws.h"

enum { CURVES = 40, STEPS = 200 };

static const double truth = 0.36585 / (0.34781 + 0.36585);
static double nd[2 * LAW_POINTS], loss[LAW_POINTS], n[LAW_POINTS], d[LAW_POINTS];
static double curve_n[CURVES * STEPS], curve_d[CURVES * STEPS], curve_loss[CURVES * STEPS];

static void split(void)
{
    for (size_t i = 0; i < LAW_POINTS; i++) {
        n[i] = nd[2 * i];
        d[i] = nd[2 * i + 1];
    }
}

/* Approach 2: without noise a parabola in log N is no exact law, which moves the exponent by 0.01 at most. */
static void test_parabolas(void **state)
{
    (void)state;
    static const struct {
        double noise, tolerance;
    } cases[] = {{0, 0.01}, {0.002, 0.02}};
    for (size_t i = 0; i < 2; i++) {
        struct tare_growth g;
        generate_runs(cases[i].noise, 5, nd, loss);
        split();
        assert_int_equal(tare_isoflop(n, d, loss, LAW_POINTS, 0.1, &g, NULL), 0);
        assert_int_equal(g.n_used, LAW_BUDGETS);
        assert_near(g.a, truth, cases[i].tolerance);
        assert_near(g.b, 1 - truth, cases[i].tolerance);
        assert_true(g.a_low <= g.a && g.a <= g.a_high);
    }
    /* The size at a budget within the data: within a tenth of the law's. */
    struct tare_growth g;
    assert_int_equal(tare_isoflop(n, d, loss, LAW_POINTS, 0.1, &g, NULL), 0);
    struct tare_frontier f = tare_chinchilla_frontier(482.006, 2085.434, 0.34781, 0.36585, 1e20);
    assert_near(exp(g.log_k_n + g.a * log(1e20)) / f.n_opt, 1, 0.1);
    assert_near(exp(g.log_k_d + g.b * log(1e20)) / f.d_opt, 1, 0.1);
}

/* Budgets whose minimum lies beyond their sizes say nothing, and are left out. */
static void test_no_minimum(void **state)
{
    (void)state;
    struct tare_growth g;
    struct tare_err err = {0};
    generate_runs(0, 1, nd, loss);
    split();
    for (size_t i = 0; i < LAW_POINTS; i++) {
        loss[i] = i % LAW_SIZES < 2 ? loss[i] : 10 - 1e-10 * n[i]; /* falls with N up to the last */
    }
    assert_int_equal(tare_isoflop(n, d, loss, LAW_POINTS, 0.1, &g, &err), TARE_E_USAGE);
    assert_non_null(strstr(err.msg, "0 budgets"));
}

/* 40 training curves from 1e18 to 1e22 FLOP, on each of which the loss is the law's at that D. */
static void make_curves(double noise)
{
    struct tare_rng rng;
    tare_rng_init(&rng, 2);
    for (size_t c = 0; c < CURVES; c++) {
        for (size_t s = 0; s < STEPS; s++) {
            size_t i = c * STEPS + s;
            double compute = 1e18 * pow(1e4, (double)s / (STEPS - 1));
            curve_n[i] = 1e7 * pow(5e3, (double)c / (CURVES - 1));
            curve_d[i] = compute / 6 / curve_n[i];
            curve_loss[i] = replication_loss(curve_n[i], curve_d[i]) * exp(noise * normal_draw(&rng));
        }
    }
}

static void test_envelope(void **state)
{
    (void)state;
    static const struct {
        double noise, tolerance;
        size_t smooth;
    } cases[] = {{0, 0.01, 1}, {0.001, 0.04, 9}};
    for (size_t i = 0; i < 2; i++) {
        struct tare_growth g;
        make_curves(cases[i].noise);
        assert_int_equal(tare_envelope(curve_n, curve_d, curve_loss, CURVES * STEPS, 100, cases[i].smooth,
                                       100, 1, &g, NULL),
                         0);
        assert_near(g.a, truth, cases[i].tolerance);
        assert_near(g.a + g.b, 1, 1e-12);
        assert_true(g.a_low < g.a_high);
    }
}

static void test_too_few_curves(void **state)
{
    (void)state;
    struct tare_growth g;
    struct tare_err err = {0};
    make_curves(0);
    assert_int_equal(tare_envelope(curve_n, curve_d, curve_loss, 2 * STEPS, 100, 1, 100, 1, &g, &err),
                     TARE_E_USAGE);
    assert_non_null(strstr(err.msg, "2 training curves"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parabolas),
        cmocka_unit_test(test_no_minimum),
        cmocka_unit_test(test_envelope),
        cmocka_unit_test(test_too_few_curves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
