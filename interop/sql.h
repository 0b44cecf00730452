/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The INSERT statements of one table, as llama-bench prints them: read as data, never executed. CREATE TABLE
 * of the same table is passed over; any other statement is refused.
 */
#ifndef TARE_INTEROP_SQL_H
#define TARE_INTEROP_SQL_H

#include "records.h"

/* Every row of VALUES is a record: quoted text a string, a number its text, NULL null. */
TARE_MUST_CHECK int tare_insert_read(const struct tare_interop_in *in, const char *table,
                                     tare_interop_object_fn fn, struct tare_err *err);

#endif
