/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of the worker's cgroup, all its processes together: the peak, what is charged at a phase's end,
 * swap, and kills for memory. Version 2 (memory.peak) or 1 (memory.max_usage_in_bytes); the source says
 * which.
 *
 * It counts what the process does not: the kernel's own memory for it, and the page cache, charged to
 * whoever touched it first. So a model file that was cached before is in nobody's figure, and a cgroup
 * that other processes live in says little about one: it is flagged SHARED_CGROUP. Where the user may, the
 * worker gets a cgroup of its own when it is attached (`own` = auto), which is removed behind it; what the
 * worker had touched before is charged elsewhere. Charges are taken in stocks of 64 pages a CPU.
 */
#include <tare/meter.h>

#include "cgroup_path.h"
#include "sysfile.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { stock_pages = 64 };
enum own { OWN_AUTO, OWN_NO };
static const char *const owns[] = {"auto", "no", NULL};

struct cgroup {
    int64_t own;
    char *root;
    char *proc;
    int64_t pid; /* 0: nobody is attached */
    struct tare_cgroup_path at;
    bool is_own;
    char fault[200];      /* why there is no cgroup to read; "" if there is */
    char not_own[300];    /* why it is not its own */
    int peak_fd, swap_fd; /* of version 2, kept since a reset holds for the descriptor alone; -1: none */
    bool peak_reset, swap_reset;
    double oom_kills; /* at the begin; NaN: not told */
    double charge_u;  /* B */
};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct cgroup, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_CHOICE, own), .def = "auto", .choices = owns,
     .help = "a cgroup of its own for every worker: auto (where permitted) or no"},
    {MEMBER(TARE_OPT_STR, root), .def = "", .help = "folder that mount points are below"},
    {MEMBER(TARE_OPT_STR, proc), .def = "/proc", .help = "where /proc is"},
    TARE_OPT_END};

static const char *root_of(const struct cgroup *c)
{
    return c->root ? c->root : "";
}

static const char *proc_of(const struct cgroup *c)
{
    return c->proc ? c->proc : "/proc";
}

static int cgroup_open(void *self, struct tare_err *err)
{
    struct cgroup *c = self;
    struct tare_cgroup_path path;
    c->peak_fd = c->swap_fd = -1;
    c->charge_u =
        stock_pages * (double)sysconf(_SC_PAGESIZE) * (double)sysconf(_SC_NPROCESSORS_ONLN) / sqrt(3);
    (void)snprintf(c->fault, sizeof c->fault, "no process is attached");
    return tare_cgroup_find(proc_of(c), root_of(c), 0, &path, err);
}

static void path_of(const char *dir, const char *name, char path[600])
{
    (void)snprintf(path, 600, "%.511s/%s", dir, name);
}

static int write_file(const char *dir, const char *name, const char *text)
{
    char path[600];
    path_of(dir, name, path);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int code = fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ? -errno : 0;
    if (fd >= 0) {
        close(fd);
    }
    return code;
}

static double read_number(const char *dir, const char *name)
{
    char path[600];
    uint64_t value;
    path_of(dir, name, path);
    return tare_sysfile_u64(path, &value) == 0 ? (double)value : (double)NAN;
}

/* A new child of dir that the worker is moved into. 0, or a negative errno; what was made is gone then. */
static int make_child(struct cgroup *c, const char *dir)
{
    char child[512], path[600], pid[32];
    int n = snprintf(child, sizeof child, "%s/tare-%lld", dir, (long long)c->pid);
    if (n < 0 || (size_t)n >= sizeof child) {
        return -ENAMETOOLONG;
    }
    if (mkdir(child, 0755) != 0) {
        return -errno;
    }
    path_of(child, c->at.version == 1 ? "memory.usage_in_bytes" : "memory.current", path);
    (void)snprintf(pid, sizeof pid, "%lld", (long long)c->pid);
    int code = access(path, R_OK) == 0 ? write_file(child, "cgroup.procs", pid) : -ENOTSUP;
    if (code < 0) {
        (void)rmdir(child);
        return code;
    }
    memcpy(c->at.dir, child, sizeof child);
    c->is_own = true;
    return 0;
}

static void say_not_own(struct cgroup *c, int code)
{
    const char *advice = c->at.version == 1
                             ? "let the user write there"
                             : "run under 'systemd-run --user --scope -p Delegate=yes', or as its owner";
    (void)snprintf(c->not_own, sizeof c->not_own, "none can be made in %.100s: %.60s; %s", c->at.dir,
                   code == -ENOTSUP ? "its children have no memory controller" : strerror(-code), advice);
}

/* Below the cgroup that it is in, or beside it: in version 2 one that holds processes may have no children
 * with controllers. */
static void make_own(struct cgroup *c)
{
    char beside[512];
    int code = make_child(c, c->at.dir);
    if (code < 0) {
        say_not_own(c, code);
    }
    if (code == 0 || c->at.version == 1) {
        return;
    }
    memcpy(beside, c->at.dir, sizeof beside);
    char *end = strrchr(beside, '/');
    if (end) {
        *end = '\0';
        (void)make_child(c, beside);
    }
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

/* The worker has ended, or is another one now. */
static void leave(struct cgroup *c)
{
    close_fd(&c->peak_fd);
    close_fd(&c->swap_fd);
    if (c->is_own) {
        (void)rmdir(c->at.dir);
    }
    c->is_own = false;
    c->pid = 0;
}

static int open_peak(const struct cgroup *c, const char *name)
{
    char path[600];
    path_of(c->at.dir, name, path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    return fd >= 0 ? fd : open(path, O_RDONLY | O_CLOEXEC);
}

static void cgroup_attach(void *self, int64_t pid)
{
    struct cgroup *c = self;
    struct tare_err err = {0};
    leave(c);
    if (pid == 0) {
        (void)snprintf(c->fault, sizeof c->fault, "no process is attached");
        return;
    }
    if (tare_cgroup_find(proc_of(c), root_of(c), pid, &c->at, &err) < 0) {
        (void)snprintf(c->fault, sizeof c->fault, "%.199s", err.msg);
        return;
    }
    c->fault[0] = '\0';
    c->pid = pid;
    (void)snprintf(c->not_own, sizeof c->not_own, "the option own is no");
    if (c->own == OWN_AUTO) {
        make_own(c);
    }
    if (c->at.version == 2) {
        c->peak_fd = open_peak(c, "memory.peak");
        c->swap_fd = open_peak(c, "memory.swap.peak");
    }
}

/* From Linux 6.12 on a write to the descriptor makes it tell the peak since then, and disturbs nobody. */
static bool reset_fd(int fd)
{
    return fd >= 0 && write(fd, "0", 1) == 1;
}

static double oom_kills(const struct cgroup *c)
{
    char path[600], text[1024];
    double value = (double)NAN;
    path_of(c->at.dir, c->at.version == 1 ? "memory.oom_control" : "memory.events", path);
    return tare_sysfile_text(path, text, sizeof text) == 0 && tare_sysfile_field(text, "oom_kill", &value)
               ? value
               : (double)NAN;
}

static void cgroup_begin(void *self)
{
    struct cgroup *c = self;
    if (c->fault[0]) {
        return;
    }
    c->oom_kills = oom_kills(c);
    if (c->at.version == 2) {
        c->peak_reset = reset_fd(c->peak_fd);
        c->swap_reset = reset_fd(c->swap_fd);
        return;
    }
    /* In version 1 a reset is for everybody: only in a cgroup of our own. */
    c->peak_reset = c->is_own && write_file(c->at.dir, "memory.max_usage_in_bytes", "0") == 0;
}

/* Does somebody else live in it? What the worker has started itself is in its own cgroup with it. */
static bool is_shared(const struct cgroup *c)
{
    char path[600], text[4096];
    if (c->is_own) {
        return false;
    }
    path_of(c->at.dir, "cgroup.procs", path);
    (void)tare_sysfile_text(path, text, sizeof text);
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (*line && strtoll(line, NULL, 10) != c->pid) {
            return true;
        }
    }
    return false;
}

static double read_fd(int fd)
{
    char text[64], *end = text;
    ssize_t n = fd >= 0 ? pread(fd, text, sizeof text - 1, 0) : -1;
    text[n > 0 ? n : 0] = '\0';
    double value = (double)strtoull(text, &end, 10);
    return end != text ? value : (double)NAN;
}

enum what { PEAK, CURRENT, SWAP_PEAK, OOM_KILLS, OWN };

/* What is read, by version: of 1, of 2. */
static const struct {
    enum what what;
    const char *name, *unit;
    const char *source[2];
    const char *why[2]; /* when it cannot be read */
} list[] = {
    {PEAK,
     "cgroup_peak",
     "B",
     {"cgroup v1 memory.max_usage_in_bytes", "cgroup v2 memory.peak"},
     {"memory.max_usage_in_bytes cannot be read",
      "no memory.peak; it needs Linux 5.19, and the root has none"}},
    {CURRENT,
     "cgroup_current_end",
     "B",
     {"cgroup v1 memory.usage_in_bytes", "cgroup v2 memory.current"},
     {"memory.usage_in_bytes cannot be read", "no memory.current; the root cgroup has none"}},
    {SWAP_PEAK,
     "cgroup_swap_peak",
     "B",
     {"cgroup v1", "cgroup v2 memory.swap.peak"},
     {"version 1 tells the peak of memory and swap together only",
      "no memory.swap.peak; it needs Linux 6.5 and swap accounting"}},
    {OOM_KILLS,
     "cgroup_oom_kills",
     "1",
     {"cgroup v1 memory.oom_control oom_kill", "cgroup v2 memory.events oom_kill"},
     {"memory.oom_control counts no kills; it needs Linux 4.13", "memory.events counts no kills"}},
    {OWN, "cgroup_own", "1", {"the meter's own doing", "the meter's own doing"}, {NULL, NULL}},
};

static double value_of(const struct cgroup *c, enum what what)
{
    bool one = c->at.version == 1;
    switch (what) {
    case PEAK:
        return one ? read_number(c->at.dir, "memory.max_usage_in_bytes") : read_fd(c->peak_fd);
    case CURRENT:
        return read_number(c->at.dir, one ? "memory.usage_in_bytes" : "memory.current");
    case SWAP_PEAK:
        return one ? (double)NAN : read_fd(c->swap_fd);
    case OOM_KILLS:
        return oom_kills(c) - c->oom_kills;
    case OWN:
        break;
    }
    return c->is_own ? 1 : (double)NAN;
}

static const char *flags_of(const struct cgroup *c, enum what what, bool shared)
{
    bool stale = (what == PEAK && !c->peak_reset) || (what == SWAP_PEAK && !c->swap_reset);
    return stale && shared ? "SHARED_CGROUP,PEAK_NOT_RESET"
           : stale         ? "PEAK_NOT_RESET"
           : shared        ? "SHARED_CGROUP"
                           : "";
}

static void add(const struct cgroup *c, struct tare_readings *to, size_t i, bool shared)
{
    enum what what = list[i].what;
    int version = c->at.version == 1 ? 0 : 1;
    double value = c->fault[0] ? (double)NAN : value_of(c, what);
    struct tare_reading reading = {.name = list[i].name,
                                   .unit = list[i].unit,
                                   .scope = "cgroup",
                                   .source = list[i].source[version],
                                   .kind = TARE_KIND_MEASURED,
                                   .absent = !isfinite(value),
                                   .value = value,
                                   .why = c->fault[0]   ? c->fault
                                          : what == OWN ? c->not_own
                                                        : list[i].why[version]};
    struct tare_doubt doubt = {(double)NAN, 0, ""};
    if (!reading.absent) {
        doubt.u = what == PEAK || what == CURRENT ? c->charge_u : 0;
        doubt.flags = flags_of(c, what, shared);
    }
    to->add_doubted(to, &reading, &doubt);
}

static void cgroup_end(void *self, struct tare_readings *to)
{
    const struct cgroup *c = self;
    bool shared = !c->fault[0] && is_shared(c);
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        add(c, to, i, shared);
    }
}

static void cgroup_close(void *self)
{
    leave(self);
}

const struct tare_meter tare_meter_cgroup = {.header = TARE_METER_HEADER,
                                             .name = "cgroup",
                                             .summary =
                                                 "memory of the worker's cgroup: peak, end, swap, kills",
                                             .priv_size = sizeof(struct cgroup),
                                             .open = cgroup_open,
                                             .begin = cgroup_begin,
                                             .end = cgroup_end,
                                             .close = cgroup_close,
                                             .place = TARE_METER_OUTSIDE,
                                             .options = options,
                                             .attach = cgroup_attach};
