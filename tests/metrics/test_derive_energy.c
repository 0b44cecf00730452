/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Energy out of readings that are made by hand, against answers in closed form. Rows that are named after a
 * tool are defects that were seen in that tool.
 */
#include "evidence.h"

#include "metrics/derive/energy_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

int tare_derive_energy(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

static struct made made, base;
static struct made_figures figures;

static void derive(void)
{
    made_derive(&made, tare_derive_energy, &figures);
}

/* A package of 100 J and dram of 20 J in 10 s, on one meter. */
static void two_domains(struct made *m, double package_j, double dram_j)
{
    made_all(m, "measure", "powercap", "package", "energy_package_0", package_j, 0.3, 0.05);
    made_all(m, "measure", "powercap", "dram", "energy_dram_0", dram_j, 0.4, 0.05);
}

static void test_sums(void **state)
{
    (void)state;
    made_init(&made, 6);
    two_domains(&made, 100, 20);
    made_all(&made, "measure", "powercap", "package", "energy_package_1", 50, 0, 0.05);
    made_all(&made, "measure", "powercap", "core", "energy_core_0", 70, 0, 0.05);
    made_all(&made, "measure", "powercap", "uncore", "energy_uncore_0", 7, 0, 0.05);
    made_all(&made, "measure", "powercap", "psys", "energy_psys", 300, 0, 0.05);
    made_all(&made, "measure", "nvml", "device", "energy_gpu_0", 1000, 0, 0.06);
    made_all(&made, "measure", "nvml", "device", "energy_gpu_1", 500, 0, 0.06);
    made_all(&made, "measure", "battery", "battery", "energy_battery", 4000, 0, 0.1);
    made_all(&made, "measure", "perf_power", "package", "energy_pkg", 149, 0, 0.05);
    derive();
    made_expect(&figures, "energy_package", 150);
    made_expect(&figures, "energy_dram", 20);
    made_expect(&figures, "energy_gpu", 1500);
    made_expect(&figures, "energy_core", 70);
    made_expect(&figures, "energy_uncore", 7);
    made_expect(&figures, "energy_psys", 300);
    made_expect(&figures, "energy_battery", 4000);
    made_expect(&figures, "energy", 1670);
    assert_string_equal(made_get(&figures, "energy")->scope, "package+dram+device");
    assert_string_equal(made_get(&figures, "energy")->source,
                        "powercap (package+dram), nvml (device); not added: perf_power");
    made_expect_absent(&figures, "energy_wall", "no meter here reads at the wall");
    assert_string_equal(made_get(&figures, "energy_gpu")->flags, "");
    /* of two meters one is taken; where they read devices those may be others */
    made_all(&made, "measure", "hwmon", "device", "energy_amdgpu", 30, 0, 0.06);
    derive();
    made_expect(&figures, "energy_gpu", 1500);
    assert_string_equal(made_get(&figures, "energy_gpu")->source, "nvml (device); not added: hwmon");
    assert_string_equal(made_get(&figures, "energy")->flags, "DEVICES_LEFT_OUT");
    made_all(&made, "measure", "external", "wall", "energy_wall", 2500, 0, 0.01);
    derive();
    made_expect(&figures, "energy", 2500);
    assert_string_equal(made_get(&figures, "energy")->scope, "wall");
    made_expect(&figures, "energy_package", 150);
}

static void test_per_what(void **state)
{
    (void)state;
    made_init(&made, 6);
    two_domains(&made, 100, 20);
    made_all(&made, "load", "powercap", "package", "energy_package_0", 30, 0.1, 0.05);
    made_all(&made, "load", "powercap", "dram", "energy_dram_0", 3, 0.1, 0.05);
    for (size_t i = 0; i < 6; i++) {
        made.exact[i] = 8;
    }
    derive();
    made_expect(&figures, "energy", 120);
    made_expect(&figures, "energy_load", 33);
    made_expect(&figures, "energy_kwh", 120 / 3.6e6);
    made_expect(&figures, "power_mean", 12);
    made_expect(&figures, "energy_per_tok", 0.12);
    made_expect(&figures, "energy_per_output_tok", 0.3);
    made_expect(&figures, "energy_per_request", 12);
    made_expect(&figures, "energy_per_correct", 15);
    made_expect(&figures, "energy_delay_product", 1200);
    assert_string_equal(made_get(&figures, "energy_per_tok")->unit, "J/tok");
    assert_int_equal(made_get(&figures, "energy_per_tok")->kind, TARE_KIND_MEASURED);
    for (size_t i = 0; i < 6; i++) {
        made.exact[i] = 0;
        made.repeats[i].sums.output_tok = 0;
    }
    derive();
    made_expect_absent(&figures, "energy_per_correct", "no item was answered right");
    made_expect_absent(&figures, "energy_per_output_tok", "the task generates no tokens");
    made_expect(&figures, "energy_per_tok", 0.2);
    for (size_t i = 0; i < 6; i++) {
        made.exact[i] = (double)NAN;
    }
    derive();
    made_expect_absent(&figures, "energy_per_correct", "no notion of a right answer");
}

/* Read errors in quadrature; gains of one meter are one error, those of two are two. */
static void test_interval(void **state)
{
    (void)state;
    const double z = 1.959963984540054;
    made_init(&made, 6);
    two_domains(&made, 100, 20);
    derive();
    const struct made_figure *f = made_get(&figures, "energy");
    double half = z * sqrt(0.25 + 36); /* u = hypot(.3, .4) = .5; gain = .05 x 120 = 6 */
    assert_true(fabs(f->low - (120 - half)) < 1e-6 && fabs(f->high - (120 + half)) < 1e-6);
    assert_true(f->level > 0.95 && f->level < 1);
    assert_non_null(strstr(f->method, "order statistics"));
    assert_non_null(strstr(f->method, "read error"));
    assert_non_null(strstr(f->method, "gain (common to all cells on this meter)"));
    made_expect(&figures, "energy_u", 0.5);
    made_expect(&figures, "energy_gain_u", 5);
    made_all(&made, "measure", "nvml", "device", "energy_gpu_0", 80, 1.2, 0.1);
    derive();
    f = made_get(&figures, "energy");
    half = z * sqrt(0.25 + 1.44 + 36 + 64); /* gains of two meters: hypot(6, 8) */
    assert_true(fabs(f->low - (200 - half)) < 1e-6 && fabs(f->high - (200 + half)) < 1e-6);
    /* the spread of the repeats comes in too */
    made_init(&made, 6);
    for (size_t i = 0; i < 6; i++) {
        (void)made_one(&made, i, "measure", "powercap", "package", "energy_package_0", 95 + 2 * (double)i, 3,
                       0);
    }
    derive();
    f = made_get(&figures, "energy"); /* median 100, range 95 to 105 */
    assert_true(fabs(f->low - (100 - sqrt(25 + z * z * 9))) < 1e-6);
    /* a meter that does not know its doubts gives a value without an interval */
    made_find(&made, 2, "measure", "energy_package_0")->u = (double)NAN;
    derive();
    f = made_get(&figures, "energy");
    assert_true(f->value == 100 && isnan(f->low) && isnan(f->high));
    assert_non_null(strstr(f->method, "does not know its own uncertainty"));
    made_expect_absent(&figures, "energy_u", "the meter does not know it");
}

static void test_absence(void **state)
{
    static const char *const all[] = {"energy_package",
                                      "energy_dram",
                                      "energy_gpu",
                                      "energy_psys",
                                      "energy_wall",
                                      "energy",
                                      "energy_load",
                                      "energy_kwh",
                                      "power_mean",
                                      "energy_per_tok",
                                      "energy_per_request",
                                      "energy_per_correct",
                                      "energy_per_output_tok",
                                      "energy_delay_product",
                                      "energy_net",
                                      "idle_power",
                                      "energy_process"};
    (void)state;
    made_init(&made, 6);
    derive();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        made_expect_absent(&figures, all[i],
                           "no energy meter works here: none gave a reading; see 'tare doctor'");
    }
    made.e.no_meter = "powercap: permission denied";
    derive();
    made_expect_absent(&figures, "energy",
                       "no energy meter works here: powercap: permission denied; see 'tare doctor'");
    made.e.no_meter = NULL;
    made_all(&made, "measure", "powercap", "package", "energy_package_0", (double)NAN, (double)NAN,
             (double)NAN);
    made_all(&made, "measure", "nvml", "device", "energy_gpu_0", (double)NAN, (double)NAN, (double)NAN);
    for (size_t i = 0; i < 6; i++) {
        made_find(&made, i, "measure", "energy_package_0")->absent = "energy_uj: only root may read it";
        made_find(&made, i, "measure", "energy_gpu_0")->absent = "no NVIDIA driver";
    }
    derive();
    made_expect_absent(&figures, "energy_per_tok",
                       "no energy meter works here: energy_uj: only root may read it; no NVIDIA driver; see");
    made_expect_absent(&figures, "energy_package", "only root may read it");
    /* one repeat without a reading leaves a hole that no sum of the others fills */
    made_init(&made, 6);
    two_domains(&made, 100, 20);
    made_find(&made, 3, "measure", "energy_dram_0")->absent = "the counter was reset";
    derive();
    made_expect(&figures, "energy_package", 100);
    made_expect_absent(&figures, "energy_dram", "the counter was reset");
    made_expect_absent(&figures, "energy", "the counter was reset");
    made_expect_absent(&figures, "energy_per_tok", "the counter was reset");
    /* another meter that works is taken instead of one that does not */
    made_all(&made, "measure", "perf_power", "dram", "energy_ram", 21, 0.1, 0.05);
    derive();
    made_expect(&figures, "energy", 121);
    assert_string_equal(made_get(&figures, "energy")->source, "powercap (package), perf_power (dram)");
    /* a counter that has not moved is no energy of 0 */
    made_init(&made, 6);
    two_domains(&made, 0, 20);
    derive();
    made_expect_absent(&figures, "energy_package", "did not move");
    made_expect_absent(&figures, "energy", "did not move");
    made_expect_absent(&figures, "power_mean", "did not move");
    /* nor is a sum beyond all numbers a value */
    made_init(&made, 6);
    two_domains(&made, 1.7e308, 1.7e308);
    derive();
    made_expect_absent(&figures, "energy", "no finite number");
    /* what one process did not see whole has no energy */
    made_init(&made, 6);
    two_domains(&made, 100, 20);
    for (size_t i = 0; i < 6; i++) {
        made.repeats[i].attempts = 2;
    }
    derive();
    made_expect_absent(&figures, "energy", "every repeat was resumed");
}

/* Idle of 5 s before and after each repeat, at those powers. */
static void idle(struct made *m, double before_w, double after_w, double u)
{
    made_wall(m, "idle_before", 5);
    made_wall(m, "idle_after", 5);
    made_all(m, "idle_before", "powercap", "package", "energy_package_0", 5 * before_w, u, 0.05);
    made_all(m, "idle_after", "powercap", "package", "energy_package_0", 5 * after_w, u, 0.05);
}

/* A second package that shows up in one repeat only, or a sensor that another one took the place of, makes
 * another quantity of the sum. Order says nothing. */
static void test_channels(void **state)
{
    (void)state;
    made_init(&made, 3);
    two_domains(&made, 100, 20);
    made_all(&made, "measure", "powercap", "package", "energy_package_1", 100, 0.3, 0.05);
    derive();
    made_expect(&figures, "energy", 220);
    made_find(&made, 1, "measure", "energy_package_0")->name = "energy_package_2";
    made_find(&made, 1, "measure", "energy_package_1")->name = "energy_package_0";
    made_find(&made, 1, "measure", "energy_package_2")->name = "energy_package_1";
    made_find(&made, 1, "measure", "energy_package_0")->source = "energy_package_0";
    made_find(&made, 1, "measure", "energy_package_1")->source = "energy_package_1";
    derive();
    made_expect(&figures, "energy", 220);
    made_find(&made, 2, "measure", "energy_package_1")->meter = "nobody";
    derive();
    made_expect_absent(&figures, "energy_package", "same channels in every repeat");
    made_expect_absent(&figures, "energy", "same channels in every repeat");
    made_expect(&figures, "energy_dram", 20);
    made_find(&made, 2, "measure", "energy_package_1")->meter = "powercap";
    made_find(&made, 0, "measure", "energy_dram_0")->source = "another sensor";
    derive();
    made_expect_absent(&figures, "energy_dram", "same channels in every repeat");
    /* another meter that read the same ones is taken */
    made_all(&made, "measure", "perf_power", "dram", "energy_ram", 21, 0.1, 0.05);
    derive();
    made_expect(&figures, "energy", 221);
    /* what is subtracted must be of what it is subtracted from */
    made_init(&made, 3);
    made_all(&made, "measure", "powercap", "package", "energy_package_0", 100, 0.3, 0.05);
    made_all(&made, "measure", "powercap", "package", "energy_package_1", 100, 0.3, 0.05);
    idle(&made, 4, 4, 0.01);
    made_all(&made, "load", "powercap", "package", "energy_package_0", 9, 0.3, 0.05);
    derive();
    made_expect(&figures, "energy", 200);
    made_expect_absent(&figures, "idle_power", "other channels");
    made_expect_absent(&figures, "energy_net", "other channels");
    made_expect_absent(&figures, "energy_load", "other channels");
}

static void test_flags(void **state)
{
    (void)state;
    made_init(&made, 6);
    two_domains(&made, 100, 20);
    made_find(&made, 1, "measure", "energy_package_0")->flags = "MIRRORED,FILTERED";
    made_all(&made, "measure", "powercap", "package", "energy_package_0_period", 10.0 / 83, 0, 0);
    derive();
    assert_string_equal(made_get(&figures, "energy")->flags, "MIRRORED,FILTERED");
    assert_string_equal(made_get(&figures, "energy_dram")->flags, "");
    made_find(&made, 5, "measure", "energy_package_0_period")->value = 10.0 / 81;
    derive();
    assert_non_null(strstr(made_get(&figures, "energy_per_tok")->flags, "SHORT_WINDOW"));
    assert_null(strstr(made_get(&figures, "energy_dram")->flags, "SHORT_WINDOW"));
    /* a modelled part makes a modelled sum */
    made_find(&made, 0, "measure", "energy_dram_0")->kind = "modelled";
    derive();
    assert_int_equal(made_get(&figures, "energy")->kind, TARE_KIND_MODELLED);
    assert_int_equal(made_get(&figures, "energy_per_tok")->kind, TARE_KIND_MODELLED);
    assert_int_equal(made_get(&figures, "energy_package")->kind, TARE_KIND_MEASURED);
}

static void test_net(void **state)
{
    static const struct {
        double before_w, after_w, u, net, power;
        const char *why;
    } rows[] = {
        {4, 4, 0.01, 60, 4, NULL},
        {4, 4.1, 0.01, 59.5, 4.05, NULL},
        {4, 4.3, 0.01, 0, 4.15, "differ by more than 5 %"},
        {4, 4, 20, 0, 4, "over 10 % of the energy"}, /* T u = 10 x 20/5/sqrt(2) = 28 J of 100 J */
        {4, 4, (double)NAN, 0, 4, "uncertainty of idle power is not known"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        made_init(&made, 6);
        made_all(&made, "measure", "powercap", "package", "energy_package_0", 100, 0.3, 0.05);
        idle(&made, rows[i].before_w, rows[i].after_w, rows[i].u);
        derive();
        made_expect(&figures, "idle_power", rows[i].power);
        if (rows[i].why) {
            made_expect_absent(&figures, "energy_net", rows[i].why);
            continue;
        }
        made_expect(&figures, "energy_net", rows[i].net);
        assert_non_null(strstr(made_get(&figures, "energy_net")->source, "nothing loaded"));
    }
    made_init(&made, 6);
    made_all(&made, "measure", "powercap", "package", "energy_package_0", 100, 0.3, 0.05);
    derive();
    made_expect_absent(&figures, "energy_net", "no idle phase");
    made_expect_absent(&figures, "idle_power", "no idle phase");
    made_expect(&figures, "energy", 100);
}

/* The interval of a difference: read errors of both, and the gain of what is left only. */
static void test_net_interval(void **state)
{
    (void)state;
    const double z = 1.959963984540054;
    made_init(&made, 6);
    made_all(&made, "measure", "powercap", "package", "energy_package_0", 100, 0.3, 0.05);
    idle(&made, 4, 4, 0.1);
    derive();
    double idle_u = 10 * 0.5 * sqrt(2) * 0.1 / 5;
    double half = z * sqrt(0.09 + idle_u * idle_u + 9); /* gain .05 x 60 J */
    assert_true(fabs(made_get(&figures, "energy_net")->high - (60 + half)) < 1e-6);
    /* what idle power drifted by counts as uniform between the two */
    made_init(&made, 6);
    made_all(&made, "measure", "powercap", "package", "energy_package_0", 100, 0.3, 0);
    idle(&made, 4, 4.1, 0);
    for (size_t i = 0; i < 6; i++) {
        made_find(&made, i, "idle_before", "energy_package_0")->gain = 0;
        made_find(&made, i, "idle_after", "energy_package_0")->gain = 0;
    }
    derive();
    assert_true(fabs(made_get(&figures, "idle_power")->high - (4.05 + z * 0.1 / sqrt(12))) < 1e-9);
}

/* CPU seconds of the process and percents of 4 CPUs x 10 s of the others. */
static void cpu(struct made *m, double user, double system, double supervisor, double foreign)
{
    made_all(m, "measure", "rusage", "process", "cpu_user", user, (double)NAN, (double)NAN);
    made_all(m, "measure", "rusage", "process", "cpu_system", system, (double)NAN, (double)NAN);
    made_all(m, "measure", "foreign", "node", "supervisor_cpu", supervisor, (double)NAN, (double)NAN);
    made_all(m, "measure", "foreign", "node", "foreign_cpu", foreign, (double)NAN, (double)NAN);
}

/* Of two meters each has a gain of its own, and the difference of each is scaled by it. Taken as one, two
 * gains that belong to different meters would cancel. */
static void test_net_two_meters(void **state)
{
    (void)state;
    const double z = 1.959963984540054;
    made_init(&made, 6);
    made_all(&made, "measure", "powercap", "package", "energy_package_0", 100, 0, 0.05);
    made_all(&made, "measure", "nvml", "device", "energy_gpu_0", 60, 0, 0.1);
    idle(&made, 1, 1, 0); /* 10 J of the package, 50 J of the device */
    made_all(&made, "idle_before", "nvml", "device", "energy_gpu_0", 25, 0, 0.1);
    made_all(&made, "idle_after", "nvml", "device", "energy_gpu_0", 25, 0, 0.1);
    derive();
    double half = z * hypot(0.05 * 90, 0.1 * 10);
    made_expect(&figures, "energy_net", 100);
    assert_true(fabs(made_get(&figures, "energy_net")->high - (100 + half)) < 1e-6);
    half = z * hypot(0.05 * 1, 0.1 * 5);
    made_expect(&figures, "idle_power", 6);
    assert_true(fabs(made_get(&figures, "idle_power")->high - (6 + half)) < 1e-6);
    /* package and dram on two meters: what is shared out of them is as unsure */
    made_init(&made, 6);
    made_all(&made, "measure", "powercap", "package", "energy_package_0", 100, 0, 0.05);
    made_all(&made, "measure", "hwmon", "dram", "energy_dram_0", 60, 0, 0.1);
    idle(&made, 1, 1, 0);
    made_all(&made, "idle_before", "hwmon", "dram", "energy_dram_0", 25, 0, 0.1);
    made_all(&made, "idle_after", "hwmon", "dram", "energy_dram_0", 25, 0, 0.1);
    cpu(&made, 5, 0, 0, 37.5); /* 5 s of ours, 15 s of others */
    derive();
    half = z * 0.25 * hypot(0.05 * 90, 0.1 * 10);
    made_expect(&figures, "energy_process", 25);
    assert_true(fabs(made_get(&figures, "energy_process")->high - (25 + half)) < 1e-6);
}

static void test_process(void **state)
{
    (void)state;
    made_init(&made, 6);
    two_domains(&made, 100, 0.0 + 20);
    idle(&made, 4, 4, 0.01);
    made_all(&made, "idle_before", "powercap", "dram", "energy_dram_0", 5, 0.01, 0.05);
    made_all(&made, "idle_after", "powercap", "dram", "energy_dram_0", 5, 0.01, 0.05);
    cpu(&made, 4, 1, 12.5, 25); /* 5 s of ours, 5 s of the supervisor, 10 s of others */
    derive();
    made_expect(&figures, "energy_process", (120 - 50) * 0.25);
    assert_string_equal(made_get(&figures, "energy_process")->scope, "process");
    assert_non_null(strstr(made_get(&figures, "energy_process")->flags, "CPU_SHARE"));
    /* less than idle: nothing to share, and no negative share */
    for (size_t i = 0; i < 6; i++) {
        made_find(&made, i, "measure", "energy_package_0")->value = 25;
    }
    derive();
    made_expect_absent(&figures, "energy_process", "less than idle");
    made_find(&made, 0, "measure", "foreign_cpu")->absent = "the phase is shorter than half a second";
    for (size_t i = 0; i < 6; i++) {
        made_find(&made, i, "measure", "energy_package_0")->value = 100;
    }
    derive();
    made_expect_absent(&figures, "energy_process", "shorter than half a second");
}

/* What is doubtful about idle is so about what is left when it is subtracted; the energy of the measure phase
 * is no part of idle power. */
static void test_idle_doubts(void **state)
{
    static const char *const after[] = {"energy_net", "energy_process"};
    (void)state;
    made_init(&made, 6);
    made_all(&made, "measure", "powercap", "package", "energy_package_0", 100, 0.3, 0.05);
    idle(&made, 4, 4, 0.01);
    cpu(&made, 4, 1, 12.5, 1);
    made_find(&made, 1, "measure", "energy_package_0")->flags = "MIRRORED";
    made_find(&made, 2, "idle_before", "energy_package_0")->flags = "FILTERED";
    made_find(&made, 3, "idle_after", "energy_package_0")->kind = "modelled";
    made_all(&made, "idle_before", "powercap", "package", "energy_package_0_period", 5.0 / 40, 0, 0);
    made_all(&made, "idle_after", "machine", "node", "node_foreign_cpu", 30, 0, 0);
    made_all(&made, "measure", "machine", "node", "steal", 30, 0, 0);
    derive();
    assert_string_equal(made_get(&figures, "idle_power")->flags, "SHORT_WINDOW,FILTERED,FOREIGN_CPU");
    assert_int_equal(made_get(&figures, "idle_power")->kind, TARE_KIND_MODELLED);
    for (size_t i = 0; i < 2; i++) {
        const struct made_figure *f = made_get(&figures, after[i]);
        assert_non_null(strstr(f->flags, "MIRRORED"));
        assert_non_null(strstr(f->flags, "FILTERED"));
        assert_non_null(strstr(f->flags, "SHORT_WINDOW"));
        assert_non_null(strstr(f->flags, "FOREIGN_CPU"));
        assert_non_null(strstr(f->flags, "STEAL"));
        assert_int_equal(f->kind, TARE_KIND_MODELLED);
    }
    assert_string_equal(made_get(&figures, "energy")->flags, "MIRRORED,STEAL");
    assert_int_equal(made_get(&figures, "energy")->kind, TARE_KIND_MEASURED);
}

static void test_shares(void **state)
{
    double share[3], cpu_s[] = {1, 3, 0};
    (void)state;
    assert_true(tare_energy_shares(500, 400, 100, cpu_s, 3, share));
    assert_true(fabs(share[1] / share[0] - 3) <= 0.03);
    assert_true(fabs(share[0] - 100) < 1e-9 && fabs(share[1] - 300) < 1e-9 && share[2] == 0);
    /* Scaphandre: the sum of the processes was not what the host drew */
    assert_true(fabs(share[0] + share[1] + share[2] + 100 - 500) <= 1e-3 * 500);
    const double odd[] = {0.123, 7.7, 1e-9};
    assert_true(tare_energy_shares(77.7, 74.4, 3.3, odd, 3, share));
    assert_true(fabs(share[0] + share[1] + share[2] + 3.3 - 77.7) <= 1e-3 * 77.7);
    const double bad[][2] = {{-1, 2}, {0, 0}, {(double)NAN, 1}};
    for (size_t i = 0; i < 3; i++) {
        assert_false(tare_energy_shares(500, 400, 100, bad[i], 2, share));
    }
    assert_false(tare_energy_shares(90, -10, 100, cpu_s, 3, share));
    assert_false(tare_energy_shares((double)NAN, (double)NAN, 100, cpu_s, 3, share));
    /* what was shared out is not what the meter read: of one pass against all of them, say */
    assert_false(tare_energy_shares(500, 40, 100, cpu_s, 3, share));
    assert_false(tare_energy_shares(500, 400, 10, cpu_s, 3, share));
    assert_false(tare_energy_shares(500, 400.6, 100, cpu_s, 3, share));
    assert_true(tare_energy_shares(500, 400.4, 100, cpu_s, 3, share));
    assert_false(tare_energy_shares((double)NAN, 400, 100, cpu_s, 3, share));
}

/* Kepler: idle as what is left over at full load goes to 0; the run's own load must not touch it. */
static void test_idle_at_full_load(void **state)
{
    static const double busy_s[] = {0.4, 20, 40}; /* of 40 CPU seconds */
    (void)state;
    for (size_t i = 0; i < sizeof busy_s / sizeof *busy_s; i++) {
        made_init(&made, 6);
        made_all(&made, "measure", "powercap", "package", "energy_package_0", 100 + 10 * busy_s[i], 0.3,
                 0.05);
        idle(&made, 4, 4, 0.01);
        cpu(&made, busy_s[i], 0, 0, 0);
        derive();
        made_expect(&figures, "idle_power", 4);
        made_expect(&figures, "energy_net", 60 + 10 * busy_s[i]);
        made_expect(&figures, "energy_process", 60 + 10 * busy_s[i]);
    }
}

/* Kepler: idle stuck at the largest ever seen; each repeat has its own. */
static void test_idle_not_stuck(void **state)
{
    (void)state;
    made_init(&made, 7);
    made_all(&made, "measure", "powercap", "package", "energy_package_0", 1000, 0.3, 0.05);
    idle(&made, 4, 4, 0.01);
    made_find(&made, 0, "idle_before", "energy_package_0")->value = 5 * 90;
    made_find(&made, 0, "idle_after", "energy_package_0")->value = 5 * 90;
    derive();
    made_expect(&figures, "idle_power", 4);
    made_expect(&figures, "energy_net", 960);
    assert_true(made_get(&figures, "energy_net")->low < 110); /* the odd repeat is in the spread */
}

static void link_base(void)
{
    made.e.baseline = &base.e;
    made.e.baseline_name = "plain";
}

static void test_ratio(void **state)
{
    const double z = 1.959963984540054;
    (void)state;
    made_init(&made, 6);
    made_init(&base, 6);
    two_domains(&made, 50, 10);
    two_domains(&base, 100, 20);
    link_base();
    derive();
    const struct made_figure *f = made_get(&figures, "energy_ratio");
    made_expect(&figures, "energy_ratio", 0.5);
    double half = z * 0.5 * hypot(0.5 / 60, 0.5 / 120); /* no gain: it cancels */
    assert_true(fabs(f->high - (0.5 + half)) < 1e-9);
    assert_null(strstr(f->flags, "GAIN_DIFFERS"));
    assert_null(strstr(f->method, "gain"));
    assert_non_null(strstr(f->source, "this over plain"));
    /* on another meter it does not */
    made_init(&made, 6);
    made_all(&made, "measure", "perf_power", "package", "energy_package_0", 50, 0.3, 0.05);
    made_all(&made, "measure", "perf_power", "dram", "energy_dram_0", 10, 0.4, 0.05);
    link_base();
    derive();
    f = made_get(&figures, "energy_ratio");
    half = z * 0.5 * sqrt(pow(0.5 / 60, 2) + pow(0.5 / 120, 2) + 2 * 0.0025);
    assert_true(fabs(f->high - (0.5 + half)) < 1e-9);
    assert_non_null(strstr(f->flags, "GAIN_DIFFERS"));
    /* what covers something else is not compared */
    made_init(&made, 6);
    made_all(&made, "measure", "powercap", "package", "energy_package_0", 50, 0.3, 0.05);
    link_base();
    derive();
    made_expect_absent(&figures, "energy_ratio", "another scope");
    made.e.baseline = NULL;
    derive();
    made_expect_absent(&figures, "energy_ratio", "the baseline has no such task");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_per_what),
        cmocka_unit_test(test_interval),
        cmocka_unit_test(test_absence),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_net),
        cmocka_unit_test(test_net_interval),
        cmocka_unit_test(test_net_two_meters),
        cmocka_unit_test(test_process),
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_idle_doubts),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_idle_at_full_load),
        cmocka_unit_test(test_idle_not_stuck),
        cmocka_unit_test(test_ratio),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
