/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of the resident memory is this process's own: USS (private pages, clean and dirty) and PSS (shared
 * pages divided by how many map them), exact, at a phase's end.
 *
 * The kernel walks all page tables for it and holds the lock of the address space meanwhile: 27 ms for
 * 1.5 GiB of 4-KiB pages. So it is read once, at a phase's end, behind its last stamp, and never in
 * begin; it is no peak. The walk is CPU time of this process, so this meter stands behind those that
 * count that.
 */
#include <tare/meter.h>

#include "sysfile.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

struct smaps {
    char *proc;
    int fd;
    char text[4096];
};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct smaps, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, proc), .def = "/proc/self", .help = "folder of the process in /proc"},
    TARE_OPT_END};

static int smaps_open(void *self, struct tare_err *err)
{
    struct smaps *m = self;
    char path[512];
    (void)snprintf(path, sizeof path, "%.480s/smaps_rollup", m->proc ? m->proc : "/proc/self");
    m->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (m->fd < 0) {
        return tare_err_set(err, TARE_E_ENVIRONMENT,
                            "%s: %s; it needs Linux 4.14 with CONFIG_PROC_PAGE_MONITOR", path,
                            strerror(errno));
    }
    memset(m->text, 1, sizeof m->text); /* touched now, not while it is read */
    m->text[sizeof m->text - 1] = '\0';
    double value;
    (void)tare_sysfile_field(m->text, "Pss:", &value);
    return 0;
}

static void smaps_begin(void *self)
{
    (void)self; /* it would cost the phase that begins */
}

/* kB as bytes; NaN when the line is not there. */
static double field_bytes(const char *text, const char *key)
{
    double value = (double)NAN;
    return tare_sysfile_field(text, key, &value) ? value * 1024 : (double)NAN;
}

static void add(struct tare_readings *to, const char *name, const char *source, double value, const char *why)
{
    struct tare_reading reading = {.name = name,
                                   .unit = "B",
                                   .scope = "process",
                                   .source = source,
                                   .kind = TARE_KIND_MEASURED,
                                   .absent = why != NULL || !isfinite(value),
                                   .value = value,
                                   .why = why ? why : "not in smaps_rollup"};
    struct tare_doubt exact = {0, 0, ""};
    to->add_doubted(to, &reading, &exact);
}

static void smaps_end(void *self, struct tare_readings *to)
{
    struct smaps *m = self;
    ssize_t n = pread(m->fd, m->text, sizeof m->text - 1, 0);
    m->text[n > 0 ? n : 0] = '\0';
    const char *why = n > 0 ? NULL : "smaps_rollup could not be read";
    add(to, "pss", "smaps_rollup Pss at the phase's end", field_bytes(m->text, "Pss:"), why);
    add(to, "uss", "smaps_rollup Private_Clean + Private_Dirty at the phase's end",
        field_bytes(m->text, "Private_Clean:") + field_bytes(m->text, "Private_Dirty:"), why);
}

static void smaps_close(void *self)
{
    close(((struct smaps *)self)->fd);
}

const struct tare_meter tare_meter_smaps = {.header = TARE_METER_HEADER,
                                            .name = "smaps",
                                            .summary =
                                                "resident memory of its own (USS) and shared out (PSS)",
                                            .priv_size = sizeof(struct smaps),
                                            .open = smaps_open,
                                            .begin = smaps_begin,
                                            .end = smaps_end,
                                            .close = smaps_close,
                                            .options = options,
                                            .late = 1};
