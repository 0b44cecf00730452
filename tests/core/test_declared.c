/* SPDX-License-Identifier: Apache-2.0 */
/* What may be declared, and what is refused, with the words that tell the user what to do. */
#include "core/declared.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PRICES                                                                           \
    "\"prices\": {\"tare_prices\": 1, \"currency\": \"EUR\", \"date\": \"2026-02-28\", " \
    "\"region\": \"eu\", \"source\": \"a list\", \"includes\": [\"compute\"], "
#define HOUR   "\"instance\": {\"price_per_h\": 2, \"idle_included\": false}"
#define CARBON "\"carbon\": {\"tare_carbon\": 1, \"date\": \"2026-02-28\", "
#define ROW(region, year, basis, scope, g)                                                           \
    "{\"region\": \"" region "\", \"year\": " year ", \"basis\": \"" basis "\", \"scope\": \"" scope \
    "\", \"source\": \"s\", \"g_per_kwh\": " g "}"
#define ROWS                                                                                                 \
    "\"intensities\": [" ROW("FR", "2022", "location_average", "life_cycle", "80") ", " ROW(                 \
        "FR", "2023", "location_average", "life_cycle",                                                      \
        "56") ", " ROW("FR", "2023", "marginal", "direct", "400") ", " ROW("SE", "2023", "location_average", \
                                                                           "life_cycle", "40") "]"
#define EMBODIED "\"embodied\": {\"total_kg\": 9, \"lifetime_h\": 10, \"share\": 1, \"source\": \"s\"}"

static int embed(const char *text, struct tare_json **plan, struct tare_err *err)
{
    struct tare_json *given = NULL;
    assert_int_equal(tare_json_parse(text, strlen(text), "test", &given, err), 0);
    int r = tare_declared_embed(given, plan, err);
    tare_json_destroy(given);
    return r;
}

static struct tare_declared accept(const char *text)
{
    struct tare_err err = {0};
    struct tare_json *plan = NULL;
    struct tare_declared d = {0};
    if (embed(text, &plan, &err) != 0 || tare_declared_read(plan, &d, &err) != 0) {
        fail_msg("%s: %s", text, err.msg);
    }
    tare_json_destroy(plan);
    return d;
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"{\"energy_model\": \"idle=3\"}", "unknown key \"idle\"; did you mean \"idle_w\""},
        {"{\"energy_model\": \"idle_w=3\"}", "needs idle_w and max_w"},
        {"{\"energy_model\": \"idle_w=3,max_w=2\"}", "below that of idle"},
        {"{\"energy_model\": \"idle_w=0,max_w=0\"}", "below that of idle"},
        {"{\"energy_model\": \"idle_w=3,max_w=9,max_w_per_cpu=1\"}", "needs idle_w and max_w"},
        {"{\"energy_model\": \"idle_w=3,max_w=9,idle_w_per_cpu=1,max_w_per_cpu=2\"}",
         "needs idle_w and max_w"},
        {"{\"energy_model\": \"idle_w=3,max_w=9,factor=1.5\"}", "\"factor\" is 1.5; it may be 2"},
        {"{\"energy_model\": \"idle_w=x,max_w=9\"}", "\"idle_w\" is string, not a number"},
        {"{\"energy_model\": \"idle_w=3,idle_w=4,max_w=9\"}", "given twice"},
        {"{\"energy_model\": \"idle_w=3,max_w\"}", "not of the form key=value"},
        {"{\"energy_model\": \"idle_w=nan,max_w=9\"}", "not a number"},
        {"{\"energy_model\": \"/nowhere/model.json\"}", "/nowhere/model.json"},
        {"{\"energy_model\": 7}", "is number, not an object"},
        {"{\"prices\": \"auto\"}", "auto"},
        {"{\"prices\": {}}", "no \"tare_prices\": 1"},
        {"{\"prices\": {\"tare_prices\": 2}}", "no \"tare_prices\": 1"},
        {"{" PRICES "\"instnce\": {}}}", "did you mean \"instance\""},
        {"{" PRICES "\"owned\": {}}}", "owned needs"},
        {"{" PRICES "\"owned\": {\"hardware_price\": 9}}}", "belong together"},
        {"{" PRICES "\"owned\": {\"hardware_price\": 9, \"lifetime_h\": 9, \"utilisation\": 1.1}}}",
         "\"utilisation\" is 1.1"},
        {"{" PRICES "\"instance\": {\"price_per_h\": 2}}}", "has no \"idle_included\""},
        {"{" PRICES "\"instance\": {\"price_per_hour\": 2}}}", "did you mean \"price_per_h\""},
        {"{" PRICES "\"instance\": {\"price_per_h\": -2, \"idle_included\": true}}}",
         "\"price_per_h\" is -2"},
        {"{" PRICES "\"instance\": {\"price_per_h\": \"2\", \"idle_included\": true}}}", "not a number"},
        {"{" PRICES HOUR ", \"api\": {\"input_per_mtok\": 1, \"output_per_mtok\": 1}}}", "has 2"},
        {"{" PRICES "\"api\": {\"input_per_mtok\": 1}}}", "has no \"output_per_mtok\""},
        {"{\"prices\": {\"tare_prices\": 1, " HOUR "}}", "has no \"currency\""},
        {"{\"prices\": {\"tare_prices\": 1, \"currency\": \"EUR\", " HOUR "}}", "has no \"date\""},
        {"{\"prices\": {\"tare_prices\": 1, \"currency\": \"euro\", \"date\": \"2026-02-28\", \"region\": "
         "\"r\", "
         "\"source\": \"s\", \"includes\": [\"x\"], " HOUR "}}",
         "no code of three letters"},
        {"{\"prices\": {\"tare_prices\": 1, \"currency\": \"EUR\", \"date\": \"28.2.2026\"}}", "is no date"},
        {"{\"prices\": {\"tare_prices\": 1, \"currency\": \"EUR\", \"date\": \"2026-13-01\"}}", "is no date"},
        {"{\"prices\": {\"tare_prices\": 1, \"currency\": \"EUR\", \"date\": \"2026-02-30\"}}", "is no date"},
        {"{\"prices\": {\"tare_prices\": 1, \"currency\": \"EUR\", \"date\": \"2026-02-28\", \"region\": "
         "\"r\", "
         "\"source\": \"s\", \"includes\": []}}",
         "no array with a text"},
        {"{\"prices\": {\"tare_prices\": 1, \"currency\": \"EUR\", \"date\": \"2026-02-28\", \"region\": "
         "\"\"}}",
         "\"region\" has 0 bytes"},
        {"{\"prices\": {\"tare_prices\": 1, \"currency\": \"EUR\", \"date\": \"2026-02-28\", "
         "\"region\": \"a\\u001bb\"}}",
         "control character"},
        {"{\"carbon\": {}}", "no \"tare_carbon\": 1"},
        {"{" CARBON "\"region\": \"FR\"}}", "no array with a row"},
        {"{" CARBON ROWS "}}", "3 intensities fit; name \"region\""},
        {"{" CARBON ROWS ", \"region\": \"FR\"}}", "2 intensities fit"},
        {"{" CARBON ROWS ", \"region\": \"DE\"}}", "no intensity is of region \"DE\""},
        {"{" CARBON ROWS ", \"region\": \"SE\", \"year\": 2020}}", "and the year"},
        {"{" CARBON ROWS ", \"region\": \"SE\", \"year\": 2023.5}}", "no whole number"},
        {"{" CARBON ROWS ", \"region\": \"SE\", \"pue\": 1.2}}",
         "\"pue\" and \"pue_applies\" belong together"},
        {"{" CARBON ROWS ", \"region\": \"SE\", \"pue_applies\": true}}", "belong together"},
        {"{" CARBON ROWS ", \"region\": \"SE\", \"pue\": 0.9, \"pue_applies\": true}}", "\"pue\" is 0.9"},
        {"{" CARBON ROWS ", \"region\": \"SE\", \"embodied\": {\"total_kg\": 1}}}", "has no \"lifetime_h\""},
        {"{" CARBON "\"intensities\": [" ROW("X", "2023", "location-average", "direct", "1") "]}}",
         "did you mean \"location_average\""},
        {"{" CARBON "\"intensities\": [" ROW("X", "2023", "market", "lifecycle", "1") "]}}",
         "did you mean \"life_cycle\""},
        {"{" CARBON "\"intensities\": [" ROW("X", "1923", "market", "direct", "1") "]}}", "\"year\" is 1923"},
        {"{" CARBON "\"intensities\": [{\"region\": \"X\"}]}}", "has no \"year\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tare_err err = {0};
        struct tare_json *plan = NULL;
        int r = embed(rows[i].text, &plan, &err);
        if (r != TARE_E_USAGE || err.code != TARE_E_USAGE || !strstr(err.msg, rows[i].says) || plan) {
            fail_msg("%s: %d, \"%s\", not \"%s\"", rows[i].text, r, err.msg, rows[i].says);
        }
    }
}

static void test_nothing(void **state)
{
    (void)state;
    struct tare_declared d = accept("{\"tare\": 1}");
    assert_false(d.energy_model.given || d.carbon.given);
    assert_int_equal(d.prices.basis, TARE_PRICES_NONE);
}

static void test_model(void **state)
{
    (void)state;
    struct tare_energy_model m = accept("{\"energy_model\": \"idle_w=10,max_w=65.5\"}").energy_model;
    assert_true(m.given && !m.per_cpu && m.idle_w == 10 && m.max_w == 65.5 && m.factor == 3);
    m = accept("{\"energy_model\": {\"idle_w_per_cpu\": 1, \"max_w_per_cpu\": 2, \"factor\": 2, "
               "\"source\": \"a sheet\", \"date\": \"2024-02-29\"}}")
            .energy_model;
    assert_true(m.per_cpu && m.idle_w == 1 && m.max_w == 2 && m.factor == 2);
    assert_string_equal(m.source, "a sheet");
    assert_string_equal(m.date, "2024-02-29");
    m = accept("{\"energy_model\": \"auto\"}").energy_model;
    assert_true(m.per_cpu && m.factor >= 2 && m.date[0] && strstr(m.source, "Cloud Carbon Footprint"));
}

static void test_prices(void **state)
{
    (void)state;
    struct tare_prices p = accept("{" PRICES HOUR "}}").prices;
    assert_int_equal(p.basis, TARE_PRICES_INSTANCE);
    assert_true(p.instance_per_h == 2 && !p.idle_included);
    p = accept("{" PRICES "\"api\": {\"input_per_mtok\": 1, \"output_per_mtok\": 4}}}").prices;
    assert_int_equal(p.basis, TARE_PRICES_API);
    assert_true(p.input_per_mtok == 1 && isnan(p.cached_input_per_mtok) && p.output_per_mtok == 4);
    p = accept("{" PRICES "\"owned\": {\"electricity_per_kwh\": 0.3}}}").prices;
    assert_int_equal(p.basis, TARE_PRICES_OWNED);
    assert_true(isnan(p.hardware) && p.electricity_per_kwh == 0.3);
    assert_string_equal(p.currency, "EUR");
    assert_string_equal(p.includes, "compute");
}

static void test_carbon(void **state)
{
    static const struct {
        const char *more;
        double g;
        int64_t year;
    } rows[] = {
        {", \"region\": \"SE\"", 40, 2023},
        {", \"region\": \"FR\", \"scope\": \"life_cycle\"", 56, 2023}, /* the newest year */
        {", \"region\": \"FR\", \"year\": 2022", 80, 2022},
        {", \"basis\": \"marginal\"", 400, 2023},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[2048];
        (void)snprintf(text, sizeof text, "{" CARBON ROWS ", " EMBODIED "%s}}", rows[i].more);
        struct tare_carbon c = accept(text).carbon;
        assert_true(c.given && !c.is_default && c.g_per_kwh == rows[i].g && c.year == rows[i].year);
        assert_true(c.pue == 1 && !c.pue_applies && isnan(c.u_percent));
        assert_true(c.embodied && c.total_kg == 9 && isnan(c.embodied_u_percent));
    }
    struct tare_carbon c = accept("{\"carbon\": \"auto\"}").carbon;
    assert_true(c.given && c.is_default && c.year > 2000 && strstr(c.source, "IEA"));
}

/* A file becomes part of the plan: read back without it, it says the same. */
static void test_embedded(void **state)
{
    static const char prices[] = "{" PRICES HOUR "}}";
    char path[] = "/tmp/tare-declared-XXXXXX", plan_text[256];
    int fd = mkstemp(path);
    const char *inner = strchr(prices, ':') + 2;
    size_t n = strlen(inner) - 1;
    struct tare_err err = {0};
    struct tare_json *plan = NULL, *again = NULL;
    struct tare_declared one, two;
    char *stored = NULL;
    (void)state;
    assert_true(fd >= 0 && write(fd, inner, n) == (ssize_t)n && close(fd) == 0);
    (void)snprintf(plan_text, sizeof plan_text,
                   "{\"tare\": 1, \"prices\": \"%s\", \"carbon\": \"auto\", \"energy_model\": \"auto\"}",
                   path);
    assert_int_equal(embed(plan_text, &plan, &err), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(tare_json_print(plan, false, &stored, &err), 0);
    assert_null(strstr(stored, path));
    assert_null(strstr(stored, "auto"));
    assert_non_null(strstr(stored, "\"tare\":1"));
    assert_int_equal(tare_json_parse(stored, strlen(stored), "stored", &again, &err), 0);
    assert_int_equal(tare_declared_read(plan, &one, &err), 0);
    assert_int_equal(tare_declared_read(again, &two, &err), 0);
    assert_true(one.prices.instance_per_h == two.prices.instance_per_h && two.prices.instance_per_h == 2);
    assert_true(two.carbon.is_default && two.carbon.g_per_kwh == one.carbon.g_per_kwh);
    assert_true(two.energy_model.idle_w == one.energy_model.idle_w &&
                strcmp(one.energy_model.source, two.energy_model.source) == 0);
    free(stored);
    tare_json_destroy(plan);
    tare_json_destroy(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused), cmocka_unit_test(test_nothing), cmocka_unit_test(test_model),
        cmocka_unit_test(test_prices),  cmocka_unit_test(test_carbon),  cmocka_unit_test(test_embedded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
