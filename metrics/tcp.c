/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes through the TCP sockets of this process, as the kernel counts them for each socket (TCP_INFO).
 *
 * Sent includes what was sent again, which is given apart; acknowledged and received do not. The end of a
 * stream (FIN) adds 1 to received, and the opening one (SYN) may add 1 to acknowledged. Headers are not
 * in it. A socket that was closed before the phase's end takes its count with it: then the sums are lower
 * bounds and flagged SOCKETS_CLOSED (one that was there at the begin is gone) or SOCKETS_UNSEEN (more
 * connections were opened in this network namespace than are seen; in the machine's namespace they may
 * be somebody else's). Sockets of child processes are theirs.
 */
#include <tare/meter.h>

#include "sysfile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <math.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { max_sockets = 1024 };
enum { state_close = 7, state_listen = 10 }; /* of tcp(7), which only the C library names */

struct sock {
    uint64_t inode;
    uint64_t sent, again, acked, received;
    bool connected; /* ever; a listening one never is */
};

struct sockets {
    size_t n;
    bool ok, more; /* more: than there is room for */
    bool counts;   /* the kernel tells bytes sent (Linux 4.19) */
    double opened; /* connections opened in the namespace since it began; NaN: not told */
    struct sock list[max_sockets];
};

struct tcp {
    char *proc;
    struct sockets begin, end;
    char entries[8192];
    char text[4096];
};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct tcp, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, proc), .def = "/proc/self", .help = "folder of the process in /proc"},
    TARE_OPT_END};

static const char *proc_of(const struct tcp *t)
{
    return t->proc ? t->proc : "/proc/self";
}

/* The fields of struct linux_dirent64, which no header of the system has. */
struct entry {
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[];
};

static void take_socket(struct sockets *s, int fd)
{
    struct stat st;
    int protocol = 0;
    socklen_t n = sizeof protocol;
    if (fstat(fd, &st) != 0 || !S_ISSOCK(st.st_mode) ||
        getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &n) != 0 || protocol != IPPROTO_TCP) {
        return;
    }
    for (size_t i = 0; i < s->n; i++) {
        if (s->list[i].inode == st.st_ino) {
            return; /* a second descriptor of the same socket */
        }
    }
    struct tcp_info info;
    memset(&info, 0, sizeof info);
    n = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) != 0) {
        return;
    }
    if (s->n == max_sockets) {
        s->more = true;
        return;
    }
    s->counts =
        s->counts && n >= offsetof(struct tcp_info, tcpi_bytes_retrans) + sizeof info.tcpi_bytes_retrans;
    bool connected = info.tcpi_state != state_close && info.tcpi_state != state_listen;
    s->list[s->n++] = (struct sock){st.st_ino,
                                    info.tcpi_bytes_sent,
                                    info.tcpi_bytes_retrans,
                                    info.tcpi_bytes_acked,
                                    info.tcpi_bytes_received,
                                    connected};
}

/* "Tcp: names" and "Tcp: numbers": the 5th and the 6th are active and passive opens. */
static double read_opened(struct tcp *t)
{
    char path[512];
    double active = 0, passive = 0;
    (void)snprintf(path, sizeof path, "%.480s/net/snmp", proc_of(t));
    if (tare_sysfile_whole(path, t->text, sizeof t->text, NULL) < 0) {
        return (double)NAN;
    }
    const char *names = strstr(t->text, "\nTcp:"), *numbers = names ? strstr(names + 1, "\nTcp:") : NULL;
    return numbers && sscanf(numbers + 5, " %*d %*d %*d %*d %lf %lf", &active, &passive) == 2
               ? active + passive
               : (double)NAN;
}

/* Every descriptor, with the plain system call: readdir(3) allocates. */
static void walk(struct tcp *t, struct sockets *s)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%.480s/fd", proc_of(t));
    s->n = 0;
    s->more = false;
    s->counts = true;
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    s->ok = dir >= 0;
    long n;
    while (dir >= 0 && (n = syscall(SYS_getdents64, dir, t->entries, sizeof t->entries)) != 0) {
        if (n < 0) {
            s->ok = false;
            break;
        }
        for (long at = 0; at < n;) {
            struct entry head;
            memcpy(&head, t->entries + at, offsetof(struct entry, name));
            const char *name = t->entries + at + offsetof(struct entry, name);
            if (name[0] >= '0' && name[0] <= '9') {
                take_socket(s, atoi(name));
            }
            at += head.size;
        }
    }
    if (dir >= 0) {
        close(dir);
    }
    s->opened = read_opened(t);
}

static int tcp_open(void *self, struct tare_err *err)
{
    struct tcp *t = self;
    memset(t->begin.list, 1, sizeof t->begin.list); /* touched now, not while it is read */
    memset(t->end.list, 1, sizeof t->end.list);
    memset(t->entries, 1, sizeof t->entries);
    memset(t->text, 1, sizeof t->text);
    walk(t, &t->begin);
    return t->begin.ok ? 0
                       : tare_err_set(err, TARE_E_ENVIRONMENT, "%.200s/fd cannot be read: %s", proc_of(t),
                                      strerror(errno));
}

static void tcp_begin(void *self)
{
    struct tcp *t = self;
    walk(t, &t->begin);
}

static const struct sock *find(const struct sockets *s, uint64_t inode)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->list[i].inode == inode) {
            return &s->list[i];
        }
    }
    return NULL;
}

/* What the sockets of the end have counted since the begin; those that are new, since they were made. */
static struct sock difference(const struct tcp *t, size_t *n_new)
{
    struct sock sum = {0};
    *n_new = 0;
    for (size_t i = 0; i < t->end.n; i++) {
        const struct sock *b = &t->end.list[i], *a = find(&t->begin, b->inode);
        *n_new += b->connected && !(a && a->connected);
        sum.sent += b->sent - (a ? a->sent : 0);
        sum.again += b->again - (a ? a->again : 0);
        sum.acked += b->acked - (a ? a->acked : 0);
        sum.received += b->received - (a ? a->received : 0);
    }
    return sum;
}

static bool any_closed(const struct tcp *t)
{
    for (size_t i = 0; i < t->begin.n; i++) {
        if (!find(&t->end, t->begin.list[i].inode)) {
            return true;
        }
    }
    return false;
}

static void add(struct tare_readings *to, const char *name, const char *unit, const char *source,
                double value, const char *why, const char *flags)
{
    struct tare_reading reading = {.name = name,
                                   .unit = unit,
                                   .scope = "process",
                                   .source = source,
                                   .kind = TARE_KIND_MEASURED,
                                   .absent = why != NULL,
                                   .value = value,
                                   .why = why};
    struct tare_doubt doubt = {*flags ? (double)NAN : 0, 0, flags};
    to->add_doubted(to, &reading, &doubt);
}

static void tcp_end(void *self, struct tare_readings *to)
{
    struct tcp *t = self;
    walk(t, &t->end);
    size_t n_new;
    struct sock sum = difference(t, &n_new);
    bool closed = any_closed(t), more = t->begin.more || t->end.more;
    bool unseen = !more && !(t->end.opened - t->begin.opened <= (double)n_new); /* not told: not seen */
    const char *flags = more     ? "TOO_MANY_SOCKETS"
                        : closed ? (unseen ? "SOCKETS_CLOSED,SOCKETS_UNSEEN" : "SOCKETS_CLOSED")
                        : unseen ? "SOCKETS_UNSEEN"
                                 : "";
    const char *why = t->begin.ok && t->end.ok ? NULL : "/proc/self/fd could not be read";
    const char *old =
        t->begin.counts && t->end.counts ? why : "the kernel does not count bytes sent (Linux 4.19)";
    add(to, "tcp_sent_bytes", "B", "TCP_INFO tcpi_bytes_sent, with what was sent again", (double)sum.sent,
        why ? why : old, flags);
    add(to, "tcp_retrans_bytes", "B", "TCP_INFO tcpi_bytes_retrans", (double)sum.again, why ? why : old,
        flags);
    add(to, "tcp_acked_bytes", "B", "TCP_INFO tcpi_bytes_acked", (double)sum.acked, why, flags);
    add(to, "tcp_received_bytes", "B", "TCP_INFO tcpi_bytes_received, 1 more for each FIN",
        (double)sum.received, why, flags);
    add(to, "tcp_sockets", "1", "/proc/self/fd at the phase's end", (double)t->end.n, why, more ? flags : "");
}

const struct tare_meter tare_meter_tcp = {.header = TARE_METER_HEADER,
                                          .name = "tcp",
                                          .summary = "bytes through this process's TCP sockets",
                                          .priv_size = sizeof(struct tcp),
                                          .open = tcp_open,
                                          .begin = tcp_begin,
                                          .end = tcp_end,
                                          .options = options};
