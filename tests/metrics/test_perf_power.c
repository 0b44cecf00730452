/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The perf device `power` on a fake sysfs. What is read of it is a table; what is counted is the kernel's
 * CPU clock under the name of an energy event: 1 ns is 1e-9 J, so a CPU draws 1 W and the truth is the time.
 */
#include "fake_powercap.h"
#include "now.h"
#include "perf_power_events.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct tare_meter tare_meter_perf_power;

static const char power_dir[] = "bus/event_source/devices/power";

static void test_cpus(void **state)
{
    static const struct {
        const char *text;
        int n, last;
    } cases[] = {{"0", 1, 0},
                 {"0,18", 2, 18},
                 {"0-3,8\n", 5, 8},
                 {"", -EINVAL, 0},
                 {"3-1", -EINVAL, 0},
                 {"0-9999", -EINVAL, 0},
                 {"a", -EINVAL, 0},
                 {"1,", -EINVAL, 0},
                 {"1 2", -EINVAL, 0},
                 {"-1", -EINVAL, 0},
                 {"99999999999999999999", -EINVAL, 0}};
    int cpus[16];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int n = tare_perf_cpus(cases[i].text, cpus, 16);
        if (n != cases[i].n || (n > 0 && cpus[n - 1] != cases[i].last)) {
            fail_msg("\"%s\": %d", cases[i].text, n);
        }
    }
}

static void test_config(void **state)
{
    uint64_t config = 0;
    (void)state;
    assert_true(tare_perf_config("event=0x02", &config) && config == 2);
    assert_true(tare_perf_config("config=5", &config) && config == 5);
    assert_false(tare_perf_config("event=0x02,umask=1", &config));
    assert_false(tare_perf_config("event=", &config));
    assert_false(tare_perf_config("event=-1", &config));
    assert_false(tare_perf_config("0x02", &config));
}

static void put_event(const struct fake *f, const char *dir, const char *event, const char *config,
                      const char *scale, const char *unit)
{
    char file[96];
    (void)snprintf(file, sizeof file, "events/%s", event);
    fake_put(f, dir, file, config);
    (void)snprintf(file, sizeof file, "events/%s.scale", event);
    fake_put(f, dir, file, scale);
    (void)snprintf(file, sizeof file, "events/%s.unit", event);
    fake_put(f, dir, file, unit);
}

static void put_cpu(const struct fake *f, int cpu, const char *package, const char *die, const char *core)
{
    char dir[96];
    (void)snprintf(dir, sizeof dir, "devices/system/cpu/cpu%d/topology", cpu);
    fake_folder(f, dir);
    fake_put(f, dir, "physical_package_id", package);
    fake_put(f, dir, "die_id", die);
    fake_put(f, dir, "core_id", core);
}

static void put_device(const struct fake *f, const char *dir, const char *type, const char *cpumask)
{
    char events[96];
    (void)snprintf(events, sizeof events, "%s/events", dir);
    fake_folder(f, events);
    fake_put(f, dir, "type", type);
    fake_put(f, dir, "cpumask", cpumask);
}

/* Two sockets; a cpumask that names two CPUs of one package gives that package once. */
static void test_find(void **state)
{
    struct fake f;
    static struct tare_perf_events e;
    struct tare_err err = {0};
    (void)state;
    fake_begin(&f);
    put_device(&f, power_dir, "9\n", "0,1,18\n");
    put_event(&f, power_dir, "energy-pkg", "event=0x02\n", "2.3283064365386962890625e-10\n", "Joules\n");
    put_event(&f, power_dir, "energy-ram", "event=0x03\n", "1.52587890625e-05\n", "Joules\n");
    put_event(&f, power_dir, "energy-gpu", "event=0x04\n", "1e-9\n", "Volts\n");
    put_event(&f, power_dir, "energy-psys", "event=0x05\n", "nonsense\n", "Joules\n");
    put_event(&f, power_dir, "energy-lamp", "event=0x06\n", "1e-9\n", "Joules\n");
    put_cpu(&f, 0, "0", "0", "0");
    put_cpu(&f, 1, "0", "0", "1");
    put_cpu(&f, 18, "1", "0", "0");
    put_device(&f, "bus/event_source/devices/power_core", "10\n", "0-1\n");
    put_event(&f, "bus/event_source/devices/power_core", "energy-core", "event=0x01\n", "1e-9\n", "Joules\n");
    assert_int_equal(tare_perf_events_find(f.root, "/dev/null", &e, &err), 0);
    static const struct {
        const char *channel, *scope, *source;
        int cpu;
        uint32_t type;
        double scale;
    } want[] = {{"package_0", "package", "perf power/energy-pkg", 0, 9, 2.3283064365386962890625e-10},
                {"package_1", "package", "perf power/energy-pkg", 18, 9, 2.3283064365386962890625e-10},
                {"package_0_dram", "dram", "perf power/energy-ram", 0, 9, 1.52587890625e-05},
                {"package_1_dram", "dram", "perf power/energy-ram", 18, 9, 1.52587890625e-05},
                {"package_0_core", "core", "perf power_core/energy-core", 0, 10, 1e-9},
                {"package_0_core", "core", "perf power_core/energy-core", 1, 10, 1e-9}};
    assert_int_equal(e.n, sizeof want / sizeof *want);
    for (size_t i = 0; i < e.n; i++) {
        assert_string_equal(e.list[i].channel, want[i].channel);
        assert_string_equal(e.list[i].scope, want[i].scope);
        assert_string_equal(e.list[i].source, want[i].source);
        assert_int_equal(e.list[i].cpu, want[i].cpu);
        assert_int_equal(e.list[i].type, want[i].type);
        assert_true(fabs(e.list[i].scale - want[i].scale) < 1e-15);
    }
    fake_end(&f);
}

/* The cpumask has a CPU of every die: a package of AMD has one counter behind all of them, Intel's dies have
 * one each. */
static void test_dies(void **state)
{
    static const struct {
        const char *cpuinfo;
        size_t n_events;
        const char *last;
    } cases[] = {{"vendor_id\t: AuthenticAMD\n", 2, "package_1"},
                 {"vendor_id\t: HygonGenuine\n", 2, "package_1"},
                 {"vendor_id\t: GenuineIntel\n", 5, "package_1"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fake f;
        static struct tare_perf_events e;
        struct tare_err err = {0};
        char cpuinfo[128];
        fake_begin(&f);
        (void)snprintf(cpuinfo, sizeof cpuinfo, "%s/cpuinfo", f.root);
        fake_put(&f, ".", "cpuinfo", cases[i].cpuinfo);
        put_device(&f, power_dir, "9\n", "0,8,16,24,32\n");
        put_event(&f, power_dir, "energy-pkg", "event=0x02\n", "2.3283064365386962890625e-10\n", "Joules\n");
        put_cpu(&f, 0, "0", "0", "0");
        put_cpu(&f, 8, "0", "1", "0");
        put_cpu(&f, 16, "0", "2", "0");
        put_cpu(&f, 24, "0", "3", "0");
        put_cpu(&f, 32, "1", "0", "0");
        assert_int_equal(tare_perf_events_find(f.root, cpuinfo, &e, &err), 0);
        assert_int_equal(e.n, cases[i].n_events);
        assert_string_equal(e.list[0].channel, "package_0");
        assert_string_equal(e.list[e.n - 1].channel, cases[i].last);
        fake_end(&f);
    }
}

static void test_not_there(void **state)
{
    struct fake f;
    static struct tare_perf_events e;
    struct tare_err err = {0};
    (void)state;
    fake_begin(&f);
    assert_true(tare_perf_events_find(f.root, "/dev/null", &e, &err) < 0);
    assert_non_null(strstr(err.msg, "no perf events of energy"));
    put_device(&f, power_dir, "9\n", "");
    assert_true(tare_perf_events_find(f.root, "/dev/null", &e, &err) < 0);
    assert_non_null(strstr(err.msg, "once a CPU"));
    put_device(&f, power_dir, "9\n", "0");
    assert_true(tare_perf_events_find(f.root, "/dev/null", &e, &err) < 0);
    assert_non_null(strstr(err.msg, "no event of energy"));
    fake_end(&f);
}

static bool can_perf(void)
{
    struct perf_event_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.size = sizeof attr;
    attr.type = PERF_TYPE_SOFTWARE;
    long fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0);
    if (fd >= 0) {
        close((int)fd);
    }
    return fd >= 0;
}

static void open_fake(struct fake *f, struct bench *b)
{
    static struct tare_meter ops;
    const char *const options[] = {"root", f->root, NULL};
    ops = tare_meter_perf_power;
    ops.probe = NULL;
    bench_open(b, &ops, options);
}

/* Opened, read, added up and closed, by the kernel itself. */
static void test_counts(void **state)
{
    struct fake f;
    struct bench b;
    struct sink s;
    (void)state;
    if (!can_perf()) {
        print_message("  perf events are not permitted here\n");
        skip();
    }
    fake_begin(&f);
    tare_now_replace(NULL, NULL); /* the kernel's time */
    put_device(&f, power_dir, "1\n", "0\n");
    put_event(&f, power_dir, "energy-pkg", "event=0x00\n", "1e-9\n", "Joules\n");
    open_fake(&f, &b);
    assert_non_null(b.self);
    sink_init(&s);
    int64_t begin_ns = tare_now_ns();
    b.ops->begin(b.self);
    for (int i = 0; i < 5; i++) {
        usleep(40000);
        b.ops->sample(b.self);
    }
    b.ops->end(b.self, &s.to);
    double seconds = (double)(tare_now_ns() - begin_ns) / 1e9;
    fake_expect(&s, "energy_cpu_0", seconds, 0.01);
    const struct sink_reading *r = sink_get(&s, "energy_cpu_0");
    print_message("  1 W for %.4f s: %.4f J, u %.2g J\n", seconds, r->value, r->u);
    assert_string_equal(r->scope, "package");
    bench_close(&b);
    fake_end(&f);
}

/* An event that opens and never moves (CPU migrations of nothing) is not usable; one that the kernel does not
 * know is told by its error. */
static void test_opens_but_counts_nothing(void **state)
{
    struct fake f;
    struct bench b;
    (void)state;
    if (!can_perf()) {
        skip();
    }
    fake_begin(&f);
    tare_now_replace(NULL, NULL);
    put_device(&f, power_dir, "1\n", "0\n");
    put_event(&f, power_dir, "energy-pkg", "event=0x09\n", "1e-9\n", "Joules\n"); /* dummy: never counts */
    open_fake(&f, &b);
    assert_null(b.self);
    assert_non_null(strstr(b.why, "does not count"));
    put_event(&f, power_dir, "energy-pkg", "event=0x77\n", "1e-9\n", "Joules\n");
    open_fake(&f, &b);
    assert_null(b.self);
    assert_non_null(strstr(b.why, "listed, but"));
    fake_end(&f);
}

static void test_here(void **state)
{
    char why[512] = "";
    (void)state;
    int r = tare_meter_perf_power.probe(why, sizeof why);
    assert_true(r == 0 || why[0]);
    print_message("  here: %s\n", r == 0 ? "usable" : why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cpus),
        cmocka_unit_test(test_config),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_dies),
        cmocka_unit_test(test_not_there),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_opens_but_counts_nothing),
        cmocka_unit_test(test_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
