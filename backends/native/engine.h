/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One sequence of tokens on its way through a model, whatever its architecture.
 *
 * `feed` appends tokens to what the state holds; `logits` turns rows of the last feed into logits. The
 * state can be reset, saved, restored and, where the architecture allows it, cut back. The caller checks
 * every id and length. All memory is taken in `open`; nothing else allocates.
 */
#ifndef TARE_NATIVE_ENGINE_H
#define TARE_NATIVE_ENGINE_H

#include "exec.h"
#include "model.h"

struct tare_engine_options {
    uint32_t threads;       /* >= 1 */
    uint32_t block;         /* rows through a layer together; 0: the architecture's own. 1: step by step */
    struct tare_pool *pool; /* of an engine that outlives this one, so that there is one pool only; or NULL */
};

struct tare_engine {
    const struct tare_model *model; /* borrowed */
    struct tare_exec exec;
    void *tables;         /* the architecture's */
    unsigned char *state; /* owned, all layers */
    size_t *state_at;     /* owned, [n_layers + 1] */
    float *memory;        /* owns the floats below */
    float *x;             /* [n_ctx, d] residual stream of the last feed */
    float *a;             /* [block, d] */
    float *scratch;
    float *logits;   /* [n_ctx, vocab] */
    float *received; /* borrowed, NULL: nobody asks; see struct tare_pass */
    uint32_t block;
    uint32_t n_tokens; /* in the state */
};

TARE_MUST_CHECK int tare_engine_open(struct tare_engine *engine, const struct tare_model *model,
                                     const struct tare_engine_options *options, struct tare_err *err);
/* Frees all; a zeroed struct is fine. */
void tare_engine_close(struct tare_engine *engine);

void tare_engine_reset(struct tare_engine *engine);
/* n > 0 tokens; n_tokens + n <= n_ctx. */
void tare_engine_feed(struct tare_engine *engine, const int32_t *tokens, uint32_t n);
/* Logits of rows from .. from+n-1 of the last feed, [n, vocab], valid until the next call. Each row can
 * be asked for once: its residual stream is overwritten. */
const float *tare_engine_logits(struct tare_engine *engine, uint32_t from, uint32_t n);

/* Bytes of the state of n tokens, all layers. */
size_t tare_engine_state_bytes(const struct tare_engine *engine, uint32_t n_tokens);
/* Writes that many bytes of the present state. */
void tare_engine_save(const struct tare_engine *engine, unsigned char *to);
void tare_engine_restore(struct tare_engine *engine, const unsigned char *from, uint32_t n_tokens);
/* Can the state be cut back to fewer tokens? */
bool tare_engine_cuts(const struct tare_engine *engine);
/* Keeps the first n tokens of the state; false, and nothing done, where it cannot be cut. */
bool tare_engine_cut(struct tare_engine *engine, uint32_t n_tokens);

/* For decoding rules that leave a forward pass early: the parts of `feed`. */
void tare_engine_embed(struct tare_engine *engine, const int32_t *tokens, uint32_t n);
/* Rows 0 .. n-1 of x through one layer; n_tokens is left to the caller. */
void tare_engine_layer(struct tare_engine *engine, uint32_t layer, uint32_t n);
/* The same for rows that leave before this layer; only where the architecture has `fill`. */
void tare_engine_fill(struct tare_engine *engine, uint32_t layer, uint32_t n);
/* Logits of one hidden state [d] as if the layers ended there; it stays as it is. */
const float *tare_engine_peek(struct tare_engine *engine, const float *x);

#endif
