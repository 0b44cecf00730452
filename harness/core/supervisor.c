/* SPDX-License-Identifier: Apache-2.0 */
/* The poll loop around a worker process, and the words for every way it can end. */
#include "core/supervisor.h"

#include "base/clock.h"
#include "core/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { tick_ms = 200 };

static volatile sig_atomic_t stop_requested;

static void on_signal(int number)
{
    (void)number;
    stop_requested = 1;
}

void tare_supervise_catch_signals(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL);
}

/* One worker in flight; wraps the caller's ops to see phases and the end. */
struct flight {
    const struct tare_supervise_args *args;
    struct tare_process process;
    struct tare_inbox inbox;
    int32_t phase;
    bool ended;
    struct tare_end_frame end;
    int64_t deadline_ns; /* 0: none */
    bool timed_out;
    int64_t oom_kills;
};

static int see_items(void *ctx, int64_t n, struct tare_err *err)
{
    struct flight *f = ctx;
    return f->args->ops->items(f->args->ctx, n, err);
}

static int see_facts(void *ctx, const char *json, struct tare_err *err)
{
    struct flight *f = ctx;
    return f->args->ops->facts(f->args->ctx, json, err);
}

static int see_phase(void *ctx, const struct tare_phase_frame *phase, struct tare_err *err)
{
    struct flight *f = ctx;
    f->phase = phase->phase;
    return f->args->ops->phase(f->args->ctx, phase, err);
}

static int see_reading(void *ctx, const struct tare_reading_record *reading, struct tare_err *err)
{
    struct flight *f = ctx;
    return f->args->ops->reading(f->args->ctx, reading, err);
}

static int see_sample(void *ctx, const struct tare_sample *sample, struct tare_err *err)
{
    struct flight *f = ctx;
    return f->args->ops->sample(f->args->ctx, sample, err);
}

static int see_end(void *ctx, const struct tare_end_frame *end, struct tare_err *err)
{
    struct flight *f = ctx;
    (void)err;
    f->ended = true;
    f->end = *end;
    return 0;
}

static const struct tare_inbox_ops flight_ops = {see_items,   see_facts,  see_phase,
                                                 see_reading, see_sample, see_end};

/* Milliseconds until the next thing to do. */
static int next_wait_ms(const struct flight *f)
{
    if (f->deadline_ns == 0) {
        return tick_ms;
    }
    int64_t left_ms = (f->deadline_ns - tare_clock_ns()) / 1000000 + 1;
    return left_ms < 0 ? 0 : left_ms < tick_ms ? (int)left_ms : tick_ms;
}

/* Reads until the stream ends: 0, or an error of ours. The worker may be killed on the way. */
static int pump(struct flight *f, struct tare_err *err)
{
    int64_t next_tick_ns = tare_clock_ns() + tick_ms * INT64_C(1000000);
    for (;;) {
        struct pollfd p = {.fd = f->process.out_fd, .events = POLLIN};
        int n = poll(&p, 1, next_wait_ms(f));
        int r = n > 0 ? tare_inbox_read(&f->inbox, f->process.out_fd, &flight_ops, f, err) : 1;
        if (r < 0 || (r == 0 && (f->ended || !stop_requested))) {
            return r; /* an end without a last word, after a signal, is the terminal's doing */
        }
        int64_t now_ns = tare_clock_ns();
        if (now_ns >= next_tick_ns) {
            next_tick_ns = now_ns + tick_ms * INT64_C(1000000);
            r = f->args->tick ? f->args->tick(f->args->ctx, err) : 0;
        }
        if (r < 0) {
            return r;
        }
        if (stop_requested) {
            return tare_err_set(err, TARE_E_INTERRUPTED, "stopped by a signal");
        }
        if (f->deadline_ns && now_ns >= f->deadline_ns && !f->timed_out) {
            f->timed_out = true;
            tare_process_kill(&f->process);
        }
    }
}

static void say(struct tare_supervised *out, enum tare_outcome outcome, const char *fmt, ...)
    TARE_PRINTF(3, 4);

static void say(struct tare_supervised *out, enum tare_outcome outcome, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    out->outcome = outcome;
    (void)vsnprintf(out->message, sizeof out->message, fmt, args);
    va_end(args);
}

static void say_end(const struct flight *f, struct tare_supervised *out)
{
    switch (f->end.code) {
    case 0:
        say(out, TARE_OUTCOME_OK, "%s", "");
        break;
    case TARE_E_UNSUPPORTED:
        say(out, TARE_OUTCOME_SKIP, "skip: %s", f->end.message);
        break;
    case TARE_E_NOMEM:
        say(out, TARE_OUTCOME_OOM, "oom: %s", f->end.message);
        break;
    default:
        say(out, TARE_OUTCOME_ERROR, "%s: %s", tare_err_name(f->end.code), f->end.message);
        break;
    }
}

static void conclude(const struct flight *f, int status, struct tare_supervised *out)
{
    const char *phase = tare_phase_text(f->phase);
    if (f->ended) {
        say_end(f, out);
    } else if (f->timed_out) {
        say(out, TARE_OUTCOME_TIMEOUT, "timeout: still in %s after %.3g s", phase,
            (double)f->args->time_limit_ns / 1e9);
    } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL &&
               tare_process_oom_kills() > f->oom_kills) {
        say(out, TARE_OUTCOME_OOM, "oom: killed by the kernel in %s", phase);
    } else if (WIFSIGNALED(status)) {
        const char *name = sigabbrev_np(WTERMSIG(status));
        say(out, TARE_OUTCOME_CRASH, "crash: SIG%s in %s", name ? name : "?", phase);
    } else {
        say(out, TARE_OUTCOME_CRASH, "crash: left with exit status %d in %s, without a last word",
            WIFEXITED(status) ? WEXITSTATUS(status) : -1, phase);
    }
}

int tare_supervise(const struct tare_supervise_args *args, struct tare_supervised *out, struct tare_err *err)
{
    struct flight f = {.args = args, .oom_kills = tare_process_oom_kills()};
    const char *const argv[] = {args->exe, "worker", NULL};
    int r = tare_process_start(&f.process, args->exe, argv, args->spec, TARE_PROCESS_FD3, err);
    if (r < 0) {
        return r;
    }
    tare_inbox_init(&f.inbox);
    f.deadline_ns = args->time_limit_ns ? tare_clock_ns() + args->time_limit_ns : 0;
    r = pump(&f, err);
    if (r == TARE_E_FORMAT) { /* a worker that babbles has crashed in its own way */
        tare_process_kill(&f.process);
        (void)tare_process_wait(&f.process);
        say(out, TARE_OUTCOME_CRASH, "crash: %.500s", err ? err->msg : "bad stream");
        r = 0;
    } else if (r < 0) {
        tare_process_kill(&f.process);
        (void)tare_process_wait(&f.process);
    } else {
        conclude(&f, tare_process_wait(&f.process), out);
    }
    tare_inbox_fini(&f.inbox);
    tare_process_fini(&f.process);
    return r;
}

static int drain(int fd, struct tare_buf *to)
{
    char chunk[4096];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n == 0 ? 0 : -1;
        }
        tare_buf_add(to, chunk, (size_t)n);
    }
}

int tare_supervise_probe(const char *exe, const char *path, char **out, struct tare_err *err)
{
    struct tare_process process;
    const char *const argv[] = {exe, "worker", "--probe", path, NULL};
    int r = tare_process_start(&process, exe, argv, "", TARE_PROCESS_STDOUT, err);
    if (r < 0) {
        return r;
    }
    struct tare_buf buf;
    tare_buf_init(&buf, 1 << 20);
    (void)drain(process.out_fd, &buf);
    int status = tare_process_wait(&process);
    tare_process_fini(&process);
    if (WIFSIGNALED(status)) {
        r = tare_err_set(err, TARE_E_PLUGIN,
                         "backend %s: loading it crashed with signal %d; the file is damaged", path,
                         WTERMSIG(status));
    } else if (WEXITSTATUS(status) != 0) {
        size_t line = strcspn(tare_buf_str(&buf), "\n");
        r = tare_err_set(err, TARE_E_PLUGIN, "%.*s", (int)(line < 500 ? line : 500),
                         line ? tare_buf_str(&buf) : "the backend could not be probed");
    } else {
        r = tare_buf_check(&buf, path, err);
    }
    if (r == 0) {
        *out = tare_buf_take(&buf);
    }
    tare_buf_fini(&buf);
    return r;
}
