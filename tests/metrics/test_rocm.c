/* SPDX-License-Identifier: Apache-2.0 */
/* The meter of AMD GPUs over a library whose GPUs draw a known power, fail and are reset. */
#include "fake_rocm.h"
#include "now.h"
#include "sink.h"

#include <dlfcn.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

extern const struct tare_meter tare_meter_rocm;

enum { not_supported = 2, file_error = 3 };

static struct fake_rocm *fake;
static struct sink sink;

static int64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void nap_ms(long ms)
{
    const struct timespec t = {0, ms * 1000000};
    (void)nanosleep(&t, NULL);
}

/* One MI210 at 300 W whose counter steps every 50 ms in counts of 15.3 uJ. */
static int setup(void **state)
{
    void *object = dlopen(FAKE_ROCM, RTLD_NOW);
    (void)state;
    assert_non_null(object);
    fake = dlsym(object, "fake_rocm");
    assert_non_null(fake);
    memset(fake, 0, sizeof *fake);
    fake->zero_ns = now_ns() - INT64_C(2000000000);
    fake->n_devices = 1;
    for (int i = 0; i < fake_rocm_devices; i++) {
        fake->gpus[i] = (struct fake_rocm_gpu){.name = "AMD Instinct MI210",
                                               .watts = 300,
                                               .step_s = 0.05,
                                               .base_j = 5000,
                                               .resolution_uj = 15.3F,
                                               .used = 1000,
                                               .total = 64ULL << 30,
                                               .edge_mc = 41000,
                                               .junction_mc = 48000};
    }
    return 0;
}

static void open_fake(struct bench *b, const char *library, const char *watch)
{
    static struct tare_meter ops;
    const char *const options[] = {"library", library, "watch", watch, NULL};
    ops = tare_meter_rocm;
    ops.probe = NULL; /* it looks for the machine's own library */
    bench_open(b, &ops, options);
}

/* Seconds that the meter was being asked at the edges of the last window. */
static double edges_s;

/* Seconds from after begin to before end. */
static double window(struct bench *b, int naps)
{
    sink_init(&sink);
    int64_t before_ns = now_ns();
    b->ops->begin(b->self);
    int64_t begin_ns = now_ns();
    for (int i = 0; i < naps; i++) {
        nap_ms(20 + (i * 13) % 31);
        b->ops->sample(b->self);
    }
    int64_t end_ns = now_ns();
    b->ops->end(b->self, &sink.to);
    edges_s = (double)(now_ns() - before_ns - (end_ns - begin_ns)) / 1e9;
    return (double)(end_ns - begin_ns) / 1e9;
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

static void test_energy(void **state)
{
    struct bench b;
    (void)state;
    fake->n_devices = 2;
    fake->gpus[1].watts = 100;
    open_fake(&b, FAKE_ROCM, "600ms");
    assert_non_null(b.self);
    double seconds = window(&b, 16);
    const struct sink_reading *e = present("energy_amdgpu_0"), *other = present("energy_amdgpu_1");
    assert_string_equal(e->unit, "J");
    assert_string_equal(e->scope, "device");
    assert_true(fabs(e->value - 300 * seconds) < 3 * e->u + 300 * edges_s);
    assert_true(fabs(other->value - 100 * seconds) < 3 * other->u + 100 * edges_s);
    assert_true(fabs(e->u / (300 * 0.05 / sqrt(6)) - 1) < 0.15);
    assert_string_equal(present("energy_amdgpu_0_step")->scope, "counter"); /* or it would be added up */
    assert_true(isnan(e->gain));
    assert_non_null(strstr(e->flags, "GAIN_UNKNOWN"));
    assert_true(fabs(present("energy_amdgpu_0_period")->value / 0.05 - 1) < 0.1);
    assert_true(fabs(present("energy_amdgpu_0_step")->value / 15 - 1) < 0.01);
    assert_true(fabs(present("power_mean_amdgpu_0")->value / 300 - 1) < 0.2);
    assert_true(fabs(present("power_amdgpu_0")->value - 300) < 1e-6);
    bench_close(&b);
    assert_int_equal(fake->n_open, 0);
}

static void test_faults(void **state)
{
    struct bench b;
    (void)state;
    open_fake(&b, FAKE_ROCM, "100ms");
    sink_init(&sink);
    b.ops->begin(b.self);
    fake->gpus[0].energy_code = file_error;
    b.ops->sample(b.self);
    fake->gpus[0].energy_code = 0;
    nap_ms(70);
    b.ops->end(b.self, &sink.to);
    assert_absent("energy_amdgpu_0", "rsmi_dev_energy_count_get: RSMI_STATUS_FILE_ERROR");
    (void)window(&b, 3);
    (void)present("energy_amdgpu_0");
    sink_init(&sink);
    b.ops->begin(b.self);
    fake->gpus[0].base_j = -500;
    nap_ms(70);
    b.ops->end(b.self, &sink.to);
    assert_absent("energy_amdgpu_0", "went back");
    assert_absent("power_mean_amdgpu_0", "went back");
    fake->gpus[0].watts = 0;
    b.ops->sample(b.self);
    (void)window(&b, 2);
    assert_absent("energy_amdgpu_0", "did not move");
    fake->gpus[0].power_code = fake->gpus[0].average_code = file_error;
    (void)window(&b, 2);
    assert_absent("power_amdgpu_0", "FILE_ERROR");
    bench_close(&b);
}

static int64_t ahead_ns;

static int64_t ahead_now_ns(void)
{
    return now_ns() + ahead_ns;
}

/* Its stamps are of the one clock that all meters of energy have: ten seconds that pass there, and not on the
 * board, thin its power out. */
static void test_clock(void **state)
{
    struct bench b;
    (void)state;
    open_fake(&b, FAKE_ROCM, "0ms");
    ahead_ns = 0;
    tare_now_replace(ahead_now_ns, NULL);
    sink_init(&sink);
    b.ops->begin(b.self);
    nap_ms(120);
    ahead_ns = INT64_C(10000000000);
    b.ops->end(b.self, &sink.to);
    tare_now_replace(NULL, NULL);
    double watts = present("power_mean_amdgpu_0")->value;
    assert_true(watts > 0 && watts < 60);
    bench_close(&b);
}

/* What a virtual machine shows. */
static void test_no_counter(void **state)
{
    struct bench b;
    (void)state;
    for (int way = 0; way < 3; way++) {
        fake->gpus[0].energy_code = way == 0 ? not_supported : 0;
        fake->gpus[0].is_all_ones = way == 1;
        fake->gpus[0].resolution_uj = way == 2 ? 0.0F : 15.3F;
        open_fake(&b, FAKE_ROCM, "0ms");
        (void)window(&b, 2);
        assert_absent("energy_amdgpu_0", "NOT_SUPPORTED");
        assert_absent("energy_amdgpu_0_period", "NOT_SUPPORTED");
        (void)present("power_amdgpu_0");
        bench_close(&b);
    }
}

static void test_memory_and_temperature(void **state)
{
    struct bench b;
    (void)state;
    open_fake(&b, FAKE_ROCM, "0ms");
    fake->gpus[0].used = 3000;
    sink_init(&sink);
    b.ops->begin(b.self);
    fake->gpus[0].used = 9000;
    b.ops->sample(b.self);
    fake->gpus[0].used = 2000;
    fake->gpus[0].edge_mc = 55500;
    b.ops->end(b.self, &sink.to);
    assert_true(present("memory_amdgpu_0_idle")->value == 1000);
    assert_true(present("memory_amdgpu_0_begin")->value == 3000);
    assert_true(present("memory_amdgpu_0_peak")->value == 9000);
    assert_non_null(strstr(present("memory_amdgpu_0_peak")->flags, "LOWER_BOUND"));
    assert_true(present("temperature_amdgpu_0_begin")->value == 41);
    assert_true(fabs(present("temperature_amdgpu_0_end")->value - 55.5) < 1e-9);
    fake->gpus[0].edge_code = not_supported; /* as on an MI300 */
    bench_read(&b, &sink);
    assert_true(present("temperature_amdgpu_0_end")->value == 48);
    fake->gpus[0].junction_code = not_supported;
    fake->gpus[0].memory_code = file_error;
    bench_read(&b, &sink);
    assert_absent("temperature_amdgpu_0_end", "rsmi_dev_temp_metric_get");
    assert_absent("memory_amdgpu_0_peak", "rsmi_dev_memory_usage_get");
    bench_close(&b);
}

static void test_power_kinds(void **state)
{
    struct bench b;
    (void)state;
    open_fake(&b, FAKE_ROCM, "0ms");
    fake->gpus[0].power_type = 1;
    bench_read(&b, &sink);
    assert_non_null(strstr(present("power_amdgpu_0")->source, "current power"));
    fake->gpus[0].power_type = 0;
    bench_read(&b, &sink);
    assert_non_null(strstr(present("power_amdgpu_0")->source, "average power"));
    fake->gpus[0].power_code = not_supported;
    bench_read(&b, &sink);
    assert_non_null(strstr(present("power_amdgpu_0")->source, "average power"));
    bench_close(&b);
}

static void refuse(const char *library, const char *why)
{
    struct bench b;
    open_fake(&b, library, "0ms");
    if (b.self || !strstr(b.why, why)) {
        fail_msg("\"%s\" does not say \"%s\"", b.why, why);
    }
    assert_int_equal(fake->n_open, 0);
}

static void test_refusals(void **state)
{
    (void)state;
    refuse("/nowhere/librocm_smi64.so", "install ROCm SMI");
    refuse("libc.so.6", "has no rsmi_init");
    fake->n_devices = 0;
    refuse(FAKE_ROCM, "knows 0 GPUs");
    fake->init_code = file_error;
    refuse(FAKE_ROCM, "rsmi_init: RSMI_STATUS_FILE_ERROR");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_energy, setup),
                                       cmocka_unit_test_setup(test_faults, setup),
                                       cmocka_unit_test_setup(test_clock, setup),
                                       cmocka_unit_test_setup(test_no_counter, setup),
                                       cmocka_unit_test_setup(test_memory_and_temperature, setup),
                                       cmocka_unit_test_setup(test_power_kinds, setup),
                                       cmocka_unit_test_setup(test_refusals, setup)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
