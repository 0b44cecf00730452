/* SPDX-License-Identifier: Apache-2.0 */
/* One thread writes and reads in turn; what arrives is checked, not only counted. */
#include "selftest/bytes.h"

#include "selftest/loopback.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { piece = 32768, fin_wait_ms = 5000 };

/* Sends n bytes and takes them out at the other end, piece by piece; *received counts those that are right.
 */
static int pass(int to, int from, int64_t n, int64_t *received, struct tare_err *err)
{
    static char out[piece], in[piece];
    int r = 0;
    for (int64_t done = 0; r == 0 && done < n;) {
        size_t part = n - done < piece ? (size_t)(n - done) : piece;
        memset(out, (int)(done / piece % 251) + 1, part);
        memset(in, 0, part);
        r = tare_loopback_exchange(to, out, part, from, in, part, err);
        *received += r == 0 && memcmp(out, in, part) == 0 ? (int64_t)part : 0;
        done += (int64_t)part;
    }
    return r;
}

static int pass_pipe(struct tare_known_bytes *out, struct tare_err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "known bytes: pipe: %s", strerror(errno));
    }
    int r = pass(ends[1], ends[0], out->bytes, &out->pipe_received, err);
    close(ends[0]);
    close(ends[1]);
    return r;
}

/* The end of the stream, as the receiver sees it. */
static int finish(const int ends[2], struct tare_known_bytes *out, struct tare_err *err)
{
    struct tare_loopback_count count;
    struct pollfd p = {.fd = ends[1], .events = POLLIN};
    char c;
    if (shutdown(ends[0], SHUT_WR) != 0 || poll(&p, 1, fin_wait_ms) != 1 || read(ends[1], &c, 1) != 0) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "known bytes: the stream does not end");
    }
    int r = tare_loopback_count(ends[1], &count, err);
    out->kernel_fin = r == 0 ? count.received : 0;
    return r;
}

static int pass_tcp(struct tare_known_bytes *out, struct tare_err *err)
{
    int ends[2];
    struct tare_loopback_count sent = {0}, received = {0};
    int r = tare_loopback_pair(ends, err);
    if (r < 0) {
        return r;
    }
    r = pass(ends[0], ends[1], out->bytes, &out->tcp_received, err);
    r = r == 0 ? tare_loopback_count(ends[0], &sent, err) : r;
    r = r == 0 ? tare_loopback_count(ends[1], &received, err) : r;
    out->kernel_sent = sent.sent - sent.again;
    out->kernel_received = received.received;
    r = r == 0 ? finish(ends, out, err) : r;
    close(ends[0]);
    close(ends[1]);
    return r;
}

int tare_known_bytes(int64_t bytes, struct tare_known_bytes *out, struct tare_err *err)
{
    struct tare_known_bytes result = {.bytes = bytes};
    if (bytes < 1) {
        return tare_err_set(err, TARE_E_USAGE, "known bytes: %lld bytes cannot be sent", (long long)bytes);
    }
    int r = pass_pipe(&result, err);
    r = r == 0 ? pass_tcp(&result, err) : r;
    if (r == 0) {
        *out = result;
    }
    return r;
}
