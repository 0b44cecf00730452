/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our end of one worker process that is asked over a socket and answers on a pipe. Whatever the backend in it
 * does to that process (it dies, hangs, talks nonsense) ends the child and stands in `died`, and the call
 * returns 1; negative returns are errors of ours. The next start makes a fresh process. It knows no message:
 * what is said is its callers' (verify/wire.h, fidelity/frames.h). One thread.
 */
#ifndef TARE_CORE_CHILD_H
#define TARE_CORE_CHILD_H

#include "core/process.h"

enum { TARE_CHILD_MESSAGE = 256 };

struct tare_child {
    const char *exe;
    const char *how;       /* the option of `tare worker`: "--verify" */
    int64_t time_limit_ns; /* of loading and of every answer */
    /* Of the process that runs, if one does. */
    bool running;
    struct tare_process process;
    int fd; /* to it */
    /* What went on so far, in all processes. */
    char died[TARE_CHILD_MESSAGE]; /* how the latest ended that should not have: "crash: SIGSEGV ..."; "" */
    uint32_t deaths;
};

/* Starts a process that gets the spec on standard input, unless one runs. */
TARE_MUST_CHECK int tare_child_start(struct tare_child *c, const char *spec, struct tare_err *err);
/* Writes all of it. `doing` stands in `died` and is to tell what was being done: "load". The child must be
 * one that reads whenever it is not answering. */
TARE_MUST_CHECK int tare_child_send(struct tare_child *c, const void *data, size_t n, const char *doing,
                                    struct tare_err *err);
/* Reads n bytes, which must be there by deadline_ns of the monotonic clock. */
TARE_MUST_CHECK int tare_child_read(struct tare_child *c, void *to, size_t n, const char *doing,
                                    int64_t deadline_ns, struct tare_err *err);
/* It has said what it must not: ends it, for that reason. Returns 1. */
TARE_PRINTF(2, 3) int tare_child_condemn(struct tare_child *c, const char *why, ...);
/* Lets it end by itself; 1: it did not end well. */
TARE_MUST_CHECK int tare_child_stop(struct tare_child *c, struct tare_err *err);
/* Ends it however it is, without a word. */
void tare_child_drop(struct tare_child *c);

#endif
