/* SPDX-License-Identifier: Apache-2.0 */
/* One plot that a test builds of made cells, and what is said of it. */
#ifndef TARE_TESTS_PLOTS_BUILT_H
#define TARE_TESTS_PLOTS_BUILT_H

#include "made.h"

#include <stddef.h>

extern struct made made;
extern struct tare_plot plot;
extern struct tare_err err;

/* Set-up and tear-down of each test. */
int built_begin(void **state);
int built_end(void **state);
#define PLOT_TEST(name_) cmocka_unit_test_setup_teardown(name_, built_begin, built_end)

/* Builds `plot` of the made cells, or fails. */
void build(const char *what);
/* It must be refused with this code and reason. */
void refuse(const char *what, int code, const char *why);
/* The series of that name of a panel, or fails. */
const struct tare_plot_series *series(size_t panel, const char *name);
void assert_near(double actual, double expected);
void assert_point(const struct tare_plot_point *p, double x, double y);
/* The caption says it. */
void assert_said(const char *part);

/* Quality with an interval of +-half_y, throughput with +-half_x; below 0: none. */
void system_of(const char *model, double throughput, double half_x, double acc, double half_y);
/* a is fast and bad, b slow and good; c is worse than a beyond all intervals; d is worse than b by its
 * estimates only. */
void four_systems(void);

#endif
