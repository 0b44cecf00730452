/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resident memory of this process: the peak of a phase (VmHWM, reset at its begin) and what is
 * resident at its end, anonymous and file-backed apart. Not "memory needed": pages of a mapped model
 * that were never touched do not count, and file pages may be shared.
 */
#include <tare/meter.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct memory {
    int status_fd;
    int reset_errno; /* 0: the peak was reset at the phase's begin */
};

static int memory_probe(char *why, size_t n_why)
{
    if (access("/proc/self/status", R_OK) == 0) {
        return 0;
    }
    (void)snprintf(why, n_why, "/proc/self/status: %s", strerror(errno));
    return TARE_E_ENVIRONMENT;
}

static int memory_open(void *self, struct tare_err *err)
{
    struct memory *m = self;
    m->status_fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    return m->status_fd >= 0
               ? 0
               : tare_err_set(err, TARE_E_ENVIRONMENT, "/proc/self/status: %s", strerror(errno));
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

/* "Name:   123 kB" as bytes; -1 when the line is not there. */
static double field_bytes(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at ? (double)strtoll(at + strlen(name), NULL, 10) * 1024 : -1;
}

static void add(struct tare_readings *to, const char *name, const char *source, double value, const char *why)
{
    struct tare_reading reading = {.name = name,
                                   .unit = "B",
                                   .scope = "process",
                                   .source = source,
                                   .kind = TARE_KIND_MEASURED,
                                   .absent = why != NULL || value < 0,
                                   .value = value,
                                   .why = why ? why : "not in /proc/self/status"};
    to->add(to, &reading);
}

static void memory_end(void *self, struct tare_readings *to)
{
    const struct memory *m = self;
    char text[4096];
    ssize_t n = pread(m->status_fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    const char *unread = n > 0 ? NULL : "/proc/self/status could not be read";
    const char *not_reset = m->reset_errno ? "the peak could not be reset (/proc/self/clear_refs)" : NULL;
    add(to, "peak_rss", "/proc/self/status VmHWM, reset at the phase's begin", field_bytes(text, "VmHWM:"),
        unread ? unread : not_reset);
    add(to, "rss_anon", "/proc/self/status RssAnon at the phase's end", field_bytes(text, "RssAnon:"),
        unread);
    add(to, "rss_file", "/proc/self/status RssFile at the phase's end", field_bytes(text, "RssFile:"),
        unread);
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
