/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Energy of a cell, gross: what each meter read, the widest total that adds up, and the total per token,
 * request and right answer. One value a repeat. An absent reading leaves the figure absent: a part of a
 * machine that nobody read is no zero. What is idle, shared or compared is in energy_idle.c.
 */
#include "energy.h"

#include <stdlib.h>

/* What the energy of a repeat is multiplied with; NaN: this repeat has no such value. */
typedef double (*factor_fn)(const struct tare_energy_work *w, size_t repeat);

/* The reading itself, of one pass over the items. */
static double once(const struct tare_energy_work *w, size_t repeat)
{
    return tare_energy_view_once(&w->view, repeat);
}

/* Of a phase that has no passes. */
static double whole(const struct tare_energy_work *w, size_t repeat)
{
    (void)w, (void)repeat;
    return 1;
}

static double per_kwh(const struct tare_energy_work *w, size_t repeat)
{
    return once(w, repeat) / 3.6e6;
}

static double over(double n)
{
    return n > 0 ? 1 / n : (double)NAN;
}

static double wall(const struct tare_energy_work *w, size_t repeat)
{
    return tare_energy_wall_s(w->e, w->e->repeats[repeat].id, "measure");
}

/* Energy of one pass x time of one pass. */
static double delay(const struct tare_energy_work *w, size_t repeat)
{
    double pass = once(w, repeat);
    return wall(w, repeat) * pass * pass;
}

static double per_second(const struct tare_energy_work *w, size_t repeat)
{
    return over(wall(w, repeat));
}

static double per_tok(const struct tare_energy_work *w, size_t repeat)
{
    const struct tare_repeat_sums *s = &w->e->repeats[repeat].sums;
    return over((double)s->prompt_tok + (double)s->output_tok);
}

static double per_output_tok(const struct tare_energy_work *w, size_t repeat)
{
    return over((double)w->e->repeats[repeat].sums.output_tok);
}

static double per_request(const struct tare_energy_work *w, size_t repeat)
{
    return over((double)w->e->repeats[repeat].sums.requests);
}

static double per_correct(const struct tare_energy_work *w, size_t repeat)
{
    return over(w->correct[repeat]);
}

enum { TOTAL = 0 };

static bool is_total(factor_fn factor)
{
    return factor == once || factor == per_kwh || factor == delay;
}

static const struct {
    const char *name;
    const char *unit;
    unsigned parts; /* bits; TOTAL: what `energy` adds up */
    const char *phase;
    factor_fn factor;
    const char *formula; /* appended to the source; "" for the reading itself */
    const char *none;    /* why no repeat has a value */
} rows[] = {
    {"energy_package", "J", 1u << TARE_PART_PACKAGE, "measure", once, "", ""},
    {"energy_dram", "J", 1u << TARE_PART_DRAM, "measure", once, "", ""},
    {"energy_gpu", "J", 1u << TARE_PART_DEVICE, "measure", once, "", ""},
    {"energy_core", "J", 1u << TARE_PART_CORE, "measure", once, "; inside the package", ""},
    {"energy_uncore", "J", 1u << TARE_PART_UNCORE, "measure", once, "; inside the package", ""},
    {"energy_psys", "J", 1u << TARE_PART_PSYS, "measure", once, "; contains the package", ""},
    {"energy_battery", "J", 1u << TARE_PART_BATTERY, "measure", once, "", ""},
    {"energy_wall", "J", 1u << TARE_PART_WALL, "measure", once, "", ""},
    {"energy", "J", TOTAL, "measure", once, "", ""},
    {"energy_load", "J", TOTAL, "load", whole, "; loading the model", ""},
    {"energy_kwh", "kWh", TOTAL, "measure", per_kwh, "; J / 3.6e6", ""},
    {"power_mean", "W", TOTAL, "measure", per_second, "; J / duration", "the phase has no duration"},
    {"energy_per_tok", "J/tok", TOTAL, "measure", per_tok, "; J / (prompt + output tokens)",
     "no token was processed"},
    {"energy_per_output_tok", "J/tok", TOTAL, "measure", per_output_tok, "; J / output tokens",
     "the task generates no tokens"},
    {"energy_per_request", "J/request", TOTAL, "measure", per_request, "; J / requests",
     "no request was answered"},
    {"energy_per_correct", "J/correct", TOTAL, "measure", per_correct, "; J / items answered right", NULL},
    {"energy_delay_product", "J s", TOTAL, "measure", delay, "; J x duration", "the phase has no duration"},
};

const char *tare_energy_no_correct(const struct tare_energy_work *w)
{
    bool notion = false;
    for (size_t i = 0; i < w->e->n_repeats; i++) {
        notion = notion || (w->e->repeats[i].complete && isfinite(w->correct[i]));
    }
    return notion ? "no item was answered right" : "the task has no notion of a right answer";
}

static void collect(const struct tare_energy_work *w, size_t row, unsigned parts, struct tare_series *s)
{
    for (size_t i = 0; i < w->e->n_repeats; i++) {
        double factor = rows[row].factor(w, i);
        if (!tare_energy_usable(&w->e->repeats[i]) || !isfinite(factor)) {
            continue;
        }
        struct tare_joules j = tare_energy_read(&w->en, parts, w->e->repeats[i].id, rows[row].phase);
        if (j.absent) {
            s->absent = j.absent;
            return;
        }
        tare_series_add(s, j.value * factor, j.u * factor, j.gain * factor);
    }
}

/* The part of a row that is of one part alone. */
static enum tare_part only_part(unsigned parts)
{
    int part = 0;
    while (part < TARE_N_PARTS - 1 && !(parts & 1u << part)) {
        part++;
    }
    return (enum tare_part)part;
}

static int derive_row(const struct tare_energy_work *w, size_t row, struct tare_figures *to,
                      struct tare_err *err)
{
    char scope[64], source[360];
    unsigned parts = rows[row].parts ? rows[row].parts : w->en.total;
    const char *why = rows[row].parts ? NULL : w->en.absent;
    if (rows[row].parts && !w->en.parts[only_part(parts)].meter) {
        why = tare_energy_why(&w->en, only_part(parts));
    }
    struct tare_figure f =
        tare_figure_make(rows[row].name, rows[row].unit, TARE_KIND_MEASURED, "not read",
                         rows[row].parts ? tare_energy_part_name(only_part(parts)) : "none");
    if (why) {
        return tare_figure_absent(&f, why, to, err);
    }
    tare_energy_describe(&w->en, parts, scope, sizeof scope, source, sizeof source);
    (void)snprintf(source + strlen(source), sizeof source - strlen(source), "%s%s", rows[row].formula,
                   is_total(rows[row].factor) ? tare_energy_view_text(&w->view) : "");
    f.source = source;
    f.scope = scope;
    tare_energy_doubt(&w->en, parts, rows[row].phase, &f);
    if (strcmp(rows[row].phase, "measure") == 0) {
        tare_energy_view_flag(&w->view, &f);
    }
    tare_figure_flag_noise(&f, w->whole);
    struct tare_series s = {.values = w->room};
    collect(w, row, parts, &s);
    return tare_series_put(&f, &s, TARE_GAIN_IN_TEXT,
                           rows[row].none ? rows[row].none : tare_energy_no_correct(w), to, err);
}

/* What is not sure about the total, its two parts kept apart: errors of reading, and the gain that all
 * cells on the same meters share and that cancels where two of them are compared. */
static int derive_doubts(const struct tare_energy_work *w, struct tare_figures *to, struct tare_err *err)
{
    struct tare_figure f[] = {
        tare_figure_make("energy_u", "J", TARE_KIND_MEASURED, "not read", "none"),
        tare_figure_make("energy_gain_u", "%", TARE_KIND_MEASURED, "not read", "none"),
    };
    double worst[] = {0, 0};
    int64_t n = 0;
    const char *why = w->en.absent;
    for (size_t i = 0; i < w->e->n_repeats && !why; i++) {
        if (!tare_energy_usable(&w->e->repeats[i])) {
            continue;
        }
        struct tare_joules j = tare_energy_read(&w->en, w->en.total, w->e->repeats[i].id, "measure");
        double here[] = {j.u * once(w, i), 100 * j.gain / j.value};
        why = j.absent;
        n++;
        for (size_t k = 0; k < 2; k++) {
            worst[k] = isnan(here[k]) || isnan(worst[k]) ? (double)NAN : fmax(worst[k], here[k]);
        }
    }
    int r = 0;
    for (size_t k = 0; r == 0 && k < 2; k++) {
        f[k].n = n;
        if (w->en.total) {
            f[k].source = w->en.source;
            f[k].scope = w->en.scope;
        }
        tare_energy_view_flag(&w->view, &f[k]);
        f[k].value = worst[k];
        f[k].method = "the largest of the repeats, one standard uncertainty";
        r = why || isnan(worst[k])
                ? tare_figure_absent(&f[k], why ? why : "the meter does not know it", to, err)
                : to->put(to, &f[k], err);
    }
    return r;
}

void tare_energy_work_fini(struct tare_energy_work *w)
{
    tare_energy_view_fini(&w->view);
    tare_energy_view_fini(&w->base);
    free(w->room);
    free(w->correct);
}

/* The windows of the cell and of its baseline. */
static int look(struct tare_energy_work *w, const struct tare_evidence *e, struct tare_err *err)
{
    int r = tare_energy_view_init(&w->view, e, err);
    r = r == 0 && e->baseline ? tare_energy_view_init(&w->base, e->baseline, err) : r;
    if (r == 0 && e->baseline) {
        w->view.e.baseline = &w->base.e;
    }
    w->whole = e;
    w->e = &w->view.e;
    return r;
}

int tare_energy_work_init(struct tare_energy_work *w, const struct tare_evidence *e, struct tare_err *err)
{
    memset(w, 0, sizeof *w);
    w->room = calloc(e->n_repeats + 1, sizeof *w->room);
    w->correct = calloc(e->n_repeats + 1, sizeof *w->correct);
    int r = w->room && w->correct ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    r = r == 0 ? look(w, e, err) : r;
    for (size_t i = 0; r == 0 && i < e->n_repeats; i++) {
        r = tare_energy_correct(e, e->repeats[i].id, &w->correct[i], err);
        if (w->view.correct && isfinite(w->correct[i])) {
            w->correct[i] = w->view.correct[i];
        }
    }
    if (r < 0) {
        tare_energy_work_fini(w);
        return r;
    }
    tare_energy_choose(w->e, &w->en);
    return 0;
}

int tare_derive_energy(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

int tare_derive_energy(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err)
{
    struct tare_energy_work w;
    int r = tare_energy_work_init(&w, e, err);
    if (r < 0) {
        return r;
    }
    for (size_t i = 0; r == 0 && i < sizeof rows / sizeof *rows; i++) {
        r = derive_row(&w, i, to, err);
    }
    r = r == 0 ? derive_doubts(&w, to, err) : r;
    r = r == 0 ? tare_energy_put_idle(&w, to, err) : r;
    r = r == 0 ? tare_energy_put_process(&w, to, err) : r;
    r = r == 0 ? tare_energy_put_ratio(&w, to, err) : r;
    tare_energy_work_fini(&w);
    return r;
}
