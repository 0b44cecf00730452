/* SPDX-License-Identifier: Apache-2.0 */
/* Readings that outlive whoever made them, and what is wrong with one that a plug-in gave. */
#ifndef TARE_BASE_READING_H
#define TARE_BASE_READING_H

#include "base/record.h"

#include <tare/meter.h>

/* Copies a record with all its strings into one block, which the `phase` member then owns. */
TARE_MUST_CHECK int tare_reading_copy(const struct tare_reading_record *from, struct tare_reading_record *to,
                                      struct tare_err *err);
void tare_reading_free(struct tare_reading_record *record);
/* A meter's words as a record; strings are the meter's. doubt NULL: it has none. */
struct tare_reading_record tare_reading_record_of(const char *phase, const char *meter,
                                                  const struct tare_reading *reading,
                                                  const struct tare_doubt *doubt);
/* What breaks the contract in it, or NULL. */
const char *tare_reading_fault(const struct tare_reading *reading);
/* Is it a name that can be that of a figure: 1 to 60 of a-z, 0-9 and '_'? */
bool tare_reading_is_name(const char *name);

#endif
