/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every case runs in a child of its own, twice: once with a page a thread, so that all code, stacks and
 * buffers are in place, and then for good.
 */
#include "selftest/ballast.h"

#include "metrics/rss_bound.h"
#include "metrics/sysfile.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

enum { max_threads = 100, n_text = 8192, stack_bytes = 64 * 1024 };

/* What the child says; in memory shared with its parent. */
struct answer {
    int fault; /* errno; 0: none */
    const char *what;
    struct tare_known_ballast_case result;
};

/* Memory in pages. */
struct reading {
    double anon, peak;
};

struct child {
    size_t page_bytes;
    int status_fd, reset_fd;
    char text[n_text];
    pthread_barrier_t go, done;
    char *at; /* the region of this round */
    int64_t threads, pages;
};

struct toucher {
    struct child *child;
    int64_t index;
    pthread_t id;
};

static struct child child; /* touched as a whole before it is used */
static struct toucher touchers[max_threads];

static bool read_status(struct reading *out)
{
    ssize_t n = pread(child.status_fd, child.text, sizeof child.text - 1, 0);
    child.text[n > 0 ? n : 0] = '\0';
    double kb = (double)child.page_bytes / 1024;
    bool ok = tare_sysfile_field(child.text, "RssAnon:", &out->anon) &&
              tare_sysfile_field(child.text, "VmHWM:", &out->peak);
    out->anon /= kb;
    out->peak /= kb;
    return ok;
}

/* The index-th of equal parts, the first ones larger by one where they do not come out even. */
static void touch_part(int64_t index)
{
    int64_t share = child.pages / child.threads, more = child.pages % child.threads;
    int64_t begin = index * share + (index < more ? index : more), n = share + (index < more);
    for (int64_t i = begin; i < begin + n; i++) {
        ((volatile char *)child.at)[(size_t)i * child.page_bytes] = 1;
    }
}

static void *run_toucher(void *arg)
{
    const struct toucher *t = arg;
    while (child.threads > 0) { /* until the child ends: leaving would bring in code while it is read */
        (void)pthread_barrier_wait(&child.go);
        touch_part(t->index);
        (void)pthread_barrier_wait(&child.done);
    }
    return NULL;
}

/* Resets the peak, touches, reads, frees, reads. NULL, or what failed with errno set. */
static const char *run_round(int64_t pages, struct tare_known_ballast_case *out)
{
    struct reading before, held, after;
    size_t n = (size_t)pages * child.page_bytes;
    child.at = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    child.pages = pages;
    if (child.at == MAP_FAILED) {
        return "mmap";
    }
    (void)madvise(child.at, n, MADV_NOHUGEPAGE); /* a kernel without huge pages refuses it, rightly */
    if (pwrite(child.reset_fd, "5", 1, 0) != 1) {
        return "/proc/self/clear_refs";
    }
    bool ok = read_status(&before);
    (void)pthread_barrier_wait(&child.go);
    (void)pthread_barrier_wait(&child.done);
    ok = read_status(&held) && ok;
    if (munmap(child.at, n) != 0) {
        return "munmap";
    }
    ok = read_status(&after) && ok;
    out->held_pages = (int64_t)(held.anon - before.anon);
    out->peak_held_pages = (int64_t)(held.peak - before.peak);
    out->peak_pages = (int64_t)(after.peak - before.peak);
    return ok ? NULL : "/proc/self/status";
}

static const char *start_threads(void)
{
    pthread_attr_t attributes;
    int r = pthread_attr_init(&attributes);
    r = r ? r : pthread_attr_setstacksize(&attributes, stack_bytes);
    for (int64_t i = 0; r == 0 && i < child.threads; i++) {
        touchers[i] = (struct toucher){.child = &child, .index = i};
        r = pthread_create(&touchers[i].id, &attributes, run_toucher, &touchers[i]);
    }
    errno = r;
    return r ? "pthread_create" : NULL;
}

static const char *run_child(struct tare_known_ballast_case *out)
{
    memset(&child, 0, sizeof child);
    memset(child.text, 1, sizeof child.text);
    memset(touchers, 1, sizeof touchers);
    child.page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    child.threads = out->threads;
    child.status_fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    child.reset_fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (child.status_fd < 0 || child.reset_fd < 0) {
        return child.status_fd < 0 ? "/proc/self/status" : "/proc/self/clear_refs";
    }
    int r = pthread_barrier_init(&child.go, NULL, (unsigned int)child.threads + 1);
    r = r ? r : pthread_barrier_init(&child.done, NULL, (unsigned int)child.threads + 1);
    if (r != 0) {
        errno = r;
        return "pthread_barrier_init";
    }
    const char *what = start_threads();
    what = what ? what : run_round(child.threads, out);
    return what ? what : run_round(out->pages, out);
}

static void set_bounds(struct tare_known_ballast_case *out)
{
    struct utsname name;
    struct tare_rss_bound bound = tare_rss_bound(uname(&name) == 0 ? name.release : "", out->threads + 1,
                                                 sysconf(_SC_NPROCESSORS_ONLN));
    out->held_bound_pages = 2 * bound.now_pages + 1;
    out->peak_bound_pages = 2 * bound.peak_pages + 1;
}

int tare_known_ballast_one(int64_t threads, int64_t pages, struct tare_known_ballast_case *out,
                           struct tare_err *err)
{
    if (threads < 1 || threads > max_threads || pages < 1) {
        return tare_err_set(err, TARE_E_USAGE, "known ballast: %lld threads and %lld pages cannot be",
                            (long long)threads, (long long)pages);
    }
    struct answer *answer =
        mmap(NULL, sizeof *answer, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (answer == MAP_FAILED) {
        return tare_err_set(err, TARE_E_NOMEM, "known ballast: %s", strerror(errno));
    }
    answer->result = (struct tare_known_ballast_case){.threads = threads, .pages = pages};
    pid_t pid = fork();
    if (pid == 0) {
        answer->what = run_child(&answer->result);
        answer->fault = answer->what ? errno : 0;
        _exit(answer->what ? 1 : 0);
    }
    int status = 0;
    int code = pid < 0 ? -errno : waitpid(pid, &status, 0) == pid ? 0 : -errno;
    int r = 0;
    if (code < 0) {
        r = tare_err_set(err, TARE_E_ENVIRONMENT, "known ballast: %s", strerror(-code));
    } else if (!WIFEXITED(status)) {
        r = tare_err_set(err, TARE_E_ENVIRONMENT, "known ballast: the child died of signal %d",
                         WTERMSIG(status));
    } else if (WEXITSTATUS(status) != 0) { /* a fork has the constants where its parent has them */
        r = tare_err_set(err, TARE_E_ENVIRONMENT, "known ballast: %s: %s", answer->what,
                         strerror(answer->fault));
    } else {
        *out = answer->result;
        set_bounds(out);
    }
    (void)munmap(answer, sizeof *answer);
    return r;
}

int tare_known_ballast(struct tare_known_ballast *out, struct tare_err *err)
{
    static const int64_t threads[] = {1, 16, 100}, pages[] = {1, 10, 100, 1000, 10000, 100000};
    struct tare_known_ballast all = {0};
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        for (size_t j = 0; j < sizeof pages / sizeof *pages; j++) {
            int r = tare_known_ballast_one(threads[i], pages[j], &all.cases[all.n++], err);
            if (r < 0) {
                return r;
            }
        }
    }
    *out = all;
    return 0;
}
