/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carbon: energy x PUE x intensity, the share of what it took to make the machine, and both per request
 * and per token (SCI). The intensity comes out of a table that the user declares, so this is modelled even
 * where the energy is measured; a market-based one comes out of a contract and is declared.
 */
#include "energy_modelled.h"

#include <stdio.h>

enum per { PER_REPEAT, PER_TOK, PER_REQUEST };

static const double j_per_kwh = 3.6e6;

/* g per J, PUE included where it applies. */
static double g_per_j(const struct tare_carbon *c)
{
    return c->g_per_kwh / j_per_kwh * (c->pue_applies ? c->pue : 1);
}

static double divisor(const struct tare_energy_work *w, size_t repeat, enum per per)
{
    const struct tare_repeat_sums *s = &w->e->repeats[repeat].sums;
    return per == PER_REPEAT ? 1 / tare_energy_view_once(&w->view, repeat)
           : per == PER_TOK  ? (double)s->prompt_tok + (double)s->output_tok
                             : (double)s->requests;
}

static double embodied_g(const struct tare_carbon *c, const struct tare_repeat_sums *s)
{
    return c->total_kg * 1000 * c->share * ((double)s->window_ns / 1e9) / (c->lifetime_h * 3600);
}

static struct tare_joules nothing(const char *why)
{
    return (struct tare_joules){(double)NAN, (double)NAN, (double)NAN, why};
}

/* g of the energy that was read. The intensity's uncertainty is one error of all repeats, like a gain. */
static struct tare_joules operational(const struct tare_energy_work *w, size_t repeat)
{
    const struct tare_carbon *c = &w->e->declared->carbon;
    struct tare_joules j = tare_energy_read(&w->en, w->en.total, w->e->repeats[repeat].id, "measure");
    double g = g_per_j(c), value = j.value * g;
    return j.absent
               ? j
               : (struct tare_joules){value, j.u * g, hypot(j.gain * g, value * c->u_percent / 100), NULL};
}

static struct tare_joules embodied(const struct tare_energy_work *w, size_t repeat)
{
    const struct tare_carbon *c = &w->e->declared->carbon;
    double value = embodied_g(c, &w->e->repeats[repeat].sums);
    return (struct tare_joules){value, 0, value * c->embodied_u_percent / 100, NULL};
}

static struct tare_joules both(const struct tare_energy_work *w, size_t repeat)
{
    struct tare_joules x = operational(w, repeat), y = embodied(w, repeat);
    return x.absent ? x : (struct tare_joules){x.value + y.value, x.u, hypot(x.gain, y.gain), NULL};
}

static struct tare_joules modelled(const struct tare_energy_work *w, size_t repeat)
{
    struct tare_joules x = nothing(NULL);
    double joules = tare_energy_model_joules(w->e, w->e->repeats[repeat].id, &x.absent);
    x.value = joules * g_per_j(&w->e->declared->carbon);
    return x;
}

struct row {
    const char *name, *unit;
    enum per per;
    struct tare_joules (*amount)(const struct tare_energy_work *w, size_t repeat);
    bool energy, making, model; /* what it takes */
};

static const struct row rows[] = {
    {"carbon_operational", "gCO2e", PER_REPEAT, operational, true, false, false},
    {"carbon_per_tok", "gCO2e/tok", PER_TOK, operational, true, false, false},
    {"carbon_per_request", "gCO2e/request", PER_REQUEST, operational, true, false, false},
    {"carbon_embodied", "gCO2e", PER_REPEAT, embodied, false, true, false},
    {"sci_per_tok", "gCO2e/tok", PER_TOK, both, true, true, false},
    {"sci_per_request", "gCO2e/request", PER_REQUEST, both, true, true, false},
    {"carbon_modelled", "gCO2e", PER_REPEAT, modelled, false, false, true},
    {"carbon_modelled_per_tok", "gCO2e/tok", PER_TOK, modelled, false, false, true},
};

static const char *why_none(const struct tare_energy_work *w, const struct row *row)
{
    const struct tare_declared *d = w->e->declared;
    return !d || !d->carbon.given                 ? "no carbon intensity was declared (--carbon)"
           : row->energy && w->en.absent          ? w->en.absent
           : row->making && !d->carbon.embodied   ? "the carbon file declares no embodied carbon"
           : row->model && !d->energy_model.given ? "no model of power was asked for (--energy-model)"
                                                  : NULL;
}

static void describe_intensity(const struct tare_carbon *c, bool wall, char *to, size_t n)
{
    char pue[80] = "PUE 1.0, none declared";
    if (c->pue > 1 || c->pue_applies) {
        (void)snprintf(pue, sizeof pue,
                       c->pue_applies ? "PUE %g applied once%s" : "PUE %g already in the meter%s", c->pue,
                       c->pue_applies && wall ? " to what the wall meter read" : "");
    }
    (void)snprintf(to + strlen(to), n - strlen(to), "; x %g g/kWh (%s, %lld, %s, %s; %s; declared %s); %s",
                   c->g_per_kwh, c->region, (long long)c->year, c->basis, c->scope, c->source, c->date, pue);
}

static void describe(const struct tare_energy_work *w, const struct row *row, char *to, size_t n)
{
    const struct tare_carbon *c = &w->e->declared->carbon;
    to[0] = '\0';
    if (row->energy || row->model) {
        if (row->model) {
            tare_energy_model_describe(&w->e->declared->energy_model, to, n);
        } else {
            (void)snprintf(to, n, "%s", w->en.source);
        }
        describe_intensity(c, w->en.total == 1u << TARE_PART_WALL, to, n);
    }
    if (row->making) {
        (void)snprintf(to + strlen(to), n - strlen(to),
                       "%s%g kg x share %g x duration / %g h (%s; declared %s)", *to ? "; + " : "",
                       c->total_kg, c->share, c->lifetime_h, c->embodied_source, c->date);
    }
    (void)snprintf(to + strlen(to), n - strlen(to), "%s",
                   row->per == PER_REPEAT ? tare_energy_view_text(&w->view) : "");
}

static int kind_of(const struct tare_carbon *c, const struct row *row)
{
    bool market = (row->energy || row->model) && strcmp(c->basis, "market") == 0;
    return market || !(row->energy || row->model) ? TARE_KIND_DECLARED : TARE_KIND_MODELLED;
}

static int derive_one(const struct tare_energy_work *w, const struct row *row, struct tare_figures *to,
                      struct tare_err *err)
{
    char source[1400];
    const char *why = why_none(w, row);
    struct tare_figure f = tare_figure_make(row->name, row->unit, TARE_KIND_MODELLED, "not declared", "none");
    if (why) {
        return tare_figure_absent(&f, why, to, err);
    }
    const struct tare_carbon *c = &w->e->declared->carbon;
    describe(w, row, source, sizeof source);
    f.source = source;
    f.scope = row->energy ? w->en.scope : row->model ? "CPUs of the node" : "machine";
    f.kind = kind_of(c, row);
    if (row->energy) {
        tare_energy_doubt(&w->en, w->en.total, "measure", &f);
    }
    tare_energy_view_flag(&w->view, &f);
    tare_figure_flag_noise(&f, w->whole);
    if ((row->energy || row->model) && c->is_default) {
        tare_figure_flag(&f, "DEFAULT");
    }
    struct tare_series s = {.values = w->room,
                            .unknown = "none: the uncertainty of what is declared is not known"};
    for (size_t i = 0; i < w->e->n_repeats && !s.absent; i++) {
        double by = divisor(w, i, row->per);
        if (tare_energy_usable(&w->e->repeats[i]) && by > 0) {
            struct tare_joules x = row->amount(w, i);
            s.absent = x.absent;
            tare_series_add(&s, x.value / by, x.u / by, x.gain / by);
        }
    }
    const char *none = row->per == PER_TOK ? "no token was processed" : "no request was answered";
    return row->model ? tare_energy_model_put(&f, w->e, &s, none, to, err)
                      : tare_series_put(&f, &s, "gain, and by that of the intensity or of what is declared",
                                        none, to, err);
}

int tare_derive_carbon(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

int tare_derive_carbon(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err)
{
    struct tare_energy_work w;
    int r = tare_energy_work_init(&w, e, err);
    if (r < 0) {
        return r;
    }
    for (size_t i = 0; r == 0 && i < sizeof rows / sizeof *rows; i++) {
        r = derive_one(&w, &rows[i], to, err);
    }
    tare_energy_work_fini(&w);
    return r;
}
