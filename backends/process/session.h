/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A conversation with one program: one request at a time, each answered by any number of events and one end.
 *
 * Whatever goes wrong ends the program and is remembered: each later request fails with the same words.
 */
#ifndef TARE_PROCESS_SESSION_H
#define TARE_PROCESS_SESSION_H

#include "messages.h"
#include "spawn.h"
#include "wire.h"

struct tare_session {
    struct tare_wire wire;
    struct tare_child child;
    bool open;
    char dead[320]; /* why it is over; "" while it lives */
    int dead_code;
    int64_t seq; /* of the latest request */
    const char *doing;
    int64_t timeout_ns; /* of the request in flight: between any two of its messages */
};

TARE_MUST_CHECK int tare_session_open(struct tare_session *s, char *const *argv, const char *folder,
                                      const char *log, struct tare_err *err);
/* Says good-bye, waits up to timeout_ns and kills what is left. */
void tare_session_close(struct tare_session *s, int64_t timeout_ns);

/* Gives the next request its number. */
int64_t tare_session_begin(struct tare_session *s, const char *doing, int64_t timeout_ns);
TARE_MUST_CHECK int tare_session_send(struct tare_session *s, const char *line, size_t n, const void *blob,
                                      size_t n_blob, struct tare_err *err);
/* The next message of the request in flight, its blob in s->wire.blob. The caller frees it. */
TARE_MUST_CHECK int tare_session_next(struct tare_session *s, struct tare_reply *out, struct tare_err *err);
/* The end of a request without events: an error of the program is one here. */
TARE_MUST_CHECK int tare_session_end(struct tare_session *s, struct tare_reply *out, struct tare_err *err);
/* The program broke the protocol: it is ended. */
int tare_session_breach(struct tare_session *s, const char *what, struct tare_err *err);

#endif
