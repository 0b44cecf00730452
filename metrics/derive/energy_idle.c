/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Energy beyond what an idle machine draws, this process's share of it, and the ratio to the baseline.
 * Idle is what the meter read in phases of their own, before and after the same repeat, with nothing
 * loaded. It is neither what is left over at full load (that would go to 0) nor the most that was ever seen.
 */
#include "energy.h"

#include <stdio.h>

/* Idle power around one repeat. */
struct idle {
    double power_w;
    double u_w;                  /* reading errors and the drift between the two; NaN: unknown */
    double gain_w[TARE_N_PARTS]; /* of the meters' gains, by part; NaN: unknown */
    const char *absent;          /* why it is not known or not to be used */
};

static const char *const idle_phases[] = {"idle_before", "idle_after"};
static const double drift_limit = 0.05, u_limit = 0.10;

static struct idle no_idle(const char *why)
{
    return (struct idle){.power_w = (double)NAN, .u_w = (double)NAN, .absent = why};
}

/* Before and after, each energy over its own duration. Drift counts as uniform between the two. */
static struct idle read_idle(const struct tare_energy_work *w, unsigned parts, int64_t repeat_id)
{
    struct tare_joules j[2];
    double t[2], gains_j[2][TARE_N_PARTS];
    for (size_t i = 0; i < 2; i++) {
        t[i] = tare_energy_wall_s(w->e, repeat_id, idle_phases[i]);
        if (!isfinite(t[i])) {
            return no_idle("no idle phase was measured before and after the repeat");
        }
        j[i] = tare_energy_read_parts(&w->en, parts, repeat_id, idle_phases[i], gains_j[i]);
        if (j[i].absent) {
            return no_idle(j[i].absent);
        }
    }
    double before = j[0].value / t[0], after = j[1].value / t[1];
    double drift = after - before, mean = 0.5 * (before + after);
    double read_u = 0.5 * hypot(j[0].u / t[0], j[1].u / t[1]);
    struct idle idle = {.power_w = mean, .u_w = hypot(read_u, drift / sqrt(12))};
    for (int i = 0; i < TARE_N_PARTS; i++) {
        idle.gain_w[i] = 0.5 * (gains_j[0][i] / t[0] + gains_j[1][i] / t[1]);
    }
    if (fabs(drift) > drift_limit * mean) {
        idle.absent = "idle power before and after differ by more than 5 %: let the machine settle";
    }
    return idle;
}

static struct tare_joules no_joules(const char *why)
{
    return (struct tare_joules){(double)NAN, (double)NAN, (double)NAN, why};
}

/* E - P_idle T, unless what is subtracted is known too badly. */
static struct tare_joules net_of(const struct tare_energy_work *w, unsigned parts, int64_t repeat_id,
                                 struct idle *idle)
{
    double gains_j[TARE_N_PARTS];
    struct tare_joules gross = tare_energy_read_parts(&w->en, parts, repeat_id, "measure", gains_j);
    double wall_s = tare_energy_wall_s(w->e, repeat_id, "measure");
    *idle = read_idle(w, parts, repeat_id);
    const char *why =
        gross.absent       ? gross.absent
        : idle->absent     ? idle->absent
        : isnan(wall_s)    ? "the phase has no duration"
        : isnan(idle->u_w) ? "the uncertainty of idle power is not known"
        : wall_s * idle->u_w > u_limit * gross.value
            ? "the uncertainty of idle power is over 10 % of the energy: measure idle for longer"
            : NULL;
    if (why) {
        return no_joules(why);
    }
    /* The gain is one error of one meter: it scales that meter's difference. */
    for (int i = 0; i < TARE_N_PARTS; i++) {
        gains_j[i] -= idle->gain_w[i] * wall_s;
    }
    return (struct tare_joules){gross.value - idle->power_w * wall_s, hypot(gross.u, wall_s * idle->u_w),
                                tare_energy_add_gains(&w->en, parts, gains_j), NULL};
}

static struct tare_figure make(const struct tare_energy_work *w, unsigned parts, const char *name,
                               const char *unit, const char *formula, char *scope, size_t n_scope,
                               char *source, size_t n_source)
{
    struct tare_figure f = tare_figure_make(name, unit, TARE_KIND_MEASURED, "not read", "none");
    if (parts) {
        tare_energy_describe(&w->en, parts, scope, n_scope, source, n_source);
        (void)snprintf(source + strlen(source), n_source - strlen(source), "%s", formula);
        f.source = source;
        f.scope = scope;
    }
    return f;
}

/* Of a total: that it is of one pass. */
static void say_pass(const struct tare_energy_work *w, char *source, size_t n)
{
    (void)snprintf(source + strlen(source), n - strlen(source), "%s", tare_energy_view_text(&w->view));
}

/* The doubts of what was read while nothing was loaded, and what disturbed it. */
static void doubt_idle(const struct tare_energy_work *w, unsigned parts, struct tare_figure *f)
{
    for (size_t i = 0; i < 2; i++) {
        tare_energy_doubt(&w->en, parts, idle_phases[i], f);
        tare_figure_flag_phase(f, w->e, idle_phases[i]);
    }
}

static void doubt_measured(const struct tare_energy_work *w, unsigned parts, struct tare_figure *f)
{
    tare_energy_doubt(&w->en, parts, "measure", f);
    tare_energy_view_flag(&w->view, f);
    tare_figure_flag_noise(f, w->whole);
}

int tare_energy_put_idle(const struct tare_energy_work *w, struct tare_figures *to, struct tare_err *err)
{
    char scope[2][64], source[2][360];
    struct tare_figure power =
        make(w, w->en.total, "idle_power", "W", "; idle before and after, nothing loaded", scope[0],
             sizeof scope[0], source[0], sizeof source[0]);
    struct tare_figure net = make(w, w->en.total, "energy_net", "J",
                                  "; J - idle power (nothing loaded, before and after) x duration", scope[1],
                                  sizeof scope[1], source[1], sizeof source[1]);
    if (w->en.absent) {
        int r = tare_figure_absent(&power, w->en.absent, to, err);
        return r == 0 ? tare_figure_absent(&net, w->en.absent, to, err) : r;
    }
    say_pass(w, source[1], sizeof source[1]);
    doubt_idle(w, w->en.total, &power);
    doubt_idle(w, w->en.total, &net);
    doubt_measured(w, w->en.total, &net);
    struct tare_series s = {.values = w->room};
    for (size_t i = 0; i < w->e->n_repeats && !s.absent; i++) {
        if (tare_energy_usable(&w->e->repeats[i])) {
            struct idle idle = read_idle(w, w->en.total, w->e->repeats[i].id);
            s.absent = isnan(idle.power_w) ? idle.absent : NULL;
            tare_series_add(&s, idle.power_w, idle.u_w,
                            tare_energy_add_gains(&w->en, w->en.total, idle.gain_w));
        }
    }
    int r = tare_series_put(&power, &s, TARE_GAIN_IN_TEXT, "no repeat was completed", to, err);
    s = (struct tare_series){.values = w->room};
    for (size_t i = 0; i < w->e->n_repeats && !s.absent; i++) {
        if (tare_energy_usable(&w->e->repeats[i])) {
            struct idle idle;
            struct tare_joules j = net_of(w, w->en.total, w->e->repeats[i].id, &idle);
            double once = tare_energy_view_once(&w->view, i);
            s.absent = j.absent;
            tare_series_add(&s, j.value * once, j.u * once, j.gain * once);
        }
    }
    return r == 0 ? tare_series_put(&net, &s, TARE_GAIN_IN_TEXT, "no repeat was completed", to, err) : r;
}

/* CPU seconds of this process, of the supervisor and of all others in the measure phase. */
static const char *cpu_times(const struct tare_evidence *e, int64_t repeat_id, double wall_s, double *out)
{
    static const char *const names[] = {"cpu_user", "cpu_system", "supervisor_cpu", "foreign_cpu"};
    double value[4];
    for (size_t i = 0; i < 4; i++) {
        const struct tare_reading_record *r = tare_evidence_find(e, repeat_id, "measure", names[i]);
        if (!r || r->absent) {
            return r ? r->absent : "no meter reads whose CPU time it was";
        }
        value[i] = r->value;
    }
    if (e->cpus <= 0) {
        return "the number of CPUs is not in the run's environment";
    }
    double capacity_s = wall_s * (double)e->cpus;
    out[0] = value[0] + value[1];
    out[1] = value[2] / 100 * capacity_s;
    out[2] = value[3] / 100 * capacity_s;
    return NULL;
}

static struct tare_joules process_of(const struct tare_energy_work *w, unsigned parts, int64_t repeat_id)
{
    struct idle idle;
    struct tare_joules net = net_of(w, parts, repeat_id, &idle);
    double wall_s = tare_energy_wall_s(w->e, repeat_id, "measure"), cpu_s[3], share[3];
    if (net.absent) {
        return net;
    }
    const char *why = cpu_times(w->e, repeat_id, wall_s, cpu_s);
    if (why) {
        return no_joules(why);
    }
    double meter_j = tare_energy_read(&w->en, parts, repeat_id, "measure").value;
    if (!tare_energy_shares(meter_j, net.value, idle.power_w * wall_s, cpu_s, 3, share)) {
        return no_joules(net.value < 0 ? "the meter read less than idle: there is nothing to share"
                                       : "shares and idle do not add up to what the meter read");
    }
    double part = net.value > 0 ? share[0] / net.value : 0;
    return (struct tare_joules){share[0], net.u * part, net.gain * part, NULL};
}

/* By CPU time, so of what the CPU draws: the package, and its memory where that is read. */
int tare_energy_put_process(const struct tare_energy_work *w, struct tare_figures *to, struct tare_err *err)
{
    char scope[64], source[360];
    unsigned parts = w->en.parts[TARE_PART_PACKAGE].meter ? 1u << TARE_PART_PACKAGE : 0;
    parts |= parts && w->en.parts[TARE_PART_DRAM].meter ? 1u << TARE_PART_DRAM : 0;
    struct tare_figure f =
        make(w, parts, "energy_process", "J", "; (J - idle, nothing loaded) x own CPU time / all CPU time",
             scope, sizeof scope, source, sizeof source);
    f.scope = "process";
    if (!parts) {
        return tare_figure_absent(&f, tare_energy_why(&w->en, TARE_PART_PACKAGE), to, err);
    }
    say_pass(w, source, sizeof source);
    doubt_measured(w, parts, &f);
    doubt_idle(w, parts, &f);
    tare_figure_flag(&f, "CPU_SHARE");
    struct tare_series s = {.values = w->room};
    for (size_t i = 0; i < w->e->n_repeats && !s.absent; i++) {
        if (tare_energy_usable(&w->e->repeats[i])) {
            struct tare_joules j = process_of(w, parts, w->e->repeats[i].id);
            double once = tare_energy_view_once(&w->view, i);
            s.absent = j.absent;
            tare_series_add(&s, j.value * once, j.u * once, j.gain * once);
        }
    }
    return tare_series_put(&f, &s, TARE_GAIN_IN_TEXT, "no repeat was completed", to, err);
}

/* One ratio a block. The gain cancels where the same meters read both sides. */
static void collect_ratios(const struct tare_energy_work *w, const struct tare_energy *base, bool cancels,
                           struct tare_figure *f, struct tare_series *s)
{
    for (size_t i = 0; i < w->e->n_repeats && !s->absent; i++) {
        const struct tare_evidence_repeat *here = &w->e->repeats[i],
                                          *there = tare_evidence_partner(w->e, here);
        if (!there || !tare_energy_usable(here) || !tare_energy_usable(there)) {
            continue;
        }
        struct tare_joules x = tare_energy_read(&w->en, w->en.total, here->id, "measure");
        struct tare_joules y = tare_energy_read(base, base->total, there->id, "measure");
        s->absent = x.absent ? x.absent : y.absent;
        /* By request: in a phase of whole passes the two may have made different numbers of them. */
        double ratio = x.value / (double)here->sums.requests / (y.value / (double)there->sums.requests);
        tare_figure_flag_pair(f, w->whole, &w->whole->repeats[i],
                              tare_evidence_partner(w->whole, &w->whole->repeats[i]));
        tare_figure_flag_heat(f, w->e, here->id, there->id); /* at the begin of that window */
        tare_series_add(s, ratio, ratio * hypot(x.u / x.value, y.u / y.value),
                        cancels ? 0 : ratio * hypot(x.gain / x.value, y.gain / y.value));
    }
}

int tare_energy_put_ratio(const struct tare_energy_work *w, struct tare_figures *to, struct tare_err *err)
{
    char scope[64], source[360], formula[120];
    const char *why = tare_evidence_no_baseline(w->e);
    (void)snprintf(formula, sizeof formula, "; same block, this over %.60s, per request",
                   w->e->baseline_name ? w->e->baseline_name : "the baseline");
    struct tare_figure f =
        make(w, w->en.total, "energy_ratio", "x", formula, scope, sizeof scope, source, sizeof source);
    why = why ? why : w->en.absent;
    if (!why && w->view.sustained != w->base.sustained) {
        why = "only one of the two was asked again for a longer window (sustain)";
    }
    if (why) {
        return tare_figure_absent(&f, why, to, err);
    }
    struct tare_energy base;
    tare_energy_choose(w->e->baseline, &base);
    if (base.absent || base.total != w->en.total) {
        return tare_figure_absent(&f, base.absent ? base.absent : "the baseline's energy has another scope",
                                  to, err);
    }
    bool cancels = tare_energy_same_channels(&w->en, &base, base.total);
    struct tare_series s = {.values = w->room};
    doubt_measured(w, w->en.total, &f);
    tare_energy_doubt(&base, base.total, "measure", &f);
    tare_figure_flag_noise(&f, w->whole->baseline);
    if (!cancels) {
        tare_figure_flag(&f, "GAIN_DIFFERS");
    }
    collect_ratios(w, &base, cancels, &f, &s);
    return tare_series_put(&f, &s, cancels ? "" : "the gains of two meters", "no block was completed by both",
                           to, err);
}
