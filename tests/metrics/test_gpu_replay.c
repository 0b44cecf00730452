/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power samples of real GPUs against an external meter on the same boards: what an integral of NVML's power
 * is off by. The traces are public (JimZeyuYang/GPU_Power_Benchmark, plotting/data/5050, MIT) and not part of
 * this project: TARE_GPU_TRACES names the folder with A100 and 3090 in it; without it there is nothing to do.
 * The errors to be met are those that others found in the same traces, over the first 8 s of the load.
 */
#include "counter.h"
#include "power.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { skipped = 77, pmd_bytes = 18, utc_offset_s = 3600 };

static const double window_s = 8;

static FILE *open_trace(const char *gpu, const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s/%s", getenv("TARE_GPU_TRACES"), gpu, name);
    FILE *from = fopen(path, "rb");
    if (!from) {
        fail_msg("%s cannot be opened", path);
    }
    return from;
}

/* The first number of a file, with or without a heading; microseconds since 1970. */
static int64_t first_us(const char *gpu, const char *name)
{
    FILE *from = open_trace(gpu, name);
    char line[64];
    long long us = 0;
    while (us == 0 && fgets(line, sizeof line, from)) {
        us = strtoll(line, NULL, 10);
    }
    (void)fclose(from);
    assert_true(us > 0);
    return us;
}

/* "2023/07/14 10:12:46.483" of a clock an hour ahead, as microseconds since 1970. */
static int64_t stamp_us(const char *text)
{
    struct tm tm = {0};
    int ms = 0;
    if (sscanf(text, "%d/%d/%d %d:%d:%d.%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
               &tm.tm_sec, &ms) != 7) {
        return 0;
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (timegm(&tm) - utc_offset_s) * INT64_C(1000000) + ms * INT64_C(1000);
}

static void take(struct tare_power *p, int64_t us, int64_t begin_us, double watts)
{
    int64_t at_us = us - begin_us;
    if (at_us >= 0 && at_us <= llround(window_s * 1e6)) {
        tare_power_add(p, at_us * 1000, watts);
    }
}

/* The column of that name, or -1. */
static int column_of(const char *heading, const char *name)
{
    const char *at = strstr(heading, name);
    int n = 0;
    for (const char *c = heading; at && c < at; c++) {
        n += *c == ',';
    }
    return at ? n : -1;
}

static struct tare_power gpu_power(const char *gpu, const char *column, int64_t begin_us)
{
    FILE *from = open_trace(gpu, "gpudata.csv");
    struct tare_power p = {0};
    char line[256];
    assert_non_null(fgets(line, sizeof line, from));
    int wanted = column_of(line, column);
    assert_true(wanted > 0);
    while (fgets(line, sizeof line, from)) {
        const char *at = line;
        for (int i = 0; at && i < wanted; i++) {
            at = strchr(at, ',');
            at += at != NULL;
        }
        if (at) {
            take(&p, stamp_us(line), begin_us, strtod(at, NULL));
        }
    }
    (void)fclose(from);
    return p;
}

/* Twelve bits with sign in the upper part of a word; negative readings are noise around nothing. */
static double level(const unsigned char *at)
{
    int raw = (at[0] | at[1] << 8) >> 4;
    return raw & 0x800 ? 0 : raw;
}

/* The external meter: a 16-bit clock at 2933.5 counts a millisecond and four pairs of volts and amperes. */
static struct tare_power meter_power(const char *gpu, int64_t begin_us)
{
    FILE *from = open_trace(gpu, "PMD_data.bin");
    struct tare_power p = {0};
    unsigned char s[pmd_bytes];
    int64_t start_us = first_us(gpu, "PMD_start_ts.txt") - 50000, clock = 0, first = -1;
    int last = 0;
    while (fread(s, sizeof s, 1, from) == 1) {
        int now = s[0] | s[1] << 8;
        double watts = 0;
        clock += now - last + (now < last ? 65536 : 0);
        last = now;
        first = first < 0 ? clock : first;
        for (int i = 0; i < 4; i++) {
            watts += level(s + 2 + 4 * i) * 0.007568 * level(s + 4 + 4 * i) * 0.0488;
        }
        take(&p, start_us + llround((double)(clock - first) / 2.9335), begin_us, watts);
    }
    (void)fclose(from);
    return p;
}

struct trace {
    const char *gpu, *column;
    double error, gain; /* percent; relative */
    double late_s;      /* how old a shown value may be: what the meter takes for it */
};

static void test_replay(void **state)
{
    static const struct trace traces[] = {{"A100", "power.draw [W]", -0.1, 0.055, 0.1},
                                          {"3090", "power.draw.average [W]", -9.1, 0.05, 1},
                                          {"3090", "power.draw.instant [W]", -5.8, 0.05, 0.1}};
    (void)state;
    for (size_t i = 0; i < sizeof traces / sizeof *traces; i++) {
        const struct trace *t = &traces[i];
        int64_t begin_us = first_us(t->gpu, "timestamps.csv");
        struct tare_power sensor = gpu_power(t->gpu, t->column, begin_us);
        struct tare_power meter = meter_power(t->gpu, begin_us);
        assert_true(sensor.n > 100 && meter.n > 10000);
        double error = (sensor.joules / meter.joules - 1) * 100;
        double edge_j = tare_counter_edge_u(sensor.peak_w, t->late_s);
        double u = hypot(hypot(tare_power_u(&sensor), edge_j), t->gain * sensor.joules);
        print_message("%s %s: %.1f J of %.1f J, %+.2f %%, u %.1f J\n", t->gpu, t->column, sensor.joules,
                      meter.joules, error, u);
        assert_true(fabs(error - t->error) <= 0.2);
        assert_true(fabs(sensor.joules - meter.joules) <= 2 * u);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_replay)};
    if (!getenv("TARE_GPU_TRACES")) {
        print_message(
            "skipped: TARE_GPU_TRACES names no folder with the public traces of an A100 and a 3090\n");
        return skipped;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
