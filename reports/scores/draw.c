/* SPDX-License-Identifier: Apache-2.0 */
/* Random values within intervals. */
#include "draw.h"

#include "stats/interval.h"

double tare_draw_normal(struct tare_rng *rng)
{
    double u = 1 - tare_rng_unit(rng), v = tare_rng_unit(rng);
    return sqrt(-2 * log(u)) * cos(2 * acos(-1.0) * v);
}

/* Half width of an interval in standard deviations. The levels that nearly all intervals have are known: the
 * quantile is found by iteration, and draws are many. */
static double width_of_level(double level)
{
    static const struct {
        double level, z;
    } known[] = {{0.95, 1.9599639845400539}, {0.96875, 2.1538746940614564}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (level == known[i].level) {
            return known[i].z;
        }
    }
    return tare_normal_quantile(0.5 + level / 2);
}

double tare_draw_value(const struct tare_score_value *v, struct tare_rng *rng)
{
    double z = tare_draw_normal(rng);
    if (!isfinite(v->low) || !isfinite(v->high)) {
        return v->value;
    }
    /* An exact value has no width; a level of 1 has no quantile. */
    double level = isfinite(v->level) && v->level > 0 && v->level < 1 ? v->level : 0.95;
    double width = z < 0 ? v->value - v->low : v->high - v->value;
    return width > 0 ? v->value + z * width / width_of_level(level) : v->value;
}

bool tare_draw_known(const struct tare_score_value *const *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i]->low) || !isfinite(values[i]->high)) {
            return false;
        }
    }
    return true;
}

void tare_draw_interval(double *results, size_t n, struct tare_score_value *to)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(results[i])) {
            return;
        }
    }
    if (n < 100) {
        return;
    }
    tare_sort(results, n);
    to->low = tare_quantile(results, n, 0.025);
    to->high = tare_quantile(results, n, 0.975);
    to->level = 0.95;
    to->method = TARE_SCORE_DRAW_METHOD;
}
