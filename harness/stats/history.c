/* SPDX-License-Identifier: Apache-2.0 */
/* Robust z of one session against those before it. */
#include "stats/history.h"

#include "stats/discrete.h"
#include "stats/interval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double p_suspect = 0.01, p_confirm = 0.05, q_held = 0.05;

const char *tare_alarm_text(enum tare_alarm_state state)
{
    static const char *const texts[] = {"too few sessions", "none", "none: off by chance, as some of so many",
                                        "suspect: rerun", "confirmed"};
    return texts[state];
}

struct verdict {
    double shift, p, spread;
};

/* Degrees of freedom that the spread is worth: the MAD has 37 % of a standard deviation's efficiency. */
static double worth(size_t n)
{
    return fmax(2, 0.37 * ((double)n - 1));
}

/* How the value is to n reference values; scratch has room for n. */
static struct verdict compare(double value, const double *reference, size_t n, double *scratch)
{
    memcpy(scratch, reference, n * sizeof *scratch);
    tare_sort(scratch, n);
    double median = tare_quantile(scratch, n, 0.5), dn = (double)n;
    for (size_t i = 0; i < n; i++) {
        scratch[i] = fabs(reference[i] - median);
    }
    tare_sort(scratch, n);
    struct verdict v = {value - median, 1,
                        1.482602218505602 * dn / (dn - 0.8) * tare_quantile(scratch, n, 0.5)};
    double error = v.spread * sqrt(1 + acos(-1) / (2 * dn));
    if (error > 0) {
        v.p = 2 * tare_t_cdf(-fabs(v.shift) / error, worth(n));
    } else if (v.shift < 0 || v.shift > 0) {
        v.p = 0; /* values that never moved, and now one that did */
    }
    return v;
}

static int beyond(const struct verdict *v, double p, double delta)
{
    return v->p < p && fabs(v->shift) > log1p(delta);
}

static void judge(const double *logs, size_t n, size_t level, double delta, double *scratch,
                  struct tare_alarm *out)
{
    struct verdict now = compare(logs[n - 1], logs + level, n - 1 - level, scratch);
    out->n = n - 1 - level;
    out->first = now.p;
    out->state = beyond(&now, p_suspect, delta) ? TARE_ALARM_SUSPECT : TARE_ALARM_NONE;
    if (out->n > TARE_HISTORY_LEAST) { /* was the one before suspect, by those before it? */
        struct verdict before = compare(logs[n - 2], logs + level, n - 2 - level, scratch);
        struct verdict again = compare(logs[n - 1], logs + level, n - 2 - level, scratch);
        if (beyond(&before, p_suspect, delta) && beyond(&again, p_confirm, delta) &&
            before.shift * again.shift > 0) {
            out->state = TARE_ALARM_CONFIRMED;
            out->first = before.p;
            now = again;
            out->n--;
        }
    }
    out->shift = now.shift;
    out->p = now.p;
    out->spread = now.spread;
}

void tare_history_alarm(const double *logs, size_t n, size_t level, double delta, struct tare_alarm *out)
{
    double none = (double)NAN;
    *out = (struct tare_alarm){TARE_ALARM_FEW, none, none, none, none, none, 0};
    double *scratch = n > level + TARE_HISTORY_LEAST ? malloc(n * sizeof *scratch) : NULL;
    if (scratch) {
        judge(logs, n, level, delta, scratch, out);
    }
    free(scratch);
}

int tare_history_adjust(struct tare_alarm *alarms, size_t n, struct tare_err *err)
{
    double *p = malloc((n + 1) * sizeof *p);
    if (!p) {
        return tare_err_set(err, TARE_E_NOMEM, "history: out of memory");
    }
    for (size_t i = 0; i < n; i++) {
        p[i] = alarms[i].first; /* NaN where nothing is judged: no member of the family */
    }
    int r = tare_benjamini_hochberg(p, n, err);
    for (size_t i = 0; r == 0 && i < n; i++) {
        alarms[i].q = p[i];
        if (alarms[i].state >= TARE_ALARM_SUSPECT && !(p[i] < q_held)) {
            alarms[i].state = TARE_ALARM_CHANCE;
        }
    }
    free(p);
    return r;
}

/* P[a session that truly moved by `shift` is beyond p and delta to that side]. */
static double one_stage(const struct tare_alarm *a, double p, double delta, double shift)
{
    double dn = (double)a->n, error = a->spread * sqrt(1 + acos(-1) / (2 * dn));
    if (!(error > 0)) {
        return shift > log1p(delta) ? 1 : 0;
    }
    double bar = fmax(log1p(delta), tare_t_quantile(1 - p / 2, worth(a->n)) * error);
    return 0.5 * erfc((bar - shift) / error / sqrt(2));
}

double tare_history_power(const struct tare_alarm *alarm, double delta, double share)
{
    if (alarm->state == TARE_ALARM_FEW) {
        return (double)NAN;
    }
    double shift = log1p(share);
    return one_stage(alarm, p_suspect, delta, shift) * one_stage(alarm, p_confirm, delta, shift);
}
