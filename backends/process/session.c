/* SPDX-License-Identifier: Apache-2.0 */
/* What happened to a program is found out once, here, and put into one line. */
#include "session.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* How long a program that has closed its pipe may take to end, so that its exit status is known. */
#define LAST_BREATH_NS INT64_C(1000000000)

int tare_session_open(struct tare_session *s, char *const *argv, const char *folder, const char *log,
                      struct tare_err *err)
{
    memset(s, 0, sizeof *s);
    int r = tare_wire_init(&s->wire, err);
    if (r < 0) {
        return r;
    }
    if (log && *log) {
        s->wire.log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        if (s->wire.log_fd < 0) {
            tare_wire_fini(&s->wire);
            return tare_err_set(err, TARE_E_IO, "backend process: log %.200s: cannot be written", log);
        }
    }
    r = tare_child_start(&s->child, argv, folder, &s->wire, err);
    if (r < 0) {
        tare_wire_fini(&s->wire);
        return r;
    }
    s->open = true;
    return 0;
}

void tare_session_close(struct tare_session *s, int64_t timeout_ns)
{
    if (!s->open) {
        return;
    }
    char line[TARE_MESSAGE_BYTES];
    size_t n = tare_message_simple(line, "close", ++s->seq, 0);
    int64_t deadline_ns = tare_wire_now_ns() + timeout_ns;
    if (!s->dead[0] && tare_wire_send(&s->wire, line, n, deadline_ns, NULL) == 0) {
        while (!tare_child_await(&s->child, INT64_C(5000000)) && tare_wire_now_ns() < deadline_ns) {
            tare_wire_drain(&s->wire); /* or one that prints at its end would wait for us */
        }
    }
    tare_child_kill(&s->child);
    tare_wire_drain(&s->wire);
    tare_wire_fini(&s->wire);
    s->open = false;
}

/* Ends the program and says why, in the words of every later failure. */
static int over(struct tare_session *s, const char *what, int code, struct tare_err *err)
{
    char how[64], last[128];
    if (s->wire.fault == TARE_WIRE_CLOSED) {
        (void)tare_child_await(&s->child, LAST_BREATH_NS);
        tare_child_say(&s->child, how, sizeof how);
        what = s->child.ended ? how : "it closed its pipe and lived on; it was ended";
    }
    tare_wire_drain(&s->wire);
    tare_child_kill(&s->child);
    tare_wire_drain(&s->wire);
    tare_wire_last_line(&s->wire, last, sizeof last);
    (void)snprintf(s->dead, sizeof s->dead, "the program, at %s: %.120s%s%.110s%s",
                   s->doing ? s->doing : "its start", what, last[0] ? "; it last printed \"" : "", last,
                   last[0] ? "\"" : "");
    s->dead_code = code;
    return tare_err_set(err, code, "%s", s->dead);
}

int tare_session_breach(struct tare_session *s, const char *what, struct tare_err *err)
{
    char text[160];
    s->wire.fault = TARE_WIRE_NONE;
    (void)snprintf(text, sizeof text, "it broke the protocol: %.120s", what);
    return over(s, text, TARE_E_BACKEND, err);
}

/* A failure of the wire. */
static int broken(struct tare_session *s, const struct tare_err *why, struct tare_err *err)
{
    char text[96];
    if (s->wire.fault == TARE_WIRE_GARBAGE) {
        return tare_session_breach(s, why->msg, err);
    }
    if (s->wire.fault == TARE_WIRE_TIMEOUT) {
        (void)snprintf(text, sizeof text, "no answer within %.3g s; it was ended",
                       (double)s->timeout_ns / 1e9);
        return over(s, text, TARE_E_BACKEND, err);
    }
    return over(s, why->msg, why->code, err);
}

int64_t tare_session_begin(struct tare_session *s, const char *doing, int64_t timeout_ns)
{
    s->doing = doing;
    s->timeout_ns = timeout_ns;
    return ++s->seq;
}

int tare_session_send(struct tare_session *s, const char *line, size_t n, const void *blob, size_t n_blob,
                      struct tare_err *err)
{
    if (s->dead[0] || !s->open) {
        return tare_err_set(err, s->open ? s->dead_code : TARE_E_BACKEND, "%s",
                            s->open ? s->dead : "no program is running");
    }
    struct tare_err why = {0};
    int64_t deadline_ns = tare_wire_now_ns() + s->timeout_ns;
    s->wire.fault = TARE_WIRE_NONE;
    int r = tare_wire_send(&s->wire, line, n, deadline_ns, &why);
    r = r < 0 ? r : tare_wire_send(&s->wire, blob, n_blob, deadline_ns, &why);
    return r < 0 ? broken(s, &why, err) : 0;
}

int tare_session_next(struct tare_session *s, struct tare_reply *out, struct tare_err *err)
{
    const char *line = NULL;
    size_t n = 0;
    struct tare_err why = {0};
    struct tare_reply reply;
    int64_t deadline_ns = tare_wire_now_ns() + s->timeout_ns;
    s->wire.fault = TARE_WIRE_NONE;
    if (tare_wire_line(&s->wire, &line, &n, deadline_ns, &why) < 0) {
        return broken(s, &why, err);
    }
    if (tare_reply_parse(line, n, &reply, &why) < 0) {
        return tare_session_breach(s, why.msg, err);
    }
    if (reply.seq != s->seq) {
        tare_reply_fini(&reply);
        return tare_session_breach(s, "an answer to another request than the one in flight", err);
    }
    if (tare_wire_blob(&s->wire, reply.n_blob, deadline_ns, &why) < 0) {
        tare_reply_fini(&reply);
        return broken(s, &why, err);
    }
    *out = reply;
    return 0;
}

int tare_session_end(struct tare_session *s, struct tare_reply *out, struct tare_err *err)
{
    int r = tare_session_next(s, out, err);
    if (r < 0) {
        return r;
    }
    if (out->kind == TARE_REPLY_ERROR) {
        r = tare_err_set(err, out->code, "the program, at %s: %.300s", s->doing, out->text);
    } else if (out->kind != TARE_REPLY_OK) {
        r = tare_session_breach(s, "an event where an end was due", err);
    } else if (strcmp(out->text, s->doing) != 0) {
        r = tare_session_breach(s, "the end of another operation", err);
    }
    if (r < 0) {
        tare_reply_fini(out);
    }
    return r;
}
