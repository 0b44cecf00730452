/* SPDX-License-Identifier: Apache-2.0 */
/* The NVML meter over a library whose GPUs draw a known power, fail, hide and are reset. */
#include "fake_nvml.h"
#include "now.h"
#include "nvml_api.h"
#include "sink.h"

#include <dlfcn.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct tare_meter tare_meter_nvml;

static struct fake_nvml *fake;
static fake_nvml_joules_of *joules_of;
static struct sink sink;

static int64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void nap(double s)
{
    const struct timespec t = {(time_t)s, (long)((s - floor(s)) * 1e9)};
    (void)nanosleep(&t, NULL);
}

/* One H100 at 200 W whose counter steps every 100 ms. */
static int setup(void **state)
{
    void *object = dlopen(FAKE_NVML, RTLD_NOW);
    (void)state;
    assert_non_null(object);
    fake = dlsym(object, "fake_nvml");
    void *at = dlsym(object, "fake_nvml_joules");
    memcpy(&joules_of, &at, sizeof at);
    assert_true(fake && joules_of);
    memset(fake, 0, sizeof *fake);
    fake->zero_ns = now_ns() - INT64_C(3000000000);
    fake->n_devices = 1;
    for (int i = 0; i < fake_devices; i++) {
        fake->gpus[i] = (struct fake_gpu){.name = "NVIDIA H100 80GB HBM3",
                                          .high_w = 200,
                                          .step_s = 0.1,
                                          .base_j = 1e6,
                                          .total = 80ULL << 30,
                                          .reserved = 1ULL << 29,
                                          .used = 3ULL << 30,
                                          .celsius = 40,
                                          .limit_mw = 700000};
    }
    return 0;
}

/* probe looks for the machine's own driver, which has no part in this. */
static void open_fake(struct bench *b, const char *watch, const char *devices)
{
    static struct tare_meter ops;
    const char *const options[] = {"library", FAKE_NVML, "watch", watch, "devices", devices, NULL};
    const char *const all[] = {"library", FAKE_NVML, "watch", watch, NULL};
    ops = tare_meter_nvml;
    ops.probe = NULL;
    bench_open(b, &ops, devices ? options : all);
}

/* What gpu i drew while the meter was being asked at the edges of the last window. */
static double edges_j;

/* A window of `seconds`, sampled at uneven distances; the joules that gpu i drew in it. */
static double window(struct bench *b, double seconds, int i)
{
    const struct fake_gpu *g = &fake->gpus[i];
    sink_init(&sink);
    int64_t before_ns = now_ns();
    b->ops->begin(b->self);
    int64_t begin_ns = now_ns();
    for (int k = 0; (double)(now_ns() - begin_ns) / 1e9 < seconds; k++) {
        nap(0.02 + 0.03 * ((k * 7919) % 11) / 11.0);
        b->ops->sample(b->self);
    }
    int64_t end_ns = now_ns();
    b->ops->end(b->self, &sink.to);
    double joules = joules_of(g, fake->zero_ns, begin_ns, end_ns);
    edges_j = joules_of(g, fake->zero_ns, before_ns, now_ns()) - joules;
    return joules;
}

static const struct sink_reading *present(const char *name)
{
    const struct sink_reading *r = sink_get(&sink, name);
    if (r->absent) {
        fail_msg("%s is absent: %s", name, r->why);
    }
    return r;
}

static void assert_absent(const char *name, const char *why)
{
    const struct sink_reading *r = sink_get(&sink, name);
    if (!r->absent || !strstr(r->why, why)) {
        fail_msg("%s: absent %d, \"%s\" does not say \"%s\"", name, r->absent, r->why, why);
    }
}

static void assert_flag(const char *name, const char *flag, bool is_set)
{
    const struct sink_reading *r = sink_get(&sink, name);
    if ((strstr(r->flags, flag) != NULL) != is_set) {
        fail_msg("%s: flags are \"%s\"", name, r->flags);
    }
}

static void assert_near(double value, double expected, double relative)
{
    if (!(fabs(value - expected) <= relative * fabs(expected))) {
        fail_msg("%g is not within %g %% of %g", value, relative * 100, expected);
    }
}

static void test_energy_and_period(void **state)
{
    struct bench b;
    (void)state;
    open_fake(&b, "500ms", NULL);
    assert_non_null(b.self);
    double truth = window(&b, 0.8, 0);
    const struct sink_reading *e = present("energy_gpu_0");
    assert_string_equal(e->unit, "J");
    assert_string_equal(e->scope, "device");
    assert_non_null(strstr(e->source, "nvmlDeviceGetTotalEnergyConsumption"));
    assert_non_null(strstr(e->source, "NVIDIA H100 80GB HBM3, driver 580.1"));
    assert_near(present("energy_gpu_0_period")->value, 0.1, 0.1);
    assert_near(present("energy_gpu_0_step")->value, 20, 0.01);
    assert_string_equal(present("energy_gpu_0_step")->scope, "counter"); /* or it would be added up */
    assert_near(e->u, 200 * 0.1 / sqrt(6), 0.12);
    assert_true(fabs(e->value - truth) < 3 * e->u + edges_j);
    assert_near(e->gain, 0.06, 1e-9);
    assert_flag("energy_gpu_0", "DUTY_UNKNOWN", true);
    assert_near(present("power_mean_gpu_0")->value, 200, 0.2);
    assert_near(present("power_instant_gpu_0")->value, 200, 1e-6);
    assert_near(present("power_peak_gpu_0")->value, 200, 1e-6);
    bench_close(&b);
    assert_int_equal(fake->n_open, 0);
}

static void test_devices(void **state)
{
    struct bench b;
    (void)state;
    fake->n_devices = 3;
    fake->gpus[0].step_s = 0.02;
    fake->gpus[2].step_s = 0.05;
    fake->gpus[2].high_w = 400;
    open_fake(&b, "500ms", "0,2");
    assert_non_null(b.self);
    double truth = window(&b, 0.5, 2);
    const struct sink_reading *e = present("energy_gpu_2");
    assert_true(fabs(e->value - truth) < 3 * e->u + edges_j);
    assert_near(present("energy_gpu_0_period")->value, 0.02, 0.1);
    assert_near(present("energy_gpu_2_period")->value, 0.05, 0.1);
    assert_true(sink_has(&sink, "energy_gpu_0"));
    assert_false(sink_has(&sink, "energy_gpu_1"));
    bench_close(&b);
    open_fake(&b, "0ms", NULL);
    (void)window(&b, 0.1, 0);
    assert_true(sink_has(&sink, "energy_gpu_1"));
    assert_false(sink_has(&sink, "energy_gpu_3"));
    bench_close(&b);
}

/* A counter that stands at every read cannot have a period; nor has it a small uncertainty. */
static void test_period_unknown(void **state)
{
    struct bench b;
    (void)state;
    fake->gpus[0].step_s = 0.4;
    open_fake(&b, "0ms", NULL);
    (void)window(&b, 0.9, 0);
    assert_flag("energy_gpu_0", "PERIOD_UNKNOWN", true);
    assert_true(isnan(present("energy_gpu_0")->u));
    assert_absent("energy_gpu_0_period", "too few moves");
    bench_close(&b);
    /* One that moves at every read is bounded by the reads. */
    fake->gpus[0].step_s = 0;
    open_fake(&b, "200ms", NULL);
    (void)window(&b, 0.2, 0);
    assert_flag("energy_gpu_0", "PERIOD_BOUND", true);
    assert_true(present("energy_gpu_0_period")->value < 0.05);
    bench_close(&b);
}

static void test_failed_read(void **state)
{
    struct bench b;
    (void)state;
    open_fake(&b, "500ms", NULL);
    fake->gpus[0].energy_fail_at = 2; /* begin, end: between them the counter is not read */
    (void)window(&b, 0.3, 0);
    assert_absent("energy_gpu_0", "nvmlDeviceGetTotalEnergyConsumption: GPU is lost");
    assert_absent("energy_gpu_0", "Xid");
    assert_absent("power_mean_gpu_0", "GPU is lost");
    (void)window(&b, 0.3, 0); /* over with the next window */
    (void)present("energy_gpu_0");
    sink_init(&sink);
    b.ops->begin(b.self);
    nap(0.2);
    fake->gpus[0].energy_code = 15;
    b.ops->end(b.self, &sink.to);
    assert_absent("energy_gpu_0", "GPU is lost");
    bench_close(&b);
}

static void test_reload(void **state)
{
    struct bench b;
    (void)state;
    open_fake(&b, "500ms", NULL);
    sink_init(&sink);
    b.ops->begin(b.self);
    nap(0.15);
    fake->gpus[0].base_j = -600; /* what it drew before is forgotten */
    b.ops->sample(b.self);
    nap(0.15);
    b.ops->end(b.self, &sink.to);
    assert_absent("energy_gpu_0", "went back");
    double truth = window(&b, 0.4, 0);
    const struct sink_reading *e = present("energy_gpu_0");
    assert_true(e->value > 0 && fabs(e->value - truth) < 3 * e->u + edges_j);
    fake->gpus[0].base_j = 1e9; /* and a jump that no board can make */
    b.ops->begin(b.self);
    fake->gpus[0].base_j = 2e9;
    nap(0.15);
    sink_init(&sink);
    b.ops->end(b.self, &sink.to);
    assert_absent("energy_gpu_0", "jumped");
    bench_close(&b);
}

static void test_still(void **state)
{
    struct bench b;
    (void)state;
    fake->gpus[0].high_w = 0;
    open_fake(&b, "50ms", NULL);
    (void)window(&b, 0.2, 0);
    assert_absent("energy_gpu_0", "did not move");
    assert_absent("energy_gpu_0_step", "has not moved");
    bench_close(&b);
}

/* Without a counter: the integral of the instant field, of a square wave that is out of step. */
static void test_power(void **state)
{
    struct bench b;
    (void)state;
    fake->gpus[0].energy_code = TARE_NVML_NOT_SUPPORTED;
    fake->gpus[0].low_w = 60;
    fake->gpus[0].wave_s = 0.37;
    fake->gpus[0].step_s = 0.02;
    open_fake(&b, "500ms", NULL);
    double truth = window(&b, 1.5, 0);
    const struct sink_reading *e = present("energy_gpu_0");
    assert_non_null(
        strstr(e->source, "integral of nvmlDeviceGetFieldValues NVML_FI_DEV_POWER_INSTANT of the GPU"));
    assert_flag("energy_gpu_0", "SAMPLED", true);
    assert_flag("energy_gpu_0", "AVERAGED", false);
    assert_true(e->u > 0 && e->u < truth);
    assert_true(fabs(e->value - truth) < 3 * e->u + edges_j);
    assert_near(present("power_peak_gpu_0")->value, 200, 1e-6);
    assert_flag("power_peak_gpu_0", "LOWER_BOUND", true);
    assert_absent("energy_gpu_0_period", "no energy counter");
    bench_close(&b);
}

static void test_power_usage(void **state)
{
    struct bench b;
    (void)state;
    fake->gpus[0].energy_code = TARE_NVML_NOT_SUPPORTED;
    fake->gpus[0].field_code = TARE_NVML_NOT_SUPPORTED;
    open_fake(&b, "0ms", NULL);
    double truth = window(&b, 0.3, 0);
    const struct sink_reading *e = present("energy_gpu_0");
    assert_non_null(strstr(e->source, "integral of nvmlDeviceGetPowerUsage, a 1-s average"));
    assert_flag("energy_gpu_0", "SAMPLED", true);
    assert_flag("energy_gpu_0", "AVERAGED", true);
    assert_true(fabs(e->value - truth) < 3 * e->u + edges_j);
    assert_absent("power_instant_gpu_0", "Not Supported");
    fake->gpus[0].power_code = 15;
    (void)window(&b, 0.1, 0);
    assert_absent("energy_gpu_0", "nvmlDeviceGetPowerUsage: GPU is lost");
    assert_absent("power_peak_gpu_0", "GPU is lost");
    bench_close(&b);
    fake->gpus[0].power_code = 0;
    fake->gpus[0].name = "NVIDIA A100-SXM4-40GB"; /* its power is instant */
    open_fake(&b, "0ms", NULL);
    (void)window(&b, 0.1, 0);
    assert_flag("power_usage_gpu_0", "AVERAGED", false);
    bench_close(&b);
}

/* A sample that fails between good ones: the mean says that it has a gap, the integral is not given. */
static void test_gap(void **state)
{
    struct bench b;
    (void)state;
    fake->gpus[0].energy_code = TARE_NVML_NOT_SUPPORTED;
    open_fake(&b, "0ms", NULL);
    sink_init(&sink);
    b.ops->begin(b.self);
    nap(0.02);
    fake->gpus[0].field_code = 999;
    fake->gpus[0].temperature_code = 999;
    b.ops->sample(b.self);
    fake->gpus[0].field_code = 0;
    nap(0.02);
    b.ops->end(b.self, &sink.to);
    assert_absent("energy_gpu_0", "Unknown Error");
    assert_flag("power_instant_gpu_0", "GAP", true);
    (void)present("power_instant_gpu_0");
    assert_absent("temperature_gpu_0_end", "nvmlDeviceGetTemperature: Unknown Error");
    bench_close(&b);
}

static int64_t skipped_ns;

static int64_t skipping_ns(void)
{
    return now_ns() + skipped_ns;
}

/* Nobody asked for a while: told, in the uncertainty, and absent from half of the window on. */
static void test_silence(void **state)
{
    static const struct {
        double silence_s;
        bool absent, flagged;
    } cases[] = {{0, false, false}, {2.0, false, true}, {9.0, true, true}};
    struct bench b;
    (void)state;
    fake->gpus[0].energy_code = TARE_NVML_NOT_SUPPORTED;
    open_fake(&b, "0ms", NULL);
    tare_now_replace(skipping_ns, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sink_init(&sink);
        skipped_ns = 0;
        b.ops->begin(b.self);
        for (int k = 0; k < 10; k++) {
            skipped_ns += k == 5 ? llround(cases[i].silence_s * 1e9) : INT64_C(400000000);
            b.ops->sample(b.self);
        }
        b.ops->end(b.self, &sink.to);
        if (cases[i].absent) {
            assert_absent("energy_gpu_0", "SENSOR_GAP");
            assert_absent("power_mean_gpu_0", "SENSOR_GAP");
        } else {
            double seconds = 3.6 + cases[i].silence_s;
            assert_near(present("energy_gpu_0")->value, 200 * seconds, 0.12);
            assert_true(cases[i].silence_s <= 0 ||
                        present("energy_gpu_0")->u > 200 * cases[i].silence_s / sqrt(12));
        }
        assert_flag("energy_gpu_0", "SENSOR_GAP", cases[i].flagged);
    }
    tare_now_replace(NULL, NULL);
    bench_close(&b);
}

/* Heat, brakes and caps of all GPUs, by the names that make a window suspect. */
static void test_events_of_all(void **state)
{
    struct bench b;
    (void)state;
    fake->n_devices = 2;
    open_fake(&b, "0ms", NULL);
    bench_read(&b, &sink); /* two looks a window */
    assert_true(present("throttle_events")->value == 0);
    assert_true(present("power_cap_events")->value == 0);
    assert_string_equal(present("throttle_events")->unit, "1");
    assert_string_equal(present("throttle_events")->scope, "device");
    fake->gpus[0].events = 0x40 | 0x04;
    fake->gpus[1].events = 0x80;
    bench_read(&b, &sink);
    assert_true(present("throttle_events")->value == 4);
    assert_true(present("power_cap_events")->value == 2);
    assert_flag("power_cap_events", "LOWER_BOUND", false);
    fake->gpus[1].events_code = TARE_NVML_NOT_SUPPORTED; /* one is known to throttle: that stays */
    bench_read(&b, &sink);
    assert_true(present("throttle_events")->value == 2);
    assert_flag("throttle_events", "LOWER_BOUND", true);
    fake->gpus[0].events = 0; /* nobody knows of the other */
    bench_read(&b, &sink);
    assert_absent("throttle_events", "GPU 1: nvmlDeviceGetCurrentClocksEventReasons");
    assert_absent("power_cap_events", "GPU 1");
    bench_close(&b);
}

static void test_parts_of_a_board(void **state)
{
    struct bench b;
    (void)state;
    open_fake(&b, "0ms", NULL);
    (void)window(&b, 0.1, 0);
    assert_absent("power_module_gpu_0", "does not know this part");
    assert_absent("power_memory_gpu_0", "does not know this part");
    fake->gpus[0].knows_parts = true;
    (void)window(&b, 0.1, 0);
    assert_near(present("power_module_gpu_0")->value, 300, 1e-6);
    assert_string_equal(present("power_module_gpu_0")->scope, "module");
    assert_near(present("power_memory_gpu_0")->value, 50, 1e-6);
    assert_string_equal(present("power_memory_gpu_0")->scope, "device memory");
    bench_close(&b);
}

static void test_memory(void **state)
{
    struct bench b;
    (void)state;
    for (int contains = 0; contains < 2; contains++) {
        fake->gpus[0].used_contains_reserve = contains;
        fake->gpus[0].used = 1000;
        open_fake(&b, "0ms", NULL);
        fake->gpus[0].used = 3000;
        sink_init(&sink);
        b.ops->begin(b.self);
        fake->gpus[0].used = 9000;
        b.ops->sample(b.self);
        fake->gpus[0].used = 5000;
        b.ops->end(b.self, &sink.to);
        assert_true(present("memory_gpu_0_idle")->value == 1000);
        assert_true(present("memory_gpu_0_begin")->value == 3000);
        assert_true(present("memory_gpu_0_peak")->value == 9000);
        assert_true(present("memory_gpu_0_total")->value == (double)(80ULL << 30));
        assert_flag("memory_gpu_0_peak", "SAMPLED,LOWER_BOUND", true);
        assert_flag("memory_gpu_0_peak", "DRIVER_RESERVE_IN", false);
        assert_non_null(strstr(present("memory_gpu_0_peak")->source, "nvmlDeviceGetMemoryInfo_v2"));
        bench_close(&b);
    }
    fake->gpus[0].memory_code = TARE_NVML_FUNCTION_NOT_FOUND; /* an older driver */
    fake->gpus[0].used = 1000;
    open_fake(&b, "0ms", NULL);
    (void)window(&b, 0.05, 0);
    assert_true(present("memory_gpu_0_peak")->value == 1000 + (double)(1ULL << 29));
    assert_flag("memory_gpu_0_peak", "DRIVER_RESERVE_IN", true);
    bench_close(&b);
}

static void set_processes(unsigned int n, unsigned int first, unsigned long long bytes)
{
    fake->gpus[0].n_processes = n;
    for (unsigned int i = 0; i < n; i++) {
        fake->gpus[0].pids[i] = i ? 1 : first;
        fake->gpus[0].bytes[i] = bytes;
    }
}

static void test_process_memory(void **state)
{
    struct bench b;
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        (void)pause();
        _exit(0);
    }
    open_fake(&b, "0ms", NULL);
    bench_read(&b, &sink);
    assert_absent("memory_gpu_0_process", "no process is measured");
    b.ops->attach(b.self, getpid());
    bench_read(&b, &sink);
    assert_absent("memory_gpu_0_process", "NVML lists no process");
    set_processes(3, 1, 500);
    bench_read(&b, &sink);
    assert_absent("memory_gpu_0_process", "none of the 3 processes");
    fake->gpus[0].pids[1] = (unsigned int)getpid();
    fake->gpus[0].pids[2] = (unsigned int)child;
    bench_read(&b, &sink);
    assert_true(present("memory_gpu_0_process")->value == 1000);
    assert_string_equal(present("memory_gpu_0_process")->scope, "process");
    b.ops->attach(b.self, child);
    bench_read(&b, &sink);
    assert_true(present("memory_gpu_0_process")->value == 500);
    fake->gpus[0].bytes[2] = ~0ULL;
    bench_read(&b, &sink);
    assert_absent("memory_gpu_0_process", "without its memory");
    set_processes(fake_processes, (unsigned int)child, 500);
    bench_read(&b, &sink);
    assert_absent("memory_gpu_0_process", "nvmlDeviceGetComputeRunningProcesses");
    bench_close(&b);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
}

static void test_state(void **state)
{
    struct bench b;
    (void)state;
    open_fake(&b, "500ms", NULL);
    sink_init(&sink);
    fake->gpus[0].events = 0x20;
    b.ops->begin(b.self);
    fake->gpus[0].events = 0x80 | 0x08 | 0x20;
    fake->gpus[0].celsius = 71;
    b.ops->sample(b.self);
    b.ops->sample(b.self);
    fake->gpus[0].events = 0;
    b.ops->sample(b.self);
    fake->gpus[0].events = 0x40 | 0x08 | 0x04 | 0x01;
    fake->gpus[0].celsius = 65;
    fake->gpus[0].limit_mw = 350000;
    fake->gpus[0].mig = 1;
    nap(0.12);
    b.ops->end(b.self, &sink.to);
    assert_true(present("throttle_thermal_gpu_0")->value == 4);
    assert_true(present("throttle_power_gpu_0")->value == 2);
    assert_true(present("throttle_cap_gpu_0")->value == 1);
    assert_true(present("throttle_slowdown_gpu_0")->value == 3);
    assert_true(present("throttle_gpu_0_samples")->value == 5);
    assert_true(present("temperature_gpu_0_begin")->value == 40);
    assert_true(present("temperature_gpu_0_end")->value == 65);
    assert_true(present("temperature_gpu_0_peak")->value == 71);
    fake->gpus[0].celsius = 52;
    assert_true(b.ops->temperature_c(b.self) == 52); /* for cooling down: as it is now */
    assert_true(present("power_limit_gpu_0")->value == 350);
    assert_flag("power_limit_gpu_0", "CHANGED", true);
    assert_true(present("mig_gpu_0")->value == 1);
    assert_flag("energy_gpu_0", "MIG", true);
    assert_non_null(strstr(present("energy_gpu_0")->source, "whole GPU"));
    assert_true(present("clock_sm_gpu_0")->value == 1980);
    assert_true(present("clock_memory_gpu_0")->value == 2619);
    assert_true(present("pstate_gpu_0")->value == 0);
    assert_absent("ecc_gpu_0", "nvmlDeviceGetEccMode"); /* this library has no such function */
    fake->gpus[0].events_code = 4;
    bench_read(&b, &sink);
    assert_absent("throttle_thermal_gpu_0", "nvmlDeviceGetCurrentClocksEventReasons");
    bench_close(&b);
}

static void test_gain(void **state)
{
    static const struct {
        const char *name;
        double gain;
        bool reads_low, duty_unknown;
    } cases[] = {{"NVIDIA A100-PCIE-40GB", 0.055, true, true},
                 {"NVIDIA A100 80GB PCIe", 0.055, true, true},
                 {"NVIDIA A100-SXM4-80GB", 0.06, false, true},
                 {"NVIDIA GeForce RTX 3090", 0.05, true, false},
                 {"NVIDIA H200", 0.06, false, true}};
    struct bench b;
    (void)state;
    fake->gpus[0].step_s = 0.01;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fake->gpus[0].name = cases[i].name;
        open_fake(&b, "0ms", NULL);
        (void)window(&b, 0.05, 0);
        assert_near(present("energy_gpu_0")->gain, cases[i].gain, 1e-9);
        assert_flag("energy_gpu_0", "READS_LOW", cases[i].reads_low);
        assert_flag("energy_gpu_0", "DUTY_UNKNOWN", cases[i].duty_unknown);
        bench_close(&b);
    }
}

static void refuse(const char *library, const char *devices, const char *why)
{
    static struct tare_meter ops;
    const char *const options[] = {"library", library, "devices", devices, NULL};
    struct bench b;
    ops = tare_meter_nvml;
    ops.probe = NULL;
    bench_open(&b, &ops, options);
    if (b.self || !strstr(b.why, why)) {
        fail_msg("\"%s\" does not say \"%s\"", b.why, why);
    }
    assert_int_equal(fake->n_open, 0);
}

static void test_refusals(void **state)
{
    (void)state;
    refuse("/nowhere/libnvidia-ml.so.1", "", "install NVIDIA's driver");
    refuse("libc.so.6", "", "has no nvmlInit_v2");
    refuse(FAKE_NVML, "0,", "is no list");
    refuse(FAKE_NVML, "0,,1", "is no list");
    refuse(FAKE_NVML, "GPU-1", "is no list");
    refuse(FAKE_NVML, "0,0", "named twice");
    refuse(FAKE_NVML, "1", "GPU 1: nvmlDeviceGetHandleByIndex: Invalid Argument");
    fake->n_devices = 0;
    refuse(FAKE_NVML, "", "knows no GPU");
    fake->init_code = 9;
    refuse(FAKE_NVML, "", "nvmlInit_v2: Driver Not Loaded (load the nvidia kernel module");
}

struct facts {
    int n, n_secret;
    char text[1024];
};

static void take_fact(void *ctx, const char *key, const char *value, bool is_secret)
{
    struct facts *f = ctx;
    size_t n = strlen(f->text);
    (void)snprintf(f->text + n, sizeof f->text - n, "%s=%s;", key, value);
    f->n++;
    f->n_secret += is_secret;
}

static void test_facts(void **state)
{
    struct facts f = {0};
    char why[200] = "";
    (void)state;
    fake->n_devices = 2;
    fake->gpus[1].mig = 1;
    int n = tare_nvml_facts(FAKE_NVML, take_fact, &f, why, sizeof why);
    assert_int_equal(n, f.n);
    assert_int_equal(f.n_secret, 2);
    static const char *const expected[] = {"driver=580.1;",
                                           "gpus=2;",
                                           "gpu_0_name=NVIDIA H100 80GB HBM3;",
                                           "gpu_1_uuid=GPU-fake-1;",
                                           "gpu_0_memory_total=85899345920 B;",
                                           "gpu_0_power_limit=700 W;",
                                           "gpu_0_mig=off;",
                                           "gpu_1_mig=on;"};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_non_null(strstr(f.text, expected[i]));
    }
    assert_null(strstr(f.text, "ecc")); /* what cannot be read is left out */
    assert_int_equal(fake->n_open, 0);
    assert_true(tare_nvml_facts("/nowhere/lib.so", take_fact, &f, why, sizeof why) < 0);
    assert_non_null(strstr(why, "/nowhere/lib.so"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_energy_and_period, setup),
                                       cmocka_unit_test_setup(test_devices, setup),
                                       cmocka_unit_test_setup(test_period_unknown, setup),
                                       cmocka_unit_test_setup(test_failed_read, setup),
                                       cmocka_unit_test_setup(test_reload, setup),
                                       cmocka_unit_test_setup(test_still, setup),
                                       cmocka_unit_test_setup(test_power, setup),
                                       cmocka_unit_test_setup(test_power_usage, setup),
                                       cmocka_unit_test_setup(test_gap, setup),
                                       cmocka_unit_test_setup(test_silence, setup),
                                       cmocka_unit_test_setup(test_events_of_all, setup),
                                       cmocka_unit_test_setup(test_parts_of_a_board, setup),
                                       cmocka_unit_test_setup(test_memory, setup),
                                       cmocka_unit_test_setup(test_process_memory, setup),
                                       cmocka_unit_test_setup(test_state, setup),
                                       cmocka_unit_test_setup(test_gain, setup),
                                       cmocka_unit_test_setup(test_refusals, setup),
                                       cmocka_unit_test_setup(test_facts, setup)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
