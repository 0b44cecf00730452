/* SPDX-License-Identifier: Apache-2.0 */
/* unshare(2) and a few writes. */
#include "core/isolate.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    int saved = errno;
    if (fd >= 0) {
        close(fd);
    }
    errno = saved;
    return ok;
}

static int refuse(const char *what, const char *advice, struct tare_err *err)
{
    return tare_err_set(err, TARE_E_UNSUPPORTED, "%s: %s; %s", what, strerror(errno), advice);
}

static int enter_cgroup(const char *folder, struct tare_err *err)
{
    char path[1024], what[700];
    int n = snprintf(path, sizeof path, "%s/cgroup.procs", folder);
    if (n > 0 && (size_t)n < sizeof path && write_text(path, "0")) {
        return 0;
    }
    (void)snprintf(what, sizeof what, "cgroup %.600s cannot be entered", folder);
    return refuse(what, "it must exist and be writable", err);
}

/* The user's own ids, mapped onto themselves. */
static bool map_ids(unsigned int uid, unsigned int gid)
{
    char text[64];
    (void)write_text("/proc/self/setgroups", "deny"); /* absent before Linux 3.19, and not needed there */
    (void)snprintf(text, sizeof text, "%u %u 1", uid, uid);
    bool ok = write_text("/proc/self/uid_map", text);
    (void)snprintf(text, sizeof text, "%u %u 1", gid, gid);
    return ok && write_text("/proc/self/gid_map", text);
}

static bool raise_loopback(void)
{
    struct ifreq request;
    memset(&request, 0, sizeof request);
    memcpy(request.ifr_name, "lo", 3);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0;
    request.ifr_flags = (short)(request.ifr_flags | IFF_UP | IFF_RUNNING);
    ok = ok && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    int saved = errno;
    if (fd >= 0) {
        close(fd);
    }
    errno = saved;
    return ok;
}

static int own_network(struct tare_err *err)
{
    unsigned int uid = geteuid(), gid = getegid();
    if (unshare(CLONE_NEWNET) != 0) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
            return refuse("network = own: the kernel refuses a network namespace",
                          "it needs CAP_SYS_ADMIN or unprivileged user namespaces "
                          "(sysctl kernel.unprivileged_userns_clone, user.max_user_namespaces)",
                          err);
        }
        if (!map_ids(uid, gid)) {
            return refuse("network = own: the user cannot be mapped into a user namespace", "run as root",
                          err);
        }
        /* New credentials may have cleared it. */
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
    return raise_loopback() ? 0 : refuse("network = own: loopback cannot be brought up", "run as root", err);
}

int tare_isolate(const struct tare_spec *spec, struct tare_err *err)
{
    int r = spec->cgroup ? enter_cgroup(spec->cgroup, err) : 0;
    r = r == 0 && spec->network == TARE_NETWORK_OWN ? own_network(err) : r;
    if (r == 0 && setenv("TARE_NETWORK", spec->network == TARE_NETWORK_OWN ? "own" : "host", 1) != 0) {
        r = tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    return r;
}
