/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Energy by the perf device `power`: the same RAPL counters as those of powercap, with wraps handled by the
 * kernel. One event a package, on the CPU that the kernel names; an event on every CPU would count each
 * package once a CPU. Not per process: the device has no such mode. Not to be added to powercap's joules:
 * they are the same.
 */
#include "joules.h"
#include "now.h"
#include "perf_power_events.h"
#include "sysfile.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { channels_max = 48, burst_ns = 30000000, burst_reads = 2000 };

/* Events that are added up to one channel. */
struct channel {
    struct tare_joules joules;
    size_t n_moves;
    uint64_t last;
    int64_t first_move_ns, last_move_ns;
};

struct perf_power {
    char *root;
    char *cpuinfo;
    double max_watts;
    size_t n, n_events;
    struct channel channels[channels_max];
    int fds[tare_perf_events_max];
    size_t channel_of[tare_perf_events_max];
};

static int open_event(const struct tare_perf_event *e)
{
    struct perf_event_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.size = sizeof attr;
    attr.type = e->type;
    attr.config = e->config;
    long fd = syscall(SYS_perf_event_open, &attr, -1, e->cpu, -1, PERF_FLAG_FD_CLOEXEC);
    return fd >= 0 ? (int)fd : -errno;
}

/* Why it could not be opened, and what would help. */
static int explain(const struct tare_perf_event *e, int code, struct tare_err *err)
{
    if (code == -EACCES || code == -EPERM) {
        return tare_err_set(err, TARE_E_ENVIRONMENT,
                            "%s: %s: run as root, give CAP_PERFMON, or set kernel.perf_event_paranoid to 0",
                            e->source, strerror(-code));
    }
    const char *what = code == -ENOENT || code == -ENODEV || code == -EOPNOTSUPP
                           ? ": listed, but this processor or virtual machine does not count it"
                       : code == -ENOSYS ? ": the kernel or a sandbox has no perf events"
                       : code == -EMFILE ? ": raise the limit of open files"
                                         : "";
    return tare_err_set(err, TARE_E_ENVIRONMENT, "%s on CPU %d: %s%s", e->source, e->cpu, strerror(-code),
                        what);
}

/* The channel of that name, made if there is none; channels_max: no room. */
static size_t channel_of(struct perf_power *p, const struct tare_perf_event *e)
{
    char name[56];
    (void)snprintf(name, sizeof name, "energy_%s", e->channel);
    for (size_t i = 0; i < p->n; i++) {
        /* Cores by package and by core are two meters of the same; the first one stands. */
        if (strcmp(p->channels[i].joules.name, name) == 0) {
            return i;
        }
    }
    if (p->n == channels_max) {
        return channels_max;
    }
    struct tare_joules *j = &p->channels[p->n].joules;
    *j = (struct tare_joules){.scope = e->scope, .joule = e->scale, .gain = 0.05};
    (void)snprintf(j->name, sizeof j->name, "%s", name);
    (void)snprintf(j->source, sizeof j->source, "%s", e->source);
    j->counter.max_rate = (p->max_watts > 0 ? p->max_watts : 1000) / e->scale;
    return p->n++;
}

static void close_all(struct perf_power *p)
{
    for (size_t i = 0; i < p->n_events; i++) {
        close(p->fds[i]);
    }
    p->n_events = 0;
}

static int open_all(struct perf_power *p, const struct tare_perf_events *events, struct tare_err *err)
{
    for (size_t i = 0; i < events->n; i++) {
        const struct tare_perf_event *e = &events->list[i];
        size_t c = channel_of(p, e);
        bool is_other = c < channels_max && strcmp(p->channels[c].joules.source, e->source) != 0;
        if (is_other) {
            continue;
        }
        int fd = c < channels_max ? open_event(e) : -E2BIG;
        if (fd < 0) {
            close_all(p);
            return explain(e, fd, err);
        }
        p->channel_of[p->n_events] = c;
        p->fds[p->n_events++] = fd;
    }
    return 0;
}

/* Sum of a channel's events. */
static int read_channel(const struct perf_power *p, size_t c, uint64_t *sum)
{
    *sum = 0;
    for (size_t i = 0; i < p->n_events; i++) {
        uint64_t value = 0;
        if (p->channel_of[i] != c) {
            continue;
        }
        ssize_t n = read(p->fds[i], &value, sizeof value);
        if (n != (ssize_t)sizeof value) {
            return n < 0 ? -errno : -EIO;
        }
        *sum += value;
    }
    return 0;
}

/* Reads for a moment: which channels count at all, and how often they step. */
static size_t run_burst(struct perf_power *p)
{
    size_t n_moving = 0;
    int64_t begin_ns = tare_now_ns(), now_ns = begin_ns;
    for (int round = 0; round < burst_reads && now_ns - begin_ns < burst_ns; round++) {
        for (size_t c = 0; c < p->n; c++) {
            struct channel *k = &p->channels[c];
            uint64_t raw = 0;
            if (read_channel(p, c, &raw) == 0 && round > 0 && raw != k->last) {
                k->first_move_ns = k->n_moves++ == 0 ? now_ns : k->first_move_ns;
                k->last_move_ns = now_ns;
            }
            k->last = raw;
        }
        usleep(50);
        now_ns = tare_now_ns();
    }
    for (size_t c = 0; c < p->n; c++) {
        struct channel *k = &p->channels[c];
        n_moving += k->n_moves > 0;
        k->joules.period_s =
            k->n_moves > 2 ? (double)(k->last_move_ns - k->first_move_ns) / 1e9 / (double)(k->n_moves - 1)
                           : 0;
    }
    return n_moving;
}

static int perf_power_open(void *self, struct tare_err *err)
{
    struct perf_power *p = self;
    struct tare_perf_events *events = calloc(1, sizeof *events);
    if (!events) {
        return tare_err_set(err, TARE_E_NOMEM, "meter perf_power: out of memory");
    }
    int r = tare_perf_events_find(p->root ? p->root : "/sys", p->cpuinfo, events, err);
    r = r == 0 ? open_all(p, events, err) : r;
    free(events);
    if (r == 0 && run_burst(p) == 0) {
        r = tare_err_set(err, TARE_E_ENVIRONMENT,
                         "%s opens but does not count: all its energy events stand still, as in a virtual "
                         "machine",
                         p->channels[0].joules.source);
        close_all(p);
    }
    return r;
}

/* Opens, reads until something moves, and closes: what is listed may not open, and what opens may not count.
 */
static int perf_power_probe(char *why, size_t n_why)
{
    struct perf_power *p = calloc(1, sizeof *p);
    struct tare_err err = {0};
    int r = p ? perf_power_open(p, &err) : tare_err_set(&err, TARE_E_NOMEM, "out of memory");
    if (r < 0) {
        (void)snprintf(why, n_why, "%s", err.msg);
    } else {
        close_all(p);
    }
    free(p);
    return r;
}

static void perf_power_sample(void *self)
{
    struct perf_power *p = self;
    for (size_t c = 0; c < p->n; c++) {
        uint64_t raw = 0;
        int64_t before_ns = tare_now_ns();
        int code = read_channel(p, c, &raw);
        tare_joules_take(&p->channels[c].joules, code, raw, before_ns, tare_now_ns());
    }
}

static void perf_power_begin(void *self)
{
    struct perf_power *p = self;
    perf_power_sample(p);
    for (size_t c = 0; c < p->n; c++) {
        tare_joules_begin(&p->channels[c].joules);
    }
}

static void perf_power_end(void *self, struct tare_readings *to)
{
    struct perf_power *p = self;
    perf_power_sample(p);
    for (size_t c = 0; c < p->n; c++) {
        tare_joules_report(&p->channels[c].joules, to);
    }
}

static void perf_power_close(void *self)
{
    close_all(self);
}

static const struct tare_opt perf_power_options[] = {{.name = "root",
                                                      .type = TARE_OPT_STR,
                                                      .offset = offsetof(struct perf_power, root),
                                                      .def = "/sys",
                                                      .help = "folder of sysfs"},
                                                     {.name = "cpuinfo",
                                                      .type = TARE_OPT_STR,
                                                      .offset = offsetof(struct perf_power, cpuinfo),
                                                      .def = "/proc/cpuinfo",
                                                      .help = "file that says which processor it is"},
                                                     {.name = "max_watts",
                                                      .type = TARE_OPT_F64,
                                                      .offset = offsetof(struct perf_power, max_watts),
                                                      .def = "1000",
                                                      .unit = "W",
                                                      .help = "most power that one event can show"},
                                                     TARE_OPT_END};

const struct tare_meter tare_meter_perf_power = {.header = TARE_METER_HEADER,
                                                 .name = "perf_power",
                                                 .summary =
                                                     "energy of packages and memory by RAPL, from perf",
                                                 .priv_size = sizeof(struct perf_power),
                                                 .probe = perf_power_probe,
                                                 .open = perf_power_open,
                                                 .begin = perf_power_begin,
                                                 .end = perf_power_end,
                                                 .close = perf_power_close,
                                                 .place = TARE_METER_OUTSIDE,
                                                 .options = perf_power_options,
                                                 .sample = perf_power_sample};
