/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a task file says: a JSON file in datasets/tasks/, or one of the user's. docs/task-files.md has its
 * keys.
 *
 * Parsed once, checked as a whole, and not changed after; unknown keys are refused. It reads no data. Private
 * to datasets/.
 */
#ifndef TARE_DATASETS_STANDARD_DEFINITION_H
#define TARE_DATASETS_STANDARD_DEFINITION_H

#include "datasets/template/template.h"

#include <tare/task.h>

enum tare_output_type {
    TARE_OUTPUT_MULTIPLE_CHOICE = 1,
    TARE_OUTPUT_LOGLIKELIHOOD,
    TARE_OUTPUT_ROLLING,
    TARE_OUTPUT_GENERATE
};

/* The file of one split. Strings belong to the definition's JSON. */
struct tare_split {
    const char *file;   /* below the folder of data; NULL: the task has no such split */
    const char *format; /* of readers/reader.h; these three may be NULL */
    const char *pointer;
    const char *columns;
    const char
        *labels; /* a text file beside it: line i is the field "label" of document i, a number if it is one */
};

enum tare_split_name { TARE_SPLIT_TEST, TARE_SPLIT_VALIDATION, TARE_SPLIT_TRAIN, TARE_N_SPLITS };

/* A metric of the file and what it makes of an item. */
struct tare_wanted_metric {
    const char *metric;              /* acc, acc_norm, exact_match, ... */
    const char *filter;              /* name of the filter chain; NULL: the task has none */
    const struct tare_json *options; /* of the metric, as they stand in the file */
    size_t chain;                    /* index of the filter chain */
};

struct tare_definition {
    struct tare_json *json;
    char *path;
    const char *name;
    int64_t version;
    enum tare_output_type output;
    struct tare_split splits[TARE_N_SPLITS];
    enum tare_split_name split;         /* the documents that are asked */
    enum tare_split_name fewshot_split; /* where examples come from */
    bool
        draws_beside; /* no test split and no fewshot_split: an example that equals the document is dropped */
    int64_t num_fewshot;
    const struct tare_json *samples; /* examples that stand in the task file; NULL: those of fewshot_split */
    bool fewshot_first;              /* the first n in order, and no draw */
    bool fewshot_forced;             /* the command line cannot change it */
    const char *hook;                /* of hooks.h; NULL: none */
    struct tare_template *context, *target, *preamble;
    struct tare_template *contexts;     /* one context a choice; NULL: none */
    struct tare_template *choices;      /* gives a list; NULL: choice_list */
    struct tare_template **choice_list; /* one template a choice */
    size_t n_choice_list;
    const char *target_delimiter;
    const char *fewshot_delimiter;
    struct tare_bytes *until;
    size_t n_until;
    int64_t max_output;
    struct tare_wanted_metric *metrics;
    size_t n_metrics;
};

/* On failure *out is untouched, and the error names file and key. */
int tare_definition_load(const char *path, struct tare_definition **out, struct tare_err *err);
void tare_definition_free(struct tare_definition *definition);

#endif
