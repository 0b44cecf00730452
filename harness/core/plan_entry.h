/* SPDX-License-Identifier: Apache-2.0 */
/* The entries of a plan's four axes, read and checked one by one. */
#ifndef TARE_CORE_PLAN_ENTRY_H
#define TARE_CORE_PLAN_ENTRY_H

#include <tare/json.h>

enum tare_axis { TARE_AXIS_MODEL, TARE_AXIS_TECHNIQUE, TARE_AXIS_TASK, TARE_AXIS_SCENARIO, TARE_N_AXES };

enum { TARE_LABEL_MAX = 256 };

/* Pointers reach into the plan's tree, or into `rendered`. */
struct tare_entry {
    char name[TARE_LABEL_MAX];          /* label: given, or made from the rest */
    const char *what;                   /* model: its backend; task, scenario: which one */
    const char *path;                   /* model: file; NULL for none */
    const char *tag;                    /* model: label of the technique that it embodies */
    const char *tag_to_apply;           /* technique: what the backend must do; NULL for nothing */
    const struct tare_json *options;    /* object or NULL */
    const struct tare_json *techniques; /* model: patterns of labels that are applied to it; NULL: all */
    const struct tare_json *worker;     /* model: whose worker runs it, and with which variables; or NULL */
    char *rendered;                     /* text of the technique, owned */
    int64_t task_version;               /* task: of this tare's */
    int64_t repeats;                    /* task: blocks that it takes part in; 0: all */
    int64_t warmup;                     /* scenario: items */
    int64_t window_tok;                 /* task, else scenario: 0 for the model's context */
};

/* "models", "techniques", ... */
const char *tare_axis_key(enum tare_axis axis);
/* Reads entry `index`; json NULL gives the axis's default. */
TARE_MUST_CHECK int tare_entry_read(enum tare_axis axis, const struct tare_json *json, size_t index,
                                    struct tare_entry *out, struct tare_err *err);
void tare_entry_fini(struct tare_entry *entry);

#endif
