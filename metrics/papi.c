/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processor's own counters through PAPI: instructions, cycles, branches, FLOPs, or any event that PAPI
 * names. Only this file knows PAPI.
 *
 * No event is believed because it is on a list. It has to be added, started, and read what known work is
 * known to be (papi_check.h, papi_work.c), in the company in which it will count; else it is absent with both
 * numbers. Events without a known truth (cycles, native names) only have to move, and carry the flag
 * UNCHECKED. Where the processor shows no counters at all, as most virtual machines, the meter is absent
 * before PAPI is even started.
 *
 * Threads that are there when the meter is opened are attached one by one, those that they start are
 * inherited. Where PAPI refuses that, only the main thread is counted, and the scope says so. Counts of FLOPs
 * know neither AMX nor integer arithmetic, and those of a fused multiply-add are two.
 */
#include "papi_events.h"
#include "threads.h"

#include <tare/meter.h>
#include <tare/opt.h>

#include <errno.h>
#include <linux/perf_event.h>
#include <math.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if TARE_WITH_PAPI
#include <papi.h>
#endif

enum { max_threads = 64, max_fds = 512 };

struct papi {
    /* Options. */
    char *list;
    bool multiplex;
    bool user_only;
    double peak_flops;
    /* Kept here. */
    struct tare_papi_events events;
    size_t n_sets; /* one each thread */
    int sets[max_threads];
    size_t n_fds; /* perf events behind multiplexed sets */
    int fds[max_fds];
    double begin_enabled[max_fds], begin_running[max_fds];
    long long begin[tare_papi_max_events];
    bool begun;
    int64_t begin_ns;
};

static const char default_events[] = "PAPI_TOT_INS,PAPI_TOT_CYC,PAPI_BR_INS,PAPI_DP_OPS,PAPI_SP_OPS";

static const struct tare_opt papi_options[] = {
    {.name = "events",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct papi, list),
     .def = default_events,
     .help = "presets or native names, with ',' or '+' between"},
    {.name = "multiplex",
     .type = TARE_OPT_BOOL,
     .offset = offsetof(struct papi, multiplex),
     .def = "false",
     .help = "let more events than there are counters take turns; below half of the time they are refused"},
    {.name = "user_only",
     .type = TARE_OPT_BOOL,
     .offset = offsetof(struct papi, user_only),
     .def = "true",
     .help = "leave out what the kernel does for the process"},
    {.name = "peak_flops",
     .type = TARE_OPT_F64,
     .offset = offsetof(struct papi, peak_flops),
     .def = "0",
     .help = "more FLOP/s than this are not believed; 0: 64 a cycle at 6 GHz on every CPU"},
    TARE_OPT_END};

/* Counts instructions of a loop for this thread without PAPI: whether there is a counter at all. Takes some
 * 10 us where there is none. */
static int find_pmu(char *why, size_t n)
{
    struct perf_event_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.size = sizeof attr;
    attr.type = PERF_TYPE_HARDWARE;
    attr.config = PERF_COUNT_HW_INSTRUCTIONS;
    attr.exclude_kernel = attr.exclude_hv = 1;
    long fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0 && (errno == EACCES || errno == EPERM)) {
        (void)snprintf(why, n,
                       "perf_event_open is not permitted: set kernel.perf_event_paranoid to 2 or less");
        return TARE_E_ENVIRONMENT;
    }
    if (fd < 0) {
        (void)snprintf(why, n, "no PMU: perf_event_open of instructions: %s (a virtual machine without one?)",
                       strerror(errno));
        return TARE_E_ENVIRONMENT;
    }
    for (volatile int i = 0; i < 1000; i++) {
    }
    uint64_t value = 0;
    bool moves = read((int)fd, &value, sizeof value) == (ssize_t)sizeof value && value > 1000;
    close((int)fd);
    if (!moves) {
        (void)snprintf(why, n, "no PMU: its instruction counter stands still");
        return TARE_E_ENVIRONMENT;
    }
    return 0;
}

static int papi_probe(char *why, size_t n)
{
#if TARE_WITH_PAPI
    return find_pmu(why, n);
#else
    (void)find_pmu;
    (void)snprintf(why, n, "built without PAPI (install libpapi-dev and build again)");
    return TARE_E_UNSUPPORTED;
#endif
}

#if TARE_WITH_PAPI

static int64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int papi_fault(const char *doing, int code, struct tare_err *err)
{
    return tare_err_set(err, TARE_E_ENVIRONMENT, "%s: %s", doing, PAPI_strerror(code));
}

/* Why PAPI has no counters although the kernel has, in its own words. */
static int start_papi(const struct papi *p, struct tare_err *err)
{
    int version = PAPI_VER_CURRENT;
    int r = PAPI_is_initialized() ? version : PAPI_library_init(version);
    if (r != version) {
        return r < 0 ? papi_fault("PAPI_library_init", r, err)
                     : tare_err_set(err, TARE_E_ENVIRONMENT, "libpapi is of another version than its header");
    }
    const PAPI_component_info_t *cpu = PAPI_get_component_info(0);
    if (cpu && cpu->disabled) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "PAPI %s: %s", cpu->short_name, cpu->disabled_reason);
    }
    r = PAPI_set_cmp_domain(p->user_only ? PAPI_DOM_USER : PAPI_DOM_USER | PAPI_DOM_KERNEL, 0);
    if (r != PAPI_OK) {
        return papi_fault("PAPI_set_cmp_domain", r, err);
    }
    r = p->multiplex ? PAPI_multiplex_init() : PAPI_OK;
    return r == PAPI_OK ? 0 : papi_fault("PAPI_multiplex_init", r, err);
}

static void drop_set(int *set)
{
    long long ignored[tare_papi_max_events];
    (void)PAPI_stop(*set, ignored);
    (void)PAPI_cleanup_eventset(*set);
    (void)PAPI_destroy_eventset(set);
    *set = PAPI_NULL;
}

/* An empty set for one thread; tid 0: this one, without those that it starts. */
static int make_set(const struct papi *p, unsigned long tid, int *set)
{
    *set = PAPI_NULL;
    int r = PAPI_create_eventset(set);
    r = r == PAPI_OK ? PAPI_assign_eventset_component(*set, 0) : r;
    if (r == PAPI_OK && tid) {
        PAPI_option_t option;
        memset(&option, 0, sizeof option);
        option.inherit.eventset = *set;
        option.inherit.inherit = PAPI_INHERIT_ALL;
        r = PAPI_set_opt(PAPI_INHERIT, &option);
    }
    r = r == PAPI_OK && p->multiplex ? PAPI_set_multiplex(*set) : r;
    return r == PAPI_OK && tid ? PAPI_attach(*set, tid) : r;
}

/* Adds what is still in the running; an event that cannot be added leaves it. */
static void try_events(struct papi *p, int set)
{
    p->events.n_counted = 0;
    for (size_t i = 0; i < p->events.n; i++) {
        struct tare_papi_event *e = &p->events.list[i];
        int r = PAPI_event_name_to_code(e->name, &e->code);
        r = r == PAPI_OK ? PAPI_add_event(set, e->code) : r;
        e->at = r == PAPI_OK ? p->events.n_counted++ : -1;
        if (r == PAPI_ECNFLCT || r == PAPI_ECOUNT) {
            (void)snprintf(e->why, sizeof e->why,
                           "no counter is left for it: name fewer events or set multiplex");
        } else if (r != PAPI_OK) {
            (void)snprintf(e->why, sizeof e->why, "PAPI cannot add it: %s", PAPI_strerror(r));
        }
    }
}

/* All events at once, as they will be used, around known work. */
static int check_events(struct papi *p, struct tare_err *err)
{
    enum { rounds = 1500000 }; /* of each loop: 10^7 branches, 10^8 instructions */
    struct tare_papi_work done;
    long long read[tare_papi_max_events] = {0};
    int set = PAPI_NULL;
    int r = make_set(p, 0, &set);
    if (r == PAPI_OK) {
        try_events(p, set);
        r = p->events.n_counted > 0 ? PAPI_start(set) : PAPI_OK;
    }
    if (r == PAPI_OK && p->events.n_counted > 0) {
        (void)tare_papi_work(rounds, &done);
        r = PAPI_read(set, read);
        tare_papi_events_judge(&p->events, read, &done);
    }
    drop_set(&set);
    if (r != PAPI_OK) {
        return papi_fault("PAPI could not start its counters", r, err);
    }
    return p->events.n_counted > 0 ? 0
                                   : tare_err_set(err, TARE_E_ENVIRONMENT, "%s: %s", p->events.list[0].name,
                                                  p->events.list[0].why);
}

static int start_set(struct papi *p, unsigned long tid)
{
    int *set = &p->sets[p->n_sets++];
    int r = make_set(p, tid, set);
    for (size_t i = 0; r == PAPI_OK && i < p->events.n; i++) {
        r = p->events.list[i].at >= 0 ? PAPI_add_event(*set, p->events.list[i].code) : PAPI_OK;
    }
    return r == PAPI_OK ? PAPI_start(*set) : r;
}

static void drop_sets(struct papi *p)
{
    for (size_t i = 0; i < p->n_sets; i++) {
        drop_set(&p->sets[i]);
    }
    p->n_sets = 0;
}

/* Every thread, or else this one alone. */
static int start_sets(struct papi *p, struct tare_err *err)
{
    pid_t tids[max_threads];
    int n = tare_threads_list(tids, max_threads);
    int r = n > 0 ? PAPI_OK : PAPI_EINVAL;
    for (int i = 0; r == PAPI_OK && i < n; i++) {
        r = start_set(p, (unsigned long)tids[i]);
    }
    p->events.scope = "process";
    if (r != PAPI_OK) {
        drop_sets(p);
        p->events.scope = "main thread";
        r = start_set(p, 0);
    }
    if (r != PAPI_OK) {
        drop_sets(p);
        return papi_fault("PAPI could not start its counters", r, err);
    }
    return 0;
}

/* Which descriptors are perf events: PAPI scales multiplexed counts and keeps to itself by how much; their
 * descriptors tell. Marks those there are in `seen`, or lists the new ones. */
static void look_for_fds(struct papi *p, bool *seen, bool list)
{
    for (int fd = 0; p->multiplex && fd < max_fds; fd++) {
        char path[40], target[64];
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(path, target, sizeof target - 1);
        target[n > 0 ? n : 0] = '\0';
        bool perf = strstr(target, "[perf_event]") != NULL;
        if (perf && list && !seen[fd]) {
            p->fds[p->n_fds++] = fd;
        }
        seen[fd] = perf;
    }
}

static int papi_open(void *self, struct tare_err *err)
{
    struct papi *p = self;
    bool seen[max_fds] = {false};
    p->events.multiplexed = p->multiplex;
    p->events.user_only = p->user_only;
    int r = tare_papi_events_parse(&p->events, p->list ? p->list : default_events, err);
    r = r < 0 ? r : start_papi(p, err);
    r = r < 0 ? r : check_events(p, err);
    if (r < 0) {
        return r;
    }
    look_for_fds(p, seen, false);
    r = start_sets(p, err);
    if (r == 0) {
        look_for_fds(p, seen, true);
    }
    return r;
}

/* Sums over the threads; false if one could not be read. */
static bool read_sets(const struct papi *p, long long *sums)
{
    bool good = true;
    memset(sums, 0, tare_papi_max_events * sizeof *sums);
    for (size_t i = 0; i < p->n_sets; i++) {
        long long values[tare_papi_max_events];
        good = PAPI_read(p->sets[i], values) == PAPI_OK && good;
        for (int k = 0; good && k < p->events.n_counted; k++) {
            sums[k] += values[k];
        }
    }
    return good;
}

/* Time that one was enabled and that it counted; value, enabled, running is what the kernel writes. */
static bool read_times(int fd, double *enabled, double *running)
{
    uint64_t v[3];
    bool good = read(fd, v, sizeof v) == (ssize_t)sizeof v;
    *enabled = good ? (double)v[1] : (double)NAN;
    *running = good ? (double)v[2] : (double)NAN;
    return good;
}

static void papi_begin(void *self)
{
    struct papi *p = self;
    for (size_t i = 0; i < p->n_fds; i++) {
        (void)read_times(p->fds[i], &p->begin_enabled[i], &p->begin_running[i]);
    }
    p->begun = read_sets(p, p->begin);
    p->begin_ns = now_ns();
}

/* The smallest share of its time that any event counted, and whether that is enough. */
static bool share_of_time(const struct papi *p, double *ratio, char *why, size_t n)
{
    double enabled = 0, running = 0;
    *ratio = (double)NAN;
    for (size_t i = 0; i < p->n_fds; i++) {
        double e = (double)NAN, r = (double)NAN;
        (void)read_times(p->fds[i], &e, &r);
        e -= p->begin_enabled[i];
        r -= p->begin_running[i];
        if (e > 0 && (enabled <= 0 || r / e < running / enabled)) { /* 0: a thread that slept */
            enabled = e;
            running = r;
        }
    }
    return tare_papi_accept_share(enabled, running, ratio, why, n);
}

static double peak_flops(const struct papi *p)
{
    enum { flops_per_cycle = 64 };
    double cpus = (double)sysconf(_SC_NPROCESSORS_ONLN);
    return p->peak_flops > 0 ? p->peak_flops : flops_per_cycle * 6e9 * (cpus > 0 ? cpus : 1);
}

static void papi_end(void *self, struct tare_readings *to)
{
    struct papi *p = self;
    double seconds = (double)(now_ns() - p->begin_ns) / 1e9, ratio = (double)NAN;
    long long now[tare_papi_max_events];
    char shared[tare_papi_n_why] = "";
    bool good = read_sets(p, now) && p->begun;
    bool enough = !p->multiplex || share_of_time(p, &ratio, shared, sizeof shared);
    const char *fault = !good ? "PAPI could not read its counters" : enough ? NULL : shared;
    tare_papi_events_take(&p->events, p->begin, now, fault);
    tare_papi_events_bound(&p->events, seconds, peak_flops(p));
    tare_papi_events_put(&p->events, ratio, to);
}

static void papi_close(void *self)
{
    drop_sets(self);
}

#endif

const struct tare_meter tare_meter_papi = {.header = TARE_METER_HEADER,
                                           .name = "papi",
                                           .summary = "the processor's counters: instructions, cycles, FLOPs",
                                           .priv_size = sizeof(struct papi),
                                           .probe = papi_probe,
#if TARE_WITH_PAPI
                                           .open = papi_open,
                                           .begin = papi_begin,
                                           .end = papi_end,
                                           .close = papi_close,
#endif
                                           .options = papi_options};
