/* SPDX-License-Identifier: Apache-2.0 */
/* Which certificate a run cites: by machine and by executable. */
#ifndef TARE_CMD_CERTIFICATE_H
#define TARE_CMD_CERTIFICATE_H

#include "base/hash.h"
#include "core/paths.h"
#include "store/store.h"

/* This machine and this executable. */
struct tare_certified {
    char machine[128]; /* "unknown" where the environment does not tell */
    char tare_sha256[TARE_SHA256_HEX];
};
TARE_MUST_CHECK int tare_certified_find(const struct tare_paths *paths, struct tare_certified *out,
                                        struct tare_err *err);
/* Lets the run cite the newest certificate of the two; none is no error. */
TARE_MUST_CHECK int tare_certificate_cite(struct tare_store *store, int64_t run_id,
                                          const struct tare_paths *paths, struct tare_err *err);

#endif
