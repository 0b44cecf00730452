/* SPDX-License-Identifier: Apache-2.0 */
/* Hands a judged series to the plots. Breaks between machines are not drawn: they begin another series. */
#include "cmd/history_plot.h"

#include "cmd/plot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int format_of(const char *path, const char **out, struct tare_err *err)
{
    static const struct {
        const char *end, *format;
    } known[] = {{".svg", "svg"},   {".pdf", "pdf"},  {".png", "png"},
                 {".tikz", "tikz"}, {".tex", "tikz"}, {".gp", "script"}};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof known / sizeof *known; i++) {
        if (strcmp(dot, known[i].end) == 0) {
            *out = known[i].format;
            return 0;
        }
    }
    return tare_err_set(err, TARE_E_USAGE,
                        "plot \"%.200s\": the name must end in .svg, .pdf, .png, .tikz, .tex or .gp", path);
}

static const char *shift_text(const struct tare_change *c, struct tare_arena *arena)
{
    char text[80];
    if (isfinite(c->low) && isfinite(c->high)) {
        (void)snprintf(text, sizeof text, "%+.1f %% [%.1f, %.1f]", 100 * expm1(c->shift), 100 * expm1(c->low),
                       100 * expm1(c->high));
    } else {
        (void)snprintf(text, sizeof text, "%+.1f %%", 100 * expm1(c->shift));
    }
    return tare_arena_copy(arena, text, strlen(text) + 1);
}

int tare_history_plot_write(const struct tare_history_found *found, const char *path,
                            struct tare_arena *arena, struct tare_err *err)
{
    const struct tare_history_series *s = found->series;
    size_t n_changes = found->changes.n;
    double *values = tare_arena_array(arena, s->n, sizeof *values);
    const char **names = tare_arena_array(arena, s->n, sizeof *names);
    const char **labels = tare_arena_array(arena, n_changes + 1, sizeof *labels);
    size_t *changes = tare_arena_array(arena, n_changes + 1, sizeof *changes);
    const char *format = NULL;
    int r = values && names && labels && changes ? format_of(path, &format, err)
                                                 : tare_err_set(err, TARE_E_NOMEM, "history: out of memory");
    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < s->n; i++) {
        values[i] = s->list[i].value;
        names[i] = s->list[i].name;
    }
    for (size_t i = 0; i < n_changes; i++) {
        changes[i] = found->changes.list[i].at;
        labels[i] = shift_text(&found->changes.list[i], arena);
    }
    struct tare_plot_history h = {.title = s->key,
                                  .label = s->figure,
                                  .unit = s->unit,
                                  .values = values,
                                  .names = names,
                                  .n = s->n,
                                  .changes = changes,
                                  .n_changes = n_changes,
                                  .change_labels = labels,
                                  .method = "a cut into levels confirmed by ranks"};
    struct tare_plot plot = {0};
    r = tare_plot_of_history(&h, &plot, err);
    r = r == 0 ? tare_plot_write(&plot, format, path, err) : r;
    tare_plot_fini(&plot);
    return r;
}
