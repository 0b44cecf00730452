/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking a backend in this process for distributions or for greedy tokens, and sending each row on as it
 * comes: no row is kept. One request is in flight at a time. Nothing is timed.
 */
#ifndef TARE_FIDELITY_ANSWER_H
#define TARE_FIDELITY_ANSWER_H

#include "core/instance.h"
#include "core/prepare.h"
#include "fidelity/frames.h"

/* Appends a frame of two parts to the pipe. TARE_E_IO: nobody reads any more. */
TARE_MUST_CHECK int tare_lockstep_write(int fd, enum tare_lockstep_frame type, const void *a, size_t n_a,
                                        const void *b, size_t n_b, struct tare_err *err);

/* The distributions behind positions first - 1 .. n - 1 as ROW frames; with `graded` (a flag a token) only
 * those that say how probable a graded token is. *out says how it ended, which is not sent here. */
TARE_MUST_CHECK int tare_lockstep_rows(struct tare_instance *instance, int fd, const int32_t *ids, uint32_t n,
                                       uint32_t first, const uint8_t *graded, struct tare_lockstep_end *out,
                                       struct tare_err *err);
/* A greedy continuation as one TOKENS frame, ended by a stop string as elsewhere. */
TARE_MUST_CHECK int tare_lockstep_tokens(struct tare_instance *instance, int fd,
                                         const struct tare_prepared_item *item, struct tare_lockstep_end *out,
                                         struct tare_err *err);

#endif
