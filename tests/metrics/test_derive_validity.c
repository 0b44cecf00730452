/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What figures say of their own validity: flags out of the table of disturbances, percentiles that need more
 * values, latencies that did not settle, pairs of unlike temperature.
 */
#include "made_cell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <tare/rng.h>

int tare_derive_latency(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);
int tare_derive_steady(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);
int tare_derive_resources(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);
int tare_derive_throughput(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

static struct made_cell cell;
static struct made_figures figures;

static const char *flags_of(const struct made_cell *c)
{
    static struct tare_figure f;
    f = tare_figure_make("x", "s", TARE_KIND_MEASURED, "a", "b");
    tare_figure_flag_noise(&f, &c->e);
    return f.flags;
}

/* Every rule of the table that flags times raises its word, alone, and no other does. */
static void test_flags(void **state)
{
    (void)state;
    for (size_t i = 0; i < tare_noise_n_rules; i++) {
        const struct tare_noise_rule *rule = &tare_noise_rules[i];
        if (rule->basis == TARE_NOISE_FACT) {
            continue;
        }
        bool prefix = rule->basis == TARE_NOISE_ABSENT_PREFIX;
        made_cell_init(&cell, 2);
        made_cell_read(&cell, 1, "wall", 1e9, NULL);
        made_cell_read(&cell, 2, "wall", 1e9, NULL);
        assert_string_equal(flags_of(&cell), "");
        made_cell_read(&cell, 2, prefix ? "energy" : rule->reading,
                       rule->basis == TARE_NOISE_BELOW ? rule->limit - 1 : rule->limit + 1,
                       prefix ? rule->reading : NULL);
        assert_string_equal(flags_of(&cell), rule->flags_times ? rule->code : "");
        assert_true(tare_evidence_disturbed(&cell.e) == (tare_noise_set)1 << i);
        cell.repeats[1].complete = false; /* what is not used does not disturb */
        assert_string_equal(flags_of(&cell), "");
        cell.repeats[1].complete = true;
        cell.readings[2].r.phase = "warmup";
        assert_string_equal(flags_of(&cell), "");
        cell.readings[2].r.phase = "measure";
        cell.readings[2].r.meter = TARE_METER_OF_BACKEND; /* a backend's word is no meter's */
        assert_string_equal(flags_of(&cell), "");
    }
}

static void test_facts(void **state)
{
    (void)state;
    made_cell_init(&cell, 1);
    cell.e.slow_build = true;
    assert_string_equal(flags_of(&cell), "SLOW_BUILD");
    made_cell_init(&cell, 1);
    cell.e.settings_changed = true;
    assert_string_equal(flags_of(&cell), "SETTINGS_CHANGED");
    made_cell_init(&cell, 1);
    cell.repeats[0].sums.requests = TARE_MIN_REQUESTS - 1;
    assert_string_equal(flags_of(&cell), "");
    assert_true(tare_evidence_disturbed(&cell.e) == tare_noise_of_fact(TARE_FACT_TOO_FEW_REQUESTS));
    cell.repeats[0].sums.requests = TARE_MIN_REQUESTS;
    assert_true(tare_evidence_disturbed(&cell.e) == 0);
    cell.e.data_mismatch = true;
    assert_true(tare_evidence_disturbed(&cell.e) == tare_noise_of_fact(TARE_FACT_DATA_MISMATCH));
}

/* Flags are whole words, and none is lost when all of them hold. */
static void test_all_flags(void **state)
{
    (void)state;
    struct tare_figure f = tare_figure_make("x", "s", TARE_KIND_MEASURED, "a", "b");
    static const char *const others[] = {"RESUMED",         "WARMUP_SEEN", "SLOW_DOWN",
                                         "NO_STEADY_STATE", "TEMPERATURE", "APART",
                                         "UNEQUAL_WORK",    "FEW_REPEATS", "TOO_FEW_SAMPLES"};
    for (size_t i = 0; i < tare_noise_n_rules; i++) {
        tare_figure_flag(&f, tare_noise_rules[i].code);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        tare_figure_flag(&f, others[i]);
    }
    for (size_t i = 0; i < tare_noise_n_rules; i++) {
        assert_true(made_flagged(&f, tare_noise_rules[i].code));
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_true(made_flagged(&f, others[i]));
    }
    f.flags[0] = '\0';
    tare_figure_flag(&f, "PSI_MEMORY");
    tare_figure_flag(&f, "MEMORY"); /* part of another word */
    tare_figure_flag(&f, "PSI_MEMORY");
    assert_string_equal(f.flags, "PSI_MEMORY,MEMORY");
    memset(f.flags, 'A', sizeof f.flags - 4);
    f.flags[sizeof f.flags - 4] = '\0';
    tare_figure_flag(&f, "BBBB");
    assert_null(strchr(f.flags, 'B'));
}

/* The least n of each percentile: with one less it is withheld, says so, and none other is touched. */
static void test_percentiles(void **state)
{
    static const struct {
        const char *name;
        size_t n;
    } cases[] = {{"latency_p50", 6},
                 {"latency_p90", 36},
                 {"latency_p95", 72},
                 {"latency_p99", 368},
                 {"latency_p999", 3688}};
    enum { most = 4000, n_cases = 5 };
    static double values[most];
    (void)state;
    for (size_t i = 0; i < most; i++) {
        values[i] = 1e6 * (double)(i + 1);
    }
    for (size_t i = 0; i < n_cases; i++) {
        for (size_t less = 0; less < 2; less++) {
            made_cell_init(&cell, 2); /* the shorter repeat decides */
            made_cell_column(&cell, 1, TARE_COLUMN_LATENCY_NS, values, cases[i].n - less);
            made_cell_column(&cell, 2, TARE_COLUMN_LATENCY_NS, values, most);
            made_figures_init(&figures);
            assert_int_equal(tare_derive_latency(&cell.e, &figures.to, NULL), 0);
            for (size_t j = 0; j < n_cases; j++) {
                const struct tare_figure *f = made_figure(&figures, cases[j].name);
                bool there = j < i || (j == i && !less);
                assert_int_equal(f->absent == NULL, there);
                assert_int_equal(made_flagged(f, "TOO_FEW_SAMPLES"), !there);
                assert_true(there || strncmp(f->absent, "n too small", 11) == 0);
            }
        }
    }
}

/* One repeat: its interval is that of order statistics, and of the ranks that 36 values need for p90. */
static void test_single_repeat(void **state)
{
    enum { n = 36 };
    double values[n];
    (void)state;
    for (size_t i = 0; i < n; i++) {
        values[i] = 1e9 * (double)(i + 1);
    }
    made_cell_init(&cell, 1);
    made_cell_column(&cell, 1, TARE_COLUMN_LATENCY_NS, values, n);
    made_figures_init(&figures);
    assert_int_equal(tare_derive_latency(&cell.e, &figures.to, NULL), 0);
    const struct tare_figure *f = made_figure(&figures, "latency_p90");
    assert_true(f->low == 29 && f->high == 36 && f->level > 0.95);
    assert_true(made_flagged(f, "ONE_REPEAT"));
}

static double normal(struct tare_rng *rng)
{
    double u = 1 - tare_rng_unit(rng), v = tare_rng_unit(rng);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

enum shape { FLAT, WARM_UP, SLOW_DOWN, DRIFT };

/* Latencies around 1 ms with 2 % noise; requests of two sizes, one of which takes thrice as long. */
static void make_latencies(enum shape shape, double *latency, double *work, size_t n, uint64_t seed)
{
    struct tare_rng rng;
    tare_rng_init(&rng, seed);
    for (size_t i = 0; i < n; i++) {
        double at = (double)i / (double)n;
        double level = shape == WARM_UP     ? 1 + 0.6 * exp(-(double)i / 10)
                       : shape == SLOW_DOWN ? (at < 0.25 ? 1 : 1.1)
                       : shape == DRIFT     ? 1 + 0.5 * at
                                            : 1;
        bool large = tare_rng_unit(&rng) < 0.5;
        work[i] = large ? 300 : 100;
        latency[i] = 1e6 * (large ? 3 : 1) * level * exp(0.02 * normal(&rng));
    }
}

/* Of 20 seeds each: the word that the shape deserves on rates and percentiles, and on flat ones none. */
static void test_courses(void **state)
{
    enum { n = 200, seeds = 20 };
    static const char *const words[] = {
        [FLAT] = NULL, [WARM_UP] = "WARMUP_SEEN", [SLOW_DOWN] = "SLOW_DOWN", [DRIFT] = "NO_STEADY_STATE"};
    static double latency[n], work[n];
    (void)state;
    for (int shape = FLAT; shape <= DRIFT; shape++) {
        int right = 0;
        for (uint64_t seed = 1; seed <= seeds; seed++) {
            make_latencies((enum shape)shape, latency, work, n, seed);
            made_cell_init(&cell, 1);
            made_cell_column(&cell, 1, TARE_COLUMN_LATENCY_NS, latency, n);
            made_cell_column(&cell, 1, TARE_COLUMN_WORK, work, n);
            assert_int_equal(tare_steady_assess(&cell.e, cell.repeats, NULL), 0);
            assert_null(cell.repeats[0].steady.absent);
            right += strcmp(flags_of(&cell), words[shape] ? words[shape] : "") == 0;
        }
        if (right < seeds - 1) {
            fail_msg("shape %d: %d of %d", shape, right, seeds);
        }
    }
}

/* Figures of a flat cell; without its like the same latencies would jump with the sizes. */
static void test_steady_figures(void **state)
{
    enum { n = 200 };
    static double latency[n], work[n], none[n];
    (void)state;
    make_latencies(FLAT, latency, work, n, 3);
    made_cell_init(&cell, 2);
    for (int64_t id = 1; id <= 2; id++) {
        made_cell_column(&cell, id, TARE_COLUMN_LATENCY_NS, latency, n);
        made_cell_column(&cell, id, TARE_COLUMN_WORK, work, n);
    }
    assert_int_equal(tare_steady_assess(&cell.e, cell.repeats, NULL), 0);
    made_figures_init(&figures);
    assert_int_equal(tare_derive_steady(&cell.e, &figures.to, NULL), 0);
    assert_true(fabs(made_figure(&figures, "latency_lag1")->value) < 0.3);
    assert_true(made_figure(&figures, "latency_n_effective")->value > 100);
    assert_true(made_figure(&figures, "steady_fraction")->value == 1);
    assert_int_equal(made_figure(&figures, "steady_fraction")->n, 2);
    for (size_t i = 0; i < n; i++) {
        none[i] = (double)i; /* no two alike */
    }
    cell.columns[3].values = none;
    assert_int_equal(tare_steady_assess(&cell.e, cell.repeats, NULL), 0);
    made_figures_init(&figures);
    assert_int_equal(tare_derive_steady(&cell.e, &figures.to, NULL), 0);
    assert_non_null(strstr(made_figure(&figures, "steady_fraction")->absent, "differ in work"));
    assert_string_equal(flags_of(&cell), "");
    cell.columns[2].n = cell.columns[3].n = 19;
    assert_int_equal(tare_steady_assess(&cell.e, cell.repeats, NULL), 0);
    assert_non_null(strstr(cell.repeats[1].steady.absent, "n too small"));
    cell.columns[2].n = 0; /* no request at all */
    cell.columns[3].n = 0;
    assert_int_equal(tare_steady_assess(&cell.e, cell.repeats, NULL), 0);
    assert_non_null(cell.repeats[1].steady.absent);
}

/* A series longer than is searched at once: the place of its change is kept as a share. */
static void test_long_series(void **state)
{
    enum { n = 50000 };
    double *latency = malloc(n * sizeof *latency), *work = malloc(n * sizeof *work);
    (void)state;
    assert_true(latency && work);
    make_latencies(SLOW_DOWN, latency, work, n, 9);
    made_cell_init(&cell, 1);
    made_cell_column(&cell, 1, TARE_COLUMN_LATENCY_NS, latency, n);
    made_cell_column(&cell, 1, TARE_COLUMN_WORK, work, n);
    assert_int_equal(tare_steady_assess(&cell.e, cell.repeats, NULL), 0);
    assert_string_equal(flags_of(&cell), "SLOW_DOWN");
    assert_true(fabs(cell.repeats[0].steady.fraction - 0.75) < 0.01);
    assert_int_equal(cell.repeats[0].steady.n, n);
    free(latency);
    free(work);
}

/* Rows of the machine's meter become figures; a sensor that was not read takes its own figure away. */
static void test_resources(void **state)
{
    (void)state;
    made_cell_init(&cell, 2);
    for (int64_t id = 1; id <= 2; id++) {
        made_cell_read(&cell, id, "temperature_begin", 40 + (double)id, NULL);
        made_cell_read(&cell, id, "psi_memory_full", 2e6, NULL);
        made_cell_read(&cell, id, "frequency_mean", 3e9, id == 2 ? "SENSOR_GAP: not read for 3 s" : NULL);
    }
    made_figures_init(&figures);
    assert_int_equal(tare_derive_resources(&cell.e, &figures.to, NULL), 0);
    assert_true(made_figure(&figures, "temperature_begin")->value == 41.5);
    assert_true(made_figure(&figures, "psi_memory_full")->value == 2);
    assert_string_equal(made_figure(&figures, "psi_memory_full")->unit, "s");
    assert_string_equal(made_figure(&figures, "frequency_mean")->absent, "SENSOR_GAP: not read for 3 s");
    assert_string_equal(made_figure(&figures, "throttle_core")->absent, "no meter reads this here");
}

/* Pairs whose starts differ by more than 5 K. */
static void test_temperature(void **state)
{
    static const struct {
        double here, there; /* NaN: not read */
        bool flagged;
    } cases[] = {{50, 45, false}, {50, 44.9, true}, {44.9, 50, true}, {50, (double)NAN, false}};
    static struct made_cell base;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        made_cell_init(&cell, 1);
        made_cell_init(&base, 1);
        made_cell_read(&cell, 1, "temperature_begin", cases[i].here, NULL);
        made_cell_read(&base, 1, "temperature_begin", cases[i].there,
                       isnan(cases[i].there) ? "no sensor" : NULL);
        cell.e.baseline = &base.e;
        cell.e.baseline_name = "base";
        made_figures_init(&figures);
        assert_int_equal(tare_derive_throughput(&cell.e, &figures.to, NULL), 0);
        assert_true(made_figure(&figures, "speedup")->value == 1);
        assert_int_equal(made_flagged(made_figure(&figures, "speedup"), "TEMPERATURE"), cases[i].flagged);
    }
}

/* Every sensor that both sides have is compared with its like, those of GPUs included, and with no other. */
static void test_temperatures(void **state)
{
    static const struct {
        const char *here, *there;
        double here_c, there_c;
        bool flagged;
    } cases[] = {{"temperature_gpu_0_begin", "temperature_gpu_0_begin", 70, 50, true},
                 {"temperature_gpu_1_begin", "temperature_gpu_1_begin", 50, 55.1, true},
                 {"temperature_gpu_0_begin", "temperature_gpu_0_begin", 50, 55, false},
                 {"temperature_gpu_0_begin", "temperature_gpu_1_begin", 70, 50, false},
                 {"temperature_gpu_0_end", "temperature_gpu_0_end", 70, 50, false},
                 {"temperature_gpu_0_begin", "temperature_gpu_0_begin", 50, (double)NAN, false}};
    static struct made_cell base;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        made_cell_init(&cell, 1);
        made_cell_init(&base, 1);
        made_cell_read(&cell, 1, "temperature_begin", 50, NULL);
        made_cell_read(&base, 1, "temperature_begin", 50, NULL);
        made_cell_read(&cell, 1, cases[i].here, cases[i].here_c, NULL);
        made_cell_read(&base, 1, cases[i].there, cases[i].there_c,
                       isnan(cases[i].there_c) ? "no sensor" : NULL);
        cell.e.baseline = &base.e;
        cell.e.baseline_name = "base";
        made_figures_init(&figures);
        assert_int_equal(tare_derive_throughput(&cell.e, &figures.to, NULL), 0);
        assert_int_equal(made_flagged(made_figure(&figures, "speedup"), "TEMPERATURE"), cases[i].flagged);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flags),          cmocka_unit_test(test_facts),
        cmocka_unit_test(test_all_flags),      cmocka_unit_test(test_percentiles),
        cmocka_unit_test(test_single_repeat),  cmocka_unit_test(test_courses),
        cmocka_unit_test(test_steady_figures), cmocka_unit_test(test_long_series),
        cmocka_unit_test(test_resources),      cmocka_unit_test(test_temperature),
        cmocka_unit_test(test_temperatures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
