/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that the process maps as data, such as the weights of a model: bytes mapped, and of them bytes
 * that lie in memory now (mincore), whoever brought them in. Also what is locked and what is swapped out.
 *
 * Files of which a part is mapped to be executed are libraries and do not count, nor do mappings below
 * `least`. A file mapped twice counts twice. Resident does not mean touched by us (that is RssFile), and
 * the kernel tells it only of files that this user owns or may write: of others there is no value. The
 * walk takes up to 25 ms for 1.5 GiB of 4-KiB pages, at a phase's end only.
 */
#include <tare/meter.h>

#include "sysfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { max_files = 256, n_line = 4352, n_pages = 16384 };

/* All mappings of one file. */
struct file {
    uint64_t device, inode;
    double bytes, resident_bytes;
    bool executable, hidden; /* hidden: mincore tells nothing true of it */
};

struct mapped {
    int64_t least;
    char *proc;
    double page_bytes;
    size_t n;
    bool more; /* than max_files */
    bool failed;
    struct file files[max_files];
    unsigned char pages[n_pages];
    char text[8192];
    char line[n_line];
};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct mapped, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_BYTES, least), .def = "1MiB", .min = 0, .max = INT64_MAX, .unit = "B",
     .help = "smallest mapping that counts"},
    {MEMBER(TARE_OPT_STR, proc), .def = "/proc/self", .help = "folder of the process in /proc"},
    TARE_OPT_END};

static const char *proc_of(const struct mapped *m)
{
    return m->proc ? m->proc : "/proc/self";
}

static int mapped_open(void *self, struct tare_err *err)
{
    struct mapped *m = self;
    char path[512];
    (void)snprintf(path, sizeof path, "%.480s/maps", proc_of(m));
    if (access(path, R_OK) != 0) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "%s: %s", path, strerror(errno));
    }
    m->page_bytes = (double)sysconf(_SC_PAGESIZE);
    memset(m->files, 1, sizeof m->files); /* touched now, not while it is read */
    memset(m->pages, 1, sizeof m->pages);
    memset(m->text, 1, sizeof m->text);
    memset(m->line, 1, sizeof m->line);
    return 0;
}

static struct file *find(struct mapped *m, uint64_t device, uint64_t inode)
{
    for (size_t i = 0; i < m->n; i++) {
        if (m->files[i].device == device && m->files[i].inode == inode) {
            return &m->files[i];
        }
    }
    if (m->n == max_files) {
        m->more = true;
        return NULL;
    }
    m->files[m->n] = (struct file){.device = device, .inode = inode};
    return &m->files[m->n++];
}

/* The kernel's rule since 5.2: of a file that one neither owns nor may write it says "resident" always. */
static bool is_hidden(const char *path)
{
    struct stat st;
    return geteuid() != 0 && (stat(path, &st) != 0 || (st.st_uid != geteuid() && access(path, W_OK) != 0));
}

/* Bytes of [begin, end) that are resident; NaN if the kernel does not say. */
static double resident(struct mapped *m, uint64_t begin, uint64_t end)
{
    const uint64_t page = (uint64_t)m->page_bytes;
    double sum = 0;
    for (uint64_t at = begin; at < end; at += n_pages * page) {
        uint64_t n = end - at < n_pages * page ? end - at : n_pages * page;
        if (mincore((void *)(uintptr_t)at, n, m->pages) != 0) {
            return (double)NAN;
        }
        for (uint64_t i = 0; i < (n + page - 1) / page; i++) {
            sum += m->pages[i] & 1 ? m->page_bytes : 0;
        }
    }
    return sum;
}

/* "begin-end rwxp offset major:minor inode   path" */
static void take_line(struct mapped *m)
{
    uint64_t begin, end, inode;
    unsigned int major, minor;
    char rights[8];
    int path = 0;
    if (sscanf(m->line, "%" SCNx64 "-%" SCNx64 " %7s %*x %x:%x %" SCNu64 " %n", &begin, &end, rights, &major,
               &minor, &inode, &path) < 6 ||
        inode == 0 || path == 0 || m->line[path] != '/') {
        return;
    }
    bool executable = rights[2] == 'x';
    if (!executable && end - begin < (uint64_t)m->least) {
        return;
    }
    struct file *file = find(m, ((uint64_t)major << 32) | minor, inode);
    if (!file) {
        return;
    }
    file->executable = file->executable || executable;
    if (executable || end - begin < (uint64_t)m->least) {
        return;
    }
    file->hidden = file->hidden || is_hidden(m->line + path);
    file->bytes += (double)(end - begin);
    file->resident_bytes += resident(m, begin, end);
}

/* Line by line through a fixed buffer; what of a line does not fit, the end of a long path, is dropped. */
static void walk(struct mapped *m)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%.480s/maps", proc_of(m));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;
    size_t used = 0;
    m->n = 0;
    m->more = false;
    m->failed = fd < 0;
    while (fd >= 0 && (n = read(fd, m->text, sizeof m->text)) != 0) {
        if (n < 0) {
            m->failed = true;
            break;
        }
        for (ssize_t i = 0; i < n; i++) {
            bool ends = m->text[i] == '\n';
            m->line[used] = ends ? '\0' : m->text[i];
            used += used + 1 < n_line;
            if (ends) {
                take_line(m);
                used = 0;
            }
        }
    }
    if (fd >= 0) {
        close(fd);
    }
}

static void mapped_begin(void *self)
{
    (void)self; /* it would cost the phase that begins */
}

static void add(struct tare_readings *to, const char *name, const char *source, double value, bool more,
                const char *why)
{
    struct tare_reading reading = {.name = name,
                                   .unit = "B",
                                   .scope = "process",
                                   .source = source,
                                   .kind = TARE_KIND_MEASURED,
                                   .absent = why != NULL || !isfinite(value),
                                   .value = value,
                                   .why = why ? why : "the kernel does not say"};
    struct tare_doubt doubt = {more ? (double)NAN : 0, 0, more ? "LOWER_BOUND" : ""};
    to->add_doubted(to, &reading, &doubt);
}

static void add_status(struct tare_readings *to, const char *text, const char *name, const char *key,
                       const char *source)
{
    double value = (double)NAN;
    add(to, name, source, tare_sysfile_field(text, key, &value) ? value * 1024 : (double)NAN, false, NULL);
}

static void mapped_end(void *self, struct tare_readings *to)
{
    struct mapped *m = self;
    walk(m);
    double bytes = 0, resident_bytes = 0;
    bool hidden = false;
    for (size_t i = 0; i < m->n; i++) {
        const struct file *f = &m->files[i];
        if (!f->executable && f->bytes > 0) {
            bytes += f->bytes;
            resident_bytes += f->resident_bytes;
            hidden = hidden || f->hidden;
        }
    }
    const char *why = m->failed ? "/proc/self/maps could not be read" : NULL;
    const char *not_told =
        hidden ? "the kernel tells it only of files that this user owns or may write; own the model file"
               : why;
    add(to, "mapped_bytes", "/proc/self/maps, files mapped as data", bytes, m->more, why);
    add(to, "mapped_resident_bytes", "mincore of files mapped as data, at the phase's end", resident_bytes,
        m->more, why ? why : not_told);
    char path[512];
    (void)snprintf(path, sizeof path, "%.480s/status", proc_of(m));
    (void)tare_sysfile_text(path, m->text, sizeof m->text);
    add_status(to, m->text, "locked", "VmLck:", "/proc/self/status VmLck at the phase's end");
    add_status(to, m->text, "swapped", "VmSwap:", "/proc/self/status VmSwap at the phase's end");
}

const struct tare_meter tare_meter_mapped = {.header = TARE_METER_HEADER,
                                             .name = "mapped",
                                             .summary = "mapped model files: how much of them lies in memory",
                                             .priv_size = sizeof(struct mapped),
                                             .open = mapped_open,
                                             .begin = mapped_begin,
                                             .end = mapped_end,
                                             .options = options,
                                             .late = 1};
