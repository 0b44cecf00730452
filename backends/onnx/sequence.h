/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One sequence of tokens on its way through a session: what has been fed, the keys and values behind it, the
 * logits of what was fed last.
 *
 * A model that takes keys and values is fed what is new; they are handed from run to run as the library's
 * own tensors. One that does not is fed the whole sequence each time, so that a generated token costs as
 * much as all tokens before it. Ids and lengths have been checked before. A failed run leaves it empty.
 */
#ifndef TARE_ONNX_SEQUENCE_H
#define TARE_ONNX_SEQUENCE_H

#include "graph.h"
#include "runtime.h"

struct tare_onnx_sequence {
    struct tare_onnx_runtime *rt;
    const struct tare_onnx_graph *graph;
    uint32_t n_ctx;
    int64_t n_vocab; /* -1 until the first run has shown it */
    bool reuse_prefix;
    uint32_t n_tokens;
    int32_t *fed;       /* [n_ctx] */
    int64_t *ids;       /* [n_ctx] */
    int64_t *ones;      /* [n_ctx], the attention mask */
    int64_t *positions; /* [n_ctx], 0, 1, ... */
    size_t n_plain;     /* ids, and mask and positions where asked for */
    const char **input_names;
    const char **output_names; /* logits, then the caches */
    struct OrtValue **inputs;  /* plain ones, then the caches: NULL before the first token */
    struct OrtValue **outputs; /* [0]: the logits of the last run; the others only during a run */
    const unsigned char *logits;
    uint32_t first_row; /* position of the first row of logits */
    float *row;         /* [n_vocab] of float32, for other types */
    /* counts since they were set back */
    uint32_t most_tokens;
    int64_t reused_tok;
};

TARE_MUST_CHECK int tare_onnx_sequence_open(struct tare_onnx_sequence *s, struct tare_onnx_runtime *rt,
                                            const struct tare_onnx_graph *graph, uint32_t n_ctx,
                                            struct tare_err *err);
/* A first run of two tokens, whose answer is dropped: threads and arena start here, a model that does not
 * run is found out here, and its vocabulary is known from here on. Before anything else is asked. */
TARE_MUST_CHECK int tare_onnx_sequence_warm(struct tare_onnx_sequence *s, struct tare_err *err);
/* A zeroed struct is fine. */
void tare_onnx_sequence_close(struct tare_onnx_sequence *s);
/* Forgets what was fed. */
void tare_onnx_sequence_reset(struct tare_onnx_sequence *s);
/* Keeps what it can of a prefix that these ids share with what was fed, at most `limit` tokens, and no more
 * than `hint`, which is checked against the ids; forgets the rest. *out: tokens that need not be fed. */
TARE_MUST_CHECK int tare_onnx_sequence_reuse(struct tare_onnx_sequence *s, const int32_t *ids, uint32_t limit,
                                             uint32_t hint, uint32_t *out, struct tare_err *err);
/* Feeds n >= 1 tokens behind what was fed; they fit the context. */
TARE_MUST_CHECK int tare_onnx_sequence_feed(struct tare_onnx_sequence *s, const int32_t *ids, uint32_t n,
                                            struct tare_err *err);
/* The logits after a position of the last run, as float32, valid until the next call; NULL with an error when
 * they are no numbers. */
const float *tare_onnx_sequence_row(struct tare_onnx_sequence *s, uint32_t position, struct tare_err *err);

#endif
