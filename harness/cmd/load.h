/* SPDX-License-Identifier: Apache-2.0 */
/* From the store to what reports are made of: the cells and figures of a run, and its caption. */
#ifndef TARE_CMD_LOAD_H
#define TARE_CMD_LOAD_H

#include "reports/input.h"
#include "store/store.h"

struct tare_loaded;

/* Loads a run; the store must outlive the result. */
TARE_MUST_CHECK int tare_load(struct tare_store *store, int64_t run_id, struct tare_loaded **out,
                              struct tare_err *err);
const struct tare_report_input *tare_loaded_input(const struct tare_loaded *loaded);
/* Hands out the figures of every cell to be changed. */
typedef int (*tare_rework_fn)(struct tare_store *store, int64_t cell_id, struct tare_figure *figures,
                              size_t n, struct tare_err *err);
TARE_MUST_CHECK int tare_loaded_rework(struct tare_loaded *loaded, tare_rework_fn fn, struct tare_err *err);
void tare_loaded_free(struct tare_loaded *loaded);

#endif
