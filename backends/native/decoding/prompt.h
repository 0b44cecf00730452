/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pruning of the prompt: the least telling tokens of a context are left out before the model reads it.
 *
 * Kept are ceil(keep * n) of the n context tokens, those with the highest score in their old order, and
 * always the first (BOS) and the last few. A token's score is its surprisal, -ln p(token | those before), or
 * the attention it got in one layer, summed over heads and divided by the number of tokens that could
 * attend to it. A draft model may do the scoring; its work counts like the model's own. What is left moves
 * together: positions count from 0 without gaps. Tokens that are answers are never dropped.
 */
#ifndef TARE_NATIVE_PROMPT_H
#define TARE_NATIVE_PROMPT_H

#include "decoding.h"
#include "flops.h"

enum tare_prompt_score { tare_prompt_surprisal, tare_prompt_attention };

struct tare_prompt_options {
    double keep; /* above 0, at most 1 */
    enum tare_prompt_score score;
    uint32_t layer; /* of attention, from 1 */
    uint32_t tail;  /* last tokens of the context that always stay, >= 1 */
};

struct tare_prompt_counts {
    int64_t in;   /* context tokens of requests */
    int64_t kept; /* of them */
    int64_t scoring_flops;
    int64_t executed_flops;
    int64_t dense_flops;
};

struct tare_prompt {
    struct tare_prompt_options how;
    bool has_draft;
    struct tare_model draft_model;
    struct tare_session draft;
    struct tare_flops work;
    struct tare_flops scorer_work;
    float *received; /* owned, [n_ctx] */
    double *score;   /* owned, [n_ctx] */
    uint32_t *order; /* owned, [n_ctx] */
    int32_t *whole;  /* owned, [n_ctx]: the context that was last cut down, for continuations of it */
    uint32_t n_whole;
    int32_t *ids; /* owned, [n_ctx]: what is left of it, then the answers */
    uint32_t n_kept;
    struct tare_prompt_counts counts;
};

extern const struct tare_decoding tare_decoding_prompt;

/* On the heap; takes over the draft model, NULL for none. tare_decoding_prompt.close frees it. */
TARE_MUST_CHECK int tare_prompt_create(struct tare_prompt **out, const struct tare_prompt_options *how,
                                       struct tare_model *draft, struct tare_err *err);

#endif
