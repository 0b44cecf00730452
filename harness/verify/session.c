/* SPDX-License-Identifier: Apache-2.0 */
/* A socket to the process, a pipe back, and a deadline on every answer. */
#include "verify/session.h"

#include "base/clock.h"
#include "core/interrupt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { poll_ms = 100, ask_ended_ms = 2 };

/* The process is over: why, in words. Returns 1. */
static int die(struct tare_verify_session *s, const char *doing, bool late)
{
    if (late) {
        tare_process_kill(&s->process);
    }
    int status = tare_process_wait(&s->process);
    s->deaths++;
    if (late) {
        (void)snprintf(s->died, sizeof s->died, "timeout: %s had not ended after %.3g s", doing,
                       (double)s->time_limit_ns / 1e9);
    } else if (WIFSIGNALED(status)) {
        const char *name = sigabbrev_np(WTERMSIG(status));
        (void)snprintf(s->died, sizeof s->died, "crash: SIG%s in %s", name ? name : "?", doing);
    } else {
        (void)snprintf(s->died, sizeof s->died, "crash: left with exit status %d in %s",
                       WIFEXITED(status) ? WEXITSTATUS(status) : -1, doing);
    }
    tare_process_fini(&s->process);
    close(s->fd);
    s->running = false;
    return 1;
}

/* Ends it without a word about it: an error of ours, or the end of all. */
static void drop(struct tare_verify_session *s)
{
    if (s->running) {
        tare_process_fini(&s->process);
        close(s->fd);
        s->running = false;
    }
}

static int interrupted(struct tare_verify_session *s, struct tare_err *err)
{
    drop(s);
    return tare_err_set(err, TARE_E_INTERRUPTED, "stopped by a signal");
}

/* Reads n bytes. 1: it died or is late; then the session is over. */
static int read_bytes(struct tare_verify_session *s, char *to, size_t n, const char *doing,
                      int64_t deadline_ns, struct tare_err *err)
{
    struct pollfd p = {.fd = s->process.out_fd, .events = POLLIN};
    while (n > 0) {
        bool ended = tare_process_ended(&s->process);
        int ready = poll(&p, 1, ended ? 0 : poll_ms);
        ssize_t got = ready > 0 ? read(p.fd, to, n) : 0;
        if (tare_interrupted()) {
            return interrupted(s, err);
        }
        if (got > 0) {
            to += got;
            n -= (size_t)got;
        } else if ((ready > 0 && (got == 0 || errno != EINTR)) || (ready == 0 && ended)) {
            return die(s, doing, false);
        } else if (tare_clock_ns() > deadline_ns) {
            return die(s, doing, true);
        }
    }
    return 0;
}

/* One frame of the wanted type; free *out. */
static int read_frame(struct tare_verify_session *s, enum tare_wire_type type, const char *doing, char **out,
                      size_t *out_n, struct tare_err *err)
{
    struct tare_wire_head head = {0, 0};
    int64_t deadline_ns = tare_clock_ns() + s->time_limit_ns;
    int r = read_bytes(s, (char *)&head, sizeof head, doing, deadline_ns, err);
    if (r != 0) {
        return r;
    }
    if (head.type != (uint32_t)type || head.bytes > TARE_WIRE_MOST_BYTES) {
        tare_process_kill(&s->process);
        r = die(s, doing, false);
        (void)snprintf(s->died, sizeof s->died, "crash: the process talks nonsense in %s", doing);
        return r;
    }
    char *body = malloc(head.bytes + (size_t)1);
    if (!body) {
        drop(s);
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    r = read_bytes(s, body, head.bytes, doing, deadline_ns, err);
    if (r != 0) {
        free(body);
        return r;
    }
    body[head.bytes] = '\0';
    *out = body;
    *out_n = head.bytes;
    return 0;
}

static int connect_process(struct tare_verify_session *s, struct tare_err *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "verify: socket: %s", strerror(errno));
    }
    int theirs = fcntl(pair[1], F_DUPFD_CLOEXEC, 10);
    close(pair[1]);
    const char *const argv[] = {s->exe, "worker", "--verify", NULL};
    int r = theirs < 0
                ? tare_err_set(err, TARE_E_ENVIRONMENT, "verify: socket: %s", strerror(errno))
                : tare_process_start(&s->process, s->exe, argv, s->spec, TARE_PROCESS_FD3, theirs, NULL, err);
    if (theirs >= 0) {
        close(theirs);
    }
    if (r < 0) {
        close(pair[0]);
        return r;
    }
    s->fd = pair[0];
    s->running = true;
    return 0;
}

/* What the worker says of the loaded model. */
static int take_hello(struct tare_verify_session *s, char *body, size_t n)
{
    if (n < sizeof s->hello) {
        tare_process_kill(&s->process);
        return die(s, "load", false);
    }
    memcpy(&s->hello, body, sizeof s->hello);
    s->hello.message[sizeof s->hello.message - 1] = '\0';
    if (s->hello.code < 0) {
        (void)snprintf(s->died, sizeof s->died, "load: %.*s", TARE_WIRE_MESSAGE - 8, s->hello.message);
        s->deaths++;
        drop(s);
        return 1;
    }
    free(s->facts);
    s->facts = strdup(body + sizeof s->hello);
    return 0;
}

int tare_verify_session_start(struct tare_verify_session *s, struct tare_err *err)
{
    char *body = NULL;
    size_t n = 0;
    if (s->running) {
        return 0;
    }
    int r = connect_process(s, err);
    r = r < 0 ? r : read_frame(s, TARE_WIRE_HELLO, "load", &body, &n, err);
    r = r == 0 ? take_hello(s, body, n) : r;
    free(body);
    return r == 0 && !s->facts ? tare_err_set(err, TARE_E_NOMEM, "out of memory") : r;
}

int tare_verify_session_stop(struct tare_verify_session *s, struct tare_err *err)
{
    int64_t deadline_ns = tare_clock_ns() + s->time_limit_ns;
    if (!s->running) {
        return 0;
    }
    (void)shutdown(s->fd, SHUT_RDWR);
    while (!tare_process_ended(&s->process)) {
        if (tare_interrupted()) {
            return interrupted(s, err);
        }
        if (tare_clock_ns() > deadline_ns) {
            return die(s, "unload", true);
        }
        (void)poll(NULL, 0, ask_ended_ms);
    }
    siginfo_t info;
    memset(&info, 0, sizeof info);
    bool clean = waitid(P_PID, (id_t)s->process.pid, &info, WEXITED | WNOWAIT) == 0 &&
                 info.si_code == CLD_EXITED && info.si_status == 0;
    if (!clean) {
        return die(s, "unload", false);
    }
    drop(s);
    return 0;
}

void tare_verify_session_fini(struct tare_verify_session *s)
{
    drop(s);
    free(s->facts);
    free(s->spec);
    memset(s, 0, sizeof *s);
}

/* The worker reads whenever it is not answering, so this waits for nothing but the socket. */
static int send_frame(struct tare_verify_session *s, const struct tare_buf *buf, const char *doing,
                      struct tare_err *err)
{
    int r = tare_buf_check(buf, "request", err);
    for (size_t sent = 0; r == 0 && sent < buf->used;) {
        ssize_t n = send(s->fd, buf->data + sent, buf->used - sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR) {
            return die(s, doing, false);
        }
        sent += n > 0 ? (size_t)n : 0;
    }
    return r;
}

static void note_printed(struct tare_verify_session *s, const struct tare_wire_printed *printed)
{
    if (s->printed_bytes == 0 && printed->bytes > 0) {
        memcpy(s->printed_first, printed->first, sizeof s->printed_first);
    }
    s->printed_bytes += printed->bytes > 0 ? printed->bytes : 0;
}

/* A frame that does not hold what it should is the backend's doing: it shares the process. */
static int blame(struct tare_verify_session *s, int r, const char *doing, struct tare_err *err)
{
    if (r == TARE_E_FORMAT) {
        tare_process_kill(&s->process);
        r = die(s, doing, false);
        (void)snprintf(s->died, sizeof s->died, "crash: %.200s", err->msg);
    }
    return r;
}

static const char *doing_what(const struct tare_wire_ask *ask)
{
    return ask->kind == TARE_REQUEST_SCORE      ? "a score request"
           : ask->kind == TARE_REQUEST_GENERATE ? "a generate request"
                                                : "a logits request";
}

int tare_verify_session_ask(struct tare_verify_session *s, const struct tare_wire_ask *asks, uint32_t n,
                            struct tare_arena *arena, struct tare_wire_answer *answers, struct tare_err *err)
{
    struct tare_buf buf;
    struct tare_wire_printed printed;
    const char *doing = doing_what(&asks[0]);
    char *body = NULL;
    size_t n_body = 0;
    int r = tare_verify_session_start(s, err);
    tare_buf_init(&buf, TARE_WIRE_MOST_BYTES);
    tare_wire_put_asks(&buf, asks, n);
    r = r == 0 ? send_frame(s, &buf, doing, err) : r;
    tare_buf_fini(&buf);
    r = r == 0 ? read_frame(s, TARE_WIRE_ANSWERS, doing, &body, &n_body, err) : r;
    if (r == 0) {
        r = blame(s, tare_wire_get_answers(body, n_body, arena, &printed, answers, n, err), doing, err);
    }
    if (r == 0) {
        note_printed(s, &printed);
    }
    free(body);
    return r;
}

int tare_verify_session_tokenize(struct tare_verify_session *s, const char *text, size_t n,
                                 struct tare_arena *arena, struct tare_wire_tokens *out, struct tare_err *err)
{
    struct tare_buf buf;
    struct tare_wire_printed printed;
    char *body = NULL;
    size_t n_body = 0;
    int r = tare_verify_session_start(s, err);
    tare_buf_init(&buf, TARE_WIRE_MOST_BYTES);
    tare_wire_put(&buf, TARE_WIRE_TOKENIZE, text, n, NULL, 0);
    r = r == 0 ? send_frame(s, &buf, "tokenize", err) : r;
    tare_buf_fini(&buf);
    r = r == 0 ? read_frame(s, TARE_WIRE_TOKENS, "tokenize", &body, &n_body, err) : r;
    if (r == 0) {
        r = blame(s, tare_wire_get_tokens(body, n_body, arena, &printed, out, err), "tokenize", err);
    }
    if (r == 0) {
        note_printed(s, &printed);
    }
    free(body);
    return r;
}

/* Is the process of that number in the group? */
static bool is_in_group(const char *number, pid_t group)
{
    char path[64];
    struct tare_buf buf;
    int parent = 0, found = 0;
    tare_buf_init(&buf, 4096);
    (void)snprintf(path, sizeof path, "/proc/%.20s/stat", number);
    bool read = tare_buf_read_file(&buf, path, NULL) == 0;
    const char *end = read ? strrchr(tare_buf_str(&buf), ')') : NULL; /* behind the name, which may be odd */
    bool ok = end && sscanf(end, ") %*c %d %d", &parent, &found) == 2 && found == group;
    tare_buf_fini(&buf);
    return ok;
}

static int64_t anonymous_bytes(const char *number)
{
    char path[64];
    struct tare_buf buf;
    tare_buf_init(&buf, 1 << 16);
    (void)snprintf(path, sizeof path, "/proc/%.20s/status", number);
    bool read = tare_buf_read_file(&buf, path, NULL) == 0;
    const char *at = read ? strstr(tare_buf_str(&buf), "\nRssAnon:") : NULL;
    int64_t kib = at ? strtoll(at + 9, NULL, 10) : -1;
    tare_buf_fini(&buf);
    return kib < 0 ? -1 : kib * 1024;
}

int64_t tare_verify_session_memory(const struct tare_verify_session *s)
{
    DIR *proc = s->running ? opendir("/proc") : NULL;
    int64_t sum = -1;
    const struct dirent *e;
    while (proc && (e = readdir(proc)) != NULL) {
        if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && is_in_group(e->d_name, s->process.pid)) {
            int64_t bytes = anonymous_bytes(e->d_name);
            sum = bytes < 0 ? sum : (sum < 0 ? 0 : sum) + bytes;
        }
    }
    if (proc) {
        (void)closedir(proc);
    }
    return sum;
}
