/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log-probabilities of a prompt, as servers send them back: "echo" with "logprobs" (the legacy completions),
 * or "prompt_logprobs" (vLLM). Pure. What a server sends is believed only if its tokens add up to the bytes
 * that were asked about: a server that ignores the wish answers with something else, and says nothing.
 */
#ifndef OPENAI_ECHO_H
#define OPENAI_ECHO_H

#include <stdbool.h>
#include <stddef.h>
#include <tare/err.h>
#include <tare/json.h>

struct echo_token {
    size_t begin, end; /* bytes of the prompt */
    double logprob;    /* NaN: none was told (the first one) */
    bool greedy;       /* nothing that was told is likelier */
};

struct echo {
    struct echo_token *tokens;
    size_t n, cap;
    size_t n_told; /* entries in the answer, with special and generated ones */
};

/* `echoed`: by "echo", else by "prompt_logprobs". The memory of *out is used again; echo_free frees it. */
TARE_MUST_CHECK int echo_read(const struct tare_json *answer, bool echoed, const char *prompt, size_t n,
                              struct echo *out, struct tare_err *err);
void echo_free(struct echo *echo);

#endif
