/* SPDX-License-Identifier: Apache-2.0 */
/* The three declarations of a plan: their fields, and what of them must fit together. */
#include "core/declared.h"

#include "base/plain.h"
#include "core/declared_fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { max_file_bytes = 1 << 20 };

const char *const tare_declared_keys[] = {"energy_model", "prices", "carbon", NULL};

/* Powers of one logical CPU: averages over the micro-architectures of one large provider, from public
 * server benchmarks. The factor is that of 4 each way which holds 93 of 95 points at 8 % load or more of a
 * public calibration of such models against RAPL; docs/carbon-and-money.md has the count. */
static const double auto_idle_w = 0.74, auto_max_w = 3.5, auto_factor = 4, own_factor = 3;
static const char auto_source[] = "Cloud Carbon Footprint, methodology: averages of AWS micro-architectures, "
                                  "0.74 to 3.5 W per vCPU";
static const char auto_date[] = "2026-11-27"; /* when the page was read */

/* The world's average, for whoever asks for "auto". */
static const double world_g_per_kwh = 445;
static const int64_t world_year = 2024;
static const char world_source[] = "IEA, Electricity 2025: CO2 intensity of the world's power generation";

#define FIELD(type_, struct_, member_, ...)                                          \
    {                                                                                \
        .key = #member_, .type = type_, .offset = offsetof(struct struct_, member_), \
        .size = sizeof(((struct struct_ *)NULL)->member_), __VA_ARGS__               \
    }
#define NUMBER(struct_, member_, min_, max_, needed_) \
    FIELD(TARE_FIELD_NUMBER, struct_, member_, .min = (min_), .max = (max_), .needed = (needed_))
#define TEXT(struct_, member_, needed_) FIELD(TARE_FIELD_TEXT, struct_, member_, .needed = (needed_))

/* ---- energy_model ---- */

struct model_keys {
    double idle_w, max_w, idle_w_per_cpu, max_w_per_cpu, factor;
    char source[TARE_DECLARED_TEXT];
    char date[12];
};

static const struct tare_field model_fields[] = {
    NUMBER(model_keys, idle_w, 0, 1e6, false),
    NUMBER(model_keys, max_w, 0, 1e6, false),
    NUMBER(model_keys, idle_w_per_cpu, 0, 1e4, false),
    NUMBER(model_keys, max_w_per_cpu, 0, 1e4, false),
    NUMBER(model_keys, factor, 2, 1000, false),
    TEXT(model_keys, source, false),
    FIELD(TARE_FIELD_DATE, model_keys, date, .needed = false),
    {0},
};

static int read_model(const struct tare_json *json, struct tare_energy_model *out, struct tare_err *err)
{
    struct model_keys k = {.source = "the user's own"};
    int r = tare_fields_read(model_fields, NULL, json, "energy_model", &k, err);
    bool whole = isfinite(k.idle_w) && isfinite(k.max_w);
    bool each = isfinite(k.idle_w_per_cpu) && isfinite(k.max_w_per_cpu);
    bool stray = !whole ? isfinite(k.idle_w) || isfinite(k.max_w)
                        : isfinite(k.idle_w_per_cpu) || isfinite(k.max_w_per_cpu);
    if (r < 0) {
        return r;
    }
    if (whole == each || stray) {
        return tare_err_set(err, TARE_E_USAGE,
                            "energy_model: needs idle_w and max_w, or idle_w_per_cpu and max_w_per_cpu");
    }
    *out = (struct tare_energy_model){.given = true,
                                      .per_cpu = each,
                                      .idle_w = each ? k.idle_w_per_cpu : k.idle_w,
                                      .max_w = each ? k.max_w_per_cpu : k.max_w,
                                      .factor = isfinite(k.factor) ? k.factor : own_factor};
    if (out->max_w < out->idle_w || out->max_w <= 0) {
        return tare_err_set(err, TARE_E_USAGE, "energy_model: the power at full load is below that of idle");
    }
    memcpy(out->source, k.source, sizeof out->source);
    memcpy(out->date, k.date, sizeof out->date);
    return 0;
}

/* ---- prices ---- */

static const char *const price_objects[] = {"tare_prices", "instance", "api", "owned", NULL};

static const struct tare_field price_fields[] = {
    TEXT(tare_prices, currency, true),
    FIELD(TARE_FIELD_DATE, tare_prices, date, .needed = true),
    TEXT(tare_prices, region, true),
    TEXT(tare_prices, source, true),
    FIELD(TARE_FIELD_WORDS, tare_prices, includes, .needed = true),
    {0},
};

#define PRICE(key_, member_, needed_)                                                                        \
    {                                                                                                        \
        .key = (key_), .type = TARE_FIELD_NUMBER, .offset = offsetof(struct tare_prices, member_), .min = 0, \
        .max = 1e12, .needed = (needed_)                                                                     \
    }

static const struct tare_field instance_fields[] = {
    PRICE("price_per_h", instance_per_h, true),
    {.key = "idle_included",
     .type = TARE_FIELD_FLAG,
     .offset = offsetof(struct tare_prices, idle_included),
     .needed = true},
    {0},
};

static const struct tare_field api_fields[] = {
    PRICE("input_per_mtok", input_per_mtok, true),
    PRICE("cached_input_per_mtok", cached_input_per_mtok, false),
    PRICE("output_per_mtok", output_per_mtok, true),
    {0},
};

static const struct tare_field owned_fields[] = {
    PRICE("hardware_price", hardware, false),
    NUMBER(tare_prices, lifetime_h, 1, 1e7, false),
    NUMBER(tare_prices, utilisation, 1e-6, 1, false),
    PRICE("electricity_per_kwh", electricity_per_kwh, false),
    {0},
};

static int check_owned(const struct tare_prices *p, struct tare_err *err)
{
    int n = isfinite(p->hardware) + isfinite(p->lifetime_h) + isfinite(p->utilisation);
    if (n != 0 && n != 3) {
        return tare_err_set(err, TARE_E_USAGE,
                            "prices: hardware_price, lifetime_h and utilisation belong together");
    }
    return n || isfinite(p->electricity_per_kwh)
               ? 0
               : tare_err_set(err, TARE_E_USAGE,
                              "prices: owned needs a hardware_price, an electricity_per_kwh, or both");
}

static int check_currency(const char *currency, struct tare_err *err)
{
    bool ok = strlen(currency) == 3;
    for (size_t i = 0; currency[i]; i++) {
        ok = ok && currency[i] >= 'A' && currency[i] <= 'Z';
    }
    return ok ? 0
              : tare_err_set(err, TARE_E_USAGE,
                             "prices: currency \"%s\" is no code of three letters such as USD", currency);
}

/* A file of this sort says so, that one sort is not taken for another. */
static int check_sort(const struct tare_json *json, const char *key, const char *what, struct tare_err *err)
{
    int64_t version = 0;
    const struct tare_json *v = tare_json_get(json, key);
    if (tare_json_type(json) != TARE_JSON_OBJECT) {
        return tare_err_set(err, TARE_E_USAGE, "%s: is %s, not an object", what,
                            tare_json_type_name(tare_json_type(json)));
    }
    int r = v ? tare_json_i64(v, key, 1, 1, &version, err) : -1;
    return r == 0 ? 0
                  : tare_err_set(err, TARE_E_USAGE, "%s: no \"%s\": 1, so these are no %s of tare", what, key,
                                 what);
}

static int read_prices(const struct tare_json *json, struct tare_prices *out, struct tare_err *err)
{
    static const struct {
        const char *key, *what;
        const struct tare_field *fields;
        enum tare_price_basis basis;
    } bases[] = {{"instance", "prices: instance", instance_fields, TARE_PRICES_INSTANCE},
                 {"api", "prices: api", api_fields, TARE_PRICES_API},
                 {"owned", "prices: owned", owned_fields, TARE_PRICES_OWNED}};
    struct tare_prices p = {.electricity_per_kwh = (double)NAN, .hardware = (double)NAN};
    int r = check_sort(json, "tare_prices", "prices", err);
    r = r == 0 ? tare_fields_read(price_fields, price_objects, json, "prices", &p, err) : r;
    r = r == 0 ? check_currency(p.currency, err) : r;
    int n = 0;
    for (size_t i = 0; r == 0 && i < sizeof bases / sizeof *bases; i++) {
        const struct tare_json *v = tare_json_get(json, bases[i].key);
        if (v) {
            n++;
            p.basis = bases[i].basis;
            r = tare_fields_read(bases[i].fields, NULL, v, bases[i].what, &p, err);
        }
    }
    if (r == 0 && n != 1) {
        r = tare_err_set(err, TARE_E_USAGE, "prices: needs one of instance, api and owned, and has %d", n);
    }
    r = r == 0 && p.basis == TARE_PRICES_OWNED ? check_owned(&p, err) : r;
    if (r == 0) {
        *out = p;
    }
    return r;
}

/* ---- carbon ---- */

static const char *const carbon_objects[] = {"tare_carbon", "intensities", "embodied", NULL};
static const char *const bases[] = {"location_average", "marginal", "market", NULL};
static const char *const scopes[] = {"direct", "life_cycle", NULL};

struct carbon_keys {
    char date[12];
    char region[64];
    int64_t year;
    char basis[20];
    char scope[12];
    double pue;
    bool pue_applies;
    bool is_default;
};

static const struct tare_field carbon_fields[] = {
    FIELD(TARE_FIELD_DATE, carbon_keys, date, .needed = true),
    TEXT(carbon_keys, region, false),
    FIELD(TARE_FIELD_WHOLE, carbon_keys, year, .min = 1990, .max = 2200, .needed = false),
    TEXT(carbon_keys, basis, false),
    TEXT(carbon_keys, scope, false),
    NUMBER(carbon_keys, pue, 1, 10, false),
    FIELD(TARE_FIELD_FLAG, carbon_keys, pue_applies, .needed = false),
    {.key = "default", .type = TARE_FIELD_FLAG, .offset = offsetof(struct carbon_keys, is_default)},
    {0},
};

static const struct tare_field row_fields[] = {
    TEXT(tare_carbon, region, true),
    FIELD(TARE_FIELD_WHOLE, tare_carbon, year, .min = 1990, .max = 2200, .needed = true),
    TEXT(tare_carbon, basis, true),
    TEXT(tare_carbon, scope, true),
    TEXT(tare_carbon, source, true),
    NUMBER(tare_carbon, g_per_kwh, 0, 5000, true),
    NUMBER(tare_carbon, u_percent, 0, 1000, false),
    {0},
};

static const struct tare_field embodied_fields[] = {
    NUMBER(tare_carbon, total_kg, 0, 1e9, true),
    NUMBER(tare_carbon, lifetime_h, 1, 1e7, true),
    NUMBER(tare_carbon, share, 0, 1, true),
    {.key = "u_percent",
     .type = TARE_FIELD_NUMBER,
     .offset = offsetof(struct tare_carbon, embodied_u_percent),
     .min = 0,
     .max = 1000},
    {.key = "source",
     .type = TARE_FIELD_TEXT,
     .offset = offsetof(struct tare_carbon, embodied_source),
     .size = TARE_DECLARED_TEXT,
     .needed = true},
    {0},
};

static bool is_asked(const struct carbon_keys *k, const struct tare_carbon *row)
{
    return (!*k->region || strcmp(k->region, row->region) == 0) && (!k->year || k->year == row->year) &&
           (!*k->basis || strcmp(k->basis, row->basis) == 0) &&
           (!*k->scope || strcmp(k->scope, row->scope) == 0);
}

static int read_row(const struct tare_json *json, struct tare_carbon *row, struct tare_err *err)
{
    int r = tare_fields_read(row_fields, NULL, json, "carbon: intensities", row, err);
    r = r == 0 ? tare_fields_choice(row->basis, bases, "carbon: basis", err) : r;
    return r == 0 ? tare_fields_choice(row->scope, scopes, "carbon: scope", err) : r;
}

/* The row that is asked for: of the newest year if none is named; two that fit are one too many. */
static int choose_row(const struct tare_json *list, const struct carbon_keys *k, struct tare_carbon *out,
                      struct tare_err *err)
{
    size_t fits = 0;
    if (tare_json_type(list) != TARE_JSON_ARRAY || tare_json_size(list) == 0) {
        return tare_err_set(err, TARE_E_USAGE, "carbon: \"intensities\" is no array with a row");
    }
    for (const struct tare_json *v = tare_json_first(list); v; v = tare_json_next(v)) {
        struct tare_carbon row = {0};
        int r = read_row(v, &row, err);
        if (r < 0) {
            return r;
        }
        if (!is_asked(k, &row) || (fits && row.year < out->year)) {
            continue;
        }
        fits = fits && row.year == out->year ? fits + 1 : 1;
        *out = row;
    }
    if (fits == 1) {
        return 0;
    }
    return fits ? tare_err_set(
                      err, TARE_E_USAGE,
                      "carbon: %zu intensities fit; name \"region\", \"year\", \"basis\" and \"scope\"", fits)
                : tare_err_set(err, TARE_E_USAGE, "carbon: no intensity is of region \"%.60s\"%s", k->region,
                               k->year || *k->basis || *k->scope ? " and the year, basis and scope asked for"
                                                                 : "");
}

static int read_carbon(const struct tare_json *json, struct tare_carbon *out, struct tare_err *err)
{
    struct carbon_keys k = {0};
    struct tare_carbon c = {0};
    int r = check_sort(json, "tare_carbon", "carbon", err);
    r = r == 0 ? tare_fields_read(carbon_fields, carbon_objects, json, "carbon", &k, err) : r;
    r = r == 0 ? choose_row(tare_json_get(json, "intensities"), &k, &c, err) : r;
    if (r == 0 && isfinite(k.pue) != (tare_json_get(json, "pue_applies") != NULL)) {
        r = tare_err_set(
            err, TARE_E_USAGE,
            "carbon: \"pue\" and \"pue_applies\" belong together: a meter of the whole site already "
            "has it in");
    }
    const struct tare_json *embodied = tare_json_get(json, "embodied");
    c.embodied_u_percent = (double)NAN;
    if (r == 0 && embodied) {
        r = tare_fields_read(embodied_fields, NULL, embodied, "carbon: embodied", &c, err);
    }
    if (r < 0) {
        return r;
    }
    c.given = true;
    c.is_default = k.is_default;
    c.embodied = embodied != NULL;
    c.pue_applies = k.pue_applies;
    c.pue = isfinite(k.pue) ? k.pue : 1;
    memcpy(c.date, k.date, sizeof c.date);
    *out = c;
    return 0;
}

/* ---- from texts to objects ---- */

static struct tare_json *auto_model(void)
{
    struct tare_json *o = tare_json_new_object();
    tare_json_add_f64(o, "idle_w_per_cpu", auto_idle_w);
    tare_json_add_f64(o, "max_w_per_cpu", auto_max_w);
    tare_json_add_f64(o, "factor", auto_factor);
    tare_json_add_str(o, "source", auto_source);
    tare_json_add_str(o, "date", auto_date);
    return o;
}

static struct tare_json *auto_carbon(void)
{
    struct tare_json *o = tare_json_new_object();
    tare_json_add_i64(o, "tare_carbon", 1);
    tare_json_add_str(o, "date", auto_date);
    tare_json_add_bool(o, "default", true);
    struct tare_json *row = tare_json_add_object(tare_json_add_array(o, "intensities"), NULL);
    tare_json_add_str(row, "region", "world");
    tare_json_add_i64(row, "year", world_year);
    tare_json_add_str(row, "basis", "location_average");
    tare_json_add_str(row, "scope", "direct");
    tare_json_add_f64(row, "g_per_kwh", world_g_per_kwh);
    tare_json_add_str(row, "source", world_source);
    return o;
}

/* "idle_w=65,max_w=200": numbers where the whole value is one, else texts. */
static int split_model(const char *text, struct tare_json **out, struct tare_err *err)
{
    char *copy = strdup(text), *rest = copy;
    struct tare_json *o = copy ? tare_json_new_object() : NULL;
    int r = o ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    for (char *part; r == 0 && (part = strsep(&rest, ",")) != NULL;) {
        char *equals = strchr(part, '='), *end = NULL;
        if (!equals) {
            r = tare_err_set(err, TARE_E_USAGE, "energy_model: \"%.60s\" is not of the form key=value", part);
            continue;
        }
        *equals = '\0';
        double value = strtod(equals + 1, &end);
        if (tare_json_get(o, part)) {
            r = tare_err_set(err, TARE_E_USAGE, "energy_model: \"%.40s\" is given twice", part);
        } else if (end != equals + 1 && !*end && isfinite(value)) {
            tare_json_add_f64(o, part, value);
        } else {
            tare_json_add_str(o, part, equals + 1);
        }
    }
    free(copy);
    if (r < 0) {
        tare_json_destroy(o);
        return r;
    }
    *out = o;
    return 0;
}

/* What a text in the place of an object stands for. */
static int expand(const char *key, const char *text, struct tare_json **out, struct tare_err *err)
{
    bool model = strcmp(key, "energy_model") == 0;
    if (strcmp(text, "auto") == 0 && strcmp(key, "prices") != 0) {
        *out = model ? auto_model() : auto_carbon();
        return *out ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    if (model && strchr(text, '=')) {
        return split_model(text, out, err);
    }
    int r = tare_json_load(text, max_file_bytes, out, err);
    if (r < 0 && err && r != TARE_E_NOMEM) {
        err->code = TARE_E_USAGE;
    }
    return r < 0 && r != TARE_E_NOMEM ? TARE_E_USAGE : r;
}

int tare_declared_read(const struct tare_json *plan, struct tare_declared *out, struct tare_err *err)
{
    struct tare_declared d = {0};
    const struct tare_json *model = tare_json_get(plan, "energy_model"),
                           *prices = tare_json_get(plan, "prices"), *carbon = tare_json_get(plan, "carbon");
    int r = model ? read_model(model, &d.energy_model, err) : 0;
    r = r == 0 && prices ? read_prices(prices, &d.prices, err) : r;
    r = r == 0 && carbon ? read_carbon(carbon, &d.carbon, err) : r;
    if (r < 0) {
        tare_plain_err(err); /* it may quote what was declared */
        return r;
    }
    *out = d;
    return 0;
}

static bool is_declared(const char *key)
{
    for (size_t i = 0; tare_declared_keys[i]; i++) {
        if (strcmp(tare_declared_keys[i], key) == 0) {
            return true;
        }
    }
    return false;
}

int tare_declared_embed(const struct tare_json *plan, struct tare_json **out, struct tare_err *err)
{
    struct tare_json *copy = tare_json_new_object();
    struct tare_declared checked;
    int r = copy ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    for (const struct tare_json *v = tare_json_first(plan); r == 0 && v; v = tare_json_next(v)) {
        const char *key = tare_json_key(v), *text = is_declared(key) ? tare_json_str(v) : NULL;
        struct tare_json *object = NULL;
        r = text ? expand(key, text, &object, err) : 0;
        if (r == 0) {
            tare_json_add_copy(copy, key, object ? object : v);
        }
        tare_json_destroy(object);
    }
    r = r == 0 ? tare_declared_read(copy, &checked, err) : r;
    if (r < 0) {
        tare_plain_err(err);
        tare_json_destroy(copy);
        return r;
    }
    *out = copy;
    return 0;
}
