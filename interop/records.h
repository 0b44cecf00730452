/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records in and out as most files have them: one JSON value a line, one array, or a list within an object.
 * What stands around them is the envelope: none for lines and for a single value; else {"list": name,
 * "around": the object with that list left empty}, the name being null where the array is all of the file.
 */
#ifndef TARE_INTEROP_RECORDS_H
#define TARE_INTEROP_RECORDS_H

#include "interop.h"

/* One object; its record is handed over already. */
typedef int (*tare_interop_object_fn)(const struct tare_interop_in *in, const struct tare_json *object,
                                      struct tare_err *err);

/* Every line is an object. Others are log lines that are passed over if `with_log`, else an error. A file
 * without any object is an error. */
TARE_MUST_CHECK int tare_interop_read_lines(const struct tare_interop_in *in, bool with_log,
                                            tare_interop_object_fn fn, struct tare_err *err);
/* The elements of `list`, each an object, as records; `around` is the whole value, and `key` the name of the
 * list in it, NULL if it is the list itself. */
TARE_MUST_CHECK int tare_interop_read_list(const struct tare_interop_in *in, const struct tare_json *around,
                                           const char *key, tare_interop_object_fn fn, struct tare_err *err);
/* Writes what was read with one of these. A single value is indented. */
TARE_MUST_CHECK int tare_interop_give_back(const struct tare_interop_stored *stored, FILE *to,
                                           struct tare_err *err);
/* The single record of a format that has one value a file, indented. */
TARE_MUST_CHECK int tare_interop_give_back_one(const struct tare_interop_stored *stored, FILE *to,
                                               struct tare_err *err);

#endif
