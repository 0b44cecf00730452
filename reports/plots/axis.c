/* SPDX-License-Identifier: Apache-2.0 */
/* Axes: limits out of the data and their intervals, logarithmic over two decades, ticks at round numbers,
 * units with the prefix that makes numbers short. */
#include "reports/plots/render.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

double tare_unit_scale(const char *unit, double size, char *to, size_t n_to)
{
    static const char *const prefixed[] = {
        "s",     "B",         "B/s",           "J",         "W",  "FLOP", "FLOP/s",   "tok/s",
        "J/tok", "J/request", "J/correct",     "request/s", "Hz", "tok",  "FLOP/tok", "B/request",
        "gCO2e", "gCO2e/tok", "gCO2e/request", "J s"};
    static const char *const prefixes[] = {"n", "\xc2\xb5", "m", "", "k", "M", "G", "T", "P"};
    static const char *const counts[] = {"thousand", "million", "billion", "trillion"};
    int power = size > 0 ? (int)floor(log10(size) / 3 + 1e-9) : 0;
    power = power < -3 ? -3 : power > 5 ? 5 : power;
    if (!unit || strcmp(unit, "1") == 0) {
        power = power > 4 ? 4 : power;
        bool many = size >= 1e4 && power > 0;
        (void)snprintf(to, n_to, "%s", many ? counts[power - 1] : "");
        return many ? pow(10, -3 * power) : 1;
    }
    for (size_t i = 0; i < sizeof prefixed / sizeof *prefixed; i++) {
        if (strcmp(unit, prefixed[i]) == 0) {
            (void)snprintf(to, n_to, "%s%s", prefixes[power + 3], unit);
            return pow(10, -3 * power);
        }
    }
    (void)snprintf(to, n_to, "%.40s", unit);
    return 1;
}

struct span {
    double low, high;
    bool all_positive;
};

static void take(struct span *s, double value)
{
    if (isfinite(value)) {
        s->low = value < s->low ? value : s->low;
        s->high = value > s->high ? value : s->high;
        s->all_positive = s->all_positive && value > 0;
    }
}

static void take_point(struct span *s, const struct tare_plot_series *series, const struct tare_plot_point *p,
                       bool is_x)
{
    if (is_x) {
        take(s, p->x);
        take(s, p->x_low);
        take(s, p->x_high);
        if (series->style == TARE_PLOT_BARS) {
            take(s, p->base);
        }
    } else if (series->style != TARE_PLOT_MARKS) {
        take(s, series->style == TARE_PLOT_BAND ? (double)NAN : p->y);
        take(s, p->y_low);
        take(s, p->y_high);
    }
}

static void take_panel(struct span *s, const struct tare_plot_panel *panel, bool is_x)
{
    for (size_t i = 0; i < panel->n_series; i++) {
        for (size_t j = 0; j < panel->series[i].n_points; j++) {
            take_point(s, &panel->series[i], &panel->series[i].points[j], is_x);
        }
    }
}

static struct span span_of(const struct tare_plot *plot, size_t panel, bool is_x)
{
    struct span s = {.low = DBL_MAX, .high = -DBL_MAX, .all_positive = true};
    const struct tare_plot_axis *axis = is_x ? &plot->panels[panel].x : &plot->panels[panel].y;
    for (size_t i = 0; i < plot->n_panels; i++) {
        if (is_x || i == panel) {
            take_panel(&s, &plot->panels[i], is_x);
        }
    }
    if (axis->from_zero) {
        s.low = s.low > 0 ? 0 : s.low;
        s.high = s.high < 0 ? 0 : s.high;
    }
    return s;
}

/* The step of 1, 2 or 5 times a power of ten that cuts the range into at most n pieces. */
static double nice_step(double range, int n)
{
    double raw = range / n, power = pow(10, floor(log10(raw)));
    double m = raw / power;
    return power * (m <= 1.2 ? 1 : m <= 2.4 ? 2 : m <= 6 ? 5 : 10);
}

static void add_tick(struct tare_axis_map *map, double raw, int decimals)
{
    if (map->n_ticks >= TARE_AXIS_MAX_TICKS) {
        return;
    }
    char *text = map->texts[map->n_ticks];
    double shown = raw * map->scale;
    shown = fabs(shown) < 1e-12 * fabs(map->high * map->scale) ? 0 : shown;
    if (decimals >= 0 && fabs(shown) < 1e6) {
        (void)snprintf(text, sizeof map->texts[0], "%.*f", decimals, shown);
    } else {
        (void)snprintf(text, sizeof map->texts[0], "%.6g", shown);
    }
    map->ticks[map->n_ticks++] = raw;
}

static void linear_ticks(struct tare_axis_map *map, bool is_x)
{
    double step = nice_step((map->high - map->low) * map->scale, is_x ? 7 : 6);
    int decimals = step < 1 ? (int)ceil(-log10(step) - 1e-9) : 0;
    double first = ceil(map->low * map->scale / step - 1e-9);
    double last = floor(map->high * map->scale / step + 1e-9);
    for (double k = first; k <= last && k < first + TARE_AXIS_MAX_TICKS; k++) {
        add_tick(map, k * step / map->scale, decimals > 12 ? -1 : decimals);
    }
}

static void log_ticks(struct tare_axis_map *map)
{
    double decades = log10(map->high) - log10(map->low);
    int stride = decades > 16 ? (int)ceil(decades / 8) : decades > 8 ? 2 : 1;
    bool fine = decades < 3;
    int from = (int)floor(log10(map->low * map->scale) + 1e-9),
        to = (int)ceil(log10(map->high * map->scale) - 1e-9);
    from -= stride > 1 ? ((from % stride) + stride) % stride : 0;
    for (int k = from; k <= to; k += stride) {
        static const double within[] = {1, 2, 5};
        for (size_t i = 0; i < (fine ? 3u : 1u); i++) {
            double raw = within[i] * pow(10, k) / map->scale;
            if (raw >= map->low * (1 - 1e-9) && raw <= map->high * (1 + 1e-9)) {
                add_tick(map, raw, -1);
            }
        }
    }
}

static void categories(const struct tare_plot_axis *axis, struct tare_axis_map *map)
{
    map->low = -0.6;
    map->high = (double)axis->n_categories - 0.4;
    map->scale = 1;
}

/* A little room at both ends, but none beyond zero where zero is the floor. */
static void widen(struct tare_axis_map *map, const struct tare_plot_axis *axis, const struct span *s)
{
    if (map->log) {
        double factor = pow(10, 0.06 * (log10(s->high) - log10(s->low)));
        factor = factor > 1.05 ? factor : 1.05;
        map->low = fmax(s->low / factor, DBL_MIN);
        map->high = fmin(s->high * factor, DBL_MAX);
    } else {
        double range = s->high - s->low, size = fmax(fabs(s->high), fabs(s->low));
        range = range > 1e-9 * size ? range : size > 0 ? size : 1;
        map->low = s->low - 0.06 * range;
        map->high = s->high + 0.06 * range;
        map->low = axis->from_zero && s->low >= 0 ? 0 : map->low;
    }
    map->low = isfinite(axis->low) ? axis->low : map->low;
    map->high = isfinite(axis->high) ? axis->high : map->high;
}

void tare_axis_map_make(const struct tare_plot *plot, size_t panel, bool is_x, struct tare_axis_map *out)
{
    const struct tare_plot_axis *axis = is_x ? &plot->panels[panel].x : &plot->panels[panel].y;
    struct span s = span_of(plot, panel, is_x);
    memset(out, 0, sizeof *out);
    if (axis->categories) {
        categories(axis, out);
        return;
    }
    bool can = s.all_positive && s.low > 0 && !axis->from_zero;
    out->log =
        can && (axis->scale == TARE_PLOT_LOG || (axis->scale == TARE_PLOT_AUTO && s.high > 100 * s.low));
    widen(out, axis, &s);
    double size = fabs(s.high) > fabs(s.low) ? fabs(s.high) : fabs(s.low);
    out->scale = tare_unit_scale(axis->unit, out->log ? cbrt(s.high * s.high * s.low) : size, out->unit,
                                 sizeof out->unit);
    if (out->log) {
        log_ticks(out);
    }
    if (!out->log || out->n_ticks < 2) {
        out->n_ticks = 0;
        linear_ticks(out, is_x);
    }
    if (out->n_ticks == 0) { /* numbers beyond all round ones */
        add_tick(out, out->low, -1);
        add_tick(out, out->high, -1);
    }
}

double tare_axis_map_at(const struct tare_axis_map *map, double raw)
{
    return map->log ? log(raw / map->low) / log(map->high / map->low)
                    : (raw - map->low) / (map->high - map->low);
}
