/* SPDX-License-Identifier: Apache-2.0 */
/* SHA256SUMS: what the files of a folder are meant to be, in the format of sha256sum(1). */
#ifndef TARE_CMD_SUMS_H
#define TARE_CMD_SUMS_H

#include <tare/err.h>

/* Is `sha256` what SHA256SUMS beside the file says? 0 if it is, or if there is no such file or no line for
 * this one; TARE_E_FORMAT with a message that names both if it is not. */
TARE_MUST_CHECK int tare_sums_check(const char *path, const char *sha256, struct tare_err *err);

#endif
