/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arithmetic of the zoo's Llama-style Transformer, float32 on CBLAS.
 *
 * `forward` runs any number of tokens that follow what the cache already holds; a decode step is a
 * forward of one. `logits` turns rows of the last forward into logits. The caller keeps count of the
 * cached positions and checks every id and length. All memory is taken in `open`; it draws no samples.
 */
#ifndef TARE_NATIVE_LLAMA_H
#define TARE_NATIVE_LLAMA_H

#include "model.h"

struct tare_llama {
    const struct tare_model *model; /* borrowed */
    float *memory;                  /* owns all below */
    float *x;                       /* [n_ctx, d] residual stream of the last forward */
    float *a;                       /* [block, d] normalised input, then attention output */
    float *q;                       /* [block, d] */
    float *h;                       /* [block, 2 ffn] gate and up */
    float *scores;                  /* [block, score_stride] of one head */
    float *kv;                      /* [layer][n_ctx, 2d] rotated keys and values */
    float *logits;                  /* [n_ctx, vocab] */
    float *cosine;                  /* [n_ctx, head_dim / 2] */
    float *sine;
    uint32_t block; /* rows that go through a layer together */
    uint32_t score_stride;
};

TARE_MUST_CHECK int tare_llama_open(struct tare_llama *llama, const struct tare_model *model,
                                    struct tare_err *err);
/* Frees all; a zeroed struct is fine. */
void tare_llama_close(struct tare_llama *llama);

/* Feeds n > 0 tokens at positions start .. start+n-1; start+n <= n_ctx and positions below start are
 * cached. Nothing here allocates. */
void tare_llama_forward(struct tare_llama *llama, const int32_t *tokens, uint32_t start, uint32_t n);
/* Logits of rows from .. from+n-1 of the last forward, [n, vocab], valid until the next call. Each row
 * can be asked for once: its residual stream is overwritten. */
const float *tare_llama_logits(struct tare_llama *llama, uint32_t from, uint32_t n);

#endif
