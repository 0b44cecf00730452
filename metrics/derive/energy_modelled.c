/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Energy where no meter works, if a user asks for it: power of the CPUs by their load, a straight line from
 * idle to full load. It is modelled, wrong by a factor, and under names of its own: it is never ranked and
 * never added to what a meter read.
 */
#include "energy_modelled.h"

#include <stdio.h>

/* A reading of the measure phase, or NaN. */
static double measured(const struct tare_evidence *e, int64_t repeat_id, const char *name)
{
    const struct tare_reading_record *r = tare_evidence_find(e, repeat_id, "measure", name);
    return r && !r->absent ? r->value : (double)NAN;
}

/* A reading that counts for nothing where it is absent: then only our own load is known. */
static double percent(const struct tare_evidence *e, int64_t repeat_id, const char *name)
{
    double value = measured(e, repeat_id, name);
    return isfinite(value) && value > 0 ? value / 100 : 0;
}

double tare_energy_model_power(const struct tare_energy_model *model, double utilisation, int64_t cpus)
{
    double load = utilisation < 0 ? 0 : utilisation > 1 ? 1 : utilisation;
    double power_w = model->idle_w + (model->max_w - model->idle_w) * load;
    return model->per_cpu ? power_w * (double)cpus : power_w;
}

double tare_energy_model_joules(const struct tare_evidence *e, int64_t repeat_id, const char **why)
{
    const struct tare_declared *d = e->declared;
    double wall_s = tare_energy_wall_s(e, repeat_id, "measure");
    double own_s = measured(e, repeat_id, "cpu_user") + measured(e, repeat_id, "cpu_system");
    *why = !d || !d->energy_model.given ? "no model of power was asked for (--energy-model)"
           : e->cpus <= 0               ? "the number of CPUs is not in the run's environment"
           : isnan(wall_s)              ? "the phase has no duration"
           : isnan(own_s)               ? "no meter reads the CPU time of the process"
                                        : NULL;
    if (*why) {
        return (double)NAN;
    }
    double load = own_s / (wall_s * (double)e->cpus) + percent(e, repeat_id, "foreign_cpu") +
                  percent(e, repeat_id, "supervisor_cpu");
    return tare_energy_model_power(&d->energy_model, load, e->cpus) * wall_s;
}

int tare_energy_model_put(struct tare_figure *f, const struct tare_evidence *e, struct tare_series *s,
                          const char *none, struct tare_figures *to, struct tare_err *err)
{
    f->n = (int64_t)s->n;
    tare_figure_flag(f, "NEVER_RANKED");
    if (s->n == 0 || s->absent) {
        return tare_figure_absent(f, s->absent ? s->absent : none, to, err);
    }
    char method[120];
    double factor = e->declared->energy_model.factor;
    tare_sort(s->values, s->n);
    f->value = tare_quantile(s->values, s->n, 0.5);
    if (!isfinite(f->value)) {
        return tare_figure_absent(f, "the value is no finite number", to, err);
    }
    f->low = s->values[0] / factor;
    f->high = s->values[s->n - 1] * factor;
    (void)snprintf(method, sizeof method, "a factor of %g each way on all repeats", factor);
    f->method = method;
    return to->put(to, f, err);
}

void tare_energy_model_describe(const struct tare_energy_model *m, char *to, size_t n)
{
    (void)snprintf(to, n, "%g W idle to %g W at full load%s, straight by the load of all CPUs; %s%s%s",
                   m->idle_w, m->max_w, m->per_cpu ? " for each CPU" : "", m->source, *m->date ? ", " : "",
                   m->date);
}

/* What the modelled energy of a repeat is divided by; 0: there is no such thing. */
static double divisor(const struct tare_energy_work *w, size_t repeat, size_t which)
{
    const struct tare_repeat_sums *s = &w->e->repeats[repeat].sums;
    const double by[] = {1 / tare_energy_view_once(&w->view, repeat),
                         tare_energy_wall_s(w->e, w->e->repeats[repeat].id, "measure"),
                         (double)s->prompt_tok + (double)s->output_tok,
                         (double)s->output_tok,
                         (double)s->requests,
                         w->correct[repeat]};
    return by[which];
}

static int derive_one(const struct tare_energy_work *w, size_t which, struct tare_figures *to,
                      struct tare_err *err)
{
    static const struct {
        const char *name, *unit, *formula, *none;
    } rows[] = {
        {"energy_modelled", "J", "", "no repeat was completed"},
        {"power_modelled", "W", "", "no repeat was completed"},
        {"energy_modelled_per_tok", "J/tok", "; J / (prompt + output tokens)", "no token was processed"},
        {"energy_modelled_per_output_tok", "J/tok", "; J / output tokens", "the task generates no tokens"},
        {"energy_modelled_per_request", "J/request", "; J / requests", "no request was answered"},
        {"energy_modelled_per_correct", "J/correct", "; J / items answered right", NULL},
    };
    char source[600] = "not asked for";
    struct tare_figure f =
        tare_figure_make(rows[which].name, rows[which].unit, TARE_KIND_MODELLED, source, "CPUs of the node");
    struct tare_series s = {.values = w->room};
    if (w->e->declared && w->e->declared->energy_model.given) {
        tare_energy_model_describe(&w->e->declared->energy_model, source, sizeof source);
        (void)snprintf(source + strlen(source), sizeof source - strlen(source), "%s%s", rows[which].formula,
                       which == 0 ? tare_energy_view_text(&w->view) : "");
    } else {
        s.absent = "no model of power was asked for (--energy-model)";
    }
    for (size_t i = 0; i < w->e->n_repeats && !s.absent; i++) {
        double by = divisor(w, i, which);
        if (tare_energy_usable(&w->e->repeats[i]) && by > 0) {
            double joules = tare_energy_model_joules(w->e, w->e->repeats[i].id, &s.absent);
            s.values[s.n++] = joules / by;
        }
    }
    tare_energy_view_flag(&w->view, &f);
    tare_figure_flag_noise(&f, w->whole);
    return tare_energy_model_put(&f, w->e, &s,
                                 rows[which].none ? rows[which].none : tare_energy_no_correct(w), to, err);
}

int tare_derive_energy_modelled(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

int tare_derive_energy_modelled(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err)
{
    enum { n_rows = 6 };
    struct tare_energy_work w;
    int r = tare_energy_work_init(&w, e, err);
    if (r < 0) {
        return r;
    }
    for (size_t i = 0; r == 0 && i < n_rows; i++) {
        r = derive_one(&w, i, to, err);
    }
    tare_energy_work_fini(&w);
    return r;
}
