/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From items to requests, before anything is timed: tokenizing, the beginning-of-sequence token, the
 * cut between context and continuation, windows of long texts, graded tokens. Written once, so that
 * all backends are asked alike.
 *
 * Policy. The model's beginning-of-sequence token, if it has one, is put before every input. A text
 * is cut into windows of `window_tok` tokens (the model's context by default); each window starts
 * afresh, and every token of every document is predicted exactly once. Context and choice are
 * tokenized apart and joined. A graded token is one whose bytes overlap a graded span; nothing after
 * the last one is fed. An item that does not fit the context is not cut: it is recorded as failed. A task may
 * ask for the rules of lm-evaluation-harness instead (TARE_CONVENTION_LM_EVAL in tare/task.h).
 *
 * A backend that understands text only gets the item's bytes: what it puts before them, and where it cuts
 * them into tokens, is its own. Tasks that need either to be known are skipped.
 */
#ifndef TARE_CORE_PREPARE_H
#define TARE_CORE_PREPARE_H

#include "core/arena.h"

#include <tare/backend.h>
#include <tare/task.h>

struct tare_prepared_request {
    const int32_t *tokens;
    const uint8_t *graded; /* one flag a token; NULL: all from `first` on */
    uint32_t n_tokens;
    uint32_t first;
    uint32_t n_expected; /* scored positions that must come back */
    uint32_t shared_prefix;
    uint32_t max_output;
    uint32_t n_bytes; /* of a choice's continuation */
    const char *text; /* of a backend that understands text only: there are no tokens then; else NULL */
    uint32_t text_bytes;
    uint32_t text_first;
};

struct tare_prepared_item {
    const struct tare_prepared_request *requests;
    uint32_t n_requests;
    enum tare_item_kind kind;
    int32_t code; /* 0, or why it cannot be asked */
    int32_t level;
    uint32_t n_picked; /* CHOICE: requests that may be picked; 0: all */
    int64_t den;       /* TEXT: bytes; SPANS: graded tokens; CHOICE: 1 */
    size_t gold;
    const struct tare_bytes *stops;
    size_t n_stops;
    struct tare_bytes reference;
};

struct tare_prepared {
    struct tare_arena arena;
    const struct tare_prepared_item **items; /* count of them; NULL before first_item */
    size_t count;
    uint32_t max_output;   /* largest of any request */
    uint32_t max_requests; /* largest of any item */
};

struct tare_prepare_args {
    const struct tare_backend *ops;
    void *backend;
    const struct tare_model_facts *facts;
    const struct tare_task *task;
    void *task_self;
    int64_t window_tok;
    size_t first_item;
    const char
        *lacks_why; /* why the backend lacks a capability that it can have; NULL or "" if it does not */
};

TARE_MUST_CHECK int tare_prepare(const struct tare_prepare_args *args, struct tare_prepared *out,
                                 struct tare_err *err);
void tare_prepared_fini(struct tare_prepared *prepared);

#endif
