/* SPDX-License-Identifier: Apache-2.0 */
/* What was found of a history, as a table of one row a series. */
#ifndef TARE_CMD_HISTORY_TABLE_H
#define TARE_CMD_HISTORY_TABLE_H

#include "cmd/history_judge.h"

/* Makes and writes it; path NULL: standard output. delta is that of the alarms. Texts are made in `arena`. */
TARE_MUST_CHECK int tare_history_table_write(const struct tare_history_found *found, size_t n, double delta,
                                             const char *format, const char *path, struct tare_arena *arena,
                                             struct tare_err *err);

#endif
