/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RAPL by powercap against trees whose truth is known: every row is a tree, what happens to it, and what must
 * come of it. Integrals within 0.1 %, every fault told, nothing guessed.
 */
#include "fake_powercap.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct tare_meter tare_meter_powercap;

/* 1000 J around: at most 100 W, so blind after 10 s. */
static const double small_uj = 1e9 - 1;

/* One zone of `watts` through `polls` polls; what it began at. */
struct row {
    const char *what;
    double watts, start_uj;
    int polls;
    double poll_s;
    void (*before)(struct fake *f, struct fake_zone *z); /* half of the polls */
    void (*after)(struct fake *f, struct fake_zone *z);  /* one poll later */
    bool no_range;
    const char *flag;   /* that the reading must have; NULL: none at all */
    const char *absent; /* word of the reason; NULL: the energy is right */
};

static void set_eio(struct fake *f, struct fake_zone *z)
{
    fake_break(f, z, FAKE_EIO);
}

static void set_stuck(struct fake *f, struct fake_zone *z)
{
    fake_break(f, z, FAKE_STUCK);
}

static void set_gone(struct fake *f, struct fake_zone *z)
{
    fake_break(f, z, FAKE_GONE);
}

static void set_text(struct fake *f, struct fake_zone *z)
{
    fake_break(f, z, FAKE_TEXT);
}

static void mend(struct fake *f, struct fake_zone *z)
{
    fake_break(f, z, FAKE_NONE);
}

static void wait_long(struct fake *f, struct fake_zone *z)
{
    (void)z;
    fake_pass(f, 25);
}

static void set_eio_long(struct fake *f, struct fake_zone *z)
{
    fake_break(f, z, FAKE_EIO);
    fake_pass(f, 12);
}

static const struct row rows[] = {
    {"ramp, no wrap", 50, 0, 10, 1, NULL, NULL, false, NULL, NULL},
    {"one wrap", 50, 900e6, 10, 1, NULL, NULL, false, NULL, NULL},
    {"wrap at once behind the begin", 50, 999.99e6, 10, 1, NULL, NULL, false, NULL, NULL},
    {"two wraps, each seen", 80, 500e6, 20, 1, NULL, NULL, false, NULL, NULL},
    {"three wraps, each seen", 80, 900e6, 30, 1, NULL, NULL, false, NULL, NULL},
    {"two wraps between two polls", 80, 0, 10, 1, wait_long, NULL, false, "WRAP_LOST", "WRAP_LOST"},
    {"EIO once", 50, 0, 10, 1, set_eio, mend, false, "READ_ERROR", NULL},
    {"EIO once with a wrap behind it", 50, 780e6, 10, 1, set_eio, mend, false, "READ_ERROR", NULL},
    {"EIO for longer than it is blind", 50, 0, 10, 1, set_eio_long, mend, false, "WRAP_LOST", "WRAP_LOST"},
    {"file gone once", 50, 0, 10, 1, set_gone, mend, false, "READ_ERROR", NULL},
    {"no number once", 50, 0, 10, 1, set_text, mend, false, "READ_ERROR", NULL},
    {"EIO to the end", 50, 0, 10, 1, set_eio, NULL, false, "READ_ERROR", "READ_ERROR"},
    {"gone to the end", 50, 0, 10, 1, set_gone, NULL, false, "READ_ERROR", "READ_ERROR"},
    {"reset", 50, 100e6, 10, 1, fake_reset, NULL, false, "RESET", "RESET"},
    {"missing range file", 50, 0, 10, 1, NULL, NULL, true, "NO_RANGE", NULL},
    {"missing range file, reset", 50, 100e6, 10, 1, fake_reset, NULL, true, "RESET", "RESET"},
};

static void run_row(const struct row *row)
{
    struct fake f;
    struct bench b;
    struct sink s;
    fake_begin(&f);
    struct fake_zone *z =
        fake_add(&f, "intel-rapl:0", "package-0", row->watts, row->start_uj, row->no_range ? 0 : small_uj);
    fake_open(&f, &b, "100");
    sink_init(&s);
    b.ops->begin(b.self);
    double truth_uj = -z->drawn_uj;
    for (int i = 0; i < row->polls; i++) {
        void (*act)(struct fake *, struct fake_zone *) = i == row->polls / 2       ? row->before
                                                         : i == row->polls / 2 + 1 ? row->after
                                                                                   : NULL;
        if (act) {
            act(&f, z);
        }
        fake_pass(&f, row->poll_s);
        b.ops->sample(b.self);
    }
    b.ops->end(b.self, &s.to);
    truth_uj += z->drawn_uj;
    const struct sink_reading *r = sink_get(&s, "energy_package_0");
    if (row->absent) {
        fake_expect_absent(&s, "energy_package_0", row->absent);
    } else {
        fake_expect(&s, "energy_package_0", truth_uj / 1e6, 1e-3);
    }
    if (row->flag ? !fake_has_flag(r, row->flag) : r->flags[0] != '\0') {
        fail_msg("%s: flags \"%s\"", row->what, r->flags);
    }
    print_message("  %-32s %s%.8g J, truth %.8g J, flags \"%s\" %s\n", row->what, r->absent ? "absent " : "",
                  r->value, truth_uj / 1e6, r->flags, r->why);
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

/* Stands still from the begin on: absent, and neither 0 nor the absolute counter. */
static void test_stuck(void **state)
{
    struct fake f;
    struct bench b;
    struct sink s;
    (void)state;
    fake_begin(&f);
    struct fake_zone *z = fake_add(&f, "intel-rapl:0", "package-0", 50, 7e6, small_uj);
    struct fake_zone *dead = fake_add(&f, "intel-rapl:0:0", "uncore", 0, 0, small_uj);
    fake_open(&f, &b, "100");
    set_stuck(&f, z);
    fake_phase(&f, &b, &s, 10, 1);
    fake_expect_absent(&s, "energy_package_0", "stood still");
    fake_expect_absent(&s, "energy_package_0_uncore", "stood still");
    assert_true(fake_has_flag(sink_get(&s, "energy_package_0"), "STUCK"));
    assert_true(dead->drawn_uj < 1);
    fake_expect_absent(&s, "energy_package_0_uncore_period", "no two steps");
    bench_close(&b);
    fake_end(&f);
}

/* Shorter than a step: unmoved is absent; moved once is a value that says how little it is worth. */
static void test_short(void **state)
{
    struct fake f;
    struct bench b;
    struct sink s;
    (void)state;
    fake_begin(&f);
    fake_add(&f, "intel-rapl:0", "package-0", 50, 7e6, small_uj)->step_s = 0.01;
    fake_open(&f, &b, "100");
    fake_pass(&f, 0.01 - (double)((f.now_ns - f.zones[0].stepped_ns)) / 1e9 + 0.001); /* just stepped */
    fake_phase(&f, &b, &s, 1, 0.001);
    fake_expect_absent(&s, "energy_package_0", "longer");
    assert_true(fake_has_flag(sink_get(&s, "energy_package_0"), "SHORT_WINDOW"));
    fake_phase(&f, &b, &s, 1, 0.012);
    const struct sink_reading *r = sink_get(&s, "energy_package_0");
    assert_true(fake_has_flag(r, "SHORT_WINDOW"));
    assert_true(r->value > 0 && r->u > 0.3 * r->value);
    assert_true(fabs(sink_get(&s, "energy_package_0_period")->value - 0.01) < 0.0005);
    bench_close(&b);
    fake_end(&f);
}

/* P T_u / sqrt(6), and the time that the reads took. */
static void test_uncertainty(void **state)
{
    struct fake f;
    struct bench b;
    struct sink s;
    (void)state;
    fake_begin(&f);
    fake_add(&f, "intel-rapl:0", "package-0", 50, 0, 262143328850.0)->step_s = 0.002;
    fake_open(&f, &b, "100");
    fake_phase(&f, &b, &s, 100, 0.1);
    const struct sink_reading *r = sink_get(&s, "energy_package_0");
    double edges = 50 * 0.002 / sqrt(6), span = 50 * 2 * 25e-6;
    assert_true(fabs(r->u - (edges + span)) < 0.03 * (edges + span));
    assert_true(r->gain > 0.0499 && r->gain < 0.0501);
    assert_string_equal(r->unit, "J");
    assert_string_equal(r->scope, "package");
    assert_string_equal(r->flags, "");
    bench_close(&b);
    fake_end(&f);
}

/* A counter that was found stepping every millisecond and steps every 0.3 s under load says so. */
static void test_slower_than_found(void **state)
{
    struct fake f;
    struct bench b;
    struct sink s;
    (void)state;
    fake_begin(&f);
    fake_add(&f, "intel-rapl:0", "package-0", 50, 0, small_uj);
    fake_open(&f, &b, "100");
    f.zones[0].step_s = 0.3;
    fake_phase(&f, &b, &s, 50, 0.1);
    assert_true(fabs(sink_get(&s, "energy_package_0_period")->value - 0.3) < 0.03);
    assert_true(sink_get(&s, "energy_package_0")->u > 50 * 0.27 / sqrt(6));
    bench_close(&b);
    fake_end(&f);
}

/* Two sockets of two kinds, each zone with its own range; scopes and channels by name, not by number. */
static void test_tree(void **state)
{
    static const struct {
        const char *id, *name;
        double watts, range_uj;
        const char *reading, *scope;
    } zones[] = {
        {"intel-rapl:0", "package-1", 50, 1e9, "energy_package_1", "package"},
        {"intel-rapl:0:0", "dram", 5, 0.25e9, "energy_package_1_dram", "dram"},
        {"intel-rapl:1", "package-0", 40, 2e9, "energy_package_0", "package"},
        {"intel-rapl:1:0", "core", 30, 1e9, "energy_package_0_core", "core"},
        {"intel-rapl:1:1", "dram", 7, 0.5e9, "energy_package_0_dram", "dram"},
        {"intel-rapl:2", "psys", 95, 1.5e9, "energy_psys", "psys"},
        {"intel-rapl:10", "package-0-die-1", 20, 1e9, "energy_package_0_die_1", "package"},
        {"intel-rapl:11", "attic", 3, 1e9, "energy_attic", "other"},
    };
    struct fake f;
    struct bench b;
    struct sink s;
    (void)state;
    fake_begin(&f);
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        fake_add(&f, zones[i].id, zones[i].name, zones[i].watts, (double)i * 97e6, zones[i].range_uj);
    }
    fake_open(&f, &b, "100");
    fake_phase(&f, &b, &s, 40, 1);
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        fake_expect(&s, zones[i].reading, zones[i].watts * 40, 1e-3);
        assert_string_equal(sink_get(&s, zones[i].reading)->scope, zones[i].scope);
        assert_string_equal(sink_get(&s, zones[i].reading)->flags, "");
        assert_non_null(strstr(sink_get(&s, zones[i].reading)->source, zones[i].id));
    }
    assert_int_equal(s.n, 2 * sizeof zones / sizeof *zones);
    bench_close(&b);
    fake_end(&f);
}

/* The same zone by MSR and by MMIO is one meter, and its sub-zones with it; what only one has stays. */
static void test_twin(void **state)
{
    struct fake f;
    struct bench b;
    struct sink s;
    (void)state;
    fake_begin(&f);
    fake_add(&f, "intel-rapl-mmio:0", "package-0", 50, 3e6, small_uj);
    fake_add(&f, "intel-rapl-mmio:0:0", "dram", 4, 3e6, small_uj);
    fake_add(&f, "intel-rapl:0", "package-0", 50, 0, small_uj);
    fake_open(&f, &b, "100");
    fake_phase(&f, &b, &s, 10, 1);
    const struct sink_reading *r = sink_get(&s, "energy_package_0");
    assert_int_equal(s.n, 4);
    fake_expect(&s, "energy_package_0", 500, 1e-3);
    fake_expect(&s, "energy_package_0_dram", 40, 1e-3);
    assert_true(fake_has_flag(r, "TWIN"));
    assert_non_null(strstr(r->source, "powercap intel-rapl:0/energy_uj"));
    assert_non_null(strstr(r->source, "intel-rapl-mmio:0, left out"));
    bench_close(&b);
    set_eio(&f, &f.zones[2]); /* only the MMIO twin can be read: it is taken */
    fake_open(&f, &b, "100");
    fake_phase(&f, &b, &s, 10, 1);
    fake_expect(&s, "energy_package_0", 500, 1e-3);
    assert_non_null(strstr(sink_get(&s, "energy_package_0")->source, "powercap intel-rapl-mmio:0/energy_uj"));
    bench_close(&b);
    fake_end(&f);
}

/* Two dies that show one counter are one; two that happen to draw the same power are two. */
static void test_mirrored(void **state)
{
    static const struct {
        double second_start_uj, second_watts;
        size_t channels;
    } cases[] = {{5e6, 68, 1}, {9e6, 68, 2}, {5.3e6, 68, 2}, {5e6, 60, 2}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fake f;
        struct bench b;
        struct sink s;
        fake_begin(&f);
        fake_add(&f, "intel-rapl:0", "package-0-die-0", 68, 5e6, small_uj);
        fake_add(&f, "intel-rapl:1", "package-0-die-1", cases[i].second_watts, cases[i].second_start_uj,
                 small_uj);
        fake_open(&f, &b, "100");
        fake_phase(&f, &b, &s, 10, 1);
        fake_expect(&s, "energy_package_0_die_0", 680, 1e-3);
        assert_int_equal(sink_has(&s, "energy_package_0_die_1"), cases[i].channels == 2);
        assert_int_equal(fake_has_flag(sink_get(&s, "energy_package_0_die_0"), "MIRRORED"),
                         cases[i].channels == 1);
        bench_close(&b);
        fake_end(&f);
    }
}

/* Two dies of one counter when the meter could not see that at its best; and two dies of two. */
static void test_mirrored_but(void **state)
{
    static const struct {
        const char *what;
        double step_s, second_start_uj, second_watts, poll_s;
        int polls;
        bool fails_once;
        size_t channels;    /* 0: both are absent */
        const char *absent; /* word of the reason */
    } cases[] = {
        {"a read fails", 0.001, 5e6, 68, 1, 10, true, 1, NULL},
        {"a read fails, two counters", 0.001, 9e6, 68, 1, 10, true, 2, NULL},
        {"steps of 20 ms", 0.02, 5e6, 68, 1, 10, false, 1, NULL},
        {"steps of 20 ms, two counters", 0.02, 5.3e6, 68, 1, 10, false, 2, NULL},
        {"steps of 20 ms, a read fails", 0.02, 5e6, 68, 1, 10, true, 1, NULL},
        {"steps of 0.5 s: told in the phase", 0.5, 5e6, 68, 0.1, 60, false, 1, NULL},
        {"steps of 0.5 s, two counters", 0.5, 5e6, 80, 0.1, 60, false, 2, NULL},
        {"steps of 3 s: not told", 3, 5e6, 68, 0.1, 40, false, 0, "MIRROR"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fake f;
        struct bench b;
        struct sink s;
        fake_begin(&f);
        fake_add(&f, "intel-rapl:0", "package-0-die-0", 68, 5e6, small_uj)->step_s = cases[i].step_s;
        struct fake_zone *z = fake_add(&f, "intel-rapl:1", "package-0-die-1", cases[i].second_watts,
                                       cases[i].second_start_uj, small_uj);
        z->step_s = cases[i].step_s;
        z->blink_ns = cases[i].fails_once ? f.now_ns + 5000000 : 0;
        fake_open(&f, &b, cases[i].poll_s < 1 ? "4000" : "100"); /* or a step is more than power can make */
        assert_int_equal(z->blink_ns, 0);
        fake_phase(&f, &b, &s, cases[i].polls, cases[i].poll_s);
        const struct sink_reading *r = sink_get(&s, "energy_package_0_die_0");
        print_message("  %-34s die 0 %g J, flags \"%s\" %s; die 1 %s\n", cases[i].what, r->value, r->flags,
                      r->why, sink_has(&s, "energy_package_0_die_1") ? "too" : "left out");
        if (cases[i].absent) {
            fake_expect_absent(&s, "energy_package_0_die_0", cases[i].absent);
            fake_expect_absent(&s, "energy_package_0_die_1", cases[i].absent);
        } else {
            double truth = 68 * cases[i].polls * cases[i].poll_s;
            fake_expect(&s, r->name, truth, 0.01 + 2 * cases[i].step_s / (truth / 68));
            assert_int_equal(sink_has(&s, "energy_package_0_die_1"), cases[i].channels == 2);
            assert_int_equal(fake_has_flag(r, "MIRRORED"), cases[i].channels == 1);
        }
        bench_close(&b);
        fake_end(&f);
    }
}

/* Taken for mirrors, then one runs by itself: half of the energy would be missing, so there is none. */
static void test_mirror_parts(void **state)
{
    struct fake f;
    struct bench b;
    struct sink s;
    (void)state;
    fake_begin(&f);
    fake_add(&f, "intel-rapl:0", "package-0", 68, 5e6, small_uj);
    fake_add(&f, "intel-rapl:1", "package-1", 68, 5e6, small_uj);
    fake_open(&f, &b, "100");
    f.zones[1].watts = 90;
    fake_phase(&f, &b, &s, 10, 1);
    fake_expect_absent(&s, "energy_package_0", "its own way");
    assert_true(fake_has_flag(sink_get(&s, "energy_package_0"), "MIRROR_LOST"));
    bench_close(&b);
    fake_end(&f);
}

/* Two counters that both stand at 0 are not one: nothing tells them apart, and both are absent. */
static void test_dead_are_no_mirrors(void **state)
{
    struct fake f;
    struct bench b;
    struct sink s;
    (void)state;
    fake_begin(&f);
    fake_add(&f, "intel-rapl:0", "package-0", 0, 0, small_uj);
    fake_add(&f, "intel-rapl:1", "package-1", 0, 0, small_uj);
    fake_open(&f, &b, "100");
    fake_phase(&f, &b, &s, 10, 1);
    fake_expect_absent(&s, "energy_package_0", "stood still");
    fake_expect_absent(&s, "energy_package_1", "stood still");
    bench_close(&b);
    fake_end(&f);
}

/* As nobody: some zones are root's. One that can be read is; of the other it is said what to do. */
static void test_permission(void **state)
{
    struct fake f;
    struct bench b;
    struct sink s;
    char path[256];
    (void)state;
    fake_begin(&f);
    fake_add(&f, "intel-rapl:0", "package-0", 50, 0, small_uj);
    fake_add(&f, "intel-rapl:1", "package-1", 40, 100e6, small_uj);
    bool is_root = geteuid() == 0;
    (void)snprintf(path, sizeof path, "%s/intel-rapl:1/energy_uj", f.root);
    f.zones[1].fault = FAKE_STUCK; /* stays as it is from now on */
    f.zones[0].fault = FAKE_STUCK;
    assert_int_equal(chmod(path, 0), 0);
    if (is_root) {
        assert_int_equal(seteuid(65534), 0);
    }
    fake_open(&f, &b, "100");
    assert_non_null(b.self);
    fake_phase(&f, &b, &s, 2, 1);
    fake_expect_absent(&s, "energy_package_1", "root");
    fake_expect_absent(&s, "energy_package_1_period", "root");
    fake_expect_absent(&s, "energy_package_0", "stood still");
    bench_close(&b);
    if (is_root) {
        assert_int_equal(seteuid(0), 0);
    }
    (void)snprintf(path, sizeof path, "%s/intel-rapl:0/energy_uj", f.root);
    assert_int_equal(chmod(path, 0), 0);
    if (is_root) {
        assert_int_equal(seteuid(65534), 0);
    }
    fake_open(&f, &b, "100");
    assert_null(b.self); /* none can be read: the meter cannot be used, and says what to do */
    assert_non_null(strstr(b.why, "chmod"));
    if (is_root) {
        assert_int_equal(seteuid(0), 0);
    }
    fake_end(&f);
}

static void test_nothing_there(void **state)
{
    struct fake f;
    struct bench b;
    (void)state;
    fake_begin(&f);
    fake_open(&f, &b, "100");
    assert_null(b.self);
    assert_non_null(strstr(b.why, "no intel-rapl zones"));
    fake_end(&f);
}

/* SGX on: every reading says that it is blurred. */
static void test_filtered(void **state)
{
    static const struct {
        const char *cpuinfo;
        bool filtered, amd;
    } cases[] = {{"vendor_id\t: GenuineIntel\nflags\t\t: fpu sgx sgx_lc\nbugs\t\t:\n", true, false},
                 {"vendor_id\t: GenuineIntel\nflags\t\t: fpu sgx_lc avx\nbugs\t\t: sgx\n", false, false},
                 {"vendor_id\t: AuthenticAMD\nflags\t\t: fpu avx\n", false, true},
                 {"", false, false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fake f;
        struct bench b;
        struct sink s;
        fake_begin(&f);
        fake_add(&f, "intel-rapl:0", "package-0", 50, 0, small_uj);
        fake_add(&f, "intel-rapl:0:0", "core", 30, 0, small_uj);
        fake_put(&f, ".", "cpuinfo", cases[i].cpuinfo);
        fake_open(&f, &b, "100");
        fake_phase(&f, &b, &s, 10, 1);
        fake_expect(&s, "energy_package_0", 500, 1e-3);
        assert_int_equal(fake_has_flag(sink_get(&s, "energy_package_0"), "FILTERED"), cases[i].filtered);
        assert_int_equal(fake_has_flag(sink_get(&s, "energy_package_0_core"), "AMD_CORE"), cases[i].amd);
        assert_false(fake_has_flag(sink_get(&s, "energy_package_0"), "AMD_CORE"));
        bench_close(&b);
        fake_end(&f);
    }
}

/* The modulus is the range and one unit of 2^-14 J: many wraps of the real range lose nothing. */
static void test_real_range(void **state)
{
    struct fake f;
    struct bench b;
    struct sink s;
    (void)state;
    fake_begin(&f);
    fake_add(&f, "intel-rapl:0", "package-0", 600, 0, 65532610987.0);
    fake_put(&f, "intel-rapl:0", "constraint_0_max_power_uw", "400000000\n");
    fake_open(&f, &b, "100"); /* the constraint counts, not this */
    fake_phase(&f, &b, &s, 120, 10);
    fake_expect(&s, "energy_package_0", 720000, 1e-3);
    fake_phase(&f, &b, &s, 1, 45); /* 4 x 400 W go round in 41 s */
    fake_expect_absent(&s, "energy_package_0", "WRAP_LOST");
    bench_close(&b);
    fake_end(&f);
}

/* Without a range no gap shows a wrap: one as long as the smallest range lasts is lost. */
static void test_no_range_and_long_gap(void **state)
{
    struct fake f;
    struct bench b;
    struct sink s;
    (void)state;
    fake_begin(&f);
    fake_add(&f, "intel-rapl:0", "package-0", 50, 0, 0);
    fake_open(&f, &b, "100");
    fake_phase(&f, &b, &s, 1, 600);
    fake_expect(&s, "energy_package_0", 30000, 1e-3);
    fake_phase(&f, &b, &s, 1, 700);
    fake_expect_absent(&s, "energy_package_0", "WRAP_LOST");
    bench_close(&b);
    fake_end(&f);
}

/* What the phase before lost is not held against the next; what failed at its begin is. */
static void test_phases_apart(void **state)
{
    struct fake f;
    struct bench b;
    struct sink s;
    (void)state;
    fake_begin(&f);
    struct fake_zone *z = fake_add(&f, "intel-rapl:0", "package-0", 50, 100e6, small_uj);
    fake_open(&f, &b, "100");
    fake_phase(&f, &b, &s, 2, 1);
    fake_reset(&f, z);
    fake_pass(&f, 30);
    fake_phase(&f, &b, &s, 10, 1);
    fake_expect(&s, "energy_package_0", 500, 1e-3);
    assert_string_equal(sink_get(&s, "energy_package_0")->flags, "");
    set_eio(&f, z);
    sink_init(&s);
    b.ops->begin(b.self);
    fake_pass(&f, 1);
    mend(&f, z);
    b.ops->end(b.self, &s.to);
    fake_expect_absent(&s, "energy_package_0", "begin");
    fake_phase(&f, &b, &s, 10, 1);
    fake_expect(&s, "energy_package_0", 500, 1e-3);
    bench_close(&b);
    fake_end(&f);
}

/* This machine: either it can be read, or probe says in a line why not. */
static void test_here(void **state)
{
    char why[512] = "";
    (void)state;
    if (tare_meter_powercap.probe(why, sizeof why) < 0) {
        assert_true(why[0]);
        print_message("  here: %s\n", why);
    }
    assert_int_equal(tare_meter_powercap.place, TARE_METER_OUTSIDE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_stuck),
        cmocka_unit_test(test_short),
        cmocka_unit_test(test_uncertainty),
        cmocka_unit_test(test_slower_than_found),
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_twin),
        cmocka_unit_test(test_mirrored),
        cmocka_unit_test(test_mirrored_but),
        cmocka_unit_test(test_mirror_parts),
        cmocka_unit_test(test_dead_are_no_mirrors),
        cmocka_unit_test(test_permission),
        cmocka_unit_test(test_nothing_there),
        cmocka_unit_test(test_filtered),
        cmocka_unit_test(test_real_range),
        cmocka_unit_test(test_no_range_and_long_gap),
        cmocka_unit_test(test_phases_apart),
        cmocka_unit_test(test_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
