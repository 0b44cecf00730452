/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cells that asked their items again for a longer window (phase sustain). How many passes fit into it follows
 * from speed, so totals of two cells compare only where both are of one pass; what is of one side only is
 * not compared; and what disturbed that phase is said.
 */
#include "evidence.h"

#include "metrics/derive/energy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

int tare_derive_energy(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);
int tare_derive_energy_modelled(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);
int tare_derive_carbon(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);
int tare_derive_cost(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

static const double z = 1.959963984540054;

static struct made slow, fast;
static struct made_figures figures, other;

static const struct tare_declared declared = {
    .energy_model = {.given = true, .idle_w = 10, .max_w = 30, .factor = 3},
    .prices = {.basis = TARE_PRICES_OWNED,
               .currency = "EUR",
               .electricity_per_kwh = 0.36,
               .hardware = 9000,
               .lifetime_h = 30000,
               .utilisation = 0.5},
    .carbon = {.given = true,
               .basis = "location_average",
               .g_per_kwh = 360,
               .pue = 1,
               .u_percent = 10,
               .embodied = true,
               .total_kg = 876,
               .lifetime_h = 43800,
               .share = 0.5,
               .embodied_u_percent = 10},
};

/* The phase sustain of one repeat: passes of `pass_s` seconds at 10 W beside 2 W of idle, the items being
 * those of the measure phase. */
static void sustain_one(struct made *m, size_t repeat, double passes, double pass_s)
{
    const struct {
        const char *name;
        double each;
    } counts[] = {{"sustain_passes", 1},       {"sustain_items", 10},       {"sustain_requests", 10},
                  {"sustain_prompt_tok", 600}, {"sustain_output_tok", 400}, {"sustain_correct", 8}};
    double t = passes * pass_s;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        made_one(m, repeat, "sustain", "harness", "process", counts[i].name, passes * counts[i].each, 0, 0)
            ->unit = "1";
    }
    (void)made_one(m, repeat, "sustain", "clock", "process", "wall", t * 1e9, 0, 0);
    (void)made_one(m, repeat, "sustain", "powercap", "package", "energy_package_0", 10 * t, 0.3, 0.05);
    (void)made_one(m, repeat, "sustain", "rusage", "process", "cpu_user", t, 0, 0); /* one of 4 CPUs */
    (void)made_one(m, repeat, "sustain", "rusage", "process", "cpu_system", 0, 0, 0);
    (void)made_one(m, repeat, "sustain", "foreign", "node", "supervisor_cpu", 0, 0, 0);
    (void)made_one(m, repeat, "sustain", "foreign", "node", "foreign_cpu", 0, 0, 0);
}

/* A cell of passes of `pass_s` seconds at 10 W, one of them in the measure phase and `passes` in sustain; 0:
 * without that phase. */
static void cell(struct made *m, double pass_s, double passes)
{
    made_init(m, 3);
    m->e.declared = &declared;
    made_all(m, "measure", "powercap", "package", "energy_package_0", 10 * pass_s, 0.3, 0.05);
    made_all(m, "measure", "rusage", "process", "cpu_user", pass_s, 0, 0);
    made_all(m, "measure", "rusage", "process", "cpu_system", 0, 0, 0);
    made_all(m, "measure", "foreign", "node", "supervisor_cpu", 0, 0, 0);
    made_all(m, "measure", "foreign", "node", "foreign_cpu", 0, 0, 0);
    made_all(m, "load", "powercap", "package", "energy_package_0", 33, 0.3, 0.05);
    made_all(m, "load", "model", "model", "params_total", 1000, 0, 0);
    made_wall(m, "idle_before", 5);
    made_wall(m, "idle_after", 5);
    made_all(m, "idle_before", "powercap", "package", "energy_package_0", 10, 0.01, 0.05);
    made_all(m, "idle_after", "powercap", "package", "energy_package_0", 10, 0.01, 0.05);
    for (size_t i = 0; i < 3; i++) {
        made_find(m, i, "measure", "wall")->value = pass_s * 1e9;
        m->repeats[i].sums.window_ns = (int64_t)(pass_s * 1e9);
        m->exact[i] = 8;
        if (passes > 0) {
            sustain_one(m, i, passes, pass_s);
        }
    }
}

static void derive_all(struct made *m, struct made_figures *out)
{
    static const tare_derive_fn all[] = {tare_derive_energy, tare_derive_energy_modelled, tare_derive_carbon,
                                         tare_derive_cost};
    static struct made_figures one;
    out->n = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        made_derive(m, all[i], &one);
        memcpy(out->list + out->n, one.list, one.n * sizeof *one.list);
        out->n += one.n;
    }
}

/* The same work at the same power: every figure is what it is without the phase, but for the doubts. */
static void test_means_the_same(void **state)
{
    static const char *const others[] = {"energy_load", "idle_power"};
    size_t n = 0;
    (void)state;
    cell(&slow, 5, 0);
    cell(&fast, 5, 7);
    derive_all(&slow, &other);
    derive_all(&fast, &figures);
    assert_int_equal(figures.n, other.n);
    for (size_t i = 0; i < figures.n; i++) {
        const struct made_figure *with = &figures.list[i], *without = &other.list[i];
        bool outside = strcmp(with->name, others[0]) == 0 || strcmp(with->name, others[1]) == 0;
        assert_string_equal(with->name, without->name);
        assert_int_equal(with->is_absent, without->is_absent);
        assert_null(strstr(without->flags, "SUSTAINED"));
        if (with->is_absent) {
            continue;
        }
        n++;
        if (strcmp(with->name, "energy_u") != 0) { /* read errors are those of one reading in seven */
            made_expect(&figures, with->name, without->value);
        }
        if ((strstr(with->flags, "SUSTAINED") == NULL) != outside) {
            fail_msg("%s has the flags \"%s\"", with->name, with->flags);
        }
    }
    assert_int_equal(n, 34); /* each of them was looked at */
    made_expect(&figures, "energy_u", 0.3 / 7);
}

/* A slow model and one that is twice as fast, both at 10 W and both for a minute: the fast one makes twice as
 * many passes in the same time. Totals of the window would be equal, and cost and carbon with them. */
static void test_ranking(void **state)
{
    static const char *const halves[] = {
        "energy",         "energy_package",     "energy_kwh",      "energy_per_tok", "energy_per_request",
        "energy_net",     "energy_process",     "energy_modelled", "cost_total",     "cost_per_mtok",
        "cost_per_param", "carbon_operational", "carbon_embodied", "carbon_modelled"};
    (void)state;
    cell(&slow, 6, 10);
    cell(&fast, 3, 20);
    fast.e.baseline = &slow.e;
    fast.e.baseline_name = "slow";
    derive_all(&slow, &other);
    derive_all(&fast, &figures);
    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
        made_expect(&figures, halves[i], 0.5 * made_get(&other, halves[i])->value);
    }
    made_expect(&other, "energy", 60);
    made_expect(&figures, "energy", 30);
    made_expect(&other, "energy_delay_product", 360);
    made_expect(&figures, "energy_delay_product", 90);
    made_expect(&other, "power_mean", 10);
    made_expect(&figures, "power_mean", 10);
    made_expect(&figures, "energy_ratio", 0.5);
    assert_non_null(strstr(made_get(&figures, "energy_ratio")->flags, "SUSTAINED"));
    assert_non_null(strstr(made_get(&figures, "energy")->source, "one pass"));
    assert_non_null(strstr(made_get(&figures, "cost_total")->source, "one pass"));
    assert_null(strstr(made_get(&figures, "energy_per_tok")->source, "one pass"));
    /* the interval is of one pass as well: u .3 / 20, gain 5 % of 30 J */
    double half = z * hypot(0.3 / 20, 1.5);
    assert_true(fabs(made_get(&figures, "energy")->high - (30 + half)) < 1e-9);
}

/* One side has the phase: its totals may stand beside the other's, flagged, but there is no ratio. */
static void test_one_side(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        cell(&slow, 6, which ? 10 : 0);
        cell(&fast, 3, which ? 0 : 20);
        fast.e.baseline = &slow.e;
        fast.e.baseline_name = "slow";
        derive_all(&fast, &figures);
        made_expect(&figures, "energy", 30);
        made_expect_absent(&figures, "energy_ratio", "only one of the two");
    }
}

/* Repeats that were resumed have no phase of their own: not for energy, and not for a cost that takes none.
 */
static void test_resumed(void **state)
{
    struct tare_declared rent = declared;
    (void)state;
    rent.prices =
        (struct tare_prices){.basis = TARE_PRICES_INSTANCE, .currency = "EUR", .instance_per_h = 3600};
    cell(&fast, 3, 20);
    fast.e.declared = &rent;
    fast.repeats[1].attempts = 2;
    fast.repeats[1].sums.window_ns = INT64_C(500000000000); /* with the time between two processes */
    derive_all(&fast, &figures);
    made_expect(&figures, "cost_total", 3);
    assert_int_equal(made_get(&figures, "cost_total")->n, 2);
    assert_int_equal(made_get(&figures, "cost_per_query")->n, 2);
    assert_int_equal(made_get(&figures, "cost_per_correct")->n, 2);
    made_expect(&figures, "energy", 30);
    assert_int_equal(made_get(&figures, "energy")->n, 2);
    /* without the phase its own window is one, as for rates */
    cell(&slow, 3, 0);
    slow.e.declared = &rent;
    slow.repeats[1].attempts = 2;
    derive_all(&slow, &figures);
    assert_int_equal(made_get(&figures, "cost_total")->n, 3);
}

/* A phase that one repeat did not finish, or whose counts are not all there, is not taken of any. */
static void test_incomplete(void **state)
{
    static const char *const names[] = {
        "sustain_passes",  "sustain_items", "sustain_requests", "sustain_prompt_tok", "sustain_output_tok",
        "sustain_correct", "wall"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cell(&fast, 3, 20);
        made_find(&fast, 1, "sustain", names[i])->absent = "the worker ended";
        derive_all(&fast, &figures);
        made_expect(&figures, "energy", 30);
        made_expect(&figures, "energy_u", 0.3);
        assert_null(strstr(made_get(&figures, "energy")->flags, "SUSTAINED"));
    }
    /* all repeats but the ones that count */
    cell(&fast, 3, 20);
    fast.repeats[1].complete = false;
    made_find(&fast, 1, "sustain", "wall")->absent = "the worker ended";
    derive_all(&fast, &figures);
    assert_non_null(strstr(made_get(&figures, "energy")->flags, "SUSTAINED"));
    /* passes of different number in each repeat */
    cell(&fast, 3, 0);
    for (size_t i = 0; i < 3; i++) {
        sustain_one(&fast, i, 4 + (double)i, 3);
    }
    derive_all(&fast, &figures);
    made_expect(&figures, "energy", 30);
    made_expect(&figures, "energy_per_correct", 30.0 / 8);
}

/* What disturbs the phase is a disturbance of the cell: a flag, and a reason where the policy is "void". */
static void test_disturbed(void **state)
{
    static const char *const flagged[] = {"energy",     "energy_net",         "energy_ratio",
                                          "cost_total", "carbon_operational", "energy_modelled"};
    (void)state;
    for (int which = 0; which < 2; which++) {
        cell(&slow, 6, 10);
        cell(&fast, 3, 20);
        fast.e.baseline = &slow.e;
        fast.e.baseline_name = "slow";
        assert_true(tare_evidence_disturbed(&fast.e) == 0);
        made_all(&fast, which ? "sustain" : "measure", "machine", "node", "throttle_events", 3, 0, 0);
        /* over 5 % of the minute, not of the three seconds: a share is one of its own phase */
        made_all(&fast, "sustain", "schedstat", "process", "run_queue_wait", 2.9, 0, 0);
        tare_noise_set set = tare_evidence_disturbed(&fast.e);
        for (size_t i = 0; i < tare_noise_n_rules; i++) {
            bool raised = set >> i & 1;
            bool expected =
                tare_noise_rules[i].reading && strcmp(tare_noise_rules[i].reading, "throttle_events") == 0;
            assert_int_equal(raised, expected);
        }
        derive_all(&fast, &figures);
        for (size_t i = 0; i < sizeof flagged / sizeof *flagged; i++) {
            assert_non_null(strstr(made_get(&figures, flagged[i])->flags, "THROTTLED"));
            assert_null(strstr(made_get(&figures, flagged[i])->flags, "CPU_WAIT"));
        }
        assert_null(strstr(made_get(&figures, "idle_power")->flags, "THROTTLED"));
    }
}

/* The chips at the begin of that window, not at that of the measure phase alone. */
static void test_heat(void **state)
{
    (void)state;
    cell(&slow, 6, 10);
    cell(&fast, 3, 20);
    fast.e.baseline = &slow.e;
    fast.e.baseline_name = "slow";
    made_all(&slow, "sustain", "nvml", "device", "temperature_gpu_0_begin", 50, 0, 0);
    made_all(&fast, "sustain", "nvml", "device", "temperature_gpu_0_begin", 55, 0, 0);
    derive_all(&fast, &figures);
    assert_null(strstr(made_get(&figures, "energy_ratio")->flags, "TEMPERATURE"));
    made_find(&fast, 2, "sustain", "temperature_gpu_0_begin")->value = 56;
    derive_all(&fast, &figures);
    assert_non_null(strstr(made_get(&figures, "energy_ratio")->flags, "TEMPERATURE"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_means_the_same), cmocka_unit_test(test_ranking),
        cmocka_unit_test(test_one_side),       cmocka_unit_test(test_resumed),
        cmocka_unit_test(test_incomplete),     cmocka_unit_test(test_disturbed),
        cmocka_unit_test(test_heat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
