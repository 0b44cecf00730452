/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON bodies of requests, written straight into bytes: the same input gives the same body. */
#ifndef OPENAI_BODY_H
#define OPENAI_BODY_H

#include "options.h"
#include "text.h"

#include <tare/backend.h>

/* How the server is kept from answering out of its prompt cache. */
enum cache_way {
    CACHE_LEFT,     /* not at all: the option says so */
    CACHE_PREFIX,   /* by a prefix that no other request has */
    CACHE_FLAG_OFF, /* "cache_prompt": false (llama-server) */
    CACHE_SALT      /* "cache_salt": a text that no other request has (vLLM) */
};

struct body_args {
    const struct openai_options *options;
    const char *model;
    enum cache_way cache;
    const char *nonce; /* unique to the request */
};

/* GENERATE. Fails with TARE_E_FORMAT if the text is not UTF-8. */
TARE_MUST_CHECK int body_generate(struct text *to, const struct body_args *args, const struct tare_request *q,
                                  struct tare_err *err);
/* SCORE of text[0 .. n): the prompt's own log-probabilities, by "echo" or by "prompt_logprobs". */
TARE_MUST_CHECK int body_score(struct text *to, const struct body_args *args, const char *prompt, size_t n,
                               bool echo, int max_tokens, struct tare_err *err);

#endif
