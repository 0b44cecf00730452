/* SPDX-License-Identifier: Apache-2.0 */
/* A socket to the process, a pipe back, and a deadline on every answer. */
#include "core/child.h"

#include "base/clock.h"
#include "core/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { poll_ms = 100, ask_ended_ms = 2 };

/* The process is over: why, in words. Returns 1. */
static int die(struct tare_child *c, const char *doing, bool late)
{
    if (late) {
        tare_process_kill(&c->process);
    }
    int status = tare_process_wait(&c->process);
    c->deaths++;
    if (late) {
        (void)snprintf(c->died, sizeof c->died, "timeout: %s had not ended after %.3g s", doing,
                       (double)c->time_limit_ns / 1e9);
    } else if (WIFSIGNALED(status)) {
        const char *name = sigabbrev_np(WTERMSIG(status));
        (void)snprintf(c->died, sizeof c->died, "crash: SIG%s in %s", name ? name : "?", doing);
    } else {
        (void)snprintf(c->died, sizeof c->died, "crash: left with exit status %d in %s",
                       WIFEXITED(status) ? WEXITSTATUS(status) : -1, doing);
    }
    tare_process_fini(&c->process);
    close(c->fd);
    c->running = false;
    return 1;
}

void tare_child_drop(struct tare_child *c)
{
    if (c->running) {
        tare_process_fini(&c->process);
        close(c->fd);
        c->running = false;
    }
}

int tare_child_condemn(struct tare_child *c, const char *why, ...)
{
    va_list args;
    tare_process_kill(&c->process);
    (void)die(c, "", false);
    va_start(args, why);
    (void)vsnprintf(c->died, sizeof c->died, why, args);
    va_end(args);
    return 1;
}

static int interrupted(struct tare_child *c, struct tare_err *err)
{
    tare_child_drop(c);
    return tare_err_set(err, TARE_E_INTERRUPTED, "stopped by a signal");
}

int tare_child_read(struct tare_child *c, void *to, size_t n, const char *doing, int64_t deadline_ns,
                    struct tare_err *err)
{
    struct pollfd p = {.fd = c->process.out_fd, .events = POLLIN};
    char *at = to;
    while (n > 0) {
        bool ended = tare_process_ended(&c->process);
        int ready = poll(&p, 1, ended ? 0 : poll_ms);
        ssize_t got = ready > 0 ? read(p.fd, at, n) : 0;
        if (tare_interrupted()) {
            return interrupted(c, err);
        }
        if (got > 0) {
            at += got;
            n -= (size_t)got;
        } else if ((ready > 0 && (got == 0 || errno != EINTR)) || (ready == 0 && ended)) {
            return die(c, doing, false);
        } else if (tare_clock_ns() > deadline_ns) {
            return die(c, doing, true);
        }
    }
    return 0;
}

int tare_child_start(struct tare_child *c, const char *spec, struct tare_err *err)
{
    int pair[2];
    if (c->running) {
        return 0;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "worker: socket: %s", strerror(errno));
    }
    int theirs = fcntl(pair[1], F_DUPFD_CLOEXEC, 10);
    close(pair[1]);
    const char *const argv[] = {c->exe, "worker", c->how, NULL};
    int r = theirs < 0
                ? tare_err_set(err, TARE_E_ENVIRONMENT, "worker: socket: %s", strerror(errno))
                : tare_process_start(&c->process, c->exe, argv, spec, TARE_PROCESS_FD3, theirs, NULL, err);
    if (theirs >= 0) {
        close(theirs);
    }
    if (r < 0) {
        close(pair[0]);
        return r;
    }
    c->fd = pair[0];
    c->running = true;
    return 0;
}

int tare_child_send(struct tare_child *c, const void *data, size_t n, const char *doing, struct tare_err *err)
{
    (void)err;
    for (size_t sent = 0; sent < n;) {
        ssize_t done = send(c->fd, (const char *)data + sent, n - sent, MSG_NOSIGNAL);
        if (done < 0 && errno != EINTR) {
            return die(c, doing, false);
        }
        sent += done > 0 ? (size_t)done : 0;
    }
    return 0;
}

int tare_child_stop(struct tare_child *c, struct tare_err *err)
{
    int64_t deadline_ns = tare_clock_ns() + c->time_limit_ns;
    if (!c->running) {
        return 0;
    }
    (void)shutdown(c->fd, SHUT_RDWR);
    while (!tare_process_ended(&c->process)) {
        if (tare_interrupted()) {
            return interrupted(c, err);
        }
        if (tare_clock_ns() > deadline_ns) {
            return die(c, "unload", true);
        }
        (void)poll(NULL, 0, ask_ended_ms);
    }
    siginfo_t info;
    memset(&info, 0, sizeof info);
    bool clean = waitid(P_PID, (id_t)c->process.pid, &info, WEXITED | WNOWAIT) == 0 &&
                 info.si_code == CLD_EXITED && info.si_status == 0;
    if (!clean) {
        return die(c, "unload", false);
    }
    tare_child_drop(c);
    return 0;
}
