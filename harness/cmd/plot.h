/* SPDX-License-Identifier: Apache-2.0 */
/* From the store to a drawn plot. */
#ifndef TARE_CMD_PLOT_H
#define TARE_CMD_PLOT_H

#include "reports/plots/plot.h"
#include "store/store.h"

#include <tare/json.h>

/* Draws what `what` names ("pareto", "depth{model=llama*}") of a run in a format ("svg", "pdf", "png",
 * "tikz", "script"; "md", the default of tables, is svg), to a file or (NULL) standard output. A file is
 * replaced only when the whole picture has been written. */
TARE_MUST_CHECK int tare_plot_print(struct tare_store *store, int64_t run_id, const char *what,
                                    const char *format, const char *path, struct tare_err *err);
/* Draws a plot that is there already. */
TARE_MUST_CHECK int tare_plot_write(const struct tare_plot *plot, const char *format, const char *path,
                                    struct tare_err *err);
/* The kinds of plots with their options, into an array. */
void tare_plot_list(struct tare_json *to);

#endif
