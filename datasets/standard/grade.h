/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the answers of one document to numbers: the metrics of a task file.
 *
 * Each metric that a file asks for becomes one struct tare_metric over one column or more. What is done with
 * the columns of all documents (means, perplexities, corpus scores) is the harness's. One file of the folder
 * metrics/ a family of metrics. Private to datasets/.
 */
#ifndef TARE_DATASETS_STANDARD_GRADE_H
#define TARE_DATASETS_STANDARD_GRADE_H

#include "datasets/grading/filters.h"
#include "documents.h"

/* What a metric may look at. */
struct tare_graded {
    const struct tare_definition *definition;
    const struct tare_rendered_documents *documents;
    const struct tare_rendered *document;
    const struct tare_answer *answers;
    size_t n;
    struct tare_bytes output;        /* of a generation, behind the metric's filter chain */
    const struct tare_json *options; /* of the metric, as they stand in the file */
    void *state;                     /* what `prepare` made of them */
};

/* A metric that task files may name. */
struct tare_metric_kind {
    const char *name;
    uint32_t outputs; /* bit 1 << enum tare_output_type of each that it works on */
    uint32_t n_columns;
    const char *columns[4];  /* their names behind the metric's; none: they are numbered */
    const char *aggregation; /* unless the file says another */
    const char *unit;
    double scale;
    bool lower_is_better;
    bool needs_document;
    bool needs_alone; /* each choice is asked once more with nothing before it, behind all others */
    const char *help;
    int (*score)(const struct tare_graded *g, double *columns, struct tare_err *err);
    /* Optional, both or none: once for all items. options are the metric's own, without what every metric
     * has. */
    int (*prepare)(const struct tare_json *options, const char *what, void **out, struct tare_err *err);
    void (*release)(void *state);
};

/* NULL for an unknown name, or one that does not work on that output. */
const struct tare_metric_kind *tare_metric_kind_find(const char *name, enum tare_output_type output);

/* The metrics of a definition as the harness wants them, and how to fill their columns. */
struct tare_grading {
    const struct tare_definition *definition;
    const struct tare_metric_kind **kinds; /* of each metric of the definition */
    void **states;                         /* what they prepared */
    struct tare_filters **filters;         /* of each chain */
    size_t n_filters;
    struct tare_metric *metrics; /* n_metrics, then one without a name */
    char **columns;              /* names, NULL ends */
    size_t n_columns;
    char **names; /* of the metrics; owned */
};

/* On failure nothing is held. */
int tare_grading_init(const struct tare_definition *definition, struct tare_grading *out,
                      struct tare_err *err);
void tare_grading_fini(struct tare_grading *grading);
bool tare_grading_needs_documents(const struct tare_grading *grading);
bool tare_grading_needs_alone(const struct tare_grading *grading);
int tare_grading_score(const struct tare_grading *grading, const struct tare_rendered_documents *documents,
                       size_t index, const struct tare_answer *answers, size_t n, double *scores,
                       struct tare_err *err);

#endif
