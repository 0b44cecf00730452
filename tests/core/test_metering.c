/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readings at the edges of a phase, from a made-up meter to the other end of the stream: what a meter says of
 * this process is absent where the model runs in another one, with a reason, and all else arrives as it was.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/metering.h"

static const char why[] = "the model runs in another process than the one that is read here";

static const struct {
    struct tare_reading reading;
    bool of_this_process;
} said[] = {
    {{"peak_rss", "B", "process", "VmHWM", TARE_KIND_MEASURED, false, 4096, NULL}, true},
    {{"cpu_user", "s", "main thread", "getrusage", TARE_KIND_MEASURED, false, 0.5, NULL}, true},
    /* CPU time of all but this process: the model's is among it */
    {{"foreign_cpu", "%", "node", "/proc/stat", TARE_KIND_MEASURED, false, 12, NULL}, true},
    {{"node_foreign_cpu", "%", "node", "/proc/stat", TARE_KIND_MEASURED, false, 13, NULL}, false},
    {{"temperature_max", "degC", "node", "hwmon", TARE_KIND_MEASURED, false, 50, NULL}, false},
    {{"energy_package", "J", "package", "RAPL", TARE_KIND_MEASURED, false, 9, NULL}, false},
    {{"wall", "ns", "phase", "CLOCK_MONOTONIC", TARE_KIND_MEASURED, false, 1e6, NULL}, false},
    /* absent for a reason of its own, which stays */
    {{"pss", "B", "process", "smaps", TARE_KIND_MEASURED, true, 0, "may not be read"}, false},
};
enum { n_said = sizeof said / sizeof *said };

static const struct tare_doubt doubt = {.u = 0.25, .gain = 0.01, .flags = "DOUBTED"};

static void begin(void *self)
{
    (void)self;
}

/* Every other one with its doubt; and one that breaks the contract, which is none. */
static void end(void *self, struct tare_readings *to)
{
    const struct tare_reading broken = {.name = "broken",
                                        .unit = "B",
                                        .scope = "process",
                                        .source = "x",
                                        .kind = TARE_KIND_MEASURED,
                                        .value = (double)INFINITY};
    (void)self;
    to->add(to, &broken);
    for (size_t i = 0; i < n_said; i++) {
        if (i % 2) {
            to->add_doubted(to, &said[i].reading, &doubt);
        } else {
            to->add(to, &said[i].reading);
        }
    }
}

struct seen {
    size_t n;       /* readings of the made-up meter */
    bool elsewhere; /* what is expected of them */
};

static void assert_as_said(const struct tare_reading_record *r, size_t i, bool elsewhere)
{
    const struct tare_reading *was = &said[i].reading;
    bool absent = was->absent || (elsewhere && said[i].of_this_process);
    assert_string_equal(r->name, was->name);
    assert_string_equal(r->unit, was->unit);
    assert_string_equal(r->scope, was->scope);
    assert_string_equal(r->source, was->source);
    assert_string_equal(r->kind, "measured");
    assert_string_equal(r->phase, "measure");
    if (absent) {
        assert_true(isnan(r->value));
        assert_string_equal(r->absent, was->absent ? was->why : why);
        return;
    }
    assert_null(r->absent);
    assert_true(r->value == was->value);
    assert_true(i % 2 ? r->u == doubt.u && r->gain == doubt.gain : isnan(r->u) && isnan(r->gain));
    assert_string_equal(r->flags, i % 2 ? doubt.flags : "");
}

static int see_reading(void *ctx, const struct tare_reading_record *r, struct tare_err *err)
{
    struct seen *seen = ctx;
    (void)err;
    if (strcmp(r->meter, "made up") == 0) {
        assert_true(seen->n < n_said);
        assert_as_said(r, seen->n++, seen->elsewhere);
    }
    return 0;
}

static int see_phase(void *ctx, const struct tare_phase_frame *phase, struct tare_err *err)
{
    (void)ctx;
    (void)err;
    assert_int_equal(phase->phase, TARE_PHASE_MEASURE);
    return 0;
}

static void check(bool elsewhere)
{
    static struct tare_metering m;
    static const struct tare_inbox_ops ops = {.reading = see_reading, .phase = see_phase};
    struct tare_outbox out;
    struct tare_inbox in;
    struct tare_err err = {0};
    struct seen seen = {0, elsewhere};
    int fd[2];
    assert_int_equal(pipe(fd), 0);
    assert_int_equal(tare_outbox_init(&out, fd[1], &err), 0);
    memset(&m, 0, sizeof m);
    m.outbox = &out;
    m.outside_fd = -1;
    m.elsewhere = elsewhere;
    m.meters.n = 1;
    m.meters.list[0].ops = (struct tare_meter){.name = "made up", .begin = begin, .end = end};
    m.meters.list[0].opened = true;
    (void)tare_metering_begin(&m, TARE_PHASE_MEASURE);
    tare_metering_end(&m, TARE_PHASE_MEASURE, 0);
    tare_outbox_flush(&out);
    close(fd[1]);
    tare_inbox_init(&in);
    int r = 1;
    while (r == 1) {
        r = tare_inbox_read(&in, fd[0], &ops, &seen, &err);
    }
    assert_int_equal(r, 0);
    assert_int_equal(seen.n, n_said);
    tare_inbox_fini(&in);
    tare_outbox_fini(&out);
    close(fd[0]);
}

static void test_elsewhere(void **state)
{
    (void)state;
    check(true);
}

static void test_here(void **state)
{
    (void)state;
    check(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_elsewhere), cmocka_unit_test(test_here)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
