/* SPDX-License-Identifier: Apache-2.0 */
/* Dominance by values and by intervals; hypervolume by slices. */
#include "front.h"

#include <stdlib.h>

void tare_dominance_add(struct tare_dominance_count *to, const struct tare_score_value *x,
                        const struct tare_score_value *y, enum tare_better better)
{
    if (!isfinite(x->value) || !isfinite(y->value)) {
        return;
    }
    double gain = better == TARE_BETTER_LOWER ? y->value - x->value : x->value - y->value;
    to->common++;
    to->better += gain > 0;
    to->worse += gain < 0;
    to->clearly_better += gain > 0 && tare_score_clearly_better(x, y, better);
    to->clearly_worse += gain < 0 && tare_score_clearly_better(y, x, better);
}

bool tare_dominance_by_value(const struct tare_dominance_count *c)
{
    return c->common > 0 && c->worse == 0 && c->better > 0;
}

enum tare_dominance tare_dominance_of(const struct tare_dominance_count *c)
{
    if (c->worse == 0 && c->clearly_better > 0) {
        return TARE_DOMINANCE_CLEAR;
    }
    bool within = tare_dominance_by_value(c) || (c->clearly_worse == 0 && c->clearly_better > 0);
    return within ? TARE_DOMINANCE_WITHIN : TARE_DOMINANCE_NONE;
}

static struct tare_dominance_count compare(const struct tare_score_matrix *m, size_t x, size_t y)
{
    struct tare_dominance_count c = {0};
    for (size_t j = 0; j < m->n_metrics; j++) {
        tare_dominance_add(&c, tare_score_at(m, x, j), tare_score_at(m, y, j), m->metrics[j].better);
    }
    return c;
}

bool tare_dominates_by_value(const struct tare_score_matrix *m, size_t x, size_t y)
{
    struct tare_dominance_count c = compare(m, x, y);
    return tare_dominance_by_value(&c);
}

struct tare_standing tare_dominates(const struct tare_score_matrix *m, size_t x, size_t y)
{
    struct tare_dominance_count c = compare(m, x, y);
    return (struct tare_standing){.dominance = tare_dominance_of(&c), .n_common = c.common};
}

/* Sorts pointers to points by one coordinate, the largest first: insertion, for fronts are short. */
static void sort_by(const double **points, size_t n, size_t coordinate)
{
    for (size_t i = 1; i < n; i++) {
        const double *p = points[i];
        size_t j = i;
        for (; j > 0 && points[j - 1][coordinate] < p[coordinate]; j--) {
            points[j] = points[j - 1];
        }
        points[j] = p;
    }
}

/* `scratch` has n pointers for each coordinate below. */
static double slices(const double **points, size_t n, size_t dims, const double *reference,
                     const double **scratch)
{
    double volume = 0;
    sort_by(points, n, dims - 1);
    if (dims == 1) {
        return n > 0 ? points[0][0] - reference[0] : 0;
    }
    for (size_t i = 0; i < n; i++) {
        double low = i + 1 < n ? points[i + 1][dims - 1] : reference[dims - 1];
        double height = points[i][dims - 1] - low;
        if (height > 0) { /* all points from here up reach through this slice */
            memcpy(scratch, points, (i + 1) * sizeof *points);
            volume += height * slices(scratch, i + 1, dims - 1, reference, scratch + n);
        }
    }
    return volume;
}

double tare_hypervolume(const double *points, size_t n, size_t dims, const double *reference)
{
    const double **scratch = malloc((dims + 1) * (n + 1) * sizeof *scratch);
    size_t kept = 0;
    if (!scratch || dims == 0) {
        free(scratch);
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        bool beyond = true;
        for (size_t d = 0; d < dims; d++) {
            beyond = beyond && points[i * dims + d] > reference[d];
        }
        if (beyond) {
            scratch[kept++] = &points[i * dims];
        }
    }
    double volume = slices(scratch, kept, dims, reference, scratch + n);
    free(scratch);
    return volume;
}
