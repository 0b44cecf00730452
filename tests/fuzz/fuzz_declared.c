/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of declarations: what it accepts has sane numbers, and says the same when it is read again. */
#include "fuzz.h"

#include "core/declared.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct fuzz_seed seeds[] = {
    FUZZ_TEXT("{\"energy_model\": \"auto\", \"carbon\": \"auto\"}"),
    FUZZ_TEXT("{\"energy_model\": \"idle_w=10,max_w=65,factor=3,source=s,date=2026-01-31\"}"),
    FUZZ_TEXT("{\"energy_model\": {\"idle_w_per_cpu\": 1, \"max_w_per_cpu\": 4, \"factor\": 2}}"),
    FUZZ_TEXT("{\"prices\": {\"tare_prices\": 1, \"currency\": \"EUR\", \"date\": \"2026-02-28\", "
              "\"region\": \"r\", "
              "\"source\": \"s\", \"includes\": [\"a\", \"b\"], \"instance\": {\"price_per_h\": 2, "
              "\"idle_included\": true}}}"),
    FUZZ_TEXT("{\"prices\": {\"tare_prices\": 1, \"currency\": \"USD\", \"date\": \"2026-02-28\", "
              "\"region\": \"r\", "
              "\"source\": \"s\", \"includes\": [\"a\"], \"api\": {\"input_per_mtok\": 1, "
              "\"cached_input_per_mtok\": 0.1, \"output_per_mtok\": 4}}}"),
    FUZZ_TEXT(
        "{\"prices\": {\"tare_prices\": 1, \"currency\": \"USD\", \"date\": \"2026-02-28\", \"region\": "
        "\"r\", "
        "\"source\": \"s\", \"includes\": [\"a\"], \"owned\": {\"hardware_price\": 9, \"lifetime_h\": 9, "
        "\"utilisation\": 0.5, \"electricity_per_kwh\": 0.3}}}"),
    FUZZ_TEXT(
        "{\"carbon\": {\"tare_carbon\": 1, \"date\": \"2026-02-28\", \"region\": \"X\", \"year\": 2024, "
        "\"pue\": 1.2, \"pue_applies\": true, \"intensities\": [{\"region\": \"X\", \"year\": 2024, "
        "\"basis\": \"market\", \"scope\": \"direct\", \"source\": \"s\", \"g_per_kwh\": 9, "
        "\"u_percent\": 5}], \"embodied\": {\"total_kg\": 9, \"lifetime_h\": 9, \"share\": 1, "
        "\"u_percent\": 5, \"source\": \"s\"}}}"),
};

static const char *const words[] = {"\"auto\"",
                                    "idle_w=1,",
                                    "max_w=2",
                                    "=",
                                    "1e308",
                                    "-1",
                                    "1e-300",
                                    "null",
                                    "true",
                                    "\"\"",
                                    "[]",
                                    "{}",
                                    "\"date\":\"2026-02-28\",",
                                    "\"instance\":",
                                    "\"api\":",
                                    "\"owned\":",
                                    "\"intensities\":",
                                    "\"embodied\":",
                                    "\"u_percent\":",
                                    "\"year\":",
                                    "\"tare_prices\":1,",
                                    "\"includes\":[\"x\"],",
                                    NULL};

static bool sane(double value)
{
    return isfinite(value) && value >= 0;
}

static void check(const struct tare_declared *d)
{
    const struct tare_energy_model *m = &d->energy_model;
    fuzz_check(!m->given || (sane(m->idle_w) && m->max_w >= m->idle_w && m->factor >= 2),
               "a model of nonsense");
    const struct tare_prices *p = &d->prices;
    fuzz_check(p->basis == TARE_PRICES_NONE ||
                   (strlen(p->currency) == 3 && strlen(p->date) == 10 && *p->includes),
               "prices without what they need");
    fuzz_check(p->basis != TARE_PRICES_INSTANCE || sane(p->instance_per_h), "a price of nonsense");
    fuzz_check(p->basis != TARE_PRICES_API || (sane(p->input_per_mtok) && sane(p->output_per_mtok)),
               "a price of nonsense");
    fuzz_check(p->basis != TARE_PRICES_OWNED || isnan(p->hardware) ||
                   (p->lifetime_h > 0 && p->utilisation > 0),
               "hardware that lasts no time");
    const struct tare_carbon *c = &d->carbon;
    fuzz_check(!c->given || (sane(c->g_per_kwh) && c->pue >= 1 && strlen(c->date) == 10 && *c->source),
               "an intensity of nonsense");
    fuzz_check(!c->embodied || (sane(c->total_kg) && c->lifetime_h > 0 && c->share <= 1),
               "a machine of nonsense");
}

static int read_declared(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    struct tare_json *given = NULL, *plan = NULL, *again = NULL;
    struct tare_declared one, two;
    char *text = NULL;
    (void)rng;
    int r = tare_json_parse(data, n, "fuzz", &given, err);
    r = r == 0 ? tare_declared_embed(given, &plan, err) : r;
    if (r == 0) {
        fuzz_check(tare_declared_read(plan, &one, err) == 0, "what was embedded is refused");
        check(&one);
        fuzz_check(tare_json_print(plan, false, &text, err) == 0, "no memory");
        fuzz_check(tare_json_parse(text, strlen(text), "again", &again, err) == 0,
                   "what was printed is refused");
        fuzz_check(tare_declared_read(again, &two, err) == 0, "what was stored is refused");
        check(&two);
        fuzz_check(one.energy_model.given == two.energy_model.given && one.prices.basis == two.prices.basis &&
                       one.carbon.given == two.carbon.given &&
                       strcmp(one.carbon.source, two.carbon.source) == 0,
                   "what was stored says something else");
    } else {
        fuzz_check(!plan, "a failure gave a plan");
    }
    free(text);
    tare_json_destroy(given);
    tare_json_destroy(plan);
    tare_json_destroy(again);
    return r;
}

int main(void)
{
    return fuzz_main(
        &(struct fuzz_target){"declared", seeds, sizeof seeds / sizeof *seeds, words, 200000, read_declared});
}
