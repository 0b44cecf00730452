/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The meter of the machine on a made-up one: two packages of two cores with two threads each, whose files a
 * test changes between the edges of a phase. Every reading is driven by its file, and is absent, with a
 * reason, without it.
 */
#include "machine.h"
#include "sink.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct tare_meter tare_meter_machine;

static char root[] = "/tmp/tare-machine-XXXXXX";
static char sys_root[64], proc_root[64];

/* Writes a file below root and makes its folders. */
static void put(const char *path, const char *text)
{
    char full[400];
    (void)snprintf(full, sizeof full, "%s/%s", root, path);
    for (char *at = strchr(full + strlen(root) + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        assert_true(mkdir(full, 0700) == 0 || errno == EEXIST);
        *at = '/';
    }
    FILE *f = fopen(full, "w");
    assert_non_null(f);
    (void)fputs(text, f);
    (void)fclose(f);
}

static void put_cpu(int cpu, const char *file, const char *text)
{
    char path[200];
    (void)snprintf(path, sizeof path, "sys/devices/system/cpu/cpu%d/%s", cpu, file);
    put(path, text);
}

static void wipe(void)
{
    char command[100];
    (void)snprintf(command, sizeof command, "rm -rf %s/sys %s/proc", root, root);
    assert_int_equal(system(command), 0);
}

/* Ticks of the machine: user, idle, steal; of the worker 50 with its child, of us 60. */
static void put_ticks(int user, int idle, int steal, int worker, int child, int own)
{
    char text[400];
    (void)snprintf(text, sizeof text, "cpu  %d 0 0 %d 0 0 0 %d 0 0\ncpu0 1 2 3\n", user, idle, steal);
    put("proc/stat", text);
    (void)snprintf(text, sizeof text, "50 (a (b) c) S 1 1 1 0 -1 0 0 0 0 0 %d 0 0 0 20 0 1 0 5\n", worker);
    put("proc/50/stat", text);
    put("proc/50/task/50/children", "51 ");
    (void)snprintf(text, sizeof text, "51 (child) S 50 1 1 0 -1 0 0 0 0 0 0 %d 0 0 20 0 1 0 5\n", child);
    put("proc/51/stat", text);
    (void)snprintf(text, sizeof text, "60 (tare) S 1 1 1 0 -1 0 0 0 0 0 %d 0 7777 0 20 0 1 0 5\n", own);
    put("proc/self/stat", text);
}

static void put_pressure(const char *name, long some, long full)
{
    char path[64], text[300];
    (void)snprintf(path, sizeof path, "proc/pressure/%s", name);
    (void)snprintf(text, sizeof text,
                   "some avg10=0.00 avg60=0.00 avg300=0.00 total=%ld\nfull avg10=0.00 avg60=0.00 avg300=0.00 "
                   "total=%ld\n",
                   some, full);
    put(path, text);
}

static void put_machine(void)
{
    char text[32];
    wipe();
    for (int cpu = 0; cpu < 8; cpu++) { /* 0..3 package 0, threads 0 and 2, 1 and 3 share a core */
        (void)snprintf(text, sizeof text, "%d\n", cpu / 4);
        put_cpu(cpu, "topology/physical_package_id", text);
        (void)snprintf(text, sizeof text, "%d\n", cpu % 2);
        put_cpu(cpu, "topology/core_id", text);
        put_cpu(cpu, "thermal_throttle/core_throttle_count", "10\n");
        put_cpu(cpu, "thermal_throttle/package_throttle_count", "20\n");
        put_cpu(cpu, "cpufreq/scaling_cur_freq", "2000000\n");
    }
    put("sys/class/thermal/thermal_zone0/type", "acpitz\n");
    put("sys/class/thermal/thermal_zone0/temp", "99000\n");
    put("sys/class/thermal/thermal_zone1/type", "x86_pkg_temp\n");
    put("sys/class/thermal/thermal_zone1/temp", "45000\n");
    put("sys/class/thermal/thermal_zone2/type", "x86_pkg_temp\n");
    put("sys/class/thermal/thermal_zone2/temp", "41000\n");
    put("sys/class/power_supply/BAT0/type", "Battery\n");
    put("sys/class/power_supply/BAT0/status", "Full\n");
    put("sys/class/power_supply/mouse/type", "Battery\n");
    put("sys/class/power_supply/mouse/scope", "Device\n");
    put("sys/class/power_supply/mouse/status", "Discharging\n");
    put("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
    put_pressure("cpu", 100, 0);
    put_pressure("memory", 200, 5);
    put_pressure("io", 300, 6);
    put("proc/vmstat", "nr_free_pages 1\npswpin 7\npswpout 8\n");
    put("proc/loadavg", "1.50 1.00 0.50 4/200 999\n");
    put_ticks(1000, 5000, 10, 100, 30, 200);
}

static void open_meter(struct bench *b)
{
    const char *const options[] = {"sys", sys_root, "proc", proc_root, NULL};
    bench_open(b, &tare_meter_machine, options);
    assert_non_null(b->self);
}

static void assert_value(const struct sink *s, const char *name, double value)
{
    const struct sink_reading *r = sink_get(s, name);
    if (r->absent || fabs(r->value - value) > 1e-9 * (1 + fabs(value))) {
        fail_msg("%s: %g %s, not %g", name, r->value, r->why, value);
    }
}

static const char *const names[] = {"throttle_core",
                                    "throttle_package",
                                    "temperature_begin",
                                    "temperature_end",
                                    "temperature_max",
                                    "frequency_mean",
                                    "frequency_min",
                                    "psi_cpu_some",
                                    "psi_cpu_full",
                                    "psi_memory_some",
                                    "psi_memory_full",
                                    "psi_io_some",
                                    "psi_io_full",
                                    "swap_in_pages",
                                    "swap_out_pages",
                                    "load_average",
                                    "runnable_threads_mean",
                                    "runnable_threads_max",
                                    "node_steal",
                                    "node_foreign_cpu",
                                    "clock_step",
                                    "clocksource_ok",
                                    "on_battery"};
enum { n_names = sizeof names / sizeof *names };

/* A phase in which everything happens: each file is changed between its edges. */
static void test_busy_phase(void **state)
{
    struct bench b;
    struct sink s;
    (void)state;
    put_machine();
    open_meter(&b);
    b.ops->attach(b.self, 50);
    b.ops->begin(b.self);
    for (int cpu = 0; cpu < 8; cpu++) {
        put_cpu(cpu, "thermal_throttle/core_throttle_count", "13\n");
        put_cpu(cpu, "thermal_throttle/package_throttle_count", "25\n");
        put_cpu(cpu, "cpufreq/scaling_cur_freq", cpu ? "3000000\n" : "1000000\n");
    }
    put("sys/class/thermal/thermal_zone2/temp", "80500\n");
    put("proc/loadavg", "9.00 1.00 0.50 11/200 999\n");
    b.ops->sample(b.self);
    put("sys/class/thermal/thermal_zone2/temp", "52000\n");
    put("sys/class/power_supply/BAT0/status", "Discharging\n");
    put("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n");
    put_pressure("cpu", 1100, 1);
    put_pressure("memory", 2200, 25);
    put_pressure("io", 3300, 66);
    put("proc/vmstat", "nr_free_pages 1\npswpin 17\npswpout 8\n");
    /* 10,000 ticks: 4000 busy, of them 2000 the worker, 500 its child, 300 ours; 200 stolen. */
    put_ticks(5000, 10800, 210, 2100, 530, 500);
    sink_init(&s);
    b.ops->end(b.self, &s.to);
    assert_int_equal(s.n, n_names);
    static const double values[n_names] = {4 * 3.0,
                                           2 * 5.0,
                                           45,
                                           52,
                                           80.5,
                                           (8 * 2e9 + 2 * (7 * 3e9 + 1e9)) / 24,
                                           1e9,
                                           1000,
                                           1,
                                           2000,
                                           20,
                                           3000,
                                           60,
                                           10,
                                           0,
                                           1.5,
                                           (3 + 10 + 10) / 3.0,
                                           10,
                                           2,
                                           12,
                                           0,
                                           0,
                                           1};
    for (size_t i = 0; i < n_names; i++) {
        assert_value(&s, names[i], values[i]);
    }
    bench_close(&b);
}

/* A quiet one: what was counted before it is not counted again. */
static void test_quiet_phase(void **state)
{
    struct bench b;
    struct sink s;
    (void)state;
    put_machine();
    open_meter(&b);
    b.ops->attach(b.self, 50);
    b.ops->begin(b.self);
    put_ticks(1000, 105000, 10, 100, 30, 200);
    sink_init(&s);
    b.ops->end(b.self, &s.to);
    static const char *const zeros[] = {"throttle_core", "throttle_package", "psi_memory_full",
                                        "swap_in_pages", "node_steal",       "node_foreign_cpu",
                                        "clock_step",    "on_battery"};
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++) {
        assert_value(&s, zeros[i], 0);
    }
    assert_value(&s, "clocksource_ok", 1);
    bench_close(&b);
}

/* Nothing but what open needs: every other name is there, absent, with a reason. */
static void test_bare_machine(void **state)
{
    struct bench b;
    struct sink s;
    (void)state;
    wipe();
    put("proc/stat", "cpu  1 0 0 1 0 0 0 0 0 0\n");
    open_meter(&b);
    bench_read(&b, &s);
    assert_int_equal(s.n, n_names);
    for (size_t i = 0; i < n_names; i++) {
        bool own = strcmp(names[i], "clock_step") == 0; /* of this process' clock, always there */
        assert_int_equal(sink_get(&s, names[i])->absent, !own);
    }
    bench_close(&b);
}

static void test_cannot_open(void **state)
{
    const char *const options[] = {"sys", sys_root, "proc", "/nowhere", NULL};
    struct bench b;
    (void)state;
    bench_open(&b, &tare_meter_machine, options);
    assert_null(b.self);
    assert_non_null(strstr(b.why, "/nowhere/stat"));
}

/* One fault each: only its readings are absent. */
static void test_faults(void **state)
{
    static const struct {
        const char *path, *text; /* text NULL: the file is removed before the end */
        const char *absent[4];
    } cases[] = {
        {"sys/devices/system/cpu/cpu4/thermal_throttle/core_throttle_count", NULL, {"throttle_core"}},
        {"sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count",
         "1\n",
         {"throttle_core"}}, /* back */
        {"proc/pressure/memory", "some avg10=0.00 total=9000\n", {"psi_memory_full"}},
        {"proc/pressure/io", "", {"psi_io_some", "psi_io_full"}},
        {"proc/vmstat", "pswpout 9\n", {"swap_in_pages"}},
        {"proc/50/stat", NULL, {"node_foreign_cpu"}},
        {"proc/stat", "", {"node_foreign_cpu", "node_steal"}},
        {"sys/class/power_supply/BAT0/status", NULL, {"on_battery"}},
        {"sys/devices/system/clocksource/clocksource0/current_clocksource", NULL, {"clocksource_ok"}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench b;
        struct sink s;
        char full[400];
        put_machine();
        open_meter(&b);
        b.ops->attach(b.self, 50);
        b.ops->begin(b.self);
        put_ticks(1000, 105000, 10, 100, 30, 200);
        (void)snprintf(full, sizeof full, "%s/%s", root, cases[i].path);
        if (cases[i].text) {
            put(cases[i].path, cases[i].text);
        } else {
            assert_int_equal(unlink(full), 0);
        }
        sink_init(&s);
        b.ops->end(b.self, &s.to);
        for (size_t j = 0; j < n_names; j++) {
            bool expected = false;
            for (size_t k = 0; k < 4 && cases[i].absent[k]; k++) {
                expected = expected || strcmp(names[j], cases[i].absent[k]) == 0;
            }
            if (sink_get(&s, names[j])->absent != expected) {
                fail_msg("case %zu: %s is %s", i, names[j], expected ? "there" : "absent");
            }
        }
        bench_close(&b);
    }
}

/* Too short for ticks of 10 ms, or nobody attached: no share is made up. */
static void test_no_shares(void **state)
{
    struct bench b;
    struct sink s;
    (void)state;
    put_machine();
    open_meter(&b);
    b.ops->attach(b.self, 50);
    bench_read(&b, &s);
    assert_non_null(strstr(sink_get(&s, "node_steal")->why, "half a second"));
    b.ops->attach(b.self, 0);
    b.ops->begin(b.self);
    put_ticks(1000, 105000, 10, 100, 30, 200);
    sink_init(&s);
    b.ops->end(b.self, &s.to);
    assert_value(&s, "node_steal", 0);
    assert_true(sink_get(&s, "node_foreign_cpu")->absent);
    bench_close(&b);
}

static void test_chips(void **state)
{
    struct bench b;
    struct sink s;
    (void)state;
    put_machine();
    put("sys/class/thermal/thermal_zone1/type", "other\n");
    put("sys/class/thermal/thermal_zone2/type", "other\n");
    put("sys/class/hwmon/hwmon3/name", "k10temp\n");
    put("sys/class/hwmon/hwmon3/temp1_input", "61250\n");
    put("sys/class/hwmon/hwmon4/name", "nvme\n");
    put("sys/class/hwmon/hwmon4/temp1_input", "90000\n");
    open_meter(&b);
    bench_read(&b, &s);
    assert_value(&s, "temperature_begin", 61.25);
    put("sys/class/hwmon/hwmon3/temp1_input", "48500\n");
    assert_true(b.ops->temperature_c(b.self) == 48.5); /* for cooling down: as it is now */
    bench_close(&b);
}

static void test_clock_step(void **state)
{
    static const struct {
        int64_t begin, end, window;
        double step;
    } cases[] = {{0, 0, 1000000000, 0},
                 {5, 1000000, 0, 0},                    /* within 1 ms */
                 {0, 1000001, 0, 0.001000001},          /* just beyond */
                 {0, 6000000, INT64_C(10000000000), 0}, /* 1 ms and 5 ms of slewing */
                 {0, -6000001, INT64_C(10000000000), -0.006000001},
                 {INT64_C(1700000000000000000), INT64_C(1700003600000000000), 1000000000, 3600}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double step = tare_machine_clock_step(cases[i].begin, cases[i].end, cases[i].window);
        if (fabs(step - cases[i].step) > 1e-12 * (1 + fabs(cases[i].step))) {
            fail_msg("case %zu: %.12g", i, step);
        }
    }
    int64_t offset = tare_machine_clock_offset();
    assert_true(llabs(tare_machine_clock_offset() - offset) < 1000000); /* nobody sets the clock meanwhile */
}

/* The machine that this runs on: it can be opened, and its clock was not set within the phase. */
static void test_here(void **state)
{
    struct bench b;
    struct sink s;
    (void)state;
    bench_open(&b, &tare_meter_machine, NULL);
    assert_non_null(b.self);
    b.ops->attach(b.self, (int64_t)getpid());
    bench_read(&b, &s);
    assert_int_equal(s.n, n_names);
    assert_false(sink_get(&s, "load_average")->absent);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_busy_phase),   cmocka_unit_test(test_quiet_phase),
        cmocka_unit_test(test_bare_machine), cmocka_unit_test(test_cannot_open),
        cmocka_unit_test(test_faults),       cmocka_unit_test(test_no_shares),
        cmocka_unit_test(test_chips),        cmocka_unit_test(test_clock_step),
        cmocka_unit_test(test_here)};
    if (!mkdtemp(root)) {
        return 1;
    }
    (void)snprintf(sys_root, sizeof sys_root, "%s/sys", root);
    (void)snprintf(proc_root, sizeof proc_root, "%s/proc", root);
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    wipe();
    (void)rmdir(root);
    return r;
}
