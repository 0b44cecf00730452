/* SPDX-License-Identifier: Apache-2.0 */
/* The files that a cell depends on, hashed and linked to it before its first worker starts. */
#ifndef TARE_CMD_ARTIFACTS_H
#define TARE_CMD_ARTIFACTS_H

#include "core/paths.h"
#include "store/store.h"

/* Roles: model, draft, calib, tokenizer, data, backend, tare. A file known by path, size and time is not
 * hashed again; a model name that is no file has no artifact. A file that is not what SHA256SUMS beside it
 * says is not linked, and refused[] then says what is wrong; "" otherwise. */
TARE_MUST_CHECK int tare_artifacts_link(struct tare_store *store, int64_t cell_id, const char *spec,
                                        const struct tare_paths *paths, char *refused, size_t n_refused,
                                        struct tare_err *err);

#endif
