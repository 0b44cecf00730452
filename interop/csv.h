/* SPDX-License-Identifier: Apache-2.0 */
/* Comma-separated values (RFC 4180) with a header: every row a record whose values are strings. */
#ifndef TARE_INTEROP_CSV_H
#define TARE_INTEROP_CSV_H

#include "records.h"

/* Rows of a file. Its order of columns is the order of fields. A row of another length than the header's, a
 * name that stands twice in it and a quote that does not end are errors with the line. */
TARE_MUST_CHECK int tare_csv_read(const struct tare_interop_in *in, tare_interop_object_fn fn,
                                  struct tare_err *err);
/* The same of a part of it, which begins in that line. */
TARE_MUST_CHECK int tare_csv_read_part(const struct tare_interop_in *in, const char *text, size_t n,
                                       int64_t line, tare_interop_object_fn fn, struct tare_err *err);
/* Writes records of single values; the header has the fields of all of them, in the order of their first
 * appearance. A field that a record does not have is an empty cell. `quote_all` puts quotes around every
 * cell but the header's. */
TARE_MUST_CHECK int tare_csv_give_back(const struct tare_interop_stored *stored, bool quote_all, FILE *to,
                                       struct tare_err *err);
/* One cell, with quotes where it needs them. */
void tare_csv_put(const char *text, bool quote, FILE *to);

#endif
