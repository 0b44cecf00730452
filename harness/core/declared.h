/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a user declares beside what is measured: a model of the machine's power, prices, and how much carbon
 * a kWh stands for. Three keys of a plan ("energy_model", "prices", "carbon"), an object or the path of a
 * JSON file each. A file is read once, when the plan is, and its content becomes part of the plan, so that
 * a stored run can be derived again without it. Nothing here is ever fetched or guessed: the two defaults
 * must be asked for as "auto" and say where they come from.
 */
#ifndef TARE_CORE_DECLARED_H
#define TARE_CORE_DECLARED_H

#include <stdbool.h>
#include <tare/json.h>

enum { TARE_DECLARED_TEXT = 200 };

/* Power of the CPUs by load: idle + (max - idle) x utilisation. */
struct tare_energy_model {
    bool given;
    bool per_cpu;         /* the two powers are those of one logical CPU, else of all together */
    double idle_w, max_w; /* at no load and at full load */
    double factor;        /* each way, of what the model may be wrong by; at least 2 */
    char source[TARE_DECLARED_TEXT];
    char date[12]; /* "" if not given */
};

enum tare_price_basis {
    TARE_PRICES_NONE = 0,
    TARE_PRICES_INSTANCE, /* a machine by the hour */
    TARE_PRICES_API,      /* tokens by the million */
    TARE_PRICES_OWNED     /* hardware written off, and its electricity */
};

/* NaN: not given. */
struct tare_prices {
    enum tare_price_basis basis;
    char currency[8];
    char date[12];
    char region[64];
    char source[TARE_DECLARED_TEXT];
    char includes[TARE_DECLARED_TEXT]; /* joined with commas */
    double instance_per_h;
    bool idle_included; /* instance: the hours in which it waits are paid for in this rate */
    double input_per_mtok, cached_input_per_mtok, output_per_mtok;
    double hardware, lifetime_h, utilisation;
    double electricity_per_kwh;
};

struct tare_carbon {
    bool given;
    bool is_default; /* nobody chose the place: the world's average */
    double g_per_kwh;
    double u_percent; /* relative standard uncertainty; NaN: not declared */
    int64_t year;
    char region[64];
    char basis[20]; /* location_average, marginal, market */
    char scope[12]; /* direct, life_cycle */
    char source[TARE_DECLARED_TEXT];
    char date[12];
    bool pue_applies;
    double pue; /* 1 unless declared */
    bool embodied;
    double total_kg, lifetime_h, share;
    double embodied_u_percent; /* NaN: not declared */
    char embodied_source[TARE_DECLARED_TEXT];
};

struct tare_declared {
    struct tare_energy_model energy_model;
    struct tare_prices prices;
    struct tare_carbon carbon;
};

/* The keys of a plan, NULL-terminated. */
extern const char *const tare_declared_keys[];

/*
 * A copy of the plan in which these keys hold objects: files are read, "auto" and "idle_w=..,max_w=.." are
 * written out. All is checked. A fault is one of usage.
 */
TARE_MUST_CHECK int tare_declared_embed(const struct tare_json *plan, struct tare_json **out,
                                        struct tare_err *err);
/* Out of a plan that has been through tare_declared_embed; what it does not have is not given. */
TARE_MUST_CHECK int tare_declared_read(const struct tare_json *plan, struct tare_declared *out,
                                       struct tare_err *err);

#endif
