/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of laws: published values, gradients against differences, and that shifting the axes keeps a law.
 */
#include "near.h"

#include "law.h"

static const struct tare_law *const laws[] = {&tare_law_saturating_1, &tare_law_chinchilla, &tare_law_power,
                                              &tare_law_kaplan};
/* Parameters that a fit may well pass through. */
static const double places[4][TARE_LAW_PARAMETERS] = {
    {0.5, 6, 0.34}, {0.6, 6, 0.34, 7, 0.36}, {2.2, 0.08}, {32, 31, 0.076, 0.095}};
static const double log_x[] = {20, 23};

static void test_gradients(void **state)
{
    (void)state;
    for (size_t l = 0; l < 4; l++) {
        double g[TARE_LAW_PARAMETERS], p[TARE_LAW_PARAMETERS];
        (void)laws[l]->log_loss(places[l], log_x, g);
        for (size_t k = 0; k < laws[l]->n_parameters; k++) {
            memcpy(p, places[l], sizeof p);
            double step = 1e-5 * fmax(1, fabs(p[k]));
            p[k] += step;
            double above = laws[l]->log_loss(p, log_x, NULL);
            p[k] -= 2 * step;
            double slope = (above - laws[l]->log_loss(p, log_x, NULL)) / (2 * step);
            assert_near(g[k], slope, 1e-6 * (1 + fabs(slope)));
        }
    }
}

static void test_shift_keeps_the_law(void **state)
{
    (void)state;
    const double by[] = {7, -3}, moved[] = {20 - 7, 23 + 3};
    for (size_t l = 0; l < 4; l++) {
        double p[TARE_LAW_PARAMETERS];
        memcpy(p, places[l], sizeof p);
        laws[l]->shift(p, by);
        assert_near(laws[l]->log_loss(p, moved, NULL), laws[l]->log_loss(places[l], log_x, NULL), 1e-12);
    }
}

static void test_grid(void **state)
{
    (void)state;
    assert_int_equal(tare_law_grid(&tare_law_chinchilla), 4500);
    double p[TARE_LAW_PARAMETERS], sums[TARE_LAW_PARAMETERS] = {0};
    for (size_t i = 0; i < 4500; i++) {
        tare_law_start(&tare_law_chinchilla, i, p);
        for (size_t k = 0; k < 5; k++) {
            sums[k] += p[k] / 4500;
        }
    }
    /* Every value of every axis occurs as often: the means are those of the lists. */
    static const double means[] = {0, 12.5, 1, 12.5, 1};
    for (size_t k = 0; k < 5; k++) {
        assert_near(sums[k], means[k], 1e-9);
    }
}

/* Kaplan et al.: L(N) = (8.8e13 / N)^0.076 and the joint form, which is L(D) where N does not limit. */
static void test_kaplan(void **state)
{
    (void)state;
    const double power[] = {0.076 * log(8.8e13), 0.076}, x[] = {log(1.5e9), log(1e300)};
    assert_near(exp(tare_law_power.log_loss(power, x, NULL)), pow(8.8e13 / 1.5e9, 0.076), 1e-12);
    assert_near(tare_law_power.shown(power, 0), 8.8e13, 8.8e13 * 1e-12);
    const double joint[] = {log(8.8e13), log(5.4e13), 0.076, 0.095}, big[] = {log(1e300), log(2.3e10)};
    assert_near(exp(tare_law_kaplan.log_loss(joint, x, NULL)), pow(8.8e13 / 1.5e9, 0.076), 1e-9);
    assert_near(exp(tare_law_kaplan.log_loss(joint, big, NULL)), pow(5.4e13 / 2.3e10, 0.095), 1e-9);
    const double both[] = {log(1.5e9), log(2.3e10)};
    double expected = pow(pow(8.8e13 / 1.5e9, 0.076 / 0.095) + 5.4e13 / 2.3e10, 0.095);
    assert_near(exp(tare_law_kaplan.log_loss(joint, both, NULL)), expected, 1e-12);
}

/* Chinchilla's budget of 5.76e23 FLOP with the published constants and with those of the replication. */
static void test_frontier(void **state)
{
    (void)state;
    struct tare_frontier f = tare_chinchilla_frontier(406.4, 410.7, 0.34, 0.28, 5.76e23);
    assert_near(f.n_opt, 3.22e10, 0.005e10);
    assert_near(f.d_opt, 2.98e12, 0.005e12);
    f = tare_chinchilla_frontier(482.006, 2085.434, 0.34781, 0.36585, 5.76e23);
    assert_near(f.n_opt, 7.2e10, 0.05e10);
    assert_near(f.d_opt, 1.33e12, 0.005e12);
    assert_near(f.exponent_n, 0.513, 5e-4);
    assert_near(6 * f.n_opt * f.d_opt, 5.76e23, 5.76e23 * 1e-12);
}

/* The frontier is where the loss is least: no neighbour along C = 6ND is lower. */
static void test_frontier_is_least(void **state)
{
    (void)state;
    const double p[] = {log(1.81686), log(482.006), 0.34781, log(2085.434), 0.36585};
    struct tare_frontier f = tare_chinchilla_frontier(exp(p[1]), exp(p[3]), p[2], p[4], 1e21);
    double at[] = {log(f.n_opt), log(f.d_opt)}, least = tare_law_chinchilla.log_loss(p, at, NULL);
    for (int i = -20; i <= 20; i++) {
        double moved[] = {at[0] + 0.05 * i, at[1] - 0.05 * i};
        assert_true(i == 0 || tare_law_chinchilla.log_loss(p, moved, NULL) > least);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients), cmocka_unit_test(test_shift_keeps_the_law),
        cmocka_unit_test(test_grid),      cmocka_unit_test(test_kaplan),
        cmocka_unit_test(test_frontier),  cmocka_unit_test(test_frontier_is_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
