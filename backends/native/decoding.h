/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface of a way of decoding: how a request is turned into work of an engine.
 *
 * The plain one feeds everything and picks the most probable token. A dynamic technique (early exit, a
 * draft model, pruning of the prompt) is another. `rows` answers SCORE and LOGITS, `generate` GENERATE;
 * both are timed and must not allocate. What a technique wants to tell of a run, it counts in `self`.
 */
#ifndef TARE_NATIVE_DECODING_H
#define TARE_NATIVE_DECODING_H

#include "session.h"

#include <tare/meter.h>

struct tare_decoding {
    const char *name;
    void (*rows)(void *self, struct tare_session *session, const struct tare_request *request,
                 struct tare_sink *sink);
    void (*generate)(void *self, struct tare_session *session, const struct tare_request *request,
                     struct tare_sink *sink);
    /* After load, once: the engine stands; take all memory here. NULL: nothing needed. */
    int (*open)(void *self, struct tare_session *session, struct tare_err *err);
    /* What was counted since the last call with reset. NULL: nothing. */
    void (*readings)(void *self, struct tare_readings *to);
    void (*reset)(void *self);
    /* Frees self. NULL: nothing to free. */
    void (*close)(void *self);
};

extern const struct tare_decoding tare_decoding_plain;

#endif
