/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates in the database: of the instrument, what the self-test found and which run cites which; of a
 * backend with a model, what the referee found and which cells it is true for. */
#ifndef TARE_STORE_CERTIFICATE_H
#define TARE_STORE_CERTIFICATE_H

#include "store/store.h"

struct tare_certificate_row {
    const char *made_utc;
    const char *tare_version;
    const char *tare_sha256; /* of the executable that made it */
    const char *machine;     /* the environment's machine.id */
    /* Of a backend; NULL all for one of the instrument. */
    const char *backend;        /* as it was named */
    const char *backend_sha256; /* of its shared object */
    const char *model;          /* path or name; NULL: none was given */
    const char *model_sha256;   /* NULL if the model is no file */
    const char *technique;      /* tag that was applied; NULL: none */
    const char *options;        /* JSON: all of them, with their defaults */
    const char *reference;      /* backend that it was held against; NULL: none */
};

/* Numbers that are not known are NaN. */
struct tare_certificate_line {
    const char *quantity, *workload, *unit;
    double truth, reading, error, target;
    const char *error_unit;
    const char *outcome; /* pass, FAIL, absent, info */
    const char *note;    /* or why it is absent; NULL */
};

TARE_MUST_CHECK int tare_store_add_certificate(struct tare_store *store,
                                               const struct tare_certificate_row *row, int64_t *out_id,
                                               struct tare_err *err);
TARE_MUST_CHECK int tare_store_add_certificate_line(struct tare_store *store, int64_t certificate_id,
                                                    int64_t position,
                                                    const struct tare_certificate_line *line,
                                                    struct tare_err *err);
/* The run cites the newest certificate that this executable has made on this machine; none is no error. */
TARE_MUST_CHECK int tare_store_cite_certificate(struct tare_store *store, int64_t run_id, const char *machine,
                                                const char *tare_sha256, struct tare_err *err);

/*
 * What is known of the backends of a run: for each model and technique, the newest certificate of the same
 * shared object, model, technique, options and machine. A model that is no file is the same by its name.
 */
struct tare_verified {
    const char *model, *technique; /* labels of the cells */
    int64_t id;                    /* TARE_ABSENT: none */
    const char *made_utc;
    const char *failed;    /* names of checks that failed, joined by commas; NULL: none did */
    const char *reference; /* NULL: none */
    int64_t n_pass, n_fail, n_absent;
};
typedef int (*tare_verified_fn)(void *ctx, const struct tare_verified *row, struct tare_err *err);
TARE_MUST_CHECK int tare_query_verified(struct tare_store *store, int64_t run_id, tare_verified_fn fn,
                                        void *ctx, struct tare_err *err);

/* What a run cites. */
struct tare_cited {
    int64_t id; /* TARE_ABSENT: none */
    char made_utc[32];
    int64_t n_pass, n_fail, n_absent;
};
TARE_MUST_CHECK int tare_query_cited(struct tare_store *store, int64_t run_id, struct tare_cited *out,
                                     struct tare_err *err);
/* The reading of a quantity in the cited certificate, in the unit that it was stored with; NaN without one.
 * With several lines of that quantity, the largest. */
TARE_MUST_CHECK int tare_query_cited_reading(struct tare_store *store, int64_t run_id, const char *quantity,
                                             double *out, struct tare_err *err);
/* The note that stands with it; "" without one. */
TARE_MUST_CHECK int tare_query_cited_note(struct tare_store *store, int64_t run_id, const char *quantity,
                                          char *out, size_t n_out, struct tare_err *err);

#endif
