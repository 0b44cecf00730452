/* SPDX-License-Identifier: Apache-2.0 */
/* The front: who is on it, who is beaten beyond the intervals, and what is not decided. */
#include "built.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_pareto(void **state)
{
    (void)state;
    four_systems();
    build("pareto");
    const struct tare_plot_series *front = series(0, "on the front");
    assert_int_equal(front->n_points, 2);
    assert_point(&front->points[0], 10, 0.9);
    assert_near(front->points[0].x_low, 9);
    assert_near(front->points[0].x_high, 11);
    assert_near(front->points[0].y_low, 0.88);
    assert_string_equal(front->points[0].label, "b");
    assert_point(&front->points[1], 100, 0.5);
    assert_point(&series(0, "dominated")->points[0], 50, 0.4);
    assert_true(series(0, "dominated")->muted);
    assert_point(&series(0, "not decided")->points[0], 9.5, 0.89);
    assert_string_equal(plot.panels[0].x.unit, "tok/s");
    assert_int_equal(plot.panels[0].x.better, TARE_BETTER_HIGHER);
    assert_said("96.9 % intervals (order statistics)");
}

/* Far behind in both, and nobody knows how far the figures may be off: nothing is proved. */
static void test_pareto_without_intervals(void **state)
{
    (void)state;
    system_of("a", 100, -1, 0.5, -1);
    system_of("b", 50, -1, 0.4, -1);
    build("pareto");
    assert_point(&series(0, "not decided")->points[0], 50, 0.4);
    assert_null(made_series(&plot, 0, "dominated"));
}

/* More throughput reached at a quality: the staircase goes down behind the faster one. */
static void test_pareto_line(void **state)
{
    (void)state;
    four_systems();
    build("pareto");
    const struct tare_plot_series *line = &plot.panels[0].series[0];
    assert_int_equal(line->style, TARE_PLOT_LINE);
    assert_int_equal(line->n_points, 3);
    assert_point(&line->points[1], 10, 0.5);
}

/* Better beyond the intervals in one figure and no worse in the other suffices; worse in the other by a hair
 * does not, and equal figures dominate nobody. */
static void test_pareto_clear(void **state)
{
    (void)state;
    system_of("a", 100, 1, 0.50, 0.05);
    system_of("b", 50, 1, 0.49, 0.05);
    system_of("c", 50, 1, 0.501, 0.05);
    system_of("a2", 100, 1, 0.50, 0.05);
    build("pareto");
    assert_int_equal(series(0, "on the front")->n_points, 3);
    assert_int_equal(series(0, "dominated")->n_points, 1);
    assert_point(&series(0, "dominated")->points[0], 50, 0.49);
    assert_null(made_series(&plot, 0, "not decided"));
}

/* Where less is better on x, the corner is on the other side. */
static void test_pareto_cost(void **state)
{
    (void)state;
    size_t a = made_cell(&made, "a", "baseline", "t"), b = made_cell(&made, "b", "baseline", "t");
    made_figure(&made, a, "peak_rss", "B", 100, 1);
    made_figure(&made, a, "acc", "1", 0.5, 0.01);
    made_figure(&made, b, "peak_rss", "B", 200, 1);
    made_figure(&made, b, "acc", "1", 0.9, 0.01);
    build("pareto");
    assert_int_equal(plot.panels[0].x.better, TARE_BETTER_LOWER);
    assert_int_equal(series(0, "on the front")->n_points, 2);
    assert_point(&plot.panels[0].series[0].points[1], 200, 0.5);
}

static void test_pareto_leaves_out(void **state)
{
    (void)state;
    four_systems();
    system_of("void", 1000, 1, 1, 0.01);
    made.cells[4].verdict = "INVALID";
    made.cells[4].reasons = "CRASH";
    system_of("other", 1000, 1, 1, 0.01);
    made.figures[5][0].scope = "node";
    build("pareto");
    assert_int_equal(series(0, "on the front")->n_points, 2);
    assert_said("not valid are left out");
    assert_said("of another kind, unit or scope are left out");
}

static void test_pareto_refuses(void **state)
{
    (void)state;
    four_systems();
    for (size_t i = 0; i < 4; i++) {
        struct tare_figure *f = made_figure(&made, i, "energy_modelled", "J", 1, 0.5);
        f->kind = TARE_KIND_MODELLED;
        made_figure(&made, i, "clock_step", "s", 1, 0.5);
        made_absent(&made, i, "cost_total", "no prices were declared");
    }
    refuse("pareto{x=energy_modelled}", TARE_E_UNSUPPORTED, "never ranked");
    refuse("pareto{x=clock_step}", TARE_E_UNSUPPORTED, "neither more nor less");
    refuse("pareto{x=cost_total}", TARE_E_UNSUPPORTED, "no prices were declared");
    refuse("pareto{x=nothing}", TARE_E_UNSUPPORTED, "no cell has the figure nothing");
    for (size_t i = 0; i < 4; i++) {
        made.cells[i].verdict = "INVALID";
        made.cells[i].reasons = "FOREIGN_CPU";
    }
    refuse("pareto", TARE_E_UNSUPPORTED, "FOREIGN_CPU");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLOT_TEST(test_pareto),         PLOT_TEST(test_pareto_without_intervals),
        PLOT_TEST(test_pareto_line),    PLOT_TEST(test_pareto_clear),
        PLOT_TEST(test_pareto_cost),    PLOT_TEST(test_pareto_leaves_out),
        PLOT_TEST(test_pareto_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
