/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `tare fidelity` and a process that holds one of its two models say to each other: frames of a type, a
 * length and a body. Both ends are the same executable, so numbers travel as they lie in memory. The asking
 * end trusts no length: what lives beside a faulty backend may say anything. Rows of logits follow each other
 * one frame a position, so that a pipe's buffer is all that is ever ahead. Not timed, and neither the
 * referee's protocol (verify/wire.h) nor the results stream of a cell (core/stream.h).
 *
 *   asked            answered by
 *   (load)           HELLO, then the model's facts as JSON
 *   PREPARE          PREPARED
 *   ASK              HEAD, then ROW for every graded position or TOKENS for an item that is generated, then
 * END FEED             ROW for every position, then END
 */
#ifndef TARE_FIDELITY_FRAMES_H
#define TARE_FIDELITY_FRAMES_H

#include <stdint.h>

enum tare_lockstep_frame {
    TARE_LOCKSTEP_HELLO = 1,
    TARE_LOCKSTEP_PREPARE,
    TARE_LOCKSTEP_PREPARED,
    TARE_LOCKSTEP_ASK,
    TARE_LOCKSTEP_FEED,   /* struct tare_lockstep_feed, then its ids (int32_t) */
    TARE_LOCKSTEP_HEAD,   /* struct tare_lockstep_head, then the request's ids (int32_t) */
    TARE_LOCKSTEP_ROW,    /* uint32_t: the position that it stands behind; then n_vocab floats */
    TARE_LOCKSTEP_TOKENS, /* generated ids (int32_t) */
    TARE_LOCKSTEP_END
};

enum { TARE_LOCKSTEP_MESSAGE = 256, TARE_LOCKSTEP_MOST_BYTES = 64 << 20 };

struct tare_lockstep_frame_head {
    uint32_t type;
    uint32_t bytes; /* of the body */
};

/* code: 0, or why the model could not be loaded. Unknown numbers are TARE_UNKNOWN. */
struct tare_lockstep_hello {
    int32_t code;
    uint32_t caps; /* enum tare_capability */
    int64_t n_ctx, n_vocab, bos;
    char message[2 * TARE_LOCKSTEP_MESSAGE];
};

/* Make requests of all items, for a model that could take no more than n_ctx tokens. */
struct tare_lockstep_prepare {
    int64_t n_ctx;
    int64_t window_tok; /* of texts; 0: n_ctx */
};

struct tare_lockstep_prepared {
    int32_t code;
    uint32_t norm; /* enum tare_choice_norm of the task */
    int64_t items;
    char message[2 * TARE_LOCKSTEP_MESSAGE];
};

struct tare_lockstep_ask {
    uint64_t item;
    uint32_t request;
    uint32_t reserved;
};

/* The distributions behind ids[first - 1] and all that follow. */
struct tare_lockstep_feed {
    uint32_t first, n;
};

struct tare_lockstep_head {
    uint32_t kind; /* enum tare_item_kind */
    int32_t code;  /* 0, or why the item cannot be asked */
    uint32_t n_requests;
    uint32_t n_tokens, first;
    uint32_t n_rows;  /* graded positions; 0 of an item that is generated */
    uint32_t n_bytes; /* of a choice */
    uint32_t max_output;
    uint64_t gold;
};

/* code: 0, or what the backend returned, or TARE_E_BACKEND where it broke the contract. */
struct tare_lockstep_end {
    int32_t code;
    uint32_t reserved;
    char message[TARE_LOCKSTEP_MESSAGE];
};

#endif
