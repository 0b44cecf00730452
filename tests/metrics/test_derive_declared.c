/* SPDX-License-Identifier: Apache-2.0 */
/* Money, carbon and modelled energy: declarations x readings that are made by hand, in closed form. */
#include "evidence.h"

#include "metrics/derive/energy_modelled.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int tare_derive_energy_modelled(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);
int tare_derive_carbon(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);
int tare_derive_cost(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

static const double z = 1.959963984540054;

static struct made made;
static struct made_figures figures;

/* What is declared, as a plan has it. */
static void declare(const char *text)
{
    struct tare_err err = {0};
    struct tare_json *given = NULL, *plan = NULL;
    if (tare_json_parse(text, strlen(text), "test", &given, &err) != 0 ||
        tare_declared_embed(given, &plan, &err) != 0 || tare_declared_read(plan, &made.declared, &err) != 0) {
        fail_msg("%s", err.msg);
    }
    tare_json_destroy(given);
    tare_json_destroy(plan);
}

#define LIST                                                                                    \
    "\"tare_prices\": 1, \"currency\": \"USD\", \"date\": \"2026-05-01\", \"region\": \"eu\", " \
    "\"source\": \"a list\", \"includes\": [\"compute\", \"power\"], "

/* 2 $/h at 100 tok/s is 5.56 $ for 1M tokens. */
static void test_instance(void **state)
{
    (void)state;
    made_init(&made, 6);
    declare("{\"prices\": {" LIST "\"instance\": {\"price_per_h\": 2, \"idle_included\": true}}}");
    made_derive(&made, tare_derive_cost, &figures);
    made_expect(&figures, "cost_per_mtok", 1e6 * 2 / (3600 * 100.0));
    assert_true(fabs(made_get(&figures, "cost_per_mtok")->value - 5.56) < 0.005);
    made_expect(&figures, "cost_total", 2 * 10 / 3600.0);
    made_expect(&figures, "cost_per_query", 2 / 3600.0);
    made_expect_absent(&figures, "cost_per_correct", "no notion of a right answer");
    made_expect_absent(&figures, "cost_per_param", "number of parameters");
    const struct made_figure *f = made_get(&figures, "cost_per_mtok");
    assert_string_equal(f->unit, "USD/Mtok");
    assert_int_equal(f->kind, TARE_KIND_MODELLED);
    assert_non_null(strstr(f->source, "2026-05-01"));
    assert_non_null(strstr(f->source, "includes compute, power"));
    assert_non_null(strstr(f->source, "idle hours paid for in it"));
    for (size_t i = 0; i < 6; i++) {
        made.exact[i] = 4;
        (void)made_one(&made, i, "load", "model", "model", "params_total", 1000, 0, 0);
    }
    made_derive(&made, tare_derive_cost, &figures);
    made_expect(&figures, "cost_per_correct", 20 / 3600.0 / 4);
    made_expect(&figures, "cost_per_param", 20 / 3600.0 / 1000);
}

static void test_api(void **state)
{
    (void)state;
    made_init(&made, 6);
    declare("{\"prices\": {" LIST "\"api\": {\"input_per_mtok\": 3, \"output_per_mtok\": 15}}}");
    made_derive(&made, tare_derive_cost, &figures);
    made_expect(&figures, "cost_total", (600 * 3 + 400 * 15) / 1e6);
    assert_non_null(strstr(made_get(&figures, "cost_total")->source, "none taken as cached"));
}

static void test_owned(void **state)
{
    (void)state;
    made_init(&made, 6);
    declare("{\"prices\": {" LIST "\"owned\": {\"hardware_price\": 9000, \"lifetime_h\": 30000, "
            "\"utilisation\": 0.5, \"electricity_per_kwh\": 0.36}}}");
    made_derive(&made, tare_derive_cost, &figures);
    made_expect_absent(&figures, "cost_total",
                       "no energy meter works here"); /* and no total without the power */
    made_all(&made, "measure", "external", "wall", "energy_wall", 1000, 1, 0.02);
    made_derive(&made, tare_derive_cost, &figures);
    double power = 1000 * 0.36 / 3.6e6, total = 9000 / (30000 * 0.5) * 10 / 3600 + power;
    made_expect(&figures, "cost_total", total);
    double half = z * hypot(0.001, 0.02) * power;
    assert_true(fabs(made_get(&figures, "cost_total")->high - (total + half)) < 1e-12);
    assert_string_equal(made_get(&figures, "cost_total")->scope, "wall");
    made_init(&made, 6);
    made_derive(&made, tare_derive_cost, &figures);
    made_expect_absent(&figures, "cost_total", "no prices were declared (--prices)");
}

#define ROW                                                                                            \
    "{\"region\": \"X\", \"year\": 2024, \"basis\": \"location_average\", \"scope\": \"life_cycle\", " \
    "\"source\": \"a table\", \"g_per_kwh\": 360"
#define CARBON "\"tare_carbon\": 1, \"date\": \"2026-05-01\", \"intensities\": [" ROW

static void test_carbon(void **state)
{
    (void)state;
    made_init(&made, 6);
    declare("{\"carbon\": {" CARBON ", \"u_percent\": 10}], \"pue\": 1.5, \"pue_applies\": true, "
            "\"embodied\": {\"total_kg\": 876, \"lifetime_h\": 43800, \"share\": 0.5, \"source\": \"a "
            "sheet\"}}}");
    made_all(&made, "measure", "powercap", "package", "energy_package_0", 1000, 3, 0.04);
    made_derive(&made, tare_derive_carbon, &figures);
    made_expect(&figures, "carbon_operational", 1000 * 1.5 * 360 / 3.6e6);
    made_expect(&figures, "carbon_per_tok", 0.15 / 1000);
    made_expect(&figures, "carbon_per_request", 0.015);
    double m = 876e3 * 0.5 * 10 / (43800 * 3600.0);
    made_expect(&figures, "carbon_embodied", m);
    made_expect(&figures, "sci_per_tok", (0.15 + m) / 1000);
    made_expect(&figures, "sci_per_request", (0.15 + m) / 10);
    const struct made_figure *f = made_get(&figures, "carbon_operational");
    double half = z * 0.15 * sqrt(0.003 * 0.003 + 0.04 * 0.04 + 0.01);
    assert_true(fabs(f->high - (0.15 + half)) < 1e-12);
    assert_int_equal(f->kind, TARE_KIND_MODELLED);
    assert_non_null(strstr(f->source, "X, 2024, location_average, life_cycle; a table; declared 2026-05-01"));
    assert_non_null(strstr(f->source, "PUE 1.5 applied once"));
    assert_string_equal(f->flags, "");
    /* nobody said how sure the sheet is */
    assert_true(isnan(made_get(&figures, "sci_per_tok")->low));
    assert_non_null(strstr(made_get(&figures, "sci_per_tok")->method, "what is declared is not known"));
    assert_int_equal(made_get(&figures, "carbon_embodied")->kind, TARE_KIND_DECLARED);
}

/* PUE enters once or not at all; a contract is a declaration; a default says so. */
static void test_carbon_rules(void **state)
{
    (void)state;
    made_init(&made, 6);
    made_all(&made, "measure", "external", "wall", "energy_wall", 1000, 3, 0.04);
    declare("{\"carbon\": {" CARBON "}], \"pue\": 1.5, \"pue_applies\": false}}");
    made_derive(&made, tare_derive_carbon, &figures);
    made_expect(&figures, "carbon_operational", 0.1);
    assert_non_null(strstr(made_get(&figures, "carbon_operational")->source, "PUE 1.5 already in the meter"));
    made_expect_absent(&figures, "sci_per_tok", "declares no embodied carbon");
    declare("{\"carbon\": {" CARBON "}]}}");
    made_derive(&made, tare_derive_carbon, &figures);
    made_expect(&figures, "carbon_operational", 0.1);
    assert_non_null(strstr(made_get(&figures, "carbon_operational")->source, "PUE 1.0, none declared"));
    declare(
        "{\"carbon\": {\"tare_carbon\": 1, \"date\": \"2026-05-01\", \"intensities\": [{\"region\": \"us\", "
        "\"year\": 2025, \"basis\": \"market\", \"scope\": \"direct\", \"source\": \"our contract\", "
        "\"g_per_kwh\": 0}]}}");
    made_derive(&made, tare_derive_carbon, &figures);
    assert_int_equal(made_get(&figures, "carbon_operational")->kind, TARE_KIND_DECLARED);
    declare("{\"carbon\": \"auto\"}");
    made_derive(&made, tare_derive_carbon, &figures);
    made_expect(&figures, "carbon_operational", 1000 * 445 / 3.6e6);
    assert_string_equal(made_get(&figures, "carbon_operational")->flags, "DEFAULT");
    made_init(&made, 6);
    declare("{\"carbon\": \"auto\"}");
    made_derive(&made, tare_derive_carbon, &figures);
    made_expect_absent(&figures, "carbon_operational", "no energy meter works here");
    made_init(&made, 6);
    made_derive(&made, tare_derive_carbon, &figures);
    made_expect_absent(&figures, "carbon_operational", "no carbon intensity was declared");
}

static void test_modelled(void **state)
{
    (void)state;
    made_init(&made, 6);
    made_all(&made, "measure", "rusage", "process", "cpu_user", 9, (double)NAN, (double)NAN);
    made_all(&made, "measure", "rusage", "process", "cpu_system", 1, (double)NAN, (double)NAN);
    made_derive(&made, tare_derive_energy_modelled, &figures);
    made_expect_absent(&figures, "energy_modelled", "no model of power was asked for");
    declare("{\"energy_model\": \"idle_w=20,max_w=100\", \"carbon\": \"auto\"}");
    made_derive(&made, tare_derive_energy_modelled, &figures);
    made_expect(&figures, "energy_modelled", 400); /* 10 of 40 CPU seconds: 40 W */
    made_expect(&figures, "power_modelled", 40);
    made_expect(&figures, "energy_modelled_per_tok", 0.4);
    made_expect(&figures, "energy_modelled_per_output_tok", 1);
    made_expect(&figures, "energy_modelled_per_request", 40);
    const struct made_figure *f = made_get(&figures, "energy_modelled");
    assert_int_equal(f->kind, TARE_KIND_MODELLED);
    assert_true(f->high >= 2 * f->value && f->low <= f->value / 2);
    assert_non_null(strstr(f->flags, "NEVER_RANKED"));
    assert_true(isnan(f->level)); /* no level: no ranking can be built on it */
    made_derive(&made, tare_derive_carbon, &figures);
    made_expect(&figures, "carbon_modelled", 400 * 445 / 3.6e6);
    made_expect_absent(&figures, "carbon_operational", "no energy meter works here");
    /* others load the machine too; and it is never loaded more than whole */
    made_all(&made, "measure", "foreign", "node", "foreign_cpu", 25, (double)NAN, (double)NAN);
    made_derive(&made, tare_derive_energy_modelled, &figures);
    made_expect(&figures, "power_modelled", 60);
    for (size_t i = 0; i < 6; i++) {
        made_find(&made, i, "measure", "cpu_user")->value = 1000;
    }
    made_derive(&made, tare_derive_energy_modelled, &figures);
    made_expect(&figures, "power_modelled", 100);
    declare("{\"energy_model\": \"auto\"}");
    made_derive(&made, tare_derive_energy_modelled, &figures);
    made_expect(&figures, "power_modelled", 14); /* 4 CPUs of 3.5 W */
    f = made_get(&figures, "power_modelled");
    assert_non_null(strstr(f->source, "Cloud Carbon Footprint"));
    assert_non_null(strstr(f->source, "2026-"));
    made.e.cpus = 0;
    made_derive(&made, tare_derive_energy_modelled, &figures);
    made_expect_absent(&figures, "energy_modelled", "number of CPUs");
}

/* Points of one calibration file that lie within the factor: columns cores_used, cpu_load, rapl_power. */
static void count_points(const char *path, size_t *in, size_t *all)
{
    char line[2048];
    FILE *from = fopen(path, "re");
    assert_non_null(from);
    double threads = 0, load[64], power[64];
    size_t n = 0;
    while (fgets(line, sizeof line, from) && n < 64) {
        double cores;
        if (sscanf(line, "%*[^,],%*[^,],%*[^,],%*[^,],%lf,%lf,%*[^,],%*[^,],%lf", &cores, &load[n],
                   &power[n]) == 3) {
            threads = cores > threads ? cores : threads;
            n++;
        }
    }
    (void)fclose(from);
    for (size_t i = 0; i < n; i++) {
        double model = tare_energy_model_power(&made.declared.energy_model, load[i] / 100, (int64_t)threads);
        double factor = made.declared.energy_model.factor;
        if (load[i] >= 8) {
            *all += 1;
            *in += power[i] >= model / factor && power[i] <= model * factor;
        }
    }
}

/* The interval of "auto" against public tables of load and RAPL power, where somebody has them. */
static void test_tables(void **state)
{
    const char *folder = getenv("TARE_RAPL_TABLES");
    size_t in = 0, all = 0;
    (void)state;
    if (!folder) {
        skip();
    }
    made_init(&made, 1);
    declare("{\"energy_model\": \"auto\"}");
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (const struct dirent *d; (d = readdir(dir)) != NULL;) {
        char path[4096];
        if (!strstr(d->d_name, ".csv")) {
            continue;
        }
        (void)snprintf(path, sizeof path, "%s/%s", folder, d->d_name);
        count_points(path, &in, &all);
    }
    (void)closedir(dir);
    print_message("%zu of %zu points at 8 %% load or more within the factor\n", in, all);
    assert_true(all > 0);
    assert_true((double)in >= 0.9 * (double)all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_instance), cmocka_unit_test(test_api),          cmocka_unit_test(test_owned),
        cmocka_unit_test(test_carbon),   cmocka_unit_test(test_carbon_rules), cmocka_unit_test(test_modelled),
        cmocka_unit_test(test_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
