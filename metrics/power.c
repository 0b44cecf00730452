/* SPDX-License-Identifier: Apache-2.0 */
/* The trapezoid rule over samples at uneven times. */
#include "power.h"

#include <math.h>

static void note_change(struct tare_power *p, int64_t now_ns, double step_w, double span_s)
{
    double held_s = (double)(now_ns - p->changed_ns) / 1e9;
    p->square_j += step_w * held_s * step_w * held_s;
    p->late_j += step_w * (held_s - span_s) / 2;
    p->changed_ns = now_ns;
    p->n_changes++;
}

void tare_power_add(struct tare_power *p, int64_t now_ns, double watts)
{
    if (!isfinite(watts) || watts < 0 || (p->n > 0 && now_ns <= p->last_ns)) {
        p->n_bad++;
        return;
    }
    if (p->n == 0) {
        p->first_ns = p->changed_ns = now_ns;
    } else {
        int64_t span_ns = now_ns - p->last_ns;
        double span_s = (double)span_ns / 1e9;
        p->joules += (watts + p->last_w) / 2 * span_s;
        if (watts < p->last_w || watts > p->last_w) {
            note_change(p, now_ns, watts - p->last_w, span_s);
        }
        p->longest_ns = span_ns > p->longest_ns ? span_ns : p->longest_ns;
    }
    p->peak_w = watts > p->peak_w ? watts : p->peak_w;
    p->last_ns = now_ns;
    p->last_w = watts;
    p->n++;
}

double tare_power_u(const struct tare_power *p)
{
    double edges = p->n_changes > 0 ? 2 / (double)p->n_changes : 0;
    return sqrt(p->square_j / 12 * (1 + edges) + p->late_j * p->late_j);
}

double tare_power_mean(const struct tare_power *p)
{
    return p->n > 1 ? p->joules / ((double)(p->last_ns - p->first_ns) / 1e9) : (double)NAN;
}
