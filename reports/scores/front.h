/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dominance and hypervolume. Pure functions over a matrix; systems are compared on the metrics that both
 * have a value of, and on nothing where they share none.
 */
#ifndef TARE_REPORTS_SCORES_FRONT_H
#define TARE_REPORTS_SCORES_FRONT_H

#include "matrix.h"

/* How x stands to y. */
enum tare_dominance {
    TARE_DOMINANCE_NONE = 0, /* neither by values nor beyond the intervals */
    TARE_DOMINANCE_WITHIN,   /* by values alone, no difference beyond both intervals; or clearly better in one
                                metric, and worse in another within the intervals */
    TARE_DOMINANCE_CLEAR     /* no value worse, and one better beyond both intervals */
};

struct tare_standing {
    enum tare_dominance dominance;
    size_t n_common; /* metrics that both have */
};

/* x beside y, metric by metric: the rule itself, for those who have no matrix. Zero-initialise. */
struct tare_dominance_count {
    size_t common, better, worse, clearly_better, clearly_worse; /* metrics */
};
/* One more metric; nothing is added where one of them is absent. */
void tare_dominance_add(struct tare_dominance_count *to, const struct tare_score_value *x,
                        const struct tare_score_value *y, enum tare_better better);
enum tare_dominance tare_dominance_of(const struct tare_dominance_count *count);
/* By values alone: no worse in any and better in one. */
bool tare_dominance_by_value(const struct tare_dominance_count *count);

struct tare_standing tare_dominates(const struct tare_score_matrix *m, size_t x, size_t y);
/* By values alone, on the common metrics: no worse in any and better in one. */
bool tare_dominates_by_value(const struct tare_score_matrix *m, size_t x, size_t y);

/* Volume between a reference point and n points of `dims` coordinates, all larger-is-better; what does not
 * reach beyond the reference in every coordinate adds nothing. Exact: slices along the last coordinate. -1
 * when memory is refused. */
double tare_hypervolume(const double *points, size_t n, size_t dims, const double *reference);

#endif
