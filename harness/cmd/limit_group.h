/* SPDX-License-Identifier: Apache-2.0 */
/* A cgroup with a limit of memory, for a worker to enter; both versions. */
#ifndef TARE_CMD_LIMIT_GROUP_H
#define TARE_CMD_LIMIT_GROUP_H

#include <stdint.h>
#include <tare/err.h>

/* Makes one below this process's cgroup, or beside it. folder receives where. TARE_E_ENVIRONMENT with the
 * reason where it is not permitted. Swap is not allowed to it where that can be said. */
TARE_MUST_CHECK int tare_limit_group_make(int64_t limit_bytes, char *folder, size_t n_folder,
                                          struct tare_err *err);
/* Removes it; no process may be in it any more. */
void tare_limit_group_remove(const char *folder);

#endif
