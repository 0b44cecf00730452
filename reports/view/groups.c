/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of rows: by the taxonomy's prefixes that a view lists, by model, by architecture or by size. */
#include "reports/view/groups.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { label_bytes = 1100 };

static bool same_row(const struct tare_report_cell *a, const struct tare_report_cell *b)
{
    return strcmp(a->model, b->model) == 0 && strcmp(a->technique, b->technique) == 0 &&
           strcmp(a->scenario, b->scenario) == 0;
}

/* To the nearest power of two, so that what a technique takes off does not tear a model's rows apart. */
static void size_of(const struct tare_report_cell *c, char *out, size_t n_out)
{
    const struct tare_figure *f = tare_report_figure(c, "params_total");
    *out = '\0';
    if (f && !f->absent && f->value > 0) {
        (void)snprintf(out, n_out, "About %g M parameters", exp2(round(log2(f->value / 1e6))));
    }
}

/* "" where the cell does not say. */
static void label_of(enum tare_view_by by, const struct tare_report_cell *c, char *out, size_t n_out)
{
    if (by == TARE_VIEW_BY_MODEL) {
        (void)snprintf(out, n_out, "%s", c->model);
    } else if (by == TARE_VIEW_BY_ARCHITECTURE) {
        tare_view_architecture(c, out, n_out);
    } else {
        size_of(c, out, n_out);
    }
}

/* What any cell of the same row says: one that broke says nothing. */
static void label_of_row(enum tare_view_by by, const struct tare_report_input *in, size_t cell, char *out,
                         size_t n_out)
{
    label_of(by, &in->cells[cell], out, n_out);
    for (size_t i = 0; !*out && i < in->n_cells; i++) {
        if (same_row(&in->cells[i], &in->cells[cell])) {
            label_of(by, &in->cells[i], out, n_out);
        }
    }
}

static size_t find(const struct tare_view_groups *groups, const char *label)
{
    size_t i = 0;
    while (i < groups->n && strcmp(groups->labels[i], label) != 0) {
        i++;
    }
    return i;
}

static int compare_sizes(const void *x, const void *y)
{
    const char *const *a = x, *const *b = y;
    double one = strtod(*a + strlen("About "), NULL), other = strtod(*b + strlen("About "), NULL);
    return (one > other) - (one < other);
}

/* Groups as they turn up, in the plan's order; sizes from small to large. */
static int find_own(enum tare_view_by by, const struct tare_report_input *in, struct tare_arena *arena,
                    struct tare_view_groups *to)
{
    char label[label_bytes];
    to->labels = tare_arena_array(arena, in->n_cells + 1, sizeof *to->labels);
    for (size_t i = 0; to->labels && i < in->n_cells; i++) {
        label_of_row(by, in, i, label, sizeof label);
        if (*label && find(to, label) == to->n) {
            to->labels[to->n] = tare_arena_copy(arena, label, strlen(label) + 1);
            if (!to->labels[to->n++]) {
                return -1;
            }
        }
    }
    if (!to->labels) {
        return -1;
    }
    if (by == TARE_VIEW_BY_SIZE) {
        qsort(to->labels, to->n, sizeof *to->labels, compare_sizes);
    }
    for (size_t i = 0; i < in->n_cells; i++) {
        label_of_row(by, in, i, label, sizeof label);
        to->of_cell[i] = find(to, label);
    }
    return 0;
}

/* The first cell of the same row whose backend said what the model is; the cell itself if none did. */
static const struct tare_report_cell *spokesman(const struct tare_report_input *in, size_t cell)
{
    for (size_t i = 0; i < in->n_cells; i++) {
        if (in->cells[i].facts && same_row(&in->cells[i], &in->cells[cell])) {
            return &in->cells[i];
        }
    }
    return &in->cells[cell];
}

/* Those of the view; two prefixes under one label are one group. */
static int find_listed(const struct tare_view *view, const struct tare_report_input *in,
                       struct tare_arena *arena, struct tare_view_groups *to)
{
    to->labels = tare_arena_array(arena, view->n_groups + 1, sizeof *to->labels);
    if (!to->labels) {
        return -1;
    }
    for (; to->n < view->n_groups; to->n++) {
        to->labels[to->n] = view->groups[to->n].label;
    }
    for (size_t i = 0; i < in->n_cells; i++) {
        size_t group = tare_view_group_of(view, spokesman(in, i));
        to->of_cell[i] = group < to->n ? find(to, to->labels[group]) : to->n;
    }
    return 0;
}

int tare_view_find_groups(const struct tare_view *view, const struct tare_report_input *input,
                          struct tare_arena *arena, struct tare_view_groups *out)
{
    *out = (struct tare_view_groups){.of_cell =
                                         tare_arena_array(arena, input->n_cells + 1, sizeof *out->of_cell)};
    if (!out->of_cell) {
        return -1;
    }
    memset(out->of_cell, 0, (input->n_cells + 1) * sizeof *out->of_cell);
    if (!view) {
        return 0;
    }
    return view->by == TARE_VIEW_BY_TECHNIQUE ? find_listed(view, input, arena, out)
                                              : find_own(view->by, input, arena, out);
}
