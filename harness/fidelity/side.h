/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our end of one of the two processes: the teacher's or the student's. Holds one row of logits, the ids of
 * the request in flight and nothing else that grows with the vocabulary.
 *
 * Calls that read return 0, or 1 when the process is over (see `child.died`): the next open starts a fresh
 * one, which loads and prepares again. Negative returns are errors of ours. One thread.
 */
#ifndef TARE_FIDELITY_SIDE_H
#define TARE_FIDELITY_SIDE_H

#include "core/child.h"
#include "fidelity/frames.h"

struct tare_side {
    struct tare_child child;
    const char *who;  /* "teacher", "student" */
    const char *spec; /* JSON, borrowed */
    /* Of the process that loaded last. */
    struct tare_lockstep_hello hello;
    char *facts; /* JSON, owned */
    bool prepared;
    struct tare_lockstep_prepared told;
    int64_t peak_rss_bytes; /* largest seen of any of its processes; -1: unknown */
    /* Of the request in flight. */
    bool pending; /* its end has not been read */
    struct tare_lockstep_head head;
    int32_t *ids; /* head.n_tokens, or n_ids generated */
    size_t n_ids, cap_ids;
    float *row; /* n_vocab */
    uint32_t position;
    struct tare_lockstep_end end;
};

/* Loads the model in a fresh process unless one runs. TARE_E_... of the backend where it says why it cannot.
 */
TARE_MUST_CHECK int tare_side_open(struct tare_side *s, struct tare_err *err);
/* Has it make its requests, unless it has. An error says whose it is. */
TARE_MUST_CHECK int tare_side_prepare(struct tare_side *s, const struct tare_lockstep_prepare *wanted,
                                      struct tare_err *err);
/* Asks, and does not wait. */
TARE_MUST_CHECK int tare_side_ask(struct tare_side *s, size_t item, uint32_t request, struct tare_err *err);
TARE_MUST_CHECK int tare_side_feed(struct tare_side *s, const int32_t *ids, uint32_t n, uint32_t first,
                                   struct tare_err *err);
/* The answer's begin: `head` and `ids`. */
TARE_MUST_CHECK int tare_side_head(struct tare_side *s, struct tare_err *err);
/* The next row, with its position; 2: there is none any more, and `end` says how it ended. */
TARE_MUST_CHECK int tare_side_row(struct tare_side *s, struct tare_err *err);
/* The generated ids, and the end. */
TARE_MUST_CHECK int tare_side_tokens(struct tare_side *s, struct tare_err *err);
/* Reads what is left of an answer that is still coming in, and drops it. */
TARE_MUST_CHECK int tare_side_skip(struct tare_side *s, struct tare_err *err);
/* Looks how much memory the process has had at most. */
void tare_side_look(struct tare_side *s);
void tare_side_fini(struct tare_side *s);

#endif
