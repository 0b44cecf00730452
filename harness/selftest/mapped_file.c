/* SPDX-License-Identifier: Apache-2.0 */
/* Runs twice, so that the second time all of its own code and buffers are in place. */
#include "selftest/mapped_file.h"

#include "metrics/rss_bound.h"
#include "metrics/sysfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

struct mapping {
    int fd;
    char *at;
    size_t page_bytes, n;
    unsigned char *cached; /* by mincore */
    char text[8192];
};

static double rss_file(struct mapping *m)
{
    double value = -1;
    (void)tare_sysfile_text("/proc/self/status", m->text, sizeof m->text);
    return tare_sysfile_field(m->text, "RssFile:", &value) ? value * 1024 / (double)m->page_bytes : -1;
}

/* A sparse file: its pages are cached as they are touched, and not before. */
static int make_file(const char *folder, int64_t pages, struct mapping *m, struct tare_err *err)
{
    char path[512];
    const char *base = folder ? folder : getenv("TMPDIR");
    (void)snprintf(path, sizeof path, "%.480s/tare-known-XXXXXX", base && *base ? base : "/var/tmp");
    m->fd = mkostemp(path, O_CLOEXEC);
    if (m->fd >= 0) {
        (void)unlink(path);
    }
    if (m->fd < 0 || ftruncate(m->fd, (off_t)pages * (off_t)m->page_bytes) != 0) {
        return tare_err_set(err, TARE_E_IO, "known mapping: %.400s: %s", path, strerror(errno));
    }
    m->at = mmap(NULL, m->n, PROT_READ, MAP_SHARED, m->fd, 0);
    m->cached = malloc((size_t)pages);
    if (m->at == MAP_FAILED || !m->cached || madvise(m->at, m->n, MADV_RANDOM) != 0) {
        return tare_err_set(err, TARE_E_NOMEM, "known mapping: %s", strerror(errno));
    }
    memset(m->cached, 0, (size_t)pages);
    return 0;
}

/* Spread evenly over the file. */
static int64_t nth(int64_t i, int64_t pages, int64_t touched)
{
    return i * pages / touched;
}

static void count_wrong(const struct mapping *m, struct tare_known_mapped_file *out)
{
    int64_t next = 0;
    for (int64_t i = 0; i < out->pages; i++) {
        bool touched = next < out->touched && nth(next, out->pages, out->touched) == i;
        bool cached = m->cached[i] & 1;
        next += touched;
        out->resident_pages += cached;
        out->wrong_pages += cached != touched;
    }
}

static int measure(struct mapping *m, const char *folder, struct tare_known_mapped_file *out,
                   struct tare_err *err)
{
    int r = make_file(folder, out->pages, m, err);
    if (r < 0) {
        return r;
    }
    double before = rss_file(m);
    for (int64_t i = 0; i < out->touched; i++) {
        (void)((volatile char *)m->at)[(size_t)nth(i, out->pages, out->touched) * m->page_bytes];
    }
    double after = rss_file(m);
    if (before < 0 || after < 0 || mincore(m->at, m->n, m->cached) != 0) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "known mapping: RssFile or mincore cannot be read");
    }
    out->rss_pages = (int64_t)(after - before);
    count_wrong(m, out);
    return 0;
}

static int run_once(const char *folder, int64_t pages, int64_t touched, struct tare_known_mapped_file *out,
                    struct tare_err *err)
{
    struct mapping m = {.fd = -1, .at = MAP_FAILED, .page_bytes = (size_t)sysconf(_SC_PAGESIZE)};
    m.n = (size_t)pages * m.page_bytes;
    memset(m.text, 1, sizeof m.text);
    *out = (struct tare_known_mapped_file){.pages = pages, .touched = touched};
    int r = measure(&m, folder, out, err);
    if (m.at != MAP_FAILED) {
        (void)munmap(m.at, m.n);
    }
    if (m.fd >= 0) {
        close(m.fd);
    }
    free(m.cached);
    return r;
}

int tare_known_mapped_file(const char *folder, int64_t pages, int64_t touched,
                           struct tare_known_mapped_file *out, struct tare_err *err)
{
    struct tare_known_mapped_file result;
    struct utsname name;
    if (pages < 1 || touched < 1 || touched > pages) {
        return tare_err_set(err, TARE_E_USAGE, "known mapping: %lld of %lld pages cannot be touched",
                            (long long)touched, (long long)pages);
    }
    int r = run_once(folder, pages, touched, &result, err);
    r = r == 0 ? run_once(folder, pages, touched, &result, err) : r;
    if (r < 0) {
        return r;
    }
    struct tare_rss_bound bound =
        tare_rss_bound(uname(&name) == 0 ? name.release : "", 1, sysconf(_SC_NPROCESSORS_ONLN));
    result.rss_bound_pages = 2 * bound.now_pages;
    *out = result;
    return 0;
}
