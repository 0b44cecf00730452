/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks the backend in this process and writes down every position and every token that comes, with the
 * harness's own log-softmax and stop strings. What the timed path (core/ask.h) sums up stays apart here.
 * Nothing is timed.
 */
#ifndef TARE_VERIFY_RECORDER_H
#define TARE_VERIFY_RECORDER_H

#include "core/instance.h"
#include "verify/wire.h"

/* n requests, together in flight if the backend is concurrent, else one after the other. A failure of the
 * backend is in its answer. answers[] has room for n; what they hold lies in the arena. */
TARE_MUST_CHECK int tare_recorder_ask(struct tare_instance *instance, const struct tare_wire_ask *asks,
                                      uint32_t n, struct tare_arena *arena, struct tare_wire_answer *answers,
                                      struct tare_err *err);
TARE_MUST_CHECK int tare_recorder_tokenize(struct tare_instance *instance, const char *text, size_t n,
                                           struct tare_arena *arena, struct tare_wire_tokens *out,
                                           struct tare_err *err);

#endif
