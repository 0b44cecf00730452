/* SPDX-License-Identifier: Apache-2.0 */
/* Which tokens of a context stay: their scores, and the choice by score. */
#ifndef TARE_NATIVE_PROMPT_SELECT_H
#define TARE_NATIVE_PROMPT_SELECT_H

#include "prompt.h"

/* Tokens that stay of a context of n. */
uint32_t tare_prompt_wanted(const struct tare_prompt_options *how, uint32_t n);
/* Scores of tokens 1 .. n-1 into p->score by the scorer's engine, whose state is then another. */
void tare_prompt_rate(struct tare_prompt *p, struct tare_session *scorer, const int32_t *tokens, uint32_t n);
/* Of n tokens with p->score set, writes the `wanted` that stay to p->ids. */
void tare_prompt_choose(struct tare_prompt *p, const int32_t *tokens, uint32_t n, uint32_t wanted);

#endif
