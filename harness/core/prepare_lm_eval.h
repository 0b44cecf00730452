/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Items of tasks that follow lm-evaluation-harness (TARE_CONVENTION_LM_EVAL): joint tokenization, rolling
 * windows and the cut from the left. And what both ways of preparing share while they build.
 */
#ifndef TARE_CORE_PREPARE_LM_EVAL_H
#define TARE_CORE_PREPARE_LM_EVAL_H

#include "core/prepare.h"

struct builder {
    const struct tare_prepare_args *args;
    struct tare_prepared *out;
    int32_t *ids; /* scratch of the tokenizer */
    uint32_t *ends;
    size_t cap;
    struct tare_err *err;
};

/* Tokens of the bytes into b->ids and b->ends. A tokenizer that loses bytes is found out there. */
TARE_MUST_CHECK int tare_builder_tokenize(struct builder *b, struct tare_bytes text, size_t *out_n);
/* The first token, if the model has one, and the first n of b->ids, in the arena; *out_n counts both. NULL:
 * no memory. */
int32_t *tare_builder_tokens(struct builder *b, size_t n, size_t *out_n);
TARE_MUST_CHECK int tare_builder_stops(struct builder *b, const struct tare_item *item,
                                       struct tare_prepared_item *to);

/* Is the item prepared here? Prompts of a given number of tokens are not. */
bool tare_prepares_by_lm_eval(const struct builder *b, const struct tare_item *item);
TARE_MUST_CHECK int tare_prepare_by_lm_eval(struct builder *b, const struct tare_item *item,
                                            struct tare_prepared_item *to);

#endif
