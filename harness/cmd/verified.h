/* SPDX-License-Identifier: Apache-2.0 */
/* What a report says of its cells' backends: which the referee has seen, and what came of it. */
#ifndef TARE_CMD_VERIFIED_H
#define TARE_CMD_VERIFIED_H

#include "base/buf.h"
#include "store/certificate.h"

/* A sentence for the caption. */
TARE_MUST_CHECK int tare_verified_caption(struct tare_store *store, int64_t run_id, struct tare_buf *to,
                                          struct tare_err *err);

#endif
