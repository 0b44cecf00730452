/* SPDX-License-Identifier: Apache-2.0 */
/* Plain sockets. */
#include "selftest/loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { wait_ms = 20000 };

static int fail(const char *what, struct tare_err *err)
{
    return tare_err_set(err, TARE_E_ENVIRONMENT, "loopback: %s: %s", what, strerror(errno));
}

static bool connect_to(int listener, int ends[2])
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof to;
    return bind(listener, (struct sockaddr *)&to, sizeof to) == 0 && listen(listener, 1) == 0 &&
           getsockname(listener, (struct sockaddr *)&to, &n) == 0 &&
           connect(ends[0], (struct sockaddr *)&to, sizeof to) == 0 &&
           (ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;
}

int tare_loopback_pair(int ends[2], struct tare_err *err)
{
    int pair[2] = {socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), -1};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int r = pair[0] >= 0 && listener >= 0 && connect_to(listener, pair) ? 0 : fail("no connection", err);
    if (listener >= 0) {
        close(listener);
    }
    if (r < 0) {
        if (pair[0] >= 0) {
            close(pair[0]);
        }
        return r;
    }
    ends[0] = pair[0];
    ends[1] = pair[1];
    return 0;
}

int tare_loopback_count(int fd, struct tare_loopback_count *out, struct tare_err *err)
{
    struct tcp_info info;
    socklen_t n = sizeof info;
    memset(&info, 0, sizeof info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) != 0) {
        return fail("TCP_INFO", err);
    }
    if (n < offsetof(struct tcp_info, tcpi_bytes_retrans) + sizeof info.tcpi_bytes_retrans) {
        return tare_err_set(err, TARE_E_ENVIRONMENT,
                            "loopback: the kernel does not count bytes sent (Linux 4.19)");
    }
    *out = (struct tare_loopback_count){(int64_t)info.tcpi_bytes_sent, (int64_t)info.tcpi_bytes_retrans,
                                        (int64_t)info.tcpi_bytes_received};
    return 0;
}

/* One direction: what is left of it. */
struct flow {
    int fd;
    short events;
    char *at;
    size_t left;
};

/* Moves what can be moved now. Pipes take no MSG_DONTWAIT, but poll has said that there is room. */
static bool move(struct flow *f)
{
    enum { at_once = 4096 }; /* what a pipe that is ready takes without waiting */
    size_t n = f->left < at_once ? f->left : at_once;
    ssize_t done = f->events == POLLOUT ? write(f->fd, f->at, n) : read(f->fd, f->at, n);
    if (done > 0) {
        f->at += done;
        f->left -= (size_t)done;
    }
    return done > 0 || (done < 0 && errno == EINTR);
}

int tare_loopback_exchange(int to, const void *out, size_t n_out, int from, void *in, size_t n_in,
                           struct tare_err *err)
{
    union { /* write(2) does not change it */
        const void *in;
        void *out;
    } source = {out};
    struct flow flows[2] = {{to, POLLOUT, source.out, to >= 0 ? n_out : 0},
                            {from, POLLIN, in, from >= 0 ? n_in : 0}};
    while (flows[0].left + flows[1].left > 0) {
        struct pollfd p[2];
        for (int i = 0; i < 2; i++) {
            p[i] = (struct pollfd){.fd = flows[i].left ? flows[i].fd : -1, .events = flows[i].events};
        }
        int n = poll(p, 2, wait_ms);
        if (n == 0) {
            errno = ETIMEDOUT;
        }
        for (int i = 0; n > 0 && i < 2; i++) {
            if (p[i].fd >= 0 && p[i].revents != 0 && !move(&flows[i])) {
                n = -1;
            }
        }
        if (n == 0 || (n < 0 && errno != EINTR)) {
            return fail("the stream broke off", err);
        }
    }
    return 0;
}
