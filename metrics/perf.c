/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel counts for the threads of this process by itself, without any counter of the processor:
 * CPU time, page faults, context switches and migrations between CPUs, by perf_event_open(2), user and kernel
 * mode together.
 *
 * Threads that are there when the meter is opened are attached one by one; those that they start are
 * inherited and keep counting after they have ended. So are the threads of child processes on kernels before
 * 5.13, which cannot tell the two apart: the scope says so then. Not cycles nor instructions: see papi.c. CPU
 * time is that of the scheduler and agrees with getrusage; it is no measure of work.
 *
 * The kernel arms its hooks when a task first has such an event (some 10 ms, in open, not in a phase); while
 * one is open, a context switch costs some 100 ns more.
 */
#include "threads.h"

#include <tare/meter.h>

#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { n_events = 4, max_threads = 128 };

static const struct {
    const char *name, *unit, *source;
    double scale;
    uint64_t config;
} events[n_events] = {
    {"perf_task_clock", "s", "perf_event_open task-clock, user and kernel", 1e-9, PERF_COUNT_SW_TASK_CLOCK},
    {"perf_page_faults", "1", "perf_event_open page-faults", 1, PERF_COUNT_SW_PAGE_FAULTS},
    {"perf_context_switches", "1", "perf_event_open context-switches", 1, PERF_COUNT_SW_CONTEXT_SWITCHES},
    {"perf_migrations", "1", "perf_event_open cpu-migrations", 1, PERF_COUNT_SW_CPU_MIGRATIONS},
};

struct perf {
    bool threads_only; /* child processes are left out */
    size_t n_threads;
    int fd[max_threads][n_events];
    uint64_t begin[n_events];
    bool begun;
};

/* A file descriptor, or a negative errno. */
static int open_event(uint64_t config, pid_t tid, bool inherit, bool threads_only)
{
    struct perf_event_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.size = sizeof attr;
    attr.type = PERF_TYPE_SOFTWARE;
    attr.config = config;
    attr.inherit = inherit;
    attr.inherit_thread = threads_only;
    long fd = syscall(SYS_perf_event_open, &attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
    return fd >= 0 ? (int)fd : -errno;
}

/* Why the kernel said no, and what to do. */
static void explain(int code, char *why, size_t n_why)
{
    if (code == -EACCES || code == -EPERM) {
        (void)snprintf(why, n_why,
                       "perf_event_open is not permitted: set kernel.perf_event_paranoid to 1 or grant "
                       "CAP_PERFMON (seccomp may forbid it too)");
    } else if (code == -ENOSYS || code == -EOPNOTSUPP) {
        (void)snprintf(why, n_why, "this kernel is built without perf events");
    } else if (code == -EMFILE) {
        (void)snprintf(why, n_why, "perf_event_open: too many open files; raise ulimit -n");
    } else {
        (void)snprintf(why, n_why, "perf_event_open: %s", strerror(-code));
    }
}

/* The cheapest event: faults arm nothing. */
static int perf_probe(char *why, size_t n_why)
{
    int fd = open_event(PERF_COUNT_SW_PAGE_FAULTS, 0, false, false);
    if (fd < 0) {
        explain(fd, why, n_why);
        return TARE_E_ENVIRONMENT;
    }
    close(fd);
    return 0;
}

static void close_all(struct perf *p)
{
    for (size_t t = 0; t < p->n_threads; t++) {
        for (size_t i = 0; i < n_events; i++) {
            if (p->fd[t][i] >= 0) {
                close(p->fd[t][i]);
            }
        }
    }
    p->n_threads = 0;
}

/* All events of one thread. 0, or a negative errno; what was opened is closed by close_all. */
static int attach(struct perf *p, pid_t tid)
{
    int *fd = p->fd[p->n_threads++];
    int r = 0;
    for (size_t i = 0; i < n_events; i++) {
        fd[i] = r == 0 ? open_event(events[i].config, tid, true, p->threads_only) : -1;
        r = fd[i] < 0 && r == 0 ? fd[i] : r;
    }
    return r;
}

/* A thread that ended between being listed and being attached is none. */
static int open_threads(struct perf *p)
{
    pid_t tids[max_threads];
    int n = tare_threads_list(tids, max_threads);
    int r = n < 0 ? n : 0;
    for (int i = 0; r == 0 && i < n; i++) {
        r = attach(p, tids[i]);
        r = r == -ESRCH ? 0 : r;
    }
    if (r < 0) {
        close_all(p);
    }
    return r;
}

static int perf_open(void *self, struct tare_err *err)
{
    struct perf *p = self;
    char why[200];
    p->threads_only = true;
    int r = open_threads(p);
    if (r == -EINVAL) { /* before Linux 5.13 */
        p->threads_only = false;
        r = open_threads(p);
    }
    if (r == -E2BIG) {
        return tare_err_set(err, TARE_E_LIMIT, "more than %d threads when the meter was opened", max_threads);
    }
    if (r < 0) {
        explain(r, why, sizeof why);
        return tare_err_set(err, TARE_E_ENVIRONMENT, "%s", why);
    }
    return 0;
}

/* Sums an event over the threads; false if one could not be read. */
static bool sum_event(const struct perf *p, size_t event, uint64_t *out)
{
    uint64_t sum = 0;
    for (size_t t = 0; t < p->n_threads; t++) {
        uint64_t value = 0;
        if (p->fd[t][event] < 0) {
            continue; /* a thread that was gone before it could be attached */
        }
        if (read(p->fd[t][event], &value, sizeof value) != (ssize_t)sizeof value) {
            return false;
        }
        sum += value;
    }
    *out = sum;
    return true;
}

static void perf_begin(void *self)
{
    struct perf *p = self;
    p->begun = true;
    for (size_t i = 0; i < n_events; i++) {
        p->begun = sum_event(p, i, &p->begin[i]) && p->begun;
    }
}

static void perf_end(void *self, struct tare_readings *to)
{
    const struct perf *p = self;
    for (size_t i = 0; i < n_events; i++) {
        uint64_t now = 0;
        bool known = sum_event(p, i, &now) && p->begun;
        struct tare_reading reading = {.name = events[i].name,
                                       .unit = events[i].unit,
                                       .scope = p->threads_only ? "process" : "process and its children",
                                       .source = events[i].source,
                                       .kind = TARE_KIND_MEASURED,
                                       .absent = !known,
                                       .value = known ? (double)(now - p->begin[i]) * events[i].scale : 0,
                                       .why = "a perf event could not be read"};
        to->add(to, &reading);
    }
}

static void perf_close(void *self)
{
    close_all(self);
}

const struct tare_meter tare_meter_perf = {.header = TARE_METER_HEADER,
                                           .name = "perf",
                                           .summary =
                                               "the kernel's counts: CPU time, faults, switches, migrations",
                                           .priv_size = sizeof(struct perf),
                                           .probe = perf_probe,
                                           .open = perf_open,
                                           .begin = perf_begin,
                                           .end = perf_end,
                                           .close = perf_close};
