/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fits recover what points were made with: exactly without noise, and within the replication's stated
 * standard errors with it. The grid of starts here is a spread-out part of the 4500, to be quick; the
 * command's default is all of it.
 */
#include "near.h"

#include "law_fit.h"
#include "laws.h"

#if defined(__SANITIZE_ADDRESS__)
enum { STARTS = 40, SEEDS = 2, RESAMPLES = 40, COVERAGE = 10 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { STARTS = 40, SEEDS = 2, RESAMPLES = 40, COVERAGE = 10 };
#else
enum { STARTS = 150, SEEDS = 5, RESAMPLES = 120, COVERAGE = 40 };
#endif
#else
enum { STARTS = 150, SEEDS = 5, RESAMPLES = 120, COVERAGE = 40 };
#endif

static double nd[2 * LAW_POINTS], loss[LAW_POINTS];

static struct tare_curve_fit fit_runs(const struct tare_fit_options *o, struct tare_arena *arena)
{
    struct tare_fit_points points = {.x = nd, .loss = loss, .n = LAW_POINTS};
    struct tare_curve_fit fit;
    struct tare_err err = {0};
    if (tare_law_fit(&tare_law_chinchilla, &points, o, arena, &fit, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    return fit;
}

static void test_exact_without_noise(void **state)
{
    (void)state;
    struct tare_arena arena = {0};
    generate_runs(0, 1, nd, loss);
    struct tare_curve_fit fit = fit_runs(&(struct tare_fit_options){.starts = STARTS}, &arena);
    for (size_t k = 0; k < 5; k++) {
        assert_near(fit.parameters[k].value / replication[k], 1, 1e-3);
    }
    assert_true(fit.residual < 1e-6);
    tare_arena_fini(&arena);
}

/* Noise of 0.4 % of the loss, with outliers of 2 %: every constant of every seed within its stated error. */
static void test_within_stated_errors(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct tare_arena arena = {0};
        generate_runs(0.004, seed, nd, loss);
        struct tare_curve_fit fit = fit_runs(&(struct tare_fit_options){.starts = STARTS}, &arena);
        for (size_t k = 0; k < 5; k++) {
            assert_near(fit.parameters[k].value, replication[k], stated_error[k]);
        }
        assert_true(fit.n_agree >= 2); /* the optimum is found from more than one start */
        tare_arena_fini(&arena);
    }
}

static void test_bootstrap(void **state)
{
    (void)state;
    struct tare_arena arena = {0};
    generate_runs(0.004, 3, nd, loss);
    const struct tare_fit_options o = {.starts = STARTS, .resamples = RESAMPLES, .restarts = 2, .seed = 1};
    struct tare_curve_fit fit = fit_runs(&o, &arena), again;
    assert_int_equal(fit.n_draws, RESAMPLES);
    for (size_t k = 0; k < 5; k++) {
        const struct tare_curve_parameter *p = &fit.parameters[k];
        assert_true(p->low < p->value && p->value < p->high);
        assert_true(p->se > 0 && p->se < stated_error[k]); /* a wider spread of D / N than the original's */
    }
    const double inside[] = {1e9, 3e10}, far[] = {1e12, 1e10};
    double low = 0, high = 0, far_low = 0, far_high = 0;
    assert_int_equal(tare_curve_fit_band(&fit, inside, &low, &high, NULL), 0);
    assert_int_equal(tare_curve_fit_band(&fit, far, &far_low, &far_high, NULL), 0);
    double at = tare_curve_fit_at(&fit, inside);
    assert_true(low < at && at < high);
    assert_true(far_high - far_low > 2 * (high - low)); /* wider where nothing was measured */
    again = fit_runs(&o, &arena);
    assert_near(again.parameters[1].low, fit.parameters[1].low, 0); /* the seed decides, nothing else */
    tare_arena_fini(&arena);
}

/* How often the 95 % interval of alpha covers the truth, over small data sets of the one-axis law. A
 * bootstrap of 30 points is a little narrow; what must not be is a collapse. */
static void test_coverage(void **state)
{
    (void)state;
    enum { n = 30 };
    size_t covered = 0;
    for (uint64_t seed = 1; seed <= COVERAGE; seed++) {
        struct tare_arena arena = {0};
        struct tare_rng rng;
        double x[n], y[n];
        tare_rng_init(&rng, seed);
        for (size_t i = 0; i < n; i++) {
            x[i] = 1e6 * pow(1e4, (double)i / (n - 1));
            y[i] = (1.8 + 480 * pow(x[i], -0.35)) * exp(0.005 * normal_draw(&rng));
        }
        struct tare_fit_points points = {.x = x, .loss = y, .n = n};
        struct tare_fit_options o = {.starts = 30, .resamples = 100, .restarts = 1, .seed = seed};
        struct tare_curve_fit fit;
        assert_int_equal(tare_law_fit(&tare_law_saturating_1, &points, &o, &arena, &fit, NULL), 0);
        covered += fit.parameters[2].low <= 0.35 && 0.35 <= fit.parameters[2].high;
        tare_arena_fini(&arena);
    }
    assert_true(covered * 100 >= 85 * COVERAGE);
}

/* Kaplan's forms from points made with them. */
static void test_kaplan(void **state)
{
    (void)state;
    struct tare_arena arena = {0};
    double x[40], joint[80], y[40];
    for (size_t i = 0; i < 40; i++) {
        x[i] = 1e6 * pow(10, 0.1 * (double)i);
        y[i] = pow(8.8e13 / x[i], 0.076);
    }
    struct tare_fit_points points = {.x = x, .loss = y, .n = 40};
    struct tare_curve_fit fit;
    const struct tare_fit_options all = {0};
    assert_int_equal(tare_law_fit(&tare_law_power, &points, &all, &arena, &fit, NULL), 0);
    assert_near(fit.parameters[0].value / 8.8e13, 1, 1e-3);
    assert_near(fit.parameters[1].value, 0.076, 1e-6);
    for (size_t i = 0; i < 40; i++) {
        joint[2 * i] = 1e6 * pow(10, 0.5 * (double)(i / 8));
        joint[2 * i + 1] = 1e8 * pow(10, 0.4 * (double)(i % 8));
        y[i] = pow(pow(8.8e13 / joint[2 * i], 0.076 / 0.095) + 5.4e13 / joint[2 * i + 1], 0.095);
    }
    points.x = joint;
    assert_int_equal(tare_law_fit(&tare_law_kaplan, &points, &all, &arena, &fit, NULL), 0);
    static const double expected[] = {8.8e13, 5.4e13, 0.076, 0.095};
    for (size_t k = 0; k < 4; k++) {
        assert_near(fit.parameters[k].value / expected[k], 1, 0.02);
    }
    tare_arena_fini(&arena);
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const struct tare_law *law;
        double x[14], loss[7];
        size_t n;
        const char *why; /* NULL: carried */
    } cases[] = {
        {"five places",
         &tare_law_chinchilla,
         {1, 1, 1, 2, 2, 1, 2, 2, 3, 1, 1, 1},
         {3, 2, 2, 1, 1, 3},
         6,
         "6 diff"},
        {"D the same",
         &tare_law_chinchilla,
         {1, 9, 2, 9, 3, 9, 4, 9, 5, 9, 6, 9},
         {6, 5, 4, 3, 2, 1},
         6,
         "one line"},
        {"D = 20 N",
         &tare_law_chinchilla,
         {1, 20, 2, 40, 3, 60, 4, 80, 5, 100, 6, 120},
         {6, 5, 4, 3, 2, 1},
         6,
         "one line"},
        {"a grid", &tare_law_chinchilla, {1, 1, 1, 2, 2, 1, 2, 2, 3, 1, 3, 2}, {6, 5, 4, 3, 2, 1}, 6, NULL},
        {"three sizes for three unknowns", &tare_law_saturating_1, {1, 2, 3}, {3, 2, 1}, 3, "too few"},
        {"four sizes", &tare_law_saturating_1, {1, 2, 3, 4}, {4, 3, 2, 1}, 4, NULL},
        {"a loss of 0", &tare_law_saturating_1, {1, 2, 3, 4}, {4, 3, 2, 0}, 4, "positive"},
        {"a size below 0", &tare_law_saturating_1, {1, 2, 3, -4}, {4, 3, 2, 1}, 4, "positive"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_fit_points points = {.x = cases[i].x, .loss = cases[i].loss, .n = cases[i].n};
        const char *why = tare_law_refusal(cases[i].law, &points);
        if (!why != !cases[i].why || (why && !strstr(why, cases[i].why))) {
            fail_msg("%s: %s", cases[i].what, why ? why : "carried");
        }
        struct tare_arena arena = {0};
        struct tare_curve_fit fit;
        struct tare_err err = {0};
        int r =
            tare_law_fit(cases[i].law, &points, &(struct tare_fit_options){.starts = 5}, &arena, &fit, &err);
        assert_int_equal(r, why ? TARE_E_USAGE : 0);
        tare_arena_fini(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_without_noise),
        cmocka_unit_test(test_within_stated_errors),
        cmocka_unit_test(test_bootstrap),
        cmocka_unit_test(test_coverage),
        cmocka_unit_test(test_kaplan),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
