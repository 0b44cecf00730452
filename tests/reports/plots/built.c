/* SPDX-License-Identifier: Apache-2.0 */
/* See built.h. */
#include "built.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct made made;
struct tare_plot plot;
struct tare_err err;

int built_begin(void **state)
{
    (void)state;
    made_begin(&made);
    memset(&plot, 0, sizeof plot);
    memset(&err, 0, sizeof err);
    return 0;
}

int built_end(void **state)
{
    (void)state;
    tare_plot_fini(&plot);
    return 0;
}

void build(const char *what)
{
    if (tare_plot_build(&made.in, what, &plot, &err) != 0) {
        fail_msg("%s: %s", what, err.msg);
    }
}

void refuse(const char *what, int code, const char *why)
{
    assert_int_equal(tare_plot_build(&made.in, what, &plot, &err), code);
    if (!strstr(err.msg, why)) {
        fail_msg("no \"%s\" in: %s", why, err.msg);
    }
    tare_plot_fini(&plot);
}

const struct tare_plot_series *series(size_t panel, const char *name)
{
    const struct tare_plot_series *s = made_series(&plot, panel, name);
    if (!s) {
        fail_msg("no series %s", name);
    }
    return s;
}

void assert_near(double actual, double expected)
{
    if (!(fabs(actual - expected) <= 1e-12 * fabs(expected))) {
        fail_msg("%.17g is not %.17g", actual, expected);
    }
}

void assert_point(const struct tare_plot_point *p, double x, double y)
{
    assert_near(p->x, x);
    assert_near(p->y, y);
}

void assert_said(const char *part)
{
    if (!strstr(plot.caption, part)) {
        fail_msg("no \"%s\" in: %s", part, plot.caption);
    }
}

void system_of(const char *model, double throughput, double half_x, double acc, double half_y)
{
    size_t c = made_cell(&made, model, "baseline", "t");
    made_figure(&made, c, "decode_throughput", "tok/s", throughput, half_x);
    made_figure(&made, c, "acc", "1", acc, half_y);
}

void four_systems(void)
{
    system_of("a", 100, 1, 0.5, 0.01);
    system_of("b", 10, 1, 0.9, 0.02);
    system_of("c", 50, 1, 0.4, 0.01);
    system_of("d", 9.5, 1, 0.89, 0.02);
}
