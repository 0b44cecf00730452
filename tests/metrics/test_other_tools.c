/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defects that were found in other tools that read energy, as inputs: each row makes the tree and the load
 * that trigger one, works out what that way of reading gives, and asserts that it is wrong there and that
 * ours is right to 0.1 %, or absent with the reason. The lines that it prints are the table.
 */
#include "evidence.h"
#include "fake_powercap.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double range_uj = 1e9 - 1; /* 1000 J around */

static struct made made;
static struct made_figures figures;

extern int tare_derive_energy(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

/* What a row has found. */
struct found {
    struct fake f;
    struct bench b;
    struct sink s;
    double truth, theirs; /* J */
    double ours;          /* J; NaN: absent */
    char note[160];       /* our flags, or our reason */
};

static double shown(const struct fake_zone *z)
{
    return floor(fmod(z->shown_uj + z->offset_uj, z->range_uj > 0 ? z->range_uj + 1 : 1e15)) / 1e6;
}

static void start(struct found *r)
{
    fake_open(&r->f, &r->b, "100");
    assert_non_null(r->b.self);
}

static void take(struct found *r, const char *name)
{
    const struct sink_reading *k = sink_get(&r->s, name);
    r->ours = k->value;
    (void)snprintf(r->note, sizeof r->note, "%.150s", k->absent ? k->why : k->flags);
}

static void take_figure(struct found *r, const char *name)
{
    const struct made_figure *g = made_get(&figures, name);
    r->ours = g->value;
    (void)snprintf(r->note, sizeof r->note, "%.150s", g->is_absent ? g->absent : g->flags);
}

/* The meter's readings through the derivation: which of them make up the machine's energy is its choice. */
static void take_sum(struct found *r)
{
    made_init(&made, 1);
    for (size_t i = 0; i < r->s.n; i++) {
        const struct sink_reading *k = &r->s.list[i];
        struct tare_reading_record *to =
            made_one(&made, 0, "measure", "powercap", k->scope, k->name, k->value, k->u, k->gain);
        to->unit = k->unit;
        to->flags = k->flags;
        to->source = k->source;
        to->absent = k->absent ? k->why : NULL;
    }
    made_derive(&made, tare_derive_energy, &figures);
    take_figure(r, "energy");
}

/* One zone, `polls` seconds of phase. theirs_wraps: how many ranges that tool adds to last less first. */
static void one_zone(struct found *r, double watts, double start_uj, int polls, int theirs_wraps)
{
    struct fake_zone *z = fake_add(&r->f, "intel-rapl:0", "package-0", watts, start_uj, range_uj);
    start(r);
    double first = shown(z), drawn = z->drawn_uj;
    fake_phase(&r->f, &r->b, &r->s, polls, 1);
    r->truth = (z->drawn_uj - drawn) / 1e6;
    r->theirs = shown(z) - first + theirs_wraps * 1000.0;
    take(r, "energy_package_0");
}

static void papi_later_dies(struct found *r)
{
    fake_add(&r->f, "intel-rapl:0", "package-0-die-0", 50, 0, range_uj);
    fake_add(&r->f, "intel-rapl:1", "package-0-die-1", 30, 300e6, range_uj);
    start(r);
    fake_phase(&r->f, &r->b, &r->s, 10, 1);
    r->truth = 800;
    r->theirs = 0; /* no zone is called package-0 */
    take_sum(r);
}

static void papi_psys(struct found *r)
{
    fake_add(&r->f, "intel-rapl:0", "package-0", 50, 0, range_uj);
    fake_add(&r->f, "intel-rapl:1", "psys", 80, 300e6, range_uj);
    start(r);
    fake_phase(&r->f, &r->b, &r->s, 10, 1);
    r->truth = 800;
    r->theirs = 0;
    take(r, "energy_psys");
}

static void papi_second_wrap(struct found *r)
{
    one_zone(r, 80, 500e6, 20, 1);
}

static void papi_unmoved(struct found *r)
{
    struct fake_zone *z = fake_add(&r->f, "intel-rapl:0", "package-0", 50, 700e6, range_uj);
    start(r);
    fake_break(&r->f, z, FAKE_STUCK);
    fake_phase(&r->f, &r->b, &r->s, 5, 1);
    r->truth = 250;
    r->theirs = 700;
    take(r, "energy_package_0");
}

static void failed_read(struct found *r)
{
    struct fake_zone *z = fake_add(&r->f, "intel-rapl:0", "package-0", 50, 100e6, range_uj);
    start(r);
    sink_init(&r->s);
    r->b.ops->begin(r->b.self);
    double first = shown(z), drawn = z->drawn_uj;
    for (int i = 0; i < 10; i++) {
        if (i >= 5 && i < 7) {
            fake_break(&r->f, z, i == 5 ? FAKE_EIO : FAKE_NONE);
        }
        fake_pass(&r->f, 1);
        r->b.ops->sample(r->b.self);
    }
    r->b.ops->end(r->b.self, &r->s.to);
    r->truth = (z->drawn_uj - drawn) / 1e6;
    r->theirs = shown(z) - first + 1000; /* 0 is below what was there: "a wrap" */
    take(r, "energy_package_0");
}

static void papi_shared_range(struct found *r)
{
    fake_add(&r->f, "intel-rapl:0", "package-0", 50, 0, range_uj);
    struct fake_zone *z = fake_add(&r->f, "intel-rapl:0:0", "dram", 10, 200e6, 0.25e9 - 1);
    start(r);
    double first = shown(z), drawn = z->drawn_uj;
    fake_phase(&r->f, &r->b, &r->s, 10, 1);
    r->truth = (z->drawn_uj - drawn) / 1e6;
    r->theirs = shown(z) - first + 1000; /* the package's range */
    take(r, "energy_package_0_dram");
}

static void codecarbon_extrapolates(struct found *r)
{
    struct fake_zone *z = fake_add(&r->f, "intel-rapl:0", "package-0", 5, 0, range_uj);
    start(r);
    sink_init(&r->s);
    r->b.ops->begin(r->b.self);
    double first = shown(z), drawn = z->drawn_uj;
    fake_pass(&r->f, 0.010); /* the load begins behind the sample */
    r->theirs = (shown(z) - first) * 1500;
    z->watts = 90;
    for (int i = 0; i < 150; i++) {
        fake_pass(&r->f, 0.1);
        r->b.ops->sample(r->b.self);
    }
    r->b.ops->end(r->b.self, &r->s.to);
    r->truth = (z->drawn_uj - drawn) / 1e6;
    take(r, "energy_package_0");
}

static void codecarbon_twins(struct found *r)
{
    fake_add(&r->f, "intel-rapl:0", "package-0", 50, 0, range_uj);
    fake_add(&r->f, "intel-rapl-mmio:0", "package-0", 50, 3e6, range_uj);
    start(r);
    fake_phase(&r->f, &r->b, &r->s, 10, 1);
    r->truth = 500;
    r->theirs = 1000;
    take_sum(r);
}

static void codecarbon_overlap(struct found *r)
{
    fake_add(&r->f, "intel-rapl:0", "package-0", 48, 0, range_uj);
    fake_add(&r->f, "intel-rapl:0:0", "core", 30, 100e6, range_uj);
    fake_add(&r->f, "intel-rapl:0:1", "dram", 5, 200e6, range_uj);
    fake_add(&r->f, "intel-rapl:1", "psys", 96, 300e6, range_uj);
    start(r);
    fake_phase(&r->f, &r->b, &r->s, 10, 1);
    r->truth = 530;
    r->theirs = 1790;
    take_sum(r);
}

static void codecarbon_mirrors(struct found *r)
{
    fake_add(&r->f, "intel-rapl:0", "package-0-die-0", 68, 5e6, range_uj);
    fake_add(&r->f, "intel-rapl:1", "package-0-die-1", 68, 5e6, range_uj);
    start(r);
    fake_phase(&r->f, &r->b, &r->s, 10, 1);
    r->truth = 680;
    r->theirs = 1360;
    take_sum(r);
}

static void codecarbon_no_range(struct found *r)
{
    struct fake_zone *z = fake_add(&r->f, "intel-rapl:0", "package-0", 50, 900e6, range_uj);
    fake_put(&r->f, "intel-rapl:0", "max_energy_range_uj", "");
    start(r);
    double first = shown(z), drawn = z->drawn_uj;
    fake_phase(&r->f, &r->b, &r->s, 10, 1);
    r->truth = (z->drawn_uj - drawn) / 1e6;
    r->theirs = shown(z) - first;
    take(r, "energy_package_0");
}

static void negative_on_wrap(struct found *r)
{
    one_zone(r, 50, 900e6, 10, 0);
    assert_true(r->theirs < 0);
}

static void scaphandre_pairs(struct found *r)
{
    fake_add(&r->f, "intel-rapl:0", "package-1", 50, 0, range_uj);
    fake_add(&r->f, "intel-rapl:0:0", "dram", 9, 100e6, range_uj);
    fake_add(&r->f, "intel-rapl:1", "package-0", 40, 200e6, range_uj);
    fake_add(&r->f, "intel-rapl:1:0", "dram", 3, 300e6, range_uj);
    start(r);
    fake_phase(&r->f, &r->b, &r->s, 10, 1);
    r->truth = 30;
    r->theirs = 90; /* zone 0's memory for socket 0's */
    take(r, "energy_package_0_dram");
}

static void energibridge_first_socket(struct found *r)
{
    fake_add(&r->f, "intel-rapl:0", "package-0", 50, 0, range_uj);
    fake_add(&r->f, "intel-rapl:1", "package-1", 70, 100e6, range_uj);
    start(r);
    fake_phase(&r->f, &r->b, &r->s, 10, 1);
    r->truth = 1200;
    r->theirs = 500;
    take_sum(r);
}

/* Units of 2^-14 J and 2^-16 J: each zone has its own. */
static void energibridge_dram_unit(struct found *r)
{
    fake_add(&r->f, "intel-rapl:0", "package-0", 50, 0, 262143328850.0);
    struct fake_zone *z = fake_add(&r->f, "intel-rapl:0:0", "dram", 8, 65532600000.0, 65532610987.0);
    start(r);
    double drawn = z->drawn_uj;
    fake_phase(&r->f, &r->b, &r->s, 10, 1);
    r->truth = (z->drawn_uj - drawn) / 1e6;
    r->theirs = 4 * r->truth;
    take(r, "energy_package_0_dram");
}

/* Polled every second; the load's last 0.9 s lie behind the last poll. */
static void energibridge_last_interval(struct found *r)
{
    struct fake_zone *z = fake_add(&r->f, "intel-rapl:0", "package-0", 50, 0, range_uj);
    start(r);
    sink_init(&r->s);
    r->b.ops->begin(r->b.self);
    double first = shown(z), drawn = z->drawn_uj;
    for (int i = 0; i < 3; i++) {
        fake_pass(&r->f, 1);
        r->b.ops->sample(r->b.self);
    }
    r->theirs = shown(z) - first;
    fake_pass(&r->f, 0.9);
    r->b.ops->end(r->b.self, &r->s.to);
    r->truth = (z->drawn_uj - drawn) / 1e6;
    take(r, "energy_package_0");
}

/* The counter goes round 50 ms before the phase ends, before any poll has seen it. */
static void zeus_wrap_just_before(struct found *r)
{
    struct fake_zone *z = fake_add(&r->f, "intel-rapl:0", "package-0", 50, 900e6, range_uj);
    start(r);
    sink_init(&r->s);
    r->b.ops->begin(r->b.self);
    double first = shown(z), drawn = z->drawn_uj;
    fake_pass(&r->f, 1);
    r->b.ops->sample(r->b.self);
    fake_pass(&r->f, (1000 - shown(z)) / 50 + 0.05);
    r->b.ops->end(r->b.self, &r->s.to);
    r->truth = (z->drawn_uj - drawn) / 1e6;
    r->theirs = shown(z) - first;
    take(r, "energy_package_0");
}

static void zeus_short_window(struct found *r)
{
    struct fake_zone *z = fake_add(&r->f, "intel-rapl:0", "package-0", 50, 0, range_uj);
    z->step_s = 0.01;
    start(r);
    fake_pass(&r->f, 0.01 - (double)(r->f.now_ns - z->stepped_ns) / 1e9 + 0.001);
    fake_phase(&r->f, &r->b, &r->s, 1, 0.004);
    r->truth = 0.2;
    r->theirs = 0;
    take(r, "energy_package_0");
}

/* 10 s of measuring between two idle phases of 5 s, in `n` repeats. */
static void make_cell(size_t n, double measure_j, double idle_w)
{
    made_init(&made, n);
    made_wall(&made, "idle_before", 5);
    made_wall(&made, "idle_after", 5);
    made_all(&made, "measure", "powercap", "package", "energy_package_0", measure_j, 0.5, 0.05);
    made_all(&made, "idle_before", "powercap", "package", "energy_package_0", 5 * idle_w, 0.05, 0.05);
    made_all(&made, "idle_after", "powercap", "package", "energy_package_0", 5 * idle_w, 0.05, 0.05);
}

static void put_cpu_times(double own_s, double supervisor_s, double foreign_s)
{
    double capacity_s = 10 * (double)made.e.cpus;
    made_all(&made, "measure", "rusage", "process", "cpu_user", own_s, (double)NAN, (double)NAN);
    made_all(&made, "measure", "rusage", "process", "cpu_system", 0, (double)NAN, (double)NAN);
    made_all(&made, "measure", "foreign", "machine", "supervisor_cpu", 100 * supervisor_s / capacity_s,
             (double)NAN, (double)NAN);
    made_all(&made, "measure", "foreign", "machine", "foreign_cpu", 100 * foreign_s / capacity_s, (double)NAN,
             (double)NAN);
}

/* Three processes on four CPUs that are half busy. Shares of all CPU time there was leave half of the host's
 * energy to nobody; ours, with each of the three as the measured one, and idle make up the host's. */
static void scaphandre_processes(struct found *r)
{
    static const double cpu_s[3] = {10, 2, 8};
    double sum = 0;
    r->truth = 1000;
    for (size_t i = 0; i < 3; i++) {
        make_cell(5, r->truth, 20);
        put_cpu_times(cpu_s[i], cpu_s[(i + 1) % 3], cpu_s[(i + 2) % 3]);
        r->theirs += r->truth * cpu_s[i] / (10 * (double)made.e.cpus);
        made_derive(&made, tare_derive_energy, &figures);
        take_figure(r, "energy_process");
        sum += r->ours;
    }
    r->ours = sum + 10 * made_get(&figures, "idle_power")->value;
}

/* All CPUs busy: what utilisation leaves over is nothing, and the machine's idle power is what it was. */
static void kepler_residual(struct found *r)
{
    double all_s = 40;
    make_cell(5, 1000, 20);
    put_cpu_times(all_s, 0, 0);
    made_derive(&made, tare_derive_energy, &figures);
    r->truth = 20; /* W */
    r->theirs = 100 * (1 - all_s / (10 * (double)made.e.cpus));
    take_figure(r, "idle_power");
}

/* It idled at 30 W around the first repeat and at 20 W around the others; 800 J above that in each. */
static void kepler_largest(struct found *r)
{
    make_cell(5, 1000, 20);
    made_find(&made, 0, "measure", "energy_package_0")->value = 1100;
    made_find(&made, 0, "idle_before", "energy_package_0")->value = 150;
    made_find(&made, 0, "idle_after", "energy_package_0")->value = 150;
    made_derive(&made, tare_derive_energy, &figures);
    r->truth = 800;
    r->theirs = 1000 - 10 * 30;
    take_figure(r, "energy_net");
}

struct row {
    const char *tool, *defect;
    void (*run)(struct found *r);
    const char *absent; /* word of our reason where no right value is to be had */
    const char *flag;   /* that ours must have */
};

/* Sums are derived from the meter's readings; idle power and shares of processes from readings made by hand.
 */
static const struct row rows[] = {
    {"PAPI powercap", "dies beyond package-N are not seen", papi_later_dies, NULL, NULL},
    {"PAPI powercap", "psys is not seen", papi_psys, NULL, NULL},
    {"PAPI powercap", "no accumulator: the second wrap is lost", papi_second_wrap, NULL, NULL},
    {"PAPI powercap", "unmoved counter returned as absolute value", papi_unmoved, "stood still", "STUCK"},
    {"PAPI powercap", "failed read is 0, taken for a wrap", failed_read, NULL, "READ_ERROR"},
    {"PAPI powercap", "one wrap range for all sub-zones", papi_shared_range, NULL, NULL},
    {"CodeCarbon", "10 ms extrapolated to 15 s", codecarbon_extrapolates, NULL, NULL},
    {"CodeCarbon", "MSR and MMIO twins summed", codecarbon_twins, NULL, "TWIN"},
    {"CodeCarbon", "psys, package and core summed", codecarbon_overlap, NULL, NULL},
    {"CodeCarbon", "mirrored dies summed", codecarbon_mirrors, NULL, "MIRRORED"},
    {"CodeCarbon", "failed read is 0, a fake wrap", failed_read, NULL, "READ_ERROR"},
    {"CodeCarbon", "range unreadable: large negative on wrap", codecarbon_no_range, "RESET", NULL},
    {"pyJoules", "negative on wrap", negative_on_wrap, NULL, NULL},
    {"Scaphandre", "wrap not handled", negative_on_wrap, NULL, NULL},
    {"Scaphandre", "sub-zones of two sockets mixed up", scaphandre_pairs, NULL, NULL},
    {"Scaphandre", "sum of processes differs from the host", scaphandre_processes, NULL, NULL},
    {"Kepler", "idle goes to 0 at full load", kepler_residual, NULL, NULL},
    {"Kepler", "idle stuck at the largest ever seen", kepler_largest, NULL, NULL},
    {"EnergiBridge", "first socket only", energibridge_first_socket, NULL, NULL},
    {"EnergiBridge", "memory scaled with the package's unit", energibridge_dram_unit, NULL, NULL},
    {"EnergiBridge", "last partial interval left out", energibridge_last_interval, NULL, NULL},
    {"Zeus", "wrap just before the read: a range is missing", zeus_wrap_just_before, NULL, NULL},
    {"Zeus", "window shorter than the counter's step", zeus_short_window, "longer", NULL},
};

static void check(const struct row *row, const struct found *r)
{
    bool theirs_right = fabs(r->theirs - r->truth) <= 1e-3 * r->truth;
    bool ours_right = fabs(r->ours - r->truth) <= 1e-3 * r->truth;
    print_message("  %-13s | %-46s | truth %8.2f | its way %8.2f | tare %8.2f %s\n", row->tool, row->defect,
                  r->truth, r->theirs, r->ours, r->note);
    if (theirs_right) {
        fail_msg("%s, %s: the input does not show the defect", row->tool, row->defect);
    }
    if (row->absent ? !isnan(r->ours) || !strstr(r->note, row->absent) : !ours_right) {
        fail_msg("%s, %s: %g J (%s)", row->tool, row->defect, r->ours, r->note);
    }
    if (row->flag && !row->absent && !strstr(r->note, row->flag)) {
        fail_msg("%s, %s: not flagged %s", row->tool, row->defect, row->flag);
    }
}

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static struct found r;
        memset(&r, 0, sizeof r);
        fake_begin(&r.f);
        rows[i].run(&r);
        check(&rows[i], &r);
        bench_close(&r.b);
        fake_end(&r.f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
