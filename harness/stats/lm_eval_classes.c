/* SPDX-License-Identifier: Apache-2.0 */
/*
 * F1 and Matthews' correlation of predicted classes, as scikit-learn defines them, which lm-eval calls. Rows
 * are gold class and predicted class, small whole numbers; anything else makes the value NaN. A share of
 * nothing is 0, as there.
 */
#include "stats/lm_eval.h"

#include <math.h>

enum { CLASSES = 64, CB_CLASSES = 3 };

struct counts {
    double both[CLASSES]; /* items that are of the class and predicted to be */
    double gold[CLASSES], predicted[CLASSES];
};

/* Whether all rows have classes below `classes`. */
static bool count(const double *rows, const uint32_t *index, size_t n, int classes, struct counts *out)
{
    for (size_t i = 0; i < n; i++) {
        const double *row = rows + 2 * (index ? index[i] : i);
        if (!(row[0] >= 0 && row[0] < classes && row[1] >= 0 && row[1] < classes)) {
            return false;
        }
        int gold = (int)row[0], predicted = (int)row[1];
        if (gold != row[0] || predicted != row[1]) {
            return false;
        }
        out->gold[gold]++;
        out->predicted[predicted]++;
        out->both[gold] += gold == predicted;
    }
    return true;
}

static double f1_of(const struct counts *counts, int class)
{
    double sum = counts->gold[class] + counts->predicted[class];
    return sum > 0 ? 2 * counts->both[class] / sum : 0;
}

double tare_lm_eval_f1(const double *rows, const uint32_t *index, size_t n)
{
    struct counts counts = {0};
    return count(rows, index, n, 2, &counts) ? f1_of(&counts, 1) : (double)NAN;
}

double tare_lm_eval_macro_f1(const double *rows, const uint32_t *index, size_t n)
{
    struct counts counts = {0};
    if (!count(rows, index, n, CB_CLASSES, &counts)) {
        return (double)NAN;
    }
    double sum = 0;
    for (int class = 0; class < CB_CLASSES; class ++) {
        sum += f1_of(&counts, class);
    }
    return sum / CB_CLASSES;
}

/* Gorodkin, Computational Biology and Chemistry 28:367, 2004: covariances of the indicator vectors. */
double tare_lm_eval_mcc(const double *rows, const uint32_t *index, size_t n)
{
    struct counts counts = {0};
    if (!count(rows, index, n, CLASSES, &counts)) {
        return (double)NAN;
    }
    double items = (double)n, both = 0, cross = 0, gold = 0, predicted = 0;
    for (int class = 0; class < CLASSES; class ++) {
        both += counts.both[class];
        cross += counts.gold[class] * counts.predicted[class];
        gold += counts.gold[class] * counts.gold[class];
        predicted += counts.predicted[class] * counts.predicted[class];
    }
    double spread = (items * items - gold) * (items * items - predicted);
    return spread > 0 ? (both * items - cross) / sqrt(spread) : 0;
}
