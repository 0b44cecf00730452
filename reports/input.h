/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reports are made of: the cells of a selection of runs, with their figures. Views, scores, plots and
 * comparisons all read this and nothing else; none of them knows the database. Everything is borrowed and
 * lives as long as whoever loaded it (cmd/load.h) says.
 */
#ifndef TARE_REPORTS_INPUT_H
#define TARE_REPORTS_INPUT_H

#include "base/record.h"

#include <stddef.h>
#include <string.h>
#include <tare/err.h>
#include <tare/task.h>

/* One cell of a run: a system (model, backend, technique) on one task in one scenario. */
struct tare_report_cell {
    int64_t id, run_id;
    const char *model, *backend, *technique, *task, *scenario;
    const char *tag;   /* the technique's taxonomy tag, e.g. infer.compress.quant.weight{bits=4};
                          "baseline" for none; NULL if not known */
    const char *spec;  /* JSON: what the worker was told */
    const char *facts; /* JSON: what the backend said of the model; NULL if not known */
    const struct tare_metric *metrics; /* the task's; NULL for none */
    const char *tokenizer;             /* the model's; NULL if not known */
    const char *verdict;               /* VALID, INVALID, SKIPPED, or NULL when not judged */
    const char *reasons;
    const char *message; /* of the first repeat that failed; NULL */
    const struct tare_figure *figures;
    size_t n_figures;
};

/* A technique's label, where it is not its tag. */
struct tare_report_label {
    const char *label;
    const char *tag;
};

struct tare_report_input {
    const char *title;
    const char *caption;  /* hardware, batch, dates, certificate */
    const char *baseline; /* model that ratios refer to; NULL: none */
    const struct tare_report_cell *cells;
    size_t n_cells;
    const char *const *columns; /* "figure" or "figure@task pattern"; none: the default ones */
    size_t n_columns;
    const struct tare_report_label *labels; /* what the techniques' labels stand for */
    size_t n_labels;
    /* Samples of all complete repeats of a cell, one column (base/record.h), in the order of blocks and
     * items; *out is malloc'ed. NULL where there is no database behind it. */
    int (*column)(void *ctx, int64_t cell_id, enum tare_column column, double **out, size_t *out_n,
                  struct tare_err *err);
    /* What the items of the first complete repeat scored by a metric of the rule SCORES, and out of how much,
     * where its figure is scale x sum(num) / sum(den); both are malloc'ed. NULL as above. */
    int (*scores)(void *ctx, int64_t cell_id, const struct tare_metric *metric, double **num, double **den,
                  size_t *out_n, struct tare_err *err);
    void *ctx;
};

/* The cell's figure of that name; NULL if it was never derived. */
static inline const struct tare_figure *tare_report_figure(const struct tare_report_cell *cell,
                                                           const char *name)
{
    for (size_t i = 0; i < cell->n_figures; i++) {
        if (strcmp(cell->figures[i].name, name) == 0) {
            return &cell->figures[i];
        }
    }
    return NULL;
}

#endif
