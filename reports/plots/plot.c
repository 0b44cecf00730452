/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of plots, by name; and the check that no empty plot leaves the builders. */
#include "reports/plots/plot.h"

#include "base/opt.h"

#include <stdlib.h>
#include <string.h>

#define X(name) extern const struct tare_plot_kind tare_plot_kind_##name;
#include "tare_plots.inc"
#undef X

#define X(name) &tare_plot_kind_##name,
const struct tare_plot_kind *const tare_plot_kinds[] = {
#include "tare_plots.inc"
    NULL};
#undef X

static bool same_name(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i] && !(a[i] == '-' && b[i] == '_')) {
            return false;
        }
    }
    return a[n] == '\0';
}

static int find(const char *what, size_t n, const struct tare_plot_kind **out, struct tare_err *err)
{
    struct tare_buf known;
    tare_buf_init(&known, 4096);
    for (size_t i = 0; tare_plot_kinds[i]; i++) {
        if (same_name(tare_plot_kinds[i]->name, what, n)) {
            *out = tare_plot_kinds[i];
            tare_buf_fini(&known);
            return 0;
        }
        tare_buf_printf(&known, "%s%s", i ? ", " : "", tare_plot_kinds[i]->name);
    }
    int r = tare_err_set(err, TARE_E_USAGE, "plot \"%.*s\": unknown; there are %s", n < 40 ? (int)n : 40,
                         what, tare_buf_str(&known));
    tare_buf_fini(&known);
    return r;
}

/* One "key=value" of n bytes. */
static int set_option(const struct tare_plot_kind *kind, void *options, const char *text, size_t n,
                      struct tare_err *err)
{
    char what[80], *word = strndup(text, n);
    char *value = word ? strchr(word, '=') : NULL;
    int r = 0;
    (void)snprintf(what, sizeof what, "plot %s", kind->name);
    if (!word) {
        r = tare_err_set(err, TARE_E_NOMEM, "plot: out of memory");
    } else if (!value) {
        r = tare_err_set(err, TARE_E_USAGE, "%s: \"%.60s\" is no key=value", what, word);
    } else if (!kind->options) {
        r = tare_err_set(err, TARE_E_USAGE, "%s: it has no options", what);
    } else {
        *value = '\0';
        r = tare_opts_set(kind->options, options, word, value + 1, what, err);
    }
    free(word);
    return r;
}

/* "{key=value,...}", or nothing. */
static int set_options(const struct tare_plot_kind *kind, void *options, const char *text,
                       struct tare_err *err)
{
    size_t n = strlen(text);
    if (n == 0) {
        return 0;
    }
    if (text[n - 1] != '}') {
        return tare_err_set(err, TARE_E_USAGE, "plot %s: options end with \"}\", as in %s{key=value}",
                            kind->name, kind->name);
    }
    const char *at = text + 1, *end = text + n - 1;
    int r = 0;
    while (r == 0 && at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        size_t length = (size_t)((comma ? comma : end) - at);
        r = set_option(kind, options, at, length, err);
        at += length + 1;
    }
    return r;
}

static bool is_bound(double low, double high)
{
    return isnan(low) == isnan(high) && !(low > high);
}

static bool is_drawable(const struct tare_plot_point *p, enum tare_plot_style style)
{
    return isfinite(p->x) && (isfinite(p->y) || style == TARE_PLOT_MARKS) && is_bound(p->x_low, p->x_high) &&
           is_bound(p->y_low, p->y_high);
}

static int check_panel(const char *what, const struct tare_plot_panel *panel, struct tare_err *err)
{
    size_t n = 0;
    if (!panel->x.label || !panel->y.label) {
        return tare_err_set(err, TARE_E_FORMAT, "plot %s: an axis has no label", what);
    }
    for (size_t i = 0; i < panel->n_series; i++) {
        const struct tare_plot_series *s = &panel->series[i];
        for (size_t j = 0; j < s->n_points; j++) {
            if (!is_drawable(&s->points[j], s->style)) {
                return tare_err_set(err, TARE_E_FORMAT, "plot %s: point %zu of \"%.60s\" is no finite number",
                                    what, j, s->name ? s->name : "");
            }
        }
        n += s->style != TARE_PLOT_MARKS ? s->n_points : 0;
    }
    return n ? 0 : tare_err_set(err, TARE_E_UNSUPPORTED, "plot %s: nothing to draw", what);
}

static int check(const char *what, const struct tare_plot *plot, struct tare_err *err)
{
    int r = plot->n_panels ? 0 : tare_err_set(err, TARE_E_UNSUPPORTED, "plot %s: nothing to draw", what);
    for (size_t i = 0; r == 0 && i < plot->n_panels; i++) {
        r = check_panel(what, &plot->panels[i], err);
    }
    return r;
}

int tare_plot_build(const struct tare_report_input *in, const char *what, struct tare_plot *out,
                    struct tare_err *err)
{
    size_t n = strcspn(what, "{");
    const struct tare_plot_kind *kind = NULL;
    memset(out, 0, sizeof *out);
    int r = find(what, n, &kind, err);
    if (r < 0) {
        return r;
    }
    void *options = calloc(1, kind->options_size + 1);
    if (!options) {
        return tare_err_set(err, TARE_E_NOMEM, "plot: out of memory");
    }
    r = kind->options ? tare_opts_init(kind->options, options, err) : 0;
    r = r == 0 ? set_options(kind, options, what + n, err) : r;
    r = r == 0 ? kind->build(in, options, out, err) : r;
    r = r == 0 ? check(kind->name, out, err) : r;
    if (kind->options) {
        tare_opts_fini(kind->options, options);
    }
    free(options);
    return r;
}

void tare_plot_fini(struct tare_plot *plot)
{
    tare_arena_fini(&plot->arena);
    memset(plot, 0, sizeof *plot);
}
