/* SPDX-License-Identifier: Apache-2.0 */
/* From the store to a printed table. */
#ifndef TARE_CMD_TABLE_H
#define TARE_CMD_TABLE_H

#include "store/store.h"

#include <tare/report.h>

/* Prints a view of a run in a format, to a file or (NULL) standard output. A
 * file is replaced only when the whole table has been written. recompute: percentiles anew from samples. */
TARE_MUST_CHECK int tare_table_print(struct tare_store *store, int64_t run_id, const char *view,
                                     const char *format, const char *path, bool recompute,
                                     struct tare_err *err);
/* Writes a table in a format, in the same way. */
TARE_MUST_CHECK int tare_table_write(const struct tare_table *table, const char *format, const char *path,
                                     struct tare_err *err);

/* Writes bytes to a file, which is replaced only when all of them are there. */
TARE_MUST_CHECK int tare_file_replace(const char *path, const void *data, size_t n, struct tare_err *err);

#endif
