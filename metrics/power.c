/* SPDX-License-Identifier: Apache-2.0 */
/* The trapezoid rule over samples at uneven times. */
#include "power.h"

#include <math.h>

void tare_power_add(struct tare_power *p, int64_t now_ns, double watts)
{
    if (!isfinite(watts) || watts < 0 || (p->n > 0 && now_ns <= p->last_ns)) {
        p->n_bad++;
        return;
    }
    if (p->n == 0) {
        p->first_ns = now_ns;
    } else {
        int64_t span_ns = now_ns - p->last_ns;
        double span_s = (double)span_ns / 1e9;
        double step_j = (watts - p->last_w) * span_s;
        p->joules += (watts + p->last_w) / 2 * span_s;
        p->square_j += step_j * step_j;
        p->longest_ns = span_ns > p->longest_ns ? span_ns : p->longest_ns;
    }
    p->peak_w = watts > p->peak_w ? watts : p->peak_w;
    p->last_ns = now_ns;
    p->last_w = watts;
    p->n++;
}

double tare_power_u(const struct tare_power *p)
{
    return sqrt(p->square_j / 12);
}

double tare_power_mean(const struct tare_power *p)
{
    return p->n > 1 ? p->joules / ((double)(p->last_ns - p->first_ns) / 1e9) : (double)NAN;
}
