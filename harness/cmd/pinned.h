/* SPDX-License-Identifier: Apache-2.0 */
/* Is a data file of a shipped task the one that its source pins? A figure of other data must not bear its
 * name. */
#ifndef TARE_CMD_PINNED_H
#define TARE_CMD_PINNED_H

#include "core/paths.h"

/* The file is known by the end of its path, SOURCE/FILE (core/source.h). 0: it is the pinned one, or nobody
 * pins it. TARE_E_FORMAT: it is another, and the message says which hash was meant. */
TARE_MUST_CHECK int tare_pinned_check(const struct tare_paths *paths, const char *path, const char *sha256,
                                      struct tare_err *err);

#endif
