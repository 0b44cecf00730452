/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of imported files: where a run came from, and the records of its file, in order. */
#ifndef TARE_STORE_IMPORT_H
#define TARE_STORE_IMPORT_H

#include "store/store.h"

struct tare_import_row {
    int64_t run_id;
    const char *format;
    const char *tool;
    const char *tool_version; /* NULL: the file does not say */
    const char *path;
    int64_t bytes;
    const char *sha256;
    const char *imported_utc;
    const char *envelope; /* JSON around the records; NULL: none */
};

TARE_MUST_CHECK int tare_store_add_import(struct tare_store *store, const struct tare_import_row *row,
                                          struct tare_err *err);
TARE_MUST_CHECK int tare_store_add_record(struct tare_store *store, int64_t run_id, int64_t position,
                                          const char *record, struct tare_err *err);

/* Calls fn if the run was imported; *out_found (may be NULL) says so. Strings live until fn returns. */
typedef int (*tare_import_fn)(void *ctx, const struct tare_import_row *row, struct tare_err *err);
TARE_MUST_CHECK int tare_query_import(struct tare_store *store, int64_t run_id, tare_import_fn fn, void *ctx,
                                      bool *out_found, struct tare_err *err);
/* Calls fn with every record, in the order of the file. */
typedef int (*tare_record_fn)(void *ctx, const char *record, struct tare_err *err);
TARE_MUST_CHECK int tare_query_records(struct tare_store *store, int64_t run_id, tare_record_fn fn, void *ctx,
                                       struct tare_err *err);

#endif
