/* SPDX-License-Identifier: Apache-2.0 */
/* Sensors of hwmon in a fake tree: what each covers, counters, powers, and what goes wrong. */
#include "fake_powercap.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct tare_meter tare_meter_hwmon;

static void open_fake(struct fake *f, struct bench *b)
{
    static struct tare_meter ops;
    const char *const options[] = {"root", f->root, NULL};
    ops = tare_meter_hwmon;
    ops.probe = NULL;
    bench_open(b, &ops, options);
}

static void put(const struct fake *f, const char *chip, const char *file, double value)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%.0f\n", value);
    fake_put(f, chip, file, text);
}

static void put_chip(const struct fake *f, const char *chip, const char *driver)
{
    fake_folder(f, chip);
    fake_put(f, chip, "name", driver);
}

/* One chip a row: its sensor, and the reading that must come of it with its scope. */
static void test_scopes(void **state)
{
    static const struct {
        const char *driver, *file, *label_file, *label, *reading, *scope;
    } rows[] = {
        {"amd_energy", "energy1_input", "energy1_label", "Esocket0", "energy_amd_energy_0_energy1",
         "package"},
        {"amd_energy", "energy1_input", "energy1_label", "Ecore000", NULL, NULL},
        {"amdgpu", "power1_average", "power1_label", "PPT", "energy_amdgpu_2_power1", "apu"},
        {"amdgpu", "power1_average", "power1_label", "slowPPT", "energy_amdgpu_3_power1", "apu"},
        {"xe", "energy1_input", "energy1_label", "card", "energy_xe_4_energy1", "device"},
        {"xe", "energy2_input", "energy2_label", "pkg", "energy_xe_5_energy2", "device_part"},
        {"i915", "energy1_input", NULL, NULL, "energy_i915_6_energy1", "device"},
        {"power_meter", "power1_average", NULL, NULL, "energy_power_meter_7_power1", "node"},
        {"ina3221", "power1_input", "power1_label", "VDD_IN", "energy_ina3221_8_power1", "sensor"},
        {"", "power1_input", NULL, NULL, "energy__9_power1", "sensor"},
        {"BAT0", "power1_input", NULL, NULL, "energy_bat0_10_power1", "sensor"},
    };
    const size_t n = sizeof rows / sizeof *rows;
    struct fake f;
    struct bench b;
    struct sink s;
    size_t n_want = 0;
    (void)state;
    fake_begin(&f);
    for (size_t i = 0; i < n; i++) {
        char chip[16];
        (void)snprintf(chip, sizeof chip, "hwmon%d", (int)i);
        put_chip(&f, chip, rows[i].driver);
        put(&f, chip, rows[i].file, 5e6);
        if (rows[i].label_file) {
            fake_put(&f, chip, rows[i].label_file, rows[i].label);
        }
    }
    open_fake(&f, &b);
    fake_phase(&f, &b, &s, 20, 0.1);
    for (size_t i = 0; i < n; i++) {
        if (!rows[i].reading) {
            continue;
        }
        n_want += strncmp(rows[i].file, "energy", 6) == 0 ? 2 : 1; /* a counter has its period */
        const struct sink_reading *r = sink_get(&s, rows[i].reading);
        assert_string_equal(r->scope, rows[i].scope);
        assert_string_equal(r->unit, "J");
    }
    assert_int_equal(s.n, n_want);
    /* 5 W that never change, twenty samples: right, and suspect; a counter that stands still is absent. */
    assert_true(fabs(sink_get(&s, "energy_amdgpu_2_power1")->value - 10) <
                0.2); /* 21 reads take their time */
    assert_true(isnan(sink_get(&s, "energy_amdgpu_2_power1")->u));
    assert_true(fake_has_flag(sink_get(&s, "energy_amdgpu_2_power1"), "INTERVAL_UNKNOWN"));
    assert_true(fake_has_flag(sink_get(&s, "energy_amdgpu_2_power1"), "STUCK"));
    assert_true(fake_has_flag(sink_get(&s, "energy_amdgpu_2_power1"), "SAMPLED"));
    assert_true(isnan(sink_get(&s, "energy_amdgpu_2_power1")->gain));
    fake_expect_absent(&s, "energy_i915_6_energy1", "stood still");
    bench_close(&b);
    fake_end(&f);
}

/* A driver's PPT is the card's on a card and the socket's on an APU, whose joules the package has already:
 * only a card has a power1_cap, but for those APUs that have one as well and are told by label or number. */
static void test_amdgpu(void **state)
{
    static const struct {
        const char *file, *label, *pci;
        bool has_cap;
        const char *scope;
    } rows[] = {{"power1_average", "PPT", "0x744c\n", true, "device"},
                {"power1_average", "PPT", "0x15bf\n", false, "apu"},
                {"power1_input", "PPT", "0x15bf\n", false, "apu"},
                {"power1_average", "PPT", "0x74a1\n", true, "device"},
                {"power1_average", "PPT", "0x74a0\n", true, "apu"},
                {"power1_average", "slowPPT", "0x163f\n", true, "apu"},
                {"power1_average", "PPT", NULL, true, "device"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fake f;
        struct bench b;
        struct sink s;
        fake_begin(&f);
        put_chip(&f, "hwmon0", "amdgpu");
        put(&f, "hwmon0", rows[i].file, 20e6);
        fake_put(&f, "hwmon0", "power1_label", rows[i].label);
        if (rows[i].has_cap) {
            put(&f, "hwmon0", "power1_cap", 300e6);
        }
        if (rows[i].pci) {
            fake_folder(&f, "hwmon0/device");
            fake_put(&f, "hwmon0/device", "device", rows[i].pci);
        }
        open_fake(&f, &b);
        fake_phase(&f, &b, &s, 5, 0.1);
        if (strcmp(sink_get(&s, "energy_amdgpu_0_power1")->scope, rows[i].scope) != 0) {
            fail_msg("row %zu: scope %s", i, sink_get(&s, "energy_amdgpu_0_power1")->scope);
        }
        bench_close(&b);
        fake_end(&f);
    }
}

/* A card with a counter and a power: only one of them may add up. */
static void test_one_device_a_chip(void **state)
{
    struct fake f;
    struct bench b;
    struct sink s;
    (void)state;
    fake_begin(&f);
    put_chip(&f, "hwmon0", "xe");
    put(&f, "hwmon0", "energy1_input", 1e6);
    put(&f, "hwmon0", "power1_input", 30e6);
    open_fake(&f, &b);
    fake_phase(&f, &b, &s, 5, 0.1);
    assert_string_equal(sink_get(&s, "energy_xe_0_energy1")->scope, "device");
    assert_string_equal(sink_get(&s, "energy_xe_0_power1")->scope, "device_part");
    bench_close(&b);
    fake_end(&f);
}

/* A ramp of power, an average over a second before the instant, a counter, and a reset of it. */
static void test_integrals(void **state)
{
    struct fake f;
    struct bench b;
    struct sink s;
    (void)state;
    fake_begin(&f);
    put_chip(&f, "hwmon0", "amdgpu");
    put(&f, "hwmon0", "power1_average", 100e6);
    put(&f, "hwmon0", "power1_input", 1e6);
    put(&f, "hwmon0", "power1_average_interval", 1000);
    put_chip(&f, "hwmon1", "i915");
    put(&f, "hwmon1", "energy1_input", 7e6);
    open_fake(&f, &b);
    sink_init(&s);
    b.ops->begin(b.self);
    for (int i = 1; i <= 100; i++) {
        fake_pass(&f, 0.1);
        put(&f, "hwmon0", "power1_average", 100e6 + i * 1e6);
        put(&f, "hwmon1", "energy1_input", 7e6 + i * 2e6);
        b.ops->sample(b.self);
    }
    b.ops->end(b.self, &s.to);
    const struct sink_reading *r = sink_get(&s, "energy_amdgpu_0_power1");
    fake_expect(&s, "energy_amdgpu_0_power1", 1500, 5e-3);
    assert_non_null(strstr(r->source, "power1_average"));
    assert_true(r->u > 90 && r->u < 110); /* 100 W more at the end than at the begin, late by a second */
    fake_expect(&s, "energy_i915_1_energy1", 200, 1e-3);
    b.ops->begin(b.self);
    fake_pass(&f, 0.1);
    put(&f, "hwmon1", "energy1_input", 5);
    sink_init(&s);
    b.ops->end(b.self, &s.to);
    fake_expect_absent(&s, "energy_i915_1_energy1", "RESET");
    bench_close(&b);
    fake_end(&f);
}

/* Fails at the end; fails between; gone silent; absurd; 0 W. */
static void test_faults(void **state)
{
    static const struct {
        const char *at_middle, *at_end, *absent, *flag;
        double silence_s;
    } rows[] = {{"x", "50000000", NULL, "READ_ERROR", 0},
                {"50000000", "x", "READ_ERROR", "READ_ERROR", 0},
                {"-5", "50000000", NULL, "READ_ERROR", 0},
                {"9000000000000", "50000000", NULL, "READ_ERROR", 0},
                {"50000000", "50000000", NULL, "SENSOR_GAP", 2},
                {"50000000", "50000000", "SENSOR_GAP", "SENSOR_GAP", 30}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fake f;
        struct bench b;
        struct sink s;
        fake_begin(&f);
        put_chip(&f, "hwmon0", "ina3221");
        put(&f, "hwmon0", "power1_input", 50e6);
        open_fake(&f, &b);
        sink_init(&s);
        b.ops->begin(b.self);
        for (int k = 0; k < 100; k++) {
            fake_pass(&f, k == 50 && rows[i].silence_s > 0 ? rows[i].silence_s : 0.1);
            fake_put(&f, "hwmon0", "power1_input",
                     k == 50   ? rows[i].at_middle
                     : k == 99 ? rows[i].at_end
                     : k % 2   ? "50010000"
                               : "49990000");
            b.ops->sample(b.self);
        }
        b.ops->end(b.self, &s.to);
        const struct sink_reading *r = sink_get(&s, "energy_ina3221_0_power1");
        assert_true(fake_has_flag(r, rows[i].flag));
        if (rows[i].absent) {
            fake_expect_absent(&s, r->name, rows[i].absent);
        } else {
            fake_expect(&s, r->name, 50 * (10 + rows[i].silence_s), 1.5e-2);
        }
        assert_true(r->absent || rows[i].silence_s <= 0 || r->u > 25); /* the gap is in the uncertainty */
        bench_close(&b);
        fake_end(&f);
    }
}

static void test_zero_and_nothing(void **state)
{
    struct fake f;
    struct bench b;
    struct sink s;
    (void)state;
    fake_begin(&f);
    open_fake(&f, &b);
    assert_null(b.self);
    assert_non_null(strstr(b.why, "no sensor of energy or power"));
    put_chip(&f, "hwmon0", "amdgpu");
    put(&f, "hwmon0", "power1_input", 0);
    open_fake(&f, &b);
    fake_phase(&f, &b, &s, 30, 0.1);
    fake_expect_absent(&s, "energy_amdgpu_0_power1", "0 W");
    bench_close(&b);
    fake_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_scopes),
                                       cmocka_unit_test(test_amdgpu),
                                       cmocka_unit_test(test_one_device_a_chip),
                                       cmocka_unit_test(test_integrals),
                                       cmocka_unit_test(test_faults),
                                       cmocka_unit_test(test_zero_and_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
