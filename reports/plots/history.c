/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One value a session, oldest first, with the changes that were found and the breaks where a new series
 * begins. The level between two of them is the median of its values. It finds no changes itself.
 */
#include "reports/plots/build.h"
#include "stats/interval.h"

#include <stdlib.h>
#include <string.h>

enum { most_names = 24 };

static void add_values(struct tare_making *m, const struct tare_plot_history *h)
{
    struct tare_points points = {0};
    for (size_t i = 0; i < h->n; i++) {
        if (isfinite(h->values[i])) {
            struct tare_plot_point p = tare_point((double)i, h->values[i]);
            bool bars = h->low && h->high && isfinite(h->low[i]) && isfinite(h->high[i]);
            p.y_low = bars ? h->low[i] : p.y_low;
            p.y_high = bars ? h->high[i] : p.y_high;
            tare_making_point(m, &points, p);
        }
    }
    tare_making_series(m, 0, (struct tare_plot_series){.name = "a session", .style = TARE_PLOT_POINTS},
                       &points);
}

/* The first session behind `from` at which a stretch ends. */
static size_t end_of(const struct tare_plot_history *h, size_t from)
{
    size_t end = h->n;
    for (size_t i = 0; i < h->n_changes; i++) {
        end = h->changes[i] > from && h->changes[i] < end ? h->changes[i] : end;
    }
    for (size_t i = 0; i < h->n_breaks; i++) {
        end = h->breaks[i] > from && h->breaks[i] < end ? h->breaks[i] : end;
    }
    return end;
}

static bool median_of(const double *values, size_t n, double *out)
{
    double *sorted = malloc((n + 1) * sizeof *sorted);
    size_t finite = 0;
    for (size_t i = 0; i < n && sorted; i++) {
        if (isfinite(values[i])) {
            sorted[finite++] = values[i];
        }
    }
    if (finite > 0) {
        tare_sort(sorted, finite);
        *out = tare_quantile(sorted, finite, 0.5);
    }
    free(sorted);
    return finite > 0;
}

static void add_levels(struct tare_making *m, const struct tare_plot_history *h)
{
    bool named = false;
    for (size_t from = 0; from < h->n;) {
        size_t end = end_of(h, from);
        struct tare_points line = {0};
        double level = 0;
        if (median_of(h->values + from, end - from, &level)) {
            tare_making_point(m, &line, tare_point((double)from - 0.4, level));
            tare_making_point(m, &line, tare_point((double)end - 0.6, level));
        }
        tare_making_series(m, 0,
                           (struct tare_plot_series){.name = named ? NULL : "median between changes",
                                                     .style = TARE_PLOT_LINE,
                                                     .look = 0},
                           &line);
        named = named || line.n > 0;
        from = end;
    }
}

static void add_marks(struct tare_making *m, const char *name, const size_t *at, size_t n,
                      const char *const *labels, int look, bool muted)
{
    struct tare_points marks = {0};
    for (size_t i = 0; i < n; i++) {
        struct tare_plot_point p = tare_point((double)at[i] - 0.5, 0);
        p.label = labels && labels[i] ? tare_making_text(m, "%s", labels[i]) : NULL;
        tare_making_point(m, &marks, p);
    }
    tare_making_series(
        m, 0, (struct tare_plot_series){.name = name, .style = TARE_PLOT_MARKS, .look = look, .muted = muted},
        &marks);
}

static void set_axes(struct tare_making *m, const struct tare_plot_history *h)
{
    struct tare_plot_panel *p = &m->out->panels[0];
    p->x.label = "session, oldest first";
    p->x.scale = TARE_PLOT_LINEAR;
    p->x.unit = "1";
    p->y.label = tare_making_text(m, "%s", h->label);
    p->y.unit = tare_making_text(m, "%s", h->unit ? h->unit : "1");
    if (h->names && h->n <= most_names) {
        const char **names = tare_arena_array(&m->out->arena, h->n, sizeof *names);
        m->failed = m->failed || !names;
        for (size_t i = 0; i < h->n && names; i++) {
            names[i] = tare_making_text(m, "%.10s", h->names[i] ? h->names[i] : "");
        }
        p->x.categories = names;
        p->x.n_categories = names ? h->n : 0;
    }
}

static bool is_within(const size_t *at, size_t n, size_t end)
{
    for (size_t i = 0; i < n; i++) {
        if (at[i] >= end || (i > 0 && at[i] <= at[i - 1])) {
            return false;
        }
    }
    return true;
}

static bool has_values(const struct tare_plot_history *h)
{
    for (size_t i = 0; i < h->n; i++) {
        if (isfinite(h->values[i])) {
            return true;
        }
    }
    return false;
}

int tare_plot_of_history(const struct tare_plot_history *history, struct tare_plot *out, struct tare_err *err)
{
    const struct tare_plot_history *h = history;
    struct tare_making m;
    memset(out, 0, sizeof *out);
    tare_making_begin(&m, out, h->title, 1);
    int r = 0;
    if (!is_within(h->changes, h->n_changes, h->n) || !is_within(h->breaks, h->n_breaks, h->n)) {
        r = tare_err_set(err, TARE_E_FORMAT, "plot history: changes and breaks must ascend and be sessions");
    }
    if (r == 0) {
        add_values(&m, h);
        add_levels(&m, h);
        add_marks(&m, "change", h->changes, h->n_changes, h->change_labels, 1, false);
        add_marks(&m, "new series", h->breaks, h->n_breaks, NULL, 2, true);
        set_axes(&m, h);
        tare_making_say(
            &m,
            "Vertical lines: changes (%zu%s%s), and where a new series begins (%zu) since machine, kernel "
            "or microcode changed.",
            h->n_changes, h->method ? ", by " : "", h->method ? h->method : "", h->n_breaks);
        if (h->low && h->level > 0) {
            tare_making_say(&m, "Vertical bars: %.3g %% intervals.", 100 * h->level);
        } else if (h->low) {
            tare_making_say(&m, "Vertical bars: intervals without a stated level.");
        }
    }
    if (r == 0 && !has_values(h)) {
        r = tare_err_set(err, TARE_E_UNSUPPORTED, "plot history: nothing to draw: no session has a value");
    }
    return tare_making_end(&m, r, err);
}
