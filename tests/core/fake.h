/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend and a task with known answers, for tests of what lies between the two. The backend's tokens
 * are pieces of equal size; its answers are a function of the test. The task hands out copies that it
 * frees at its next call, as its contract allows.
 */
#ifndef TESTS_CORE_FAKE_H
#define TESTS_CORE_FAKE_H

#include <tare/backend.h>
#include <tare/task.h>

/* What the tokenizer does wrong. */
enum fake_lie {
    FAKE_HONEST = 0,
    FAKE_TWO_EMPTY,      /* no lie: two tokens without bytes before each piece, more tokens than bytes */
    FAKE_ENDS_BACKWARDS, /* the second token ends before the first */
    FAKE_ENDS_SHORT,     /* the last byte belongs to no token */
    FAKE_ENDS_BEYOND,    /* the last token ends behind the text */
    FAKE_NO_TOKENS,      /* of a text with bytes */
    FAKE_ALWAYS_MORE,    /* needs one more token than there is room for, however much there is */
    FAKE_HUGE_COUNT,     /* a number whose bytes overflow */
    FAKE_FAILS           /* with a message of its own */
};

struct fake {
    uint32_t token_bytes; /* of a piece; the id of a token is its first byte */
    enum fake_lie lie;
    int tokenize_calls;
    int (*submit)(struct fake *self, const struct tare_request *q, struct tare_sink *sink,
                  struct tare_err *err);
    int submit_calls;
    int (*account)(const struct tare_work *work, struct tare_cost *out);
};

extern const struct tare_backend fake_backend;

struct fake_task {
    const struct tare_item *items;
    size_t n;
    size_t fails_at; /* item that cannot be made, plus 1; 0: none */
    void *lent[64];  /* copies of the item handed out last */
    size_t n_lent;
};

extern const struct tare_task fake_task;

/* Frees what the task has lent. */
void fake_task_forget(struct fake_task *task);
/* Facts of a model with this context and first token (TARE_UNKNOWN for none) and 300 ids. */
struct tare_model_facts fake_facts(int64_t n_ctx, int64_t bos);

#endif
