/* SPDX-License-Identifier: Apache-2.0 */
/* Plots in the making: memory, series and captions. */
#include "reports/plots/build.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void tare_making_begin(struct tare_making *m, struct tare_plot *out, const char *title, size_t n_panels)
{
    *m = (struct tare_making){.out = out};
    tare_buf_init(&m->caption, 1 << 16);
    out->n_panels = n_panels;
    out->title = tare_making_text(m, "%s", title ? title : "");
    for (size_t i = 0; i < n_panels; i++) {
        out->panels[i].x.low = out->panels[i].x.high = (double)NAN;
        out->panels[i].y.low = out->panels[i].y.high = (double)NAN;
    }
}

const char *tare_plot_title(const struct tare_report_input *in, const char *shown, char *to, size_t n_to)
{
    (void)snprintf(to, n_to, "%.80s%s%s", in->title ? in->title : "", in->title ? ": " : "", shown);
    return to;
}

int tare_making_end(struct tare_making *m, int r, struct tare_err *err)
{
    if (r == 0) {
        m->out->caption = tare_making_text(m, "%s", tare_buf_str(&m->caption));
        r = m->failed || m->caption.failed ? tare_err_set(err, TARE_E_NOMEM, "plot: out of memory") : 0;
    }
    for (size_t i = 0; i < m->out->n_panels; i++) {
        m->out->panels[i].series = m->series[i];
    }
    tare_buf_fini(&m->caption);
    return r;
}

const char *tare_making_text(struct tare_making *m, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *made = NULL;
    int n = vasprintf(&made, fmt, args);
    va_end(args);
    const char *copy = n >= 0 ? tare_arena_copy(&m->out->arena, made, (size_t)n + 1) : NULL;
    if (n >= 0) {
        free(made);
    }
    m->failed = m->failed || !copy;
    return copy ? copy : "";
}

void tare_making_say(struct tare_making *m, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *made = NULL;
    int n = vasprintf(&made, fmt, args);
    va_end(args);
    if (n < 0) {
        m->failed = true;
        return;
    }
    if (m->caption.used > 0) {
        tare_buf_add_str(&m->caption, " ");
    }
    tare_buf_add(&m->caption, made, (size_t)n);
    free(made);
}

struct tare_plot_point tare_point(double x, double y)
{
    double none = (double)NAN;
    return (struct tare_plot_point){
        .x = x, .y = y, .x_low = none, .x_high = none, .y_low = none, .y_high = none};
}

void tare_making_point(struct tare_making *m, struct tare_points *to, struct tare_plot_point point)
{
    if (to->n == to->cap) {
        size_t cap = to->cap ? 2 * to->cap : 16;
        struct tare_plot_point *at = tare_arena_array(&m->out->arena, cap, sizeof *at);
        if (!at) {
            m->failed = true;
            return;
        }
        if (to->n) {
            memcpy(at, to->at, to->n * sizeof *at);
        }
        to->at = at;
        to->cap = cap;
    }
    to->at[to->n++] = point;
}

void tare_making_series(struct tare_making *m, size_t panel, struct tare_plot_series series,
                        const struct tare_points *points)
{
    size_t *n = &m->out->panels[panel].n_series;
    if (points->n == 0) {
        return;
    }
    if (*n == m->cap[panel]) {
        size_t cap = m->cap[panel] ? 2 * m->cap[panel] : 16;
        struct tare_plot_series *list = tare_arena_array(&m->out->arena, cap, sizeof *list);
        if (!list) {
            m->failed = true;
            return;
        }
        if (*n) {
            memcpy(list, m->series[panel], *n * sizeof *list);
        }
        m->series[panel] = list;
        m->cap[panel] = cap;
    }
    series.points = points->at;
    series.n_points = points->n;
    m->series[panel][(*n)++] = series;
}
