/* SPDX-License-Identifier: Apache-2.0 */
/* mkdir, a write, rmdir. */
#include "cmd/limit_group.h"

#include "metrics/cgroup_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool put(const char *folder, const char *name, const char *text)
{
    char path[1024];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = n > 0 && (size_t)n < sizeof path ? open(path, O_WRONLY | O_CLOEXEC) : -1;
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    int saved = errno;
    if (fd >= 0) {
        close(fd);
    }
    errno = saved;
    return ok;
}

static bool make(const char *parent, int version, int64_t limit_bytes, char *folder, size_t n_folder)
{
    static int count; /* this process's, which has one thread that makes any */
    char limit[32];
    int n = snprintf(folder, n_folder, "%s/tare-fit-%d-%d", parent, (int)getpid(), count++);
    (void)snprintf(limit, sizeof limit, "%lld", (long long)limit_bytes);
    if (n < 0 || (size_t)n >= n_folder || mkdir(folder, 0755) != 0) {
        return false;
    }
    if (put(folder, version == 1 ? "memory.limit_in_bytes" : "memory.max", limit)) {
        if (version == 1) {
            (void)put(folder, "memory.memsw.limit_in_bytes", limit);
        } else {
            (void)put(folder, "memory.swap.max", "0");
        }
        return true;
    }
    int saved = errno;
    (void)rmdir(folder);
    errno = saved;
    return false;
}

int tare_limit_group_make(int64_t limit_bytes, char *folder, size_t n_folder, struct tare_err *err)
{
    struct tare_cgroup_path at;
    int r = tare_cgroup_find("/proc", "", 0, &at, err);
    if (r < 0 || make(at.dir, at.version, limit_bytes, folder, n_folder)) {
        return r;
    }
    int saved = errno;
    char *end = strrchr(at.dir, '/');
    if (end && end != at.dir && at.version == 2) { /* one that holds processes has no children with limits */
        *end = '\0';
        if (make(at.dir, at.version, limit_bytes, folder, n_folder)) {
            return 0;
        }
        *end = '/';
    }
    return tare_err_set(
        err, TARE_E_ENVIRONMENT,
        "no cgroup with a limit can be made in %.200s: %s; run it as root or under 'systemd-run "
        "--user --scope -p Delegate=yes', or use --by rlimit",
        at.dir, strerror(saved));
}

void tare_limit_group_remove(const char *folder)
{
    (void)rmdir(folder);
}
