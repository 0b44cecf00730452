/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resident memory of this process: the peak of a phase (VmHWM, reset at its begin) and what is
 * resident at its end, anonymous and file-backed apart, with the bound of the kernel's batched counters
 * beside them. Not "memory needed": pages of a mapped model that were never touched do not count, file
 * pages may be shared, and memory of child processes is theirs. The reader's own pages are touched when
 * it is opened, so that it does not count itself.
 */
#include <tare/meter.h>

#include "rss_bound.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

struct memory {
    int status_fd;
    int reset_errno; /* 0: the peak was reset at the phase's begin */
    int64_t cpus;
    double page_bytes;
    char release[80];
    char text[8192];
};

static int memory_probe(char *why, size_t n_why)
{
    if (access("/proc/self/status", R_OK) == 0) {
        return 0;
    }
    (void)snprintf(why, n_why, "/proc/self/status: %s", strerror(errno));
    return TARE_E_ENVIRONMENT;
}

/* "Name:   123 kB" as bytes; -1 when the line is not there. */
static double field_bytes(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at ? (double)strtoll(at + strlen(name), NULL, 10) * 1024 : -1;
}

static ssize_t read_status(struct memory *m)
{
    ssize_t n = pread(m->status_fd, m->text, sizeof m->text - 1, 0);
    m->text[n > 0 ? n : 0] = '\0';
    return n;
}

static int memory_open(void *self, struct tare_err *err)
{
    struct memory *m = self;
    struct utsname name;
    m->status_fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (m->status_fd < 0) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "/proc/self/status: %s", strerror(errno));
    }
    m->cpus = sysconf(_SC_NPROCESSORS_ONLN);
    m->page_bytes = (double)sysconf(_SC_PAGESIZE);
    (void)snprintf(m->release, sizeof m->release, "%.79s", uname(&name) == 0 ? name.release : "");
    memset(m->text, 1, sizeof m->text); /* touched now, not while it is read */
    (void)read_status(m);
    (void)field_bytes(m->text, "VmHWM:");
    return 0;
}

/* Value 5 resets the high-water mark (Linux, proc(5)); opened each time since the file is write-only. */
static void memory_begin(void *self)
{
    struct memory *m = self;
    int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    m->reset_errno = fd >= 0 && write(fd, "5", 1) == 1 ? 0 : errno;
    if (fd >= 0) {
        close(fd);
    }
}

/* A reading whose error is anywhere within +-bound: uniform, so its standard uncertainty is a root of three
 * smaller. A bound of NaN is one that is not known. */
static void add(struct tare_readings *to, const char *name, const char *source, double value, double bound,
                const char *why)
{
    struct tare_reading reading = {.name = name,
                                   .unit = "B",
                                   .scope = "process",
                                   .source = source,
                                   .kind = TARE_KIND_MEASURED,
                                   .absent = why != NULL || value < 0,
                                   .value = value,
                                   .why = why ? why : "not in /proc/self/status"};
    struct tare_doubt doubt = {bound / sqrt(3), 0, ""};
    to->add_doubted(to, &reading, &doubt);
}

static void add_bound(struct tare_readings *to, const char *name, double bound)
{
    struct tare_reading reading = {.name = name,
                                   .unit = "B",
                                   .scope = "process",
                                   .source = "the kernel's version, its CPUs and the threads",
                                   .kind = TARE_KIND_MODELLED,
                                   .absent = !isfinite(bound),
                                   .value = bound,
                                   .why = "this kernel's version is not known to the meter"};
    to->add(to, &reading);
}

static void memory_end(void *self, struct tare_readings *to)
{
    struct memory *m = self;
    const char *unread = read_status(m) > 0 ? NULL : "/proc/self/status could not be read";
    const char *not_reset = m->reset_errno ? "the peak could not be reset (/proc/self/clear_refs)" : NULL;
    const char *threads = strstr(m->text, "Threads:");
    struct tare_rss_bound pages =
        tare_rss_bound(m->release, threads ? strtoll(threads + 8, NULL, 10) : 0, m->cpus);
    double now = pages.now_pages * m->page_bytes, peak = pages.peak_pages * m->page_bytes;
    add(to, "peak_rss", "/proc/self/status VmHWM, reset at the phase's begin", field_bytes(m->text, "VmHWM:"),
        peak, unread ? unread : not_reset);
    add(to, "rss_anon", "/proc/self/status RssAnon at the phase's end", field_bytes(m->text, "RssAnon:"), now,
        unread);
    add(to, "rss_file", "/proc/self/status RssFile at the phase's end", field_bytes(m->text, "RssFile:"), now,
        unread);
    add(to, "address_space_peak", "/proc/self/status VmPeak since the process began",
        field_bytes(m->text, "VmPeak:"), 0, unread);
    add_bound(to, "rss_error_bound", now);
    add_bound(to, "peak_rss_error_bound", peak);
}

static void memory_close(void *self)
{
    close(((struct memory *)self)->status_fd);
}

const struct tare_meter tare_meter_memory = {.header = TARE_METER_HEADER,
                                             .name = "memory",
                                             .summary =
                                                 "resident memory: peak of a phase, anonymous and file",
                                             .priv_size = sizeof(struct memory),
                                             .probe = memory_probe,
                                             .open = memory_open,
                                             .begin = memory_begin,
                                             .end = memory_end,
                                             .close = memory_close};
