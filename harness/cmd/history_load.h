/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions out of databases or a CSV file: series of one value a session, in order of time. */
#ifndef TARE_CMD_HISTORY_LOAD_H
#define TARE_CMD_HISTORY_LOAD_H

#include "core/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <tare/err.h>
#include <tare/report.h>

struct tare_session {
    const char *name;  /* run and database, or the CSV's label */
    const char *build; /* version of tare and hash of the backend; "" if not known */
    const char *started;
    double value;
};

struct tare_history_series {
    const char *key;    /* what is alike in all sessions: figure, model, technique, task, scenario, machine */
    const char *figure; /* "value" of a CSV */
    const char *unit;
    enum tare_better better;
    int kind;                  /* enum tare_kind: the weakest of its sessions; a CSV's values are reported */
    struct tare_session *list; /* in order of time */
    size_t n, cap;
};

struct tare_histories {
    struct tare_arena arena; /* holds all texts */
    struct tare_history_series *list;
    size_t n, cap;
};

/* Adds the runs of a database: cells that are VALID, figures of `wanted` (NULL-terminated; NULL: the usual
 * ones and the task's metrics) that have a value above 0. Another processor, microcode or kernel makes
 * another series. */
TARE_MUST_CHECK int tare_history_add_database(struct tare_histories *to, const char *path,
                                              const char *const *wanted, struct tare_err *err);
/* A header names the columns: value, and optionally series and one of time, commit, label. */
TARE_MUST_CHECK int tare_history_add_csv(struct tare_histories *to, const char *path, struct tare_err *err);
/* Sorts sessions by time, those without one as they came. */
void tare_history_order(struct tare_histories *to);
void tare_history_free(struct tare_histories *to);

#endif
