/* SPDX-License-Identifier: Apache-2.0 */
/* Repetition counts and forecasts of sample sizes. */
#include "stats/repeat.h"

#include <math.h>

int tare_repetitions(const double *cost, const double *variance, size_t levels, int64_t *out,
                     struct tare_err *err)
{
    if (levels < 2) {
        return tare_err_set(err, TARE_E_USAGE, "repetitions: %zu levels; 2 at least", levels);
    }
    for (size_t i = 0; i < levels; i++) {
        if (!(cost[i] > 0 && isfinite(cost[i]) && isfinite(variance[i]))) {
            return tare_err_set(err, TARE_E_USAGE, "repetitions: level %zu costs %g and varies by %g", i + 1,
                                cost[i], variance[i]);
        }
        if (i > 0 && variance[i - 1] > 0 && !(variance[i] > 0)) {
            return tare_err_set(err, TARE_E_USAGE,
                                "repetitions: level %zu has no variance of its own; leave it out", i + 1);
        }
    }
    for (size_t i = 0; i + 1 < levels; i++) {
        double n = variance[i] > 0 ? sqrt(cost[i + 1] / cost[i] * (variance[i] / variance[i + 1])) : 1;
        out[i] = (int64_t)fmin(
            9e15, fmax(1, ceil(n * (1 - 1e-12)))); /* a whole number is not ceiled by a rounding */
    }
    return 0;
}

double tare_units_for_half_width(size_t n, double half_now, double half_wanted)
{
    if (n == 0 || !(half_now > 0 && half_wanted > 0)) {
        return (double)NAN;
    }
    double ratio = half_now / half_wanted;
    return ceil((double)n * ratio * ratio * (1 - 1e-12));
}

double tare_units_to_decide(size_t n, double estimate, const struct tare_interval *interval, double wanted,
                            double margin, double power)
{
    if (!interval->ok || !(power > 0 && power < 1 && wanted > 0 && wanted < 1 && interval->level > 0)) {
        return (double)NAN;
    }
    double half = (interval->high - interval->low) / 2, size = fabs(estimate), units = (double)INFINITY;
    double unit = half / tare_normal_quantile(0.5 + interval->level / 2); /* one standard error, now */
    double differ = tare_normal_quantile(0.5 + wanted / 2) + tare_normal_quantile(power);
    double alike =
        tare_normal_quantile(wanted) + tare_normal_quantile(size > margin / 2 ? power : (1 + power) / 2);
    if (size > 0) {
        units = fmin(units, tare_units_for_half_width(n, unit * differ, size));
    }
    if (margin > size) {
        units = fmin(units, tare_units_for_half_width(n, unit * alike, margin - size));
    }
    return units;
}
