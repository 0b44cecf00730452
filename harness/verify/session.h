/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The referee's end of one process that holds the backend. Whatever the backend does to that process (it
 * dies, hangs, talks nonsense) ends the session and stands in `child.died`; errors are our own. The next call
 * starts a fresh process.
 */
#ifndef TARE_VERIFY_SESSION_H
#define TARE_VERIFY_SESSION_H

#include "core/child.h"
#include "verify/wire.h"

struct tare_verify_session {
    struct tare_child child; /* of the process that runs, if one does; how many died, and how */
    char *spec;              /* JSON, owned */
    /* Of the process that runs, or ran last. */
    struct tare_wire_hello hello;
    char *facts; /* JSON: the model and all options; of the last process that loaded it */
    /* What all processes wrote to standard output. */
    int64_t printed_bytes;
    char printed_first[64];
};

/* Loads the model in a fresh process unless one runs. 1: the backend could not (see `child.died`). */
TARE_MUST_CHECK int tare_verify_session_start(struct tare_verify_session *s, struct tare_err *err);
/* Lets it end by itself; 1: it did not end well. */
TARE_MUST_CHECK int tare_verify_session_stop(struct tare_verify_session *s, struct tare_err *err);
/* Ends it however it is, and frees what it holds. */
void tare_verify_session_fini(struct tare_verify_session *s);

/* Both start a process if none runs; 1: it is over. */
TARE_MUST_CHECK int tare_verify_session_ask(struct tare_verify_session *s, const struct tare_wire_ask *asks,
                                            uint32_t n, struct tare_arena *arena,
                                            struct tare_wire_answer *answers, struct tare_err *err);
TARE_MUST_CHECK int tare_verify_session_tokenize(struct tare_verify_session *s, const char *text, size_t n,
                                                 struct tare_arena *arena, struct tare_wire_tokens *out,
                                                 struct tare_err *err);
/* Anonymous memory of the process and of those that it started, in bytes; -1 if it cannot be read. */
int64_t tare_verify_session_memory(const struct tare_verify_session *s);

#endif
