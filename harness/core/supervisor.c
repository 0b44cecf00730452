/* SPDX-License-Identifier: Apache-2.0 */
/* The poll loop around a worker process, and the words for every way it can end. */
#include "core/supervisor.h"

#include "base/clock.h"
#include "core/interrupt.h"
#include "core/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { tick_ms = 200, exit_poll_ms = 2, probe_limit_s = 20, drain_limit_s = 30 };

/* One worker in flight; wraps the caller's ops to see phases and the end. */
struct flight {
    const struct tare_supervise_args *args;
    struct tare_process process;
    struct tare_inbox inbox;
    int32_t phase;
    bool ended;
    struct tare_end_frame end;
    int64_t deadline_ns; /* 0: none */
    int64_t next_tick_ns;
    int64_t gone_ns; /* when the worker's end was seen; 0: not yet */
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

static int see_scores(void *ctx, int64_t item, const double *values, size_t n, struct tare_err *err)
{
    struct flight *f = ctx;
    return f->args->ops->scores ? f->args->ops->scores(f->args->ctx, item, values, n, err) : 0;
}

static int see_prompts(void *ctx, const char *sha256, struct tare_err *err)
{
    struct flight *f = ctx;
    return f->args->ops->prompts ? f->args->ops->prompts(f->args->ctx, sha256, err) : 0;
}

static const struct tare_inbox_ops flight_ops = {see_items,  see_facts, see_phase,  see_reading,
                                                 see_sample, see_end,   see_scores, see_prompts};

/* Milliseconds until the next thing to do. */
static int next_wait_ms(const struct flight *f)
{
    if (f->deadline_ns == 0) {
        return tick_ms;
    }
    int64_t left_ms = (f->deadline_ns - tare_clock_ns()) / 1000000 + 1;
    return left_ms < 0 ? 0 : left_ms < tick_ms ? (int)left_ms : tick_ms;
}

static bool is_late(const struct flight *f)
{
    return f->deadline_ns && tare_clock_ns() >= f->deadline_ns;
}

static int stop(struct tare_err *err)
{
    return tare_err_set(err, TARE_E_INTERRUPTED, "stopped by a signal");
}

/* What is due between two reads: the receiver's tick, the user's wish, the time limit. */
static int do_chores(struct flight *f, struct tare_err *err)
{
    int64_t now_ns = tare_clock_ns();
    int r = 0;
    if (now_ns >= f->next_tick_ns) {
        f->next_tick_ns = now_ns + tick_ms * INT64_C(1000000);
        r = f->args->tick ? f->args->tick(f->args->ctx, err) : 0;
    }
    if (r == 0 && tare_interrupted()) {
        return stop(err);
    }
    if (is_late(f) && !f->timed_out) {
        f->timed_out = true;
        tare_process_kill(&f->process);
    }
    return r;
}

/* One wait and one read: 1 to go on, 0 at the end of the stream, or an error of ours. The stream of a
 * worker that has ended is over too, even if a child that it left behind still holds the pipe. */
static int read_some(struct flight *f, struct tare_err *err)
{
    struct pollfd p = {.fd = f->process.out_fd, .events = POLLIN};
    bool gone = tare_process_ended(&f->process);
    if (gone && f->gone_ns == 0) {
        f->gone_ns = tare_clock_ns();
        tare_process_kill(&f->process); /* a child that it left behind */
    }
    int n = poll(&p, 1, gone ? 0 : next_wait_ms(f));
    /* What the worker wrote is all in the pipe: it is read to its end, however late, unless somebody who
     * left the worker's group goes on writing. */
    if (gone && (n == 0 || tare_clock_ns() - f->gone_ns > drain_limit_s * INT64_C(1000000000))) {
        return 0;
    }
    return n > 0 ? tare_inbox_read(&f->inbox, f->process.out_fd, &flight_ops, f, err) : 1;
}

/* Reads until the stream ends: 0, or an error of ours. The worker may be killed on the way. */
static int pump(struct flight *f, struct tare_err *err)
{
    int r = 1;
    while (r > 0) {
        r = read_some(f, err);
        if (r == 0 && tare_interrupted() && !f->ended) {
            return stop(err); /* an end without a last word, after a signal, is the terminal's doing */
        }
        if (r > 0) {
            int chores = do_chores(f, err);
            r = chores < 0 ? chores : r;
        }
    }
    return r;
}

/* The stream is over; the worker, which may have closed it and gone on, has its time limit still. */
static int await_exit(struct flight *f, struct tare_err *err)
{
    while (!tare_process_ended(&f->process)) {
        if (tare_interrupted()) {
            return stop(err);
        }
        if (is_late(f)) {
            f->timed_out = true;
            tare_process_kill(&f->process);
            return 0;
        }
        (void)poll(NULL, 0, exit_poll_ms);
    }
    return 0;
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
    /* After its last word a worker only unloads: that it dies or hangs there is told all the same. */
    const char *phase = f->ended ? "unload" : tare_phase_text(f->phase);
    bool clean = !f->timed_out && !WIFSIGNALED(status);
    if (f->ended && (clean || f->end.code != 0)) {
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

static int start_worker(struct flight *f, struct tare_err *err)
{
    const struct tare_supervise_args *args = f->args;
    int fd = -1;
    int r = tare_outside_connect(args->outside, &fd, err);
    if (r < 0) {
        return r;
    }
    const char *const argv[] = {args->exe, "worker", fd >= 0 ? "--outside" : NULL, NULL};
    int high = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 10) : -1;
    r = tare_process_start(&f->process, args->exe, argv, args->spec, TARE_PROCESS_FD3, high,
                           &(struct tare_process_environment){args->padding_bytes, args->environment}, err);
    if (fd >= 0) {
        close(fd);
        close(high);
    }
    if (r == 0) {
        tare_outside_attach(args->outside, f->process.pid);
    }
    return r;
}

int tare_supervise(const struct tare_supervise_args *args, struct tare_supervised *out, struct tare_err *err)
{
    struct flight f = {.args = args, .oom_kills = tare_process_oom_kills()};
    int r = start_worker(&f, err);
    if (r < 0) {
        return r;
    }
    tare_inbox_init(&f.inbox);
    f.deadline_ns = args->time_limit_ns ? tare_clock_ns() + args->time_limit_ns : 0;
    r = pump(&f, err);
    r = r == 0 ? await_exit(&f, err) : r;
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
    tare_outside_attach(args->outside, 0);
    tare_inbox_fini(&f.inbox);
    tare_process_fini(&f.process);
    return r;
}

/* Reads until the child has ended; false when its time is over or it wrote more than a description. */
static bool drain(const struct tare_process *process, struct tare_buf *to)
{
    const int64_t deadline_ns = tare_clock_ns() + probe_limit_s * INT64_C(1000000000);
    struct pollfd p = {.fd = process->out_fd, .events = POLLIN};
    char chunk[4096];
    while (!to->failed && tare_clock_ns() < deadline_ns) {
        bool ended = tare_process_ended(process);
        int ready = poll(&p, 1, ended ? 0 : p.fd < 0 ? exit_poll_ms : tick_ms);
        ssize_t n = ready > 0 ? read(p.fd, chunk, sizeof chunk) : 0;
        if (ready == 0 && ended) {
            return true;
        }
        if (n > 0) {
            tare_buf_add(to, chunk, (size_t)n);
        } else if (ready > 0 && (n == 0 || errno != EINTR)) {
            p.fd = -1; /* nothing more will come; poll only waits from here on */
        }
    }
    return false;
}

/* What the end of a probe means. */
static int judge_probe(const char *what, const char *path, bool in_time, int status,
                       const struct tare_buf *buf, struct tare_err *err)
{
    if (buf->failed) {
        return tare_buf_check(buf, path, err);
    }
    if (!in_time) {
        return tare_err_set(err, TARE_E_PLUGIN, "%s %s: loading and probing it did not end after %d s", what,
                            path, probe_limit_s);
    }
    if (WIFSIGNALED(status)) {
        return tare_err_set(err, TARE_E_PLUGIN,
                            "%s %s: loading it crashed with signal %d; the file is damaged", what, path,
                            WTERMSIG(status));
    }
    size_t line = strcspn(tare_buf_str(buf), "\n");
    if (WEXITSTATUS(status) != 0 && line > 0) {
        return tare_err_set(err, TARE_E_PLUGIN, "%.*s", (int)(line < 500 ? line : 500), tare_buf_str(buf));
    }
    return line > 0
               ? 0
               : tare_err_set(err, TARE_E_PLUGIN, "%s %s: loading it ended the process with exit status %d",
                              what, path, WEXITSTATUS(status));
}

int tare_supervise_probe(const char *exe, const char *how, const char *path, char **out, struct tare_err *err)
{
    struct tare_process process;
    const char *const argv[] = {exe, "worker", how, path, NULL};
    int r = tare_process_start(&process, exe, argv, "", TARE_PROCESS_STDOUT, -1, NULL, err);
    if (r < 0) {
        return r;
    }
    struct tare_buf buf;
    tare_buf_init(&buf, 1 << 20);
    bool in_time = drain(&process, &buf);
    if (!in_time) {
        tare_process_kill(&process);
    }
    int status = tare_process_wait(&process);
    tare_process_fini(&process);
    r = judge_probe(strcmp(how, "--probe-meter") == 0 ? "meter" : "backend", path, in_time, status, &buf,
                    err);
    if (r == 0) {
        *out = tare_buf_take(&buf);
    }
    tare_buf_fini(&buf);
    return r;
}
