/* SPDX-License-Identifier: Apache-2.0 */
/* What `tare fetch` prints: sources with their licence, files with their state and with what was done. */
#ifndef TARE_CMD_FETCH_SHOW_H
#define TARE_CMD_FETCH_SHOW_H

#include "base/buf.h"
#include "cmd/fetch_pick.h"

#include <tare/json.h>

/* All of it, for --json. */
struct tare_json *tare_fetch_json(const struct tare_picks *picks, const char *folder);
/* One line a source, and with `files` one a file. */
void tare_fetch_list(const struct tare_picks *picks, bool files, struct tare_buf *to);
/* One line a file: its state, and what it is instead of what it must be. */
void tare_fetch_states(const struct tare_picks *picks, struct tare_buf *to);
/* One line a file that is there now: what was done. */
void tare_fetch_done(const struct tare_picks *picks, struct tare_buf *to);

#endif
