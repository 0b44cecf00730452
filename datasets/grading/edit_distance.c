/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Levenshtein's distance (Soviet Physics Doklady 10:707, 1966) within a beam around the diagonal. Of equal
 * costs an exchange (or no change) is preferred, then taking out, then putting in; words are moved by what
 * that order gives.
 */
#include "datasets/grading/edit_distance.h"

#include <math.h>
#include <stdlib.h>

enum { BEAM = 25 };
enum { UNKNOWN = UINT32_MAX / 2 };

enum step { NONE = 0, KEEP, EXCHANGE, TAKE_OUT, PUT_IN };

struct cell {
    uint32_t cost;
    uint8_t step;
};

struct tare_edit_distance {
    struct cell *cells;
    size_t width; /* cells of a row */
};

int tare_edit_distance_create(size_t from_n, size_t to_n, struct tare_edit_distance **out,
                              struct tare_err *err)
{
    struct tare_edit_distance *d = malloc(sizeof *d);
    struct cell *cells = from_n < UINT32_MAX / 4 && to_n < UINT32_MAX / 4
                             ? calloc(from_n + 1, (to_n + 1) * sizeof *cells)
                             : NULL;
    if (!d || !cells) {
        free(d);
        free(cells);
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the edits of %zu words to %zu", from_n, to_n);
    }
    *d = (struct tare_edit_distance){.cells = cells, .width = to_n + 1};
    *out = d;
    return 0;
}

void tare_edit_distance_destroy(struct tare_edit_distance *d)
{
    if (d) {
        free(d->cells);
        free(d);
    }
}

static void offer(struct cell *cell, uint32_t cost, enum step step)
{
    if (cell->cost > cost) {
        *cell = (struct cell){.cost = cost, .step = (uint8_t)step};
    }
}

static void fill_row(struct tare_edit_distance *d, size_t i, struct tare_ids from, struct tare_ids to,
                     size_t begin, size_t end)
{
    struct cell *row = d->cells + i * d->width, *above = row - d->width;
    for (size_t j = 0; j <= to.n; j++) {
        row[j] = (struct cell){.cost = UNKNOWN, .step = NONE};
    }
    for (size_t j = begin; j < end; j++) {
        if (j > 0) {
            bool same = from.ids[i - 1] == to.ids[j - 1];
            offer(&row[j], above[j - 1].cost + !same, same ? KEEP : EXCHANGE);
        }
        offer(&row[j], above[j].cost + 1, TAKE_OUT);
        if (j > 0) {
            offer(&row[j], row[j - 1].cost + 1, PUT_IN);
        }
    }
}

static void fill(struct tare_edit_distance *d, struct tare_ids from, struct tare_ids to)
{
    for (size_t j = 0; j <= to.n; j++) {
        d->cells[j] = (struct cell){.cost = (uint32_t)j, .step = PUT_IN};
    }
    double ratio = from.n ? (double)to.n / (double)from.n : 1;
    double beam = BEAM < ratio / 2 ? ceil(ratio / 2 + BEAM) : BEAM;
    for (size_t i = 1; i <= from.n; i++) {
        double diagonal = floor((double)i * ratio);
        double begin = diagonal - beam, end = diagonal + beam;
        bool last = i == from.n || end > (double)(to.n + 1);
        fill_row(d, i, from, to, begin > 0 ? (size_t)begin : 0, last ? to.n + 1 : (size_t)end);
    }
}

/* From the end to the start. A cell that the beam left out cannot lie on the way; if one did, what is left is
 * taken for exchanged from there. */
static void trace(const struct tare_edit_distance *d, struct tare_ids from, struct tare_ids to,
                  const struct tare_alignment *out)
{
    size_t i = from.n, j = to.n;
    while (i > 0 || j > 0) {
        enum step step = (enum step)d->cells[i * d->width + j].step;
        if (i == 0 || (step == PUT_IN && j > 0)) {
            j--;
            out->to_wrong[j] = true;
            out->align[j] = (ptrdiff_t)i - 1;
        } else if (j == 0 || step == TAKE_OUT) {
            i--;
            out->from_wrong[i] = true;
        } else {
            i--;
            j--;
            out->from_wrong[i] = out->to_wrong[j] = step != KEEP;
            out->align[j] = (ptrdiff_t)i;
        }
    }
}

size_t tare_edit_distance(struct tare_edit_distance *d, struct tare_ids from, struct tare_ids to,
                          const struct tare_alignment *alignment)
{
    fill(d, from, to);
    if (alignment) {
        trace(d, from, to, alignment);
    }
    return d->cells[from.n * d->width + to.n].cost;
}
