/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the store back: rows through callbacks, columns as arrays. Nothing here writes.
 *
 * A callback gets a row whose strings live until it returns; a negative return stops the walk and is
 * passed on.
 */
#ifndef TARE_STORE_QUERY_H
#define TARE_STORE_QUERY_H

#include "store/store.h"

typedef int (*tare_run_fn)(void *ctx, const struct tare_run_row *run, struct tare_err *err);
typedef int (*tare_cell_fn)(void *ctx, const struct tare_cell_row *cell, struct tare_err *err);
typedef int (*tare_figure_fn)(void *ctx, int64_t cell_id, const struct tare_figure *figure,
                              struct tare_err *err);
typedef int (*tare_reading_fn)(void *ctx, int64_t repeat_id, const struct tare_reading_record *reading,
                               struct tare_err *err);
typedef int (*tare_text_pair_fn)(void *ctx, const char *key, const char *value, struct tare_err *err);

struct tare_repeat_row {
    int64_t id;
    int64_t cell_id;
    int64_t block;
    int64_t position;
    const char *outcome;
    const char *message;
    int64_t samples;           /* committed */
    int64_t errors;            /* of them with an error */
    int64_t attempts;          /* worker processes used */
    int64_t measured_attempts; /* of them, those that gave samples */
    int64_t started_s;         /* wall clock of the latest of those, since 1970; TARE_ABSENT */
};
typedef int (*tare_repeat_fn)(void *ctx, const struct tare_repeat_row *repeat, struct tare_err *err);

TARE_MUST_CHECK int tare_query_runs(struct tare_store *store, tare_run_fn fn, void *ctx,
                                    struct tare_err *err);
/* Cells of a run in order; run_id 0: of all runs. */
TARE_MUST_CHECK int tare_query_cells(struct tare_store *store, int64_t run_id, tare_cell_fn fn, void *ctx,
                                     struct tare_err *err);
TARE_MUST_CHECK int tare_query_repeats(struct tare_store *store, int64_t cell_id, tare_repeat_fn fn,
                                       void *ctx, struct tare_err *err);
/* The same without looking at samples: how each repeat ended, and the hash over what it has stored. */
struct tare_outcome_row {
    int64_t id;
    int64_t block;
    const char *outcome;
    const char *message;
    const char *sha256; /* NULL: never sealed */
};
typedef int (*tare_outcome_fn)(void *ctx, const struct tare_outcome_row *row, struct tare_err *err);
TARE_MUST_CHECK int tare_query_outcomes(struct tare_store *store, int64_t cell_id, tare_outcome_fn fn,
                                        void *ctx, struct tare_err *err);
/* The first `limit` samples of a repeat, without their tails. */
typedef int (*tare_sample_fn)(void *ctx, const struct tare_sample *sample, const char *error,
                              struct tare_err *err);
TARE_MUST_CHECK int tare_query_samples(struct tare_store *store, int64_t repeat_id, int64_t limit,
                                       tare_sample_fn fn, void *ctx, struct tare_err *err);
TARE_MUST_CHECK int tare_query_figures(struct tare_store *store, int64_t cell_id, tare_figure_fn fn,
                                       void *ctx, struct tare_err *err);
/* Readings of a cell's attempts that gave samples, attempts in order. */
TARE_MUST_CHECK int tare_query_readings(struct tare_store *store, int64_t cell_id, tare_reading_fn fn,
                                        void *ctx, struct tare_err *err);
/* Phase durations of completed phases as readings named by the phase, unit ns. */
TARE_MUST_CHECK int tare_query_phases(struct tare_store *store, int64_t cell_id, tare_reading_fn fn,
                                      void *ctx, struct tare_err *err);
TARE_MUST_CHECK int tare_query_environment(struct tare_store *store, int64_t run_id, tare_text_pair_fn fn,
                                           void *ctx, struct tare_err *err);
/* Role and "sha256 bytes path" of each file linked to a cell. */
TARE_MUST_CHECK int tare_query_artifacts(struct tare_store *store, int64_t cell_id, tare_text_pair_fn fn,
                                         void *ctx, struct tare_err *err);
/* Model facts (JSON) of the cell's latest attempt that has them; *out NULL if none. free() it. */
TARE_MUST_CHECK int tare_query_facts(struct tare_store *store, int64_t cell_id, char **out,
                                     struct tare_err *err);
/* Was a file of the cell (same role, same path) different for some of its attempts? */
TARE_MUST_CHECK int tare_query_files_changed(struct tare_store *store, int64_t cell_id, bool *out,
                                             struct tare_err *err);
/* Meters of a run: absent NULL if it was used. */
typedef int (*tare_meter_fn)(void *ctx, const char *name, const char *absent, struct tare_err *err);
TARE_MUST_CHECK int tare_query_meters(struct tare_store *store, int64_t run_id, tare_meter_fn fn, void *ctx,
                                      struct tare_err *err);
/* Id of the newest run; TARE_E_DATABASE if there is none. */
TARE_MUST_CHECK int tare_query_last_run(struct tare_store *store, int64_t *out_id, struct tare_err *err);
/* Number of samples committed for a repeat, which is also the first item still to be asked. */
TARE_MUST_CHECK int tare_query_committed(struct tare_store *store, int64_t repeat_id, int64_t *out,
                                         struct tare_err *err);

/* The numbers of that name that a task gave the items of a repeat, by item; free() it. */
TARE_MUST_CHECK int tare_query_scores(struct tare_store *store, int64_t repeat_id, const char *name,
                                      double **out, size_t *out_n, struct tare_err *err);
/* Array of doubles without the absent ones; free() it. NULL and 0 if there are none. */
TARE_MUST_CHECK int tare_query_column(struct tare_store *store, int64_t repeat_id, enum tare_column column,
                                      double **out, size_t *out_n, struct tare_err *err);

TARE_MUST_CHECK int tare_query_sums(struct tare_store *store, int64_t repeat_id, struct tare_repeat_sums *out,
                                    struct tare_err *err);

#endif
