/* SPDX-License-Identifier: Apache-2.0 */
/* Batteries in a fake tree: three ways to tell what flows out, and when nothing may be told. */
#include "fake_powercap.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

extern const struct tare_meter tare_meter_battery;

/* One battery of 10 W for 600 s, asked every second: what it tells, and what must come of it. */
struct row {
    const char *what;
    bool energy, charge, power, current;
    const char *status, *later, *mains; /* later: the status half-way; mains: its `online`, NULL: none */
    const char *absent, *source;
};

static const struct row rows[] = {
    {"energy_now", true, false, true, false, "Discharging", NULL, "0", NULL, "energy_now"},
    {"charge_now", false, true, false, true, "Discharging", NULL, NULL, NULL, "charge_now"},
    {"power_now", false, false, true, false, "Discharging", NULL, NULL, NULL, "power_now"},
    {"current_now", false, false, false, true, "Discharging", NULL, NULL, NULL, "current_now"},
    {"charging", true, false, true, false, "Charging", NULL, NULL, "did not discharge", NULL},
    {"full", true, false, true, false, "Full", NULL, NULL, "did not discharge", NULL},
    {"plugged in half-way", true, false, true, false, "Discharging", "Charging", NULL, "did not discharge",
     NULL},
    {"on mains as well", true, false, true, false, "Discharging", NULL, "1", "mains", NULL},
    {"tells nothing", false, false, false, false, "Discharging", NULL, NULL, "neither", NULL},
};

static void put(const struct fake *f, const char *file, double value)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%.0f\n", value);
    fake_put(f, "BAT0", file, text);
}

/* 10 W at 12 V; the gauge steps by 10 mWh. */
static void drain(const struct fake *f, const struct row *row, double seconds)
{
    double left_uwh = 40e6 - floor(10 * seconds / 3600 * 1e6 / 10000) * 10000;
    double jitter = (long)seconds % 2 ? 1.001 : 0.999; /* a sensor that never changes may have stopped */
    if (row->energy) {
        put(f, "energy_now", left_uwh);
    }
    if (row->charge) {
        put(f, "charge_now", left_uwh / 12);
    }
    if (row->power) {
        put(f, "power_now", jitter * 10e6);
    }
    if (row->current) {
        put(f, "current_now", -jitter * 10e6 / 12);
    }
    put(f, "voltage_now", 12e6);
}

static void make_tree(struct fake *f, const struct row *row)
{
    fake_begin(f);
    fake_folder(f, "BAT0");
    fake_put(f, "BAT0", "type", "Battery\n");
    fake_put(f, "BAT0", "status", row->status);
    fake_folder(f, "hidpp_battery_0");
    fake_put(f, "hidpp_battery_0", "type", "Battery\n");
    fake_put(f, "hidpp_battery_0", "scope", "Device\n");
    if (row->mains) {
        fake_folder(f, "AC");
        fake_put(f, "AC", "type", "Mains\n");
        fake_put(f, "AC", "online", row->mains);
    }
    drain(f, row, 0);
}

static void open_fake(struct fake *f, struct bench *b)
{
    static struct tare_meter ops;
    const char *const options[] = {"root", f->root, NULL};
    ops = tare_meter_battery;
    ops.probe = NULL;
    bench_open(b, &ops, options);
}

static void run_row(const struct row *row)
{
    struct fake f;
    struct bench b;
    struct sink s;
    make_tree(&f, row);
    open_fake(&f, &b);
    sink_init(&s);
    b.ops->begin(b.self);
    for (int i = 1; i <= 600; i++) {
        fake_pass(&f, 1);
        drain(&f, row, i);
        if (i == 300 && row->later) {
            fake_put(&f, "BAT0", "status", row->later);
        }
        b.ops->sample(b.self);
    }
    b.ops->end(b.self, &s.to);
    assert_int_equal(s.n, 1); /* not the mouse */
    if (row->absent) {
        fake_expect_absent(&s, "energy_battery_bat0", row->absent);
    } else {
        fake_expect(&s, "energy_battery_bat0", 6000, 1e-2);
        const struct sink_reading *r = sink_get(&s, "energy_battery_bat0");
        assert_true(fabs(r->value - 6000) < 3 * (r->u + 3.6)); /* the gauge's own grain: 10 mWh */
        assert_non_null(strstr(r->source, row->source));
        assert_true(fake_has_flag(r, "SAMPLED"));
        assert_string_equal(r->scope, "battery");
        assert_true(isnan(r->gain));
    }
    print_message("  %-20s %g J %s\n", row->what, s.list[0].value, s.list[0].why);
    bench_close(&b);
    fake_end(&f);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        run_row(&rows[i]);
    }
}

/* Too short for the gauge: power_now if there is one, else nothing. */
static void test_short(void **state)
{
    (void)state;
    for (int with_power = 0; with_power < 2; with_power++) {
        struct fake f;
        struct bench b;
        struct sink s;
        struct row row = rows[0];
        row.power = with_power;
        make_tree(&f, &row);
        open_fake(&f, &b);
        fake_phase(&f, &b, &s, 4, 0.5);
        if (with_power) {
            assert_true(fabs(sink_get(&s, "energy_battery_bat0")->value - 20) < 0.1);
            assert_true(isnan(sink_get(&s, "energy_battery_bat0")->u)); /* it did not change in 2 s */
        } else {
            fake_expect_absent(&s, "energy_battery_bat0", "longer");
        }
        bench_close(&b);
        fake_end(&f);
    }
}

static void test_nothing_there(void **state)
{
    struct fake f;
    struct bench b;
    (void)state;
    fake_begin(&f);
    open_fake(&f, &b);
    assert_null(b.self);
    assert_non_null(strstr(b.why, "no battery"));
    fake_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_short),
                                       cmocka_unit_test(test_nothing_there)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
