/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the referee and the process that holds the backend say to each other: frames of a type, a length and
 * a body. Both ends are the same executable, so numbers travel as they lie in memory. The referee's end
 * trusts no length: what lives beside a faulty backend may say anything. Not timed, and not the results
 * stream of a cell (core/stream.h).
 */
#ifndef TARE_VERIFY_WIRE_H
#define TARE_VERIFY_WIRE_H

#include "base/buf.h"
#include "core/arena.h"

#include <stdbool.h>
#include <tare/backend.h>
#include <tare/task.h>

enum tare_wire_type {
    TARE_WIRE_HELLO = 1, /* of the worker, when the model is loaded: struct tare_wire_hello, then JSON */
    TARE_WIRE_TOKENIZE,  /* bytes of a text */
    TARE_WIRE_ASK,       /* requests that are in flight together, as far as the backend can */
    TARE_WIRE_TOKENS,    /* answer to TOKENIZE */
    TARE_WIRE_ANSWERS    /* answer to ASK */
};

enum { TARE_WIRE_MOST_BYTES = 256 << 20, TARE_WIRE_MOST_STOPS = 8, TARE_WIRE_MESSAGE = 256 };

struct tare_wire_head {
    uint32_t type;
    uint32_t bytes; /* of the body */
};

/* What the loaded backend is. code: 0, or why it could not be loaded, with the message. */
struct tare_wire_hello {
    int32_t code;
    uint32_t caps;
    uint32_t can_cancel;
    uint32_t reserved;
    int64_t n_ctx, n_vocab, bos; /* TARE_UNKNOWN */
    char message[2 * TARE_WIRE_MESSAGE];
};

/* One request. The harness's own matching of stop strings happens in the worker's sink. */
struct tare_wire_ask {
    uint32_t kind; /* enum tare_request_kind */
    uint32_t n_tokens, first, shared_prefix;
    uint32_t max_output;
    uint32_t stop_after; /* the sink says stop behind so many tokens; 0: not before the end */
    uint32_t give_up;    /* cancel it as soon as it is submitted */
    uint32_t n_stops;
    float temperature;
    uint32_t reserved;
    uint64_t seed;
    const int32_t *tokens;
    struct tare_bytes stops[TARE_WIRE_MOST_STOPS];
};

/* What came of it. All arrays are in the arena that the answer was read into. */
struct tare_wire_answer {
    int32_t code;      /* 0, or what the backend returned, or TARE_E_BACKEND with `broke` */
    uint32_t broke;    /* the backend broke the contract: the message says how */
    uint32_t by_rows;  /* it gave logits, so that the log-softmax is the harness's */
    uint32_t stopped;  /* a stop string matched, or the sink said stop */
    uint32_t n;        /* positions that were answered, from `first` on (LOGITS: rows from first - 1 on) */
    uint32_t n_tokens; /* generated */
    uint32_t n_bytes;  /* of the generated text */
    uint32_t cut;      /* where the text ends: at a stop string or at n_bytes */
    char message[TARE_WIRE_MESSAGE];
    const double *logprob; /* n; of the token that stands there; NaN for the last row of LOGITS */
    const int32_t *argmax; /* n; lowest id of the largest logit; -1 without rows */
    const uint8_t *greedy; /* n */
    const int32_t *tokens; /* n_tokens */
    const uint32_t *ends;  /* n_tokens; where the bytes of each end */
    const char *text;      /* n_bytes */
};

/* Answers begin with how many bytes the backend has written to standard output since the last ones, and the
 * first of them. */
struct tare_wire_printed {
    int64_t bytes;
    char first[64]; /* NUL-terminated, what is not printable as '.' */
};

struct tare_wire_tokens {
    int32_t code;
    uint32_t n;
    char message[TARE_WIRE_MESSAGE];
    const int32_t *ids;
    const uint32_t *ends;
};

/* Appends a frame. */
void tare_wire_put(struct tare_buf *to, enum tare_wire_type type, const void *a, size_t n_a, const void *b,
                   size_t n_b);
void tare_wire_put_asks(struct tare_buf *to, const struct tare_wire_ask *asks, uint32_t n);
void tare_wire_put_answers(struct tare_buf *to, const struct tare_wire_printed *printed,
                           const struct tare_wire_answer *answers, uint32_t n);
void tare_wire_put_tokens(struct tare_buf *to, const struct tare_wire_printed *printed,
                          const struct tare_wire_tokens *tokens);

/* Read a frame's body; TARE_E_FORMAT if it does not hold what its type says. What is returned lies in the
 * arena. `n` is how many answers there must be. */
TARE_MUST_CHECK int tare_wire_get_asks(const char *body, size_t n_body, struct tare_arena *arena,
                                       struct tare_wire_ask **out, uint32_t *out_n, struct tare_err *err);
TARE_MUST_CHECK int tare_wire_get_answers(const char *body, size_t n_body, struct tare_arena *arena,
                                          struct tare_wire_printed *printed, struct tare_wire_answer *out,
                                          uint32_t n, struct tare_err *err);
TARE_MUST_CHECK int tare_wire_get_tokens(const char *body, size_t n_body, struct tare_arena *arena,
                                         struct tare_wire_printed *printed, struct tare_wire_tokens *out,
                                         struct tare_err *err);

#endif
