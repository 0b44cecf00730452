/* SPDX-License-Identifier: Apache-2.0 */
/* One value a repeat into a figure, the meter's own errors added; right answers; shares by CPU time. */
#include "energy_parts.h"

#include <stdio.h>
#include <stdlib.h>

void tare_series_add(struct tare_series *s, double value, double u, double gain)
{
    /* NaN stays: a doubt that one repeat does not know is not known. */
    s->u = isnan(u) || isnan(s->u) ? (double)NAN : fmax(s->u, fabs(u));
    s->gain = isnan(gain) || isnan(s->gain) ? (double)NAN : fmax(s->gain, fabs(gain));
    s->values[s->n++] = value;
}

/* Quadrature of a side of the repeats' interval and the meter's two standard uncertainties. */
static double widened(double side, const struct tare_series *s)
{
    double z = tare_normal_quantile(0.5 + TARE_LEVEL / 2);
    return sqrt(side * side + z * z * (s->u * s->u + s->gain * s->gain));
}

int tare_series_put(struct tare_figure *f, struct tare_series *s, const char *gain_text, const char *none,
                    struct tare_figures *to, struct tare_err *err)
{
    char method[160];
    f->n = (int64_t)s->n;
    if (s->n == 0 || s->absent) {
        return tare_figure_absent(f, s->absent ? s->absent : none, to, err);
    }
    tare_sort(s->values, s->n);
    struct tare_interval range = tare_median_interval(s->values, s->n, TARE_LEVEL);
    f->value = tare_quantile(s->values, s->n, 0.5);
    if (!isfinite(f->value)) {
        return tare_figure_absent(f, "the value is no finite number", to, err);
    }
    if (range.ok && range.level < TARE_LEVEL) {
        tare_figure_flag(f, "FEW_REPEATS");
    }
    bool known = isfinite(s->u) && isfinite(s->gain);
    (void)snprintf(method, sizeof method, "%s, widened by the meter's read error%s%s", range.method,
                   *gain_text ? " and " : "", gain_text);
    const char *unknown = s->unknown ? s->unknown : "none: the meter does not know its own uncertainty";
    range.method = known ? method : unknown;
    range.ok = range.ok && known;
    double low = f->value - widened(f->value - range.low, s);
    range.low = range.low >= 0 && low < 0 ? 0 : low; /* what cannot be negative is not said to be */
    range.high = f->value + widened(range.high - f->value, s);
    tare_figure_interval(f, &range);
    return to->put(to, f, err);
}

int tare_energy_correct(const struct tare_evidence *e, int64_t repeat_id, double *out, struct tare_err *err)
{
    double *exact = NULL;
    size_t n = 0;
    *out = (double)NAN;
    int r = e->column ? e->column(e->ctx, repeat_id, TARE_COLUMN_EXACT, &exact, &n, err) : 0;
    if (r == 0 && n > 0) {
        *out = 0;
        for (size_t i = 0; i < n; i++) {
            *out += exact[i];
        }
    }
    free(exact);
    return r;
}

bool tare_energy_shares(double meter_j, double net_j, double idle_j, const double *cpu_s, size_t n,
                        double *out)
{
    double sum = 0, shared = idle_j;
    bool sound = isfinite(net_j) && net_j >= 0 && idle_j >= 0;
    for (size_t i = 0; i < n; i++) {
        sound = sound && isfinite(cpu_s[i]) && cpu_s[i] >= 0;
        sum += cpu_s[i];
    }
    if (!sound || !(sum > 0)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = net_j * cpu_s[i] / sum;
        shared += out[i];
    }
    return fabs(shared - meter_j) <= 1e-3 * meter_j;
}
