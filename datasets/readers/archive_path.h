/* SPDX-License-Identifier: Apache-2.0 */
/* Which names of an archive's entries may become paths below a folder. */
#ifndef TARE_DATASETS_READERS_ARCHIVE_PATH_H
#define TARE_DATASETS_READERS_ARCHIVE_PATH_H

#include <stddef.h>

enum { TARE_ARCHIVE_PATH_BYTES = 1024, TARE_ARCHIVE_DEPTH = 32 };

/*
 * NULL: the name is fine, and `out` has it without "./" at its head and without the slash at its end; "" is
 * the folder itself. Else why it is not, "is an absolute path". A path in `out` stays below any folder that
 * it is joined to, as long as there are no links in there.
 */
const char *tare_archive_path(const char *name, char out[TARE_ARCHIVE_PATH_BYTES + 1]);

#endif
