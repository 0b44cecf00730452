/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The results store: one SQLite file in WAL mode, and the only code of tare that speaks SQL.
 *
 * Written by one process at a time (an advisory lock on the file says so); readers are free. Errors
 * are TARE_E_DATABASE with SQLite's reason. Ids are row ids. Strings returned by reading calls are
 * owned by the result they stand in. One thread.
 */
#ifndef TARE_STORE_STORE_H
#define TARE_STORE_STORE_H

#include "base/record.h"

#include <stddef.h>
#include <tare/err.h>

struct tare_store;

enum tare_store_mode {
    TARE_STORE_READ,    /* must exist */
    TARE_STORE_FIGURES, /* the same, but the tables of samples and requests are not checked as a whole: what
                           is stored of ten million samples is then shown at once. Only latencies may be read
                           of them, whose every value is looked at while it is read */
    TARE_STORE_WRITE,   /* must exist; takes the writer's lock */
    TARE_STORE_CREATE   /* made if absent; takes the writer's lock */
};

TARE_MUST_CHECK int tare_store_open(const char *path, enum tare_store_mode mode, struct tare_store **out,
                                    struct tare_err *err);
void tare_store_close(struct tare_store *store);
/* The newest schema this build knows. */
int tare_store_schema_version(void);

/* An error in reading a text that the database holds (a plan, a spec, facts) is the database's: it
 * becomes TARE_E_DATABASE and names the file. Any other r is returned as it is. */
int tare_store_blame(const struct tare_store *store, int r, struct tare_err *err);

/* Transactions. Nested calls are an error of ours; every writing call below works in or out of one. */
TARE_MUST_CHECK int tare_store_begin(struct tare_store *store, struct tare_err *err);
TARE_MUST_CHECK int tare_store_commit(struct tare_store *store, struct tare_err *err);
void tare_store_rollback(struct tare_store *store);
/* Moves the write-ahead log into the file: between attempts, never during one. */
TARE_MUST_CHECK int tare_store_checkpoint(struct tare_store *store, struct tare_err *err);

/* Writing. */
struct tare_run_row {
    int64_t id;
    const char *name;
    const char *plan;
    const char *plan_sha256;
    int64_t seed;
    const char *started_utc;
    const char *finished_utc; /* NULL until finished */
    const char *tare_version;
};
TARE_MUST_CHECK int tare_store_add_run(struct tare_store *store, const struct tare_run_row *run,
                                       int64_t *out_id, struct tare_err *err);
/* NULL: not finished any more. A run that is finished keeps its time. */
TARE_MUST_CHECK int tare_store_finish_run(struct tare_store *store, int64_t run_id, const char *finished_utc,
                                          struct tare_err *err);
TARE_MUST_CHECK int tare_store_put_environment(struct tare_store *store, int64_t run_id, const char *key,
                                               const char *value, const char *absent, struct tare_err *err);

/* For a resumed run: stores the value under "KEY (resumed)" if it is not what the run began with. */
TARE_MUST_CHECK int tare_store_put_changed(struct tare_store *store, int64_t run_id, const char *key,
                                           const char *value, const char *absent, struct tare_err *err);

/* A meter of a run: absent NULL if it works; what a phase pays for it, NaN if unknown. */
TARE_MUST_CHECK int tare_store_put_meter(struct tare_store *store, int64_t run_id, const char *name,
                                         const char *place, const char *absent, double cost_ns,
                                         struct tare_err *err);

struct tare_cell_row {
    int64_t id;
    int64_t run_id;
    int64_t ordinal;
    const char *backend;
    const char *model;
    const char *technique;
    const char *task;
    const char *scenario;
    const char *spec;    /* JSON: what the worker was told */
    int64_t items;       /* TARE_ABSENT until a worker has counted them */
    const char *verdict; /* NULL until judged */
    const char *reasons;
};
TARE_MUST_CHECK int tare_store_add_cell(struct tare_store *store, const struct tare_cell_row *cell,
                                        int64_t *out_id, struct tare_err *err);
TARE_MUST_CHECK int tare_store_set_items(struct tare_store *store, int64_t cell_id, int64_t items,
                                         struct tare_err *err);
/* What the cell's task asks. TARE_E_DATABASE if another hash is there: then its data have changed. */
TARE_MUST_CHECK int tare_store_set_prompts(struct tare_store *store, int64_t cell_id, const char *sha256,
                                           struct tare_err *err);
TARE_MUST_CHECK int tare_store_set_verdict(struct tare_store *store, int64_t cell_id, const char *verdict,
                                           const char *reasons, struct tare_err *err);
/* A file known by path, size and time: its number and hash, or TARE_ABSENT and "". */
TARE_MUST_CHECK int tare_store_find_artifact(struct tare_store *store, const char *path, int64_t bytes,
                                             int64_t mtime_ns, int64_t *out_id, char out_sha256[65],
                                             struct tare_err *err);
TARE_MUST_CHECK int tare_store_add_artifact(struct tare_store *store, const char *path, int64_t bytes,
                                            int64_t mtime_ns, const char *sha256, int64_t *out_id,
                                            struct tare_err *err);
TARE_MUST_CHECK int tare_store_link_artifact(struct tare_store *store, int64_t cell_id, const char *role,
                                             int64_t artifact_id, struct tare_err *err);

TARE_MUST_CHECK int tare_store_add_repeat(struct tare_store *store, int64_t cell_id, int64_t block,
                                          int64_t position, int64_t *out_id, struct tare_err *err);
TARE_MUST_CHECK int tare_store_end_repeat(struct tare_store *store, int64_t repeat_id,
                                          enum tare_outcome outcome, const char *message,
                                          struct tare_err *err);
TARE_MUST_CHECK int tare_store_add_attempt(struct tare_store *store, int64_t repeat_id, int64_t first_item,
                                           const char *started_utc, int64_t *out_id, struct tare_err *err);
TARE_MUST_CHECK int tare_store_end_attempt(struct tare_store *store, int64_t attempt_id,
                                           enum tare_outcome outcome, const char *message,
                                           struct tare_err *err);
TARE_MUST_CHECK int tare_store_set_facts(struct tare_store *store, int64_t attempt_id, const char *facts_json,
                                         struct tare_err *err);
/* What changes by itself, as it was "before" or "after" the worker. */
TARE_MUST_CHECK int tare_store_put_state(struct tare_store *store, int64_t attempt_id, const char *moment,
                                         const char *key, const char *value, const char *absent,
                                         struct tare_err *err);
/* end_ns TARE_ABSENT: not ended yet. Replaces an earlier row of the same name. */
TARE_MUST_CHECK int tare_store_put_phase(struct tare_store *store, int64_t attempt_id, const char *name,
                                         int64_t begin_ns, int64_t end_ns, struct tare_err *err);
/* Fails if the repeat already has this item: a sample is never stored twice. */
TARE_MUST_CHECK int tare_store_add_sample(struct tare_store *store, int64_t repeat_id, int64_t attempt_id,
                                          const struct tare_sample *sample, struct tare_err *err);
/* Takes back all samples of a repeat, their requests and scores: it will be asked again from its first item.
 */
TARE_MUST_CHECK int tare_store_clear_repeat(struct tare_store *store, int64_t repeat_id,
                                            struct tare_err *err);
/* A number that the task gave an item. NaN is stored as nothing. */
TARE_MUST_CHECK int tare_store_add_score(struct tare_store *store, int64_t repeat_id, int64_t item,
                                         const char *name, double value, struct tare_err *err);
TARE_MUST_CHECK int tare_store_add_reading(struct tare_store *store, int64_t attempt_id,
                                           const struct tare_reading_record *reading, struct tare_err *err);
/* Replaces the cell's figure of that name. */
TARE_MUST_CHECK int tare_store_put_figure(struct tare_store *store, int64_t cell_id,
                                          const struct tare_figure *figure, struct tare_err *err);
TARE_MUST_CHECK int tare_store_drop_figures(struct tare_store *store, int64_t cell_id, struct tare_err *err);

#endif
