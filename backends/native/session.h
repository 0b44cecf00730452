/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests over one engine: what of the state of an earlier request can be used again, and the plain way
 * of answering. Every id and length has been checked before. Nothing here allocates after `open`.
 */
#ifndef TARE_NATIVE_SESSION_H
#define TARE_NATIVE_SESSION_H

#include "backends/tokenizer/tokenizer.h"
#include "engine.h"
#include "sample.h"

#include <stdbool.h>
#include <tare/backend.h>

struct tare_session {
    struct tare_engine engine;
    const struct tare_tokenizer *tokenizer; /* borrowed */
    bool reuse_prefix;
    int32_t *fed;         /* owned: ids that the engine's state holds, by position */
    unsigned char *kept;  /* owned: a saved state, where the state cannot be cut back; else NULL */
    uint32_t n_kept;      /* tokens in it; their ids are in kept_ids. 0: none */
    int32_t *kept_ids;    /* owned */
    uint32_t most_tokens; /* the longest state so far, for the account of state bytes */
    double *chances;      /* owned: [n_vocab], for drawing a token */
};

TARE_MUST_CHECK int tare_session_open(struct tare_session *session, const struct tare_model *model,
                                      const struct tare_tokenizer *tokenizer,
                                      const struct tare_engine_options *options, struct tare_err *err);
/* Frees all; a zeroed struct is fine. */
void tare_session_close(struct tare_session *session);
/* Forgets all earlier requests. */
void tare_session_forget(struct tare_session *session);

/* Makes the state hold ids[0 .. n), as far as possible out of what is there, at least the tokens from
 * position `from` on being computed. Returns the logits of positions from .. n-1. */
const float *tare_session_prefill(struct tare_session *session, const int32_t *ids, uint32_t n, uint32_t from,
                                  uint32_t shared_prefix);
/* The same for ids[0 .. n) without any logits; n may be 0. */
void tare_session_hold(struct tare_session *session, const int32_t *ids, uint32_t n, uint32_t shared_prefix);
/* Appends tokens; their logits are asked of the engine. */
void tare_session_append(struct tare_session *session, const int32_t *ids, uint32_t n);
/* Books one token that went through the layers one by one. */
void tare_session_book(struct tare_session *session, int32_t id);
/* Appends one token; returns the logits after it. */
const float *tare_session_step(struct tare_session *session, int32_t id);
/* Room for another token? */
bool tare_session_full(const struct tare_session *session);

/* How many of a request's tokens are fed before any output. */
uint32_t tare_session_fed_tokens(const struct tare_request *request);
/* Hands one generated token to the sink; non-zero: stop. */
int tare_session_give(const struct tare_session *session, const struct tare_request *request,
                      struct tare_sink *sink, int32_t id);

#endif
