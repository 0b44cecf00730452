/* SPDX-License-Identifier: Apache-2.0 */
/* Joins plots to tables. Neither knows the other. */
#include "cmd/pictures.h"

#include "reports/plots/plot.h"

#include <stdio.h>
#include <string.h>

static int no_memory(struct tare_err *err)
{
    return tare_err_set(err, TARE_E_NOMEM, "pictures: out of memory");
}

/* The table's notes with room for one more a plot. */
static const char **copy_notes(struct tare_arena *arena, const struct tare_table *table, size_t more)
{
    const char **notes = tare_arena_array(arena, table->n_notes + more + 1, sizeof *notes);
    if (notes && table->n_notes) {
        memcpy(notes, table->notes, table->n_notes * sizeof *notes);
    }
    return notes;
}

static const char *why_not(struct tare_arena *arena, const char *plot, const struct tare_err *fault)
{
    char text[600];
    (void)snprintf(text, sizeof text, "No picture \"%.60s\": %.500s", plot, fault->msg);
    return tare_arena_copy(arena, text, strlen(text) + 1);
}

int tare_pictures_add(const struct tare_report_input *input, const struct tare_view *view,
                      struct tare_table *table, struct tare_pictures *out, struct tare_err *err)
{
    memset(out, 0, sizeof *out);
    if (view->n_plots == 0) {
        return 0;
    }
    const char **notes = copy_notes(&out->arena, table, view->n_plots);
    out->list = tare_arena_array(&out->arena, view->n_plots, sizeof *out->list);
    if (!notes || !out->list) {
        tare_pictures_fini(out);
        return no_memory(err);
    }
    size_t n_notes = table->n_notes;
    for (size_t i = 0; i < view->n_plots; i++) {
        struct tare_err fault = {0};
        if (tare_plot_picture(input, view->plots[i], &out->list[out->n], &fault) == 0) {
            out->n++;
        } else {
            notes[n_notes] = why_not(&out->arena, view->plots[i], &fault);
            n_notes += notes[n_notes] != NULL;
        }
    }
    table->notes = notes;
    table->n_notes = n_notes;
    table->pictures = out->list;
    table->n_pictures = out->n;
    return 0;
}

void tare_pictures_fini(struct tare_pictures *pictures)
{
    for (size_t i = 0; i < pictures->n; i++) {
        tare_plot_picture_fini(&pictures->list[i]);
    }
    tare_arena_fini(&pictures->arena);
    memset(pictures, 0, sizeof *pictures);
}
