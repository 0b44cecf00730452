/* SPDX-License-Identifier: Apache-2.0 */
/* A made-up cell for tests of derivations: repeats, readings and columns out of arrays, figures kept. */
#ifndef TARE_TESTS_METRICS_MADE_CELL_H
#define TARE_TESTS_METRICS_MADE_CELL_H

#include "metrics/derive/derive.h"

enum { made_repeats = 8, made_readings = 64, made_figures = 128 };

struct made_column {
    int64_t repeat_id;
    enum tare_column column;
    size_t n;
    const double *values;
};

struct made_cell {
    struct tare_evidence e; /* points into the rest */
    struct tare_evidence_repeat repeats[made_repeats];
    struct tare_evidence_reading readings[made_readings];
    struct made_column columns[4 * made_repeats];
    size_t n_columns;
};

/* n complete repeats of ids 1 .. n, of 100 requests each. */
void made_cell_init(struct made_cell *c, size_t n);
/* A reading of the measure phase; absent NULL: it has the value. */
void made_cell_read(struct made_cell *c, int64_t repeat_id, const char *name, double value,
                    const char *absent);
/* Values are borrowed. */
void made_cell_column(struct made_cell *c, int64_t repeat_id, enum tare_column column, const double *values,
                      size_t n);

/* A sink of figures: pass &sink.to. */
struct made_figures {
    struct tare_figures to;
    size_t n;
    struct tare_figure list[made_figures];
};
void made_figures_init(struct made_figures *f);
/* Fails the test if there is none of that name. */
const struct tare_figure *made_figure(const struct made_figures *f, const char *name);
/* Is the word one of a figure's flags? */
bool made_flagged(const struct tare_figure *f, const char *word);

#endif
