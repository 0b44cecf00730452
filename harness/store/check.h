/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the store: what is checked of a database beyond SQLite's own check of its pages. */
#ifndef TARE_STORE_CHECK_H
#define TARE_STORE_CHECK_H

#include "store/sql.h"

/* The file has all the pages that its header counts. */
TARE_MUST_CHECK int tare_sql_check_size(struct tare_store *store, struct tare_err *err);
/* Every table of `model`, an empty store of the same schema, is there as it is there; columns of
 * numbers hold numbers or NULL; there is no trigger. Tables, views and indices beside them are fine. Without
 * all_numbers the numbers of samples and requests are not looked at. */
TARE_MUST_CHECK int tare_sql_check_tables(struct tare_store *store, struct tare_store *model,
                                          bool all_numbers, struct tare_err *err);

#endif
