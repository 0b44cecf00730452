/* SPDX-License-Identifier: Apache-2.0 */
/* From the store to the printed table of a score. */
#ifndef TARE_CMD_SCORE_H
#define TARE_CMD_SCORE_H

#include "store/store.h"

#include <tare/json.h>

/* Builds a score of a run, with options from lines "key=value" (NULL: none), and prints it as
 * tare_table_write does. */
TARE_MUST_CHECK int tare_score_print(struct tare_store *store, int64_t run_id, const char *score,
                                     const char *settings, const char *format, const char *path,
                                     struct tare_err *err);
/* Every score with what it needs and its options, for `tare list`. */
void tare_score_list(struct tare_json *to);

#endif
