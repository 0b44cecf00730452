/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Money: declared rates x what was measured (time, energy) or counted (tokens). The currency is the unit;
 * rates of two lists are never added, and nothing is converted. Modelled, since a price list is a table.
 */
#include "energy.h"

#include <stdio.h>

/* What a repeat costs. */
static struct tare_joules money(double value)
{
    return (struct tare_joules){value, 0, 0, NULL};
}

static double window_h(const struct tare_evidence_repeat *r)
{
    return (double)r->sums.window_ns / 3.6e12;
}

static bool takes_energy(const struct tare_prices *p)
{
    return p->basis == TARE_PRICES_OWNED && isfinite(p->electricity_per_kwh);
}

static struct tare_joules cost_of(const struct tare_energy_work *w, size_t repeat)
{
    const struct tare_prices *p = &w->e->declared->prices;
    const struct tare_evidence_repeat *r = &w->e->repeats[repeat];
    if (p->basis == TARE_PRICES_INSTANCE) {
        return money(p->instance_per_h * window_h(r));
    }
    if (p->basis == TARE_PRICES_API) {
        return money(((double)r->sums.prompt_tok * p->input_per_mtok +
                      (double)r->sums.output_tok * p->output_per_mtok) /
                     1e6);
    }
    double hardware =
        isfinite(p->hardware) ? p->hardware / (p->lifetime_h * p->utilisation) * window_h(r) : 0;
    if (!takes_energy(p)) {
        return money(hardware);
    }
    struct tare_joules j = tare_energy_read(&w->en, w->en.total, r->id, "measure");
    double rate = p->electricity_per_kwh / 3.6e6;
    return j.absent ? j : (struct tare_joules){hardware + j.value * rate, j.u * rate, j.gain * rate, NULL};
}

static double parameters(const struct tare_evidence *e)
{
    for (size_t i = 0; i < e->n_repeats; i++) {
        const struct tare_reading_record *r = tare_evidence_find(e, e->repeats[i].id, "load", "params_total");
        if (r && !r->absent) {
            return r->value;
        }
    }
    return 0;
}

/* What a repeat's cost is multiplied with; NaN: there is no such thing. */
static double factor_of(const struct tare_energy_work *w, size_t repeat, size_t which)
{
    const struct tare_repeat_sums *s = &w->e->repeats[repeat].sums;
    double passes = 1 / tare_energy_view_once(&w->view, repeat);
    const double by[] = {passes, ((double)s->prompt_tok + (double)s->output_tok) / 1e6, (double)s->requests,
                         w->correct[repeat], parameters(w->e) * passes};
    return by[which] > 0 ? 1 / by[which] : (double)NAN;
}

/* A repeat that has the window: a resumed one has its energy, and a phase of its own, in part only. */
static bool has_window(const struct tare_energy_work *w, const struct tare_evidence_repeat *r)
{
    bool whole = takes_energy(&w->e->declared->prices) || w->view.sustained;
    return whole ? tare_energy_usable(r) : r->complete;
}

static const struct {
    const char *name, *per, *none;
    bool total; /* of the window, so given for one pass over the items */
} rows[] = {
    {"cost_total", "", "no repeat was completed", true},
    {"cost_per_mtok", "/Mtok", "no token was processed", false},
    {"cost_per_query", "/request", "no request was answered", false},
    {"cost_per_correct", "/correct", NULL, false},
    {"cost_per_param", "/param", "the backend does not know the number of parameters", true},
};

static void describe(const struct tare_energy_work *w, size_t which, char *to, size_t n)
{
    const struct tare_prices *p = &w->e->declared->prices;
    size_t used = 0;
    if (p->basis == TARE_PRICES_INSTANCE) {
        used = (size_t)snprintf(to, n, "%g %s/h x window, %s", p->instance_per_h, p->currency,
                                p->idle_included ? "idle hours paid for in it" : "idle hours not in it");
    } else if (p->basis == TARE_PRICES_API) {
        used = (size_t)snprintf(to, n, "%g %s/Mtok in (none taken as cached), %g out, x tokens",
                                p->input_per_mtok, p->currency, p->output_per_mtok);
    } else {
        if (isfinite(p->hardware)) {
            used = (size_t)snprintf(to, n, "%g %s / (%g h x utilisation %g) x window", p->hardware,
                                    p->currency, p->lifetime_h, p->utilisation);
        }
        if (takes_energy(p)) {
            used += (size_t)snprintf(to + used, n - used, "%s%g %s/kWh x %s", used ? " + " : "",
                                     p->electricity_per_kwh, p->currency, w->en.source);
        }
    }
    (void)snprintf(to + used, n - used, "; prices of %s, %s, %s; includes %s%s", p->date, p->region,
                   p->source, p->includes, rows[which].total ? tare_energy_view_text(&w->view) : "");
}

/* Why no repeat has such a cost. */
static const char *why_none(const struct tare_energy_work *w, size_t which)
{
    return !tare_evidence_complete(w->e) ? "no repeat was completed"
           : rows[which].none            ? rows[which].none
                                         : tare_energy_no_correct(w);
}

static int derive_one(const struct tare_energy_work *w, size_t which, struct tare_figures *to,
                      struct tare_err *err)
{
    char source[1200], unit[32] = "1";
    bool given = w->e->declared && w->e->declared->prices.basis != TARE_PRICES_NONE;
    struct tare_figure f =
        tare_figure_make(rows[which].name, unit, TARE_KIND_MODELLED, "not declared", "none");
    if (!given) {
        return tare_figure_absent(&f, "no prices were declared (--prices)", to, err);
    }
    const struct tare_prices *p = &w->e->declared->prices;
    bool energy = takes_energy(p);
    (void)snprintf(unit, sizeof unit, "%s%s", p->currency, rows[which].per);
    describe(w, which, source, sizeof source);
    f.source = source;
    f.scope = energy && w->en.total ? w->en.scope : "process";
    if (energy && w->en.absent) {
        return tare_figure_absent(&f, w->en.absent, to, err);
    }
    if (energy) {
        tare_energy_doubt(&w->en, w->en.total, "measure", &f);
    }
    tare_energy_view_flag(&w->view, &f);
    tare_figure_flag_noise(&f, w->whole);
    struct tare_series s = {.values = w->room};
    for (size_t i = 0; i < w->e->n_repeats && !s.absent; i++) {
        const struct tare_evidence_repeat *r = &w->e->repeats[i];
        double factor = factor_of(w, i, which);
        if (has_window(w, r) && isfinite(factor)) {
            struct tare_joules x = cost_of(w, i);
            s.absent = x.absent;
            tare_series_add(&s, x.value * factor, x.u * factor, x.gain * factor);
        }
    }
    const char *none = why_none(w, which);
    return energy ? tare_series_put(&f, &s, TARE_GAIN_IN_TEXT, none, to, err)
                  : tare_figure_repeats(&f, s.values, s.n, none, to, err);
}

int tare_derive_cost(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

int tare_derive_cost(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err)
{
    struct tare_energy_work w;
    int r = tare_energy_work_init(&w, e, err);
    if (r < 0) {
        return r;
    }
    for (size_t i = 0; r == 0 && i < sizeof rows / sizeof *rows; i++) {
        r = derive_one(&w, i, to, err);
    }
    tare_energy_work_fini(&w);
    return r;
}
