/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of preparing share: one call to set up a model and a task, one to prepare. */
#ifndef TESTS_CORE_PREPARED_H
#define TESTS_CORE_PREPARED_H

#include "core/prepare.h"
#include "fake.h"

enum { bos = 256 };

#define BYTES(text)              \
    {                            \
        text, sizeof text "" - 1 \
    }

struct setup {
    struct fake fake;
    struct tare_backend ops;
    struct tare_model_facts facts;
    struct fake_task task;
    struct tare_prepare_args args;
    struct tare_prepared prepared;
    struct tare_err err;
};

/* Items for a model with n_ctx tokens of context, this first token (or TARE_UNKNOWN) and pieces of
 * token_bytes bytes. */
void set_up(struct setup *s, const struct tare_item *items, size_t n, uint32_t token_bytes, int64_t n_ctx,
            int64_t first_token);
/* Prepares; the first item, or NULL if there is none. */
const struct tare_prepared_item *prepare(struct setup *s);
void done(struct setup *s);
/* Prepares, which must fail with this code and a message that holds `says`. */
void assert_fails(struct setup *s, int code, const char *says);
/* '^' stands for the model's first token. */
void assert_tokens(const int32_t *tokens, size_t n, const char *text);

#endif
